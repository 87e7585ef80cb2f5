//! Preparing a realm for this dialect: a mount, its key ring and its keys.

use crate::{
    FACE, PATH, keys,
    keys::{ANON, SERVICE, SERVICE_PERMISSIONS},
    settings::Settings,
};
use latchstring_core::{
    Kind, Result,
    api_key::Made,
    audit::{Actor, Entry, Source, write},
    clock::{DAY, SECOND},
    id::MountId,
    key::Purpose,
    mount::{self, ANY_HOST, Enumeration, Mount},
    realm::Realm,
};
use serde::Serialize;
use zeroize::Zeroizing;

/// What to prepare.
#[derive(Debug, Clone)]
pub struct Init {
    /// A host of its own, on which the face stands at the root as well as below [`PATH`]; or none, for [`PATH`] at the
    /// realm's own origin.
    pub host: Option<String>,
    /// How much it tells of whether an account exists.
    pub enumeration: Enumeration,
    /// What the mount is set to.
    pub settings: Settings,
}

/// What to paste into an app and its back end. The keys are shown once.
pub struct Prepared {
    /// The mount.
    pub mount: MountId,
    /// What `createClient` takes.
    pub url: String,
    /// `sb_publishable_…`
    pub publishable: Zeroizing<String>,
    /// `sb_secret_…`
    pub secret: Zeroizing<String>,
    /// The older kind of the first.
    pub anon: Zeroizing<String>,
    /// The older kind of the second.
    pub service_role: Zeroizing<String>,
}

/// How long keys of the older kind are good: as long as the vendor's.
const LEGACY_DAYS: i64 = 10 * 365;

#[derive(Serialize)]
struct Legacy<'a> {
    iss: &'static str,
    role: &'a str,
    iat: i64,
    exp: i64,
    jti: uuid::Uuid,
}

/// Makes the mount, or changes the one that is there, and gives it fresh keys; keys from before stay good until they
/// are taken back (`latchstring api-key revoke`).
pub async fn prepare(realm: &Realm, actor: Actor, source: &Source, init: Init) -> Result<Prepared> {
    let ground = realm.ground();
    let now = ground.now();
    let (host, url) = match &init.host {
        None => (ANY_HOST.to_owned(), realm.issuer().to_owned()),
        Some(host) => {
            let scheme = realm.issuer().split_once("://").map_or("https", |(scheme, _)| scheme);
            if !latchstring_core::settings::is_origin(&format!("{scheme}://{host}")) {
                return Err(Kind::InputInvalid
                    .param("host")
                    .says("A host name, with its port if it has one.")
                    .into());
            }
            (host.to_ascii_lowercase(), format!("{scheme}://{}", host.to_ascii_lowercase()))
        }
    };
    let issuer = format!("{url}{PATH}");
    let path = if init.host.is_some() { "/" } else { PATH };
    let mut mount = Mount::new(MountId::new(now, ground.random()), &host, path, FACE, &issuer);
    mount.enumeration = init.enumeration;
    mount.body = serde_json::to_string(&init.settings)?;
    let entry = Entry::new(ground.audit_id(), now, "mount.set", actor.clone())
        .detail(serde_json::json!({ "face": FACE, "host": host, "path": path }))
        .from(source);
    let id = realm
        .db()
        .write(async move |tx| -> Result<MountId> {
            let id = mount::put(tx, &mount, now).await?;
            write(tx, entry.clone().on("mount", id.0)).await?;
            Ok(id)
        })
        .await?;
    realm.reload_rings().await?;
    let ring = realm.ring_of(id, Purpose::Access).await?;

    let opaque = |role: &'static str, permissions: &'static [&'static str]| {
        Made::for_mount(realm, actor.clone(), source, id, role, permissions, None, |secret| {
            Ok(keys::opaque(role, secret))
        })
    };
    let legacy = |role: &'static str, permissions: &'static [&'static str]| {
        let (iat, exp) = (now / SECOND, (now + LEGACY_DAYS * DAY) / SECOND);
        Made::for_mount(realm, actor.clone(), source, id, role, permissions, Some(exp * SECOND), |secret| {
            let claims = Legacy { iss: "latchstring", role, iat, exp, jti: secret.id };
            Ok(Zeroizing::new(ring.sign(now, "JWT", &claims)?))
        })
    };
    let (publishable, publishable_text) = opaque(ANON, &[])?;
    let (secret, secret_text) = opaque(SERVICE, SERVICE_PERMISSIONS)?;
    let (anon, anon_text) = legacy(ANON, &[])?;
    let (service, service_text) = legacy(SERVICE, SERVICE_PERMISSIONS)?;
    let all = [publishable, secret, anon, service];
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            for made in &all {
                made.put(tx).await?;
            }
            Ok(())
        })
        .await?;
    Ok(Prepared {
        mount: id,
        url,
        publishable: publishable_text,
        secret: secret_text,
        anon: anon_text,
        service_role: service_text,
    })
}
