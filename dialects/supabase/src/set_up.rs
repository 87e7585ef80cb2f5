//! What `latchstring dialect supabase init` does: the mount and the realm's settings, as flags and a settings file say, the
//! keys that sign, and the keys to paste. Run again, it changes what is said and keeps the rest.

use crate::{
    config::{self, Line},
    init::{self, Keys},
    keys::{ANON, SERVICE},
    settings::Settings,
};
use latchstring_core::{
    Kind, Refusal, Result, admin,
    api_key::{self, ApiKey},
    audit::{Actor, Source},
    id::MountId,
    key::{Imported, MOST_IMPORTED, Purpose, check_import},
    mount::Enumeration,
    realm::Realm,
    settings::merge,
};
use latchstring_proto::jose::SigningKey;
use serde_json::{Value, value::RawValue};

/// What is asked for. What is not said stays as it is.
#[derive(Default)]
pub struct Wish {
    /// A host for this face alone.
    pub host: Option<String>,
    /// Where people are led when a request names no place.
    pub site_url: Option<String>,
    /// Where else they may be led; none said: as it is.
    pub redirects: Vec<String>,
    /// How much it tells.
    pub enumeration: Option<Enumeration>,
    /// Whether back ends that sign by an imported key are let in as admins.
    pub admit_signed_admins: Option<bool>,
    /// What a settings file says; flags go before it.
    pub file: Option<config::Read>,
    /// Keys that were made elsewhere.
    pub signing_keys: Vec<SigningKey>,
    /// New keys though there are good ones.
    pub new_keys: bool,
}

/// What was done.
pub struct Done {
    /// The mount.
    pub mount: MountId,
    /// What operators call it.
    pub name: String,
    /// What `createClient` takes.
    pub url: String,
    /// The issuer of its tokens.
    pub issuer: String,
    /// Whether it was made now.
    pub made: bool,
    /// What it is set to.
    pub settings: Settings,
    /// How much it tells.
    pub enumeration: Enumeration,
    /// Settings of the realm that are others now, with what they were and are.
    pub changed: Vec<(String, Value, Value)>,
    /// What became of each setting of the file.
    pub lines: Vec<Line>,
    /// Sections of the file that are not about signing in.
    pub others: Vec<String>,
    /// What became of the signing keys.
    pub imported: Vec<Imported>,
    /// The keys to paste, if some were made.
    pub keys: Option<Keys>,
    /// The keys that were good before.
    pub good: Vec<ApiKey>,
}

/// What a settings file is read against.
pub async fn read(
    realm: &Realm,
    text: &str,
    open_sign_up: bool,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<config::Read> {
    let fresh = admin::users::list(realm, None, None, 1).await?.users.is_empty();
    let sign_up = realm.settings().1.sign_up;
    Ok(config::read(text, &config::Around { sign_up, may_open: fresh || open_sign_up, env })?)
}

/// Reads a file of signing keys: a JSON array of private JWKs.
pub fn signing_keys(text: &str) -> Result<Vec<SigningKey>, Refusal> {
    let wrong = |says: String| Kind::InputInvalid.param("signing_keys").says(says);
    if text.len() > config::MOST_BYTES {
        return Err(wrong(format!("The file is longer than {} KiB.", config::MOST_BYTES / 1024)));
    }
    let list: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| {
        wrong("The file is no JSON array of private JWKs, as `supabase gen signing-key` writes one.".into())
    })?;
    if list.is_empty() || list.len() > MOST_IMPORTED {
        return Err(wrong(format!(
            "The file has {} keys; between 1 and {MOST_IMPORTED} can be taken over.",
            list.len()
        )));
    }
    let read = |(i, jwk): (usize, &&RawValue)| {
        SigningKey::from_jwk(jwk.get()).map_err(|_| {
            wrong(format!(
                "Key {} can't be taken over. It has to be a private JWK with all its numbers, for RS256 (RSA of 2048 bits or \
                 more) or ES256 (P-256).",
                i + 1
            ))
        })
    };
    list.iter().enumerate().map(read).collect()
}

