//! Preparing a realm for this dialect: a mount, its key ring and its keys.

use crate::{
    FACE, PATH, keys,
    keys::{ANON, SERVICE, SERVICE_PERMISSIONS},
    settings::Settings,
};
use latchstring_core::{
    Result,
    admin::mounts,
    api_key::Made,
    audit::{Actor, Source},
    clock::{DAY, SECOND},
    id::MountId,
    key::Purpose,
    mount::{ANY_HOST, Enumeration, Mount},
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

/// Where a mount stands, or would: nothing is made. Its id is fresh unless it is there.
pub fn at(realm: &Realm, host: Option<&str>) -> Result<(Mount, String)> {
    let (host, path, url) = match host {
        None => (ANY_HOST.to_owned(), PATH, realm.issuer().to_owned()),
        Some(host) => {
            let host = mounts::host(realm, host)?;
            let url = format!("{}://{host}", mounts::scheme(realm));
            (host, "/", url)
        }
    };
    let mut mount = Mount::new(
        MountId::new(realm.now(), realm.ground().random()),
        &host,
        path,
        FACE,
        &format!("{url}{PATH}"),
    );
    let all = realm.mounts();
    let same = |other: &&std::sync::Arc<Mount>| {
        other.face == FACE && other.host == mount.host && other.path == mount.path
    };
    if let Some(there) = all.iter().find(same) {
        mount.id = there.id;
        mount.enumeration = there.enumeration;
        mount.body.clone_from(&there.body);
    }
    Ok((mount, url))
}

/// Makes the mount, or changes the one that is there, and gives it fresh keys; keys from before stay good until they
/// are taken back (`latchstring api-key revoke`).
pub async fn prepare(realm: &Realm, actor: Actor, source: &Source, init: Init) -> Result<Prepared> {
    init.settings.check()?;
    let (mut mount, url) = at(realm, init.host.as_deref())?;
    mount.enumeration = init.enumeration;
    mount.body = serde_json::to_string(&init.settings)?;
    let mount = mounts::put(realm, actor.clone(), source, mount).await?;
    let Keys { publishable, secret, anon, service_role } = mint(realm, actor, source, mount).await?;
    Ok(Prepared { mount, url, publishable, secret, anon, service_role })
}

/// Keys as they are pasted. They are shown once.
pub struct Keys {
    /// `sb_publishable_…`
    pub publishable: Zeroizing<String>,
    /// `sb_secret_…`
    pub secret: Zeroizing<String>,
    /// The older kind of the first.
    pub anon: Zeroizing<String>,
    /// The older kind of the second.
    pub service_role: Zeroizing<String>,
}

/// Gives a mount a key of each sort.
pub async fn mint(realm: &Realm, actor: Actor, source: &Source, id: MountId) -> Result<Keys> {
    let now = realm.now();
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
    Ok(Keys {
        publishable: publishable_text,
        secret: secret_text,
        anon: anon_text,
        service_role: service_text,
    })
}