/// Does it. Everything is checked before anything is changed.
pub async fn set_up(realm: &Realm, actor: Actor, source: &Source, wish: Wish) -> Result<Done> {
    // A command beside a server: what another one has done a moment ago counts.
    realm.follow().await?;
    let (mut mount, url) = init::at(realm, wish.host.as_deref())?;
    let before = realm.mounts().get(mount.id).cloned();
    let mut settings: Settings = serde_json::from_str(&mount.body)?;
    let file = wish.file.unwrap_or_default();
    let tells = file.tells();
    if tells && wish.enumeration == Some(Enumeration::Strict) {
        let says = "The file lets people in without a proof of their address, and a sign-up then tells whether it is taken.";
        return Err(Kind::InputInvalid.param("enumeration").says(says).into());
    }
    let in_file = |setting: &'static str, name: &'static str| {
        move |mut refusal: Refusal| {
            if refusal.detail.param.as_deref() == Some(setting) {
                refusal = refusal.param(name);
            }
            refusal
        }
    };
    // By themselves, so that a refusal names what the file calls them.
    if let Some(site_url) = file.site_url {
        settings.site_url = site_url;
        settings.check().map_err(in_file("site_url", "auth.site_url"))?;
    }
    if let Some(redirects) = file.redirects {
        settings.redirects = redirects;
        settings.check().map_err(in_file("redirects", "auth.additional_redirect_urls"))?;
    }
    settings.jwt_seconds = file.jwt_seconds.unwrap_or(settings.jwt_seconds);
    settings.email = file.email.unwrap_or(settings.email);
    settings.double_confirm = file.double_confirm.unwrap_or(settings.double_confirm);
    settings.site_url = wish.site_url.unwrap_or(settings.site_url);
    if !wish.redirects.is_empty() {
        settings.redirects = wish.redirects;
    }
    settings.admit_signed_admins = wish.admit_signed_admins.unwrap_or(settings.admit_signed_admins);
    settings.check()?;
    mount.enumeration = match wish.enumeration {
        Some(said) => said,
        None if tells => Enumeration::Vendor,
        None => mount.enumeration,
    };
    // What a newer binary has set and this one does not know stays.
    let mut body: Value = serde_json::from_str(&mount.body)?;
    merge(&mut body, &serde_json::to_value(&settings)?);
    mount.body = body.to_string();
    admin::mounts::check(realm, &mount)?;
    if !wish.signing_keys.is_empty() {
        check_import(realm.db(), realm.now(), mount.id, Purpose::Access, &wish.signing_keys).await?;
    }

    let changed = patch(realm, &actor, source, &file.realm).await?;
    let (name, issuer, enumeration) = (mount.name(), mount.issuer.clone(), mount.enumeration);
    let same = before.as_ref().is_some_and(|before| {
        let body: Option<Value> = serde_json::from_str(&before.body).ok();
        body.is_some_and(|old| old == serde_json::from_str::<Value>(&mount.body).unwrap_or_default())
            && before.enumeration == enumeration
            && before.issuer == issuer
    });
    let id = if same { mount.id } else { admin::mounts::put(realm, actor.clone(), source, mount).await? };
    let imported = match wish.signing_keys.as_slice() {
        [] => Vec::new(),
        keys => admin::keys::import(realm, actor.clone(), source, id, keys).await?,
    };
    let good = good_keys(realm, id).await?;
    let keys = match good.as_slice() {
        // They can't be shown again, and apps may have them.
        [_, ..] if !wish.new_keys => None,
        _ => Some(init::mint(realm, actor, source, id).await?),
    };
    let (lines, others, made) = (file.lines, file.others, before.is_none());
    Ok(Done {
        mount: id,
        name,
        url,
        issuer,
        made,
        settings,
        enumeration,
        changed,
        lines,
        others,
        imported,
        keys,
        good,
    })
}

/// Changes what differs of the realm's settings, all of it or nothing, and says what that was.
async fn patch(
    realm: &Realm,
    actor: &Actor,
    source: &Source,
    wanted: &Value,
) -> Result<Vec<(String, Value, Value)>> {
    let (rev, settings) = &*realm.settings();
    let now = serde_json::to_value(settings.shown())?;
    let mut changes = Value::Object(serde_json::Map::new());
    let mut changed = Vec::new();
    let mut one = |place: &[&str], wanted: &Value| {
        let old = place.iter().fold(&now, |at, name| &at[*name]);
        if old != wanted {
            *place.iter().fold(&mut changes, |at, name| &mut at[*name]) = wanted.clone();
            changed.push((place.join("."), old.clone(), wanted.clone()));
        }
    };
    for (name, wanted) in wanted.as_object().into_iter().flatten() {
        match wanted.as_object() {
            Some(members) => members.iter().for_each(|(member, wanted)| one(&[name, member], wanted)),
            None => one(&[name], wanted),
        }
    }
    if !changed.is_empty() {
        admin::settings::patch(realm, actor.clone(), source, changes, Some(*rev)).await?;
    }
    Ok(changed)
}

/// The keys of a mount that are good, newest first.
pub async fn good_keys(realm: &Realm, mount: MountId) -> Result<Vec<ApiKey>> {
    let now = realm.now();
    let good = |key: &ApiKey| {
        key.mount == Some(mount)
            && matches!(key.role.as_deref(), Some(ANON | SERVICE))
            && key.revoked_at.is_none()
            && key.expires_at.is_none_or(|at| at > now)
    };
    Ok(api_key::list(realm).await?.into_iter().filter(good).collect())
}
