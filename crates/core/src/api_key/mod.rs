//! API keys: what backends show to manage the realm.

pub mod store;

use crate::{
    audit::{self, Actor, Entry, Source},
    clock::Micros,
    id::{ApiKeyId, MountId},
    limit::Rule,
    realm::Realm,
    refusal::{Kind, Refusal, Result},
    secret::{Hashed, Keyed},
};

/// Makes leaked keys findable by secret scanners.
const PREFIX: &str = "lsk_";
/// Hex digits of the checksum at the end, by which a scanner can tell a key from noise without asking us.
const CHECKSUM: usize = 8;

/// What a key may do: `noun:verb`, or `*` for everything.
pub const PERMISSIONS: &[&str] = &[
    "*",
    "users:read",
    "users:write",
    "invitations:read",
    "invitations:write",
    "settings:read",
    "settings:write",
    "keys:read",
    "keys:write",
    "audit:read",
    "revocations:read",
];

/// An API key as stored.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Micros,
    /// Until when it is good.
    pub expires_at: Option<Micros>,
    /// When it was last used, to the minute.
    pub used_at: Option<Micros>,
    /// When it was taken back.
    pub revoked_at: Option<Micros>,
    /// The mount that it is for, where it is a dialect's.
    pub mount: Option<MountId>,
    /// What it is there, in the dialect's words.
    pub role: Option<String>,
    pub(crate) hash: Vec<u8>,
}

impl ApiKey {
    /// Whether the key has a permission.
    pub fn may(&self, permission: &str) -> bool {
        self.permissions.iter().any(|p| p == "*" || p == permission)
    }

    fn good(&self, now: Micros) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }

    /// Refuses a key that lacks a permission.
    pub fn must(&self, permission: &'static str) -> Result<()> {
        if self.may(permission) {
            return Ok(());
        }
        Err(Kind::PermissionMissing.param(permission).into())
    }

    /// The key as the actor of an audit row.
    pub fn actor(&self) -> Actor {
        Actor::ApiKey(self.id.0)
    }
}

/// The text of a key: prefix, id and secret, checksum.
fn text(secret: &Keyed) -> zeroize::Zeroizing<String> {
    let body = secret.text();
    zeroize::Zeroizing::new(format!("{PREFIX}{}_{}", *body, checksum(&body)))
}

fn checksum(body: &str) -> String {
    Hashed::of(body.as_bytes()).0[..CHECKSUM / 2].iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether a text looks like one of our keys.
pub fn looks_like(text: &str) -> bool {
    text.starts_with(PREFIX)
}

fn parse(text: &str) -> Option<Keyed> {
    // The checksum has a fixed length; the base64url before it may hold underscores.
    let rest = text.strip_prefix(PREFIX)?;
    if !rest.is_ascii() || rest.len() != 64 + 1 + CHECKSUM {
        return None;
    }
    let (body, tail) = rest.split_at(64);
    if tail.strip_prefix('_')? != checksum(body) {
        return None;
    }
    Keyed::parse(body)
}

/// Makes a key. The text is shown once and never again.
pub async fn create(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    name: &str,
    permissions: Vec<String>,
    expires_at: Option<Micros>,
) -> Result<(ApiKey, zeroize::Zeroizing<String>)> {
    check(name, &permissions, expires_at, realm.now())?;
    let made = Made::new(realm, actor, source, name, permissions, expires_at);
    let shown = (made.key.clone(), text(&made.secret));
    realm.db().write(async move |tx| -> Result<()> { made.put(tx).await }).await?;
    Ok(shown)
}

/// Makes a key on behalf of another one, which can't give what it lacks.
pub async fn create_by(
    realm: &Realm,
    by: &ApiKey,
    source: &Source,
    name: &str,
    permissions: Vec<String>,
    expires_at: Option<Micros>,
) -> Result<(ApiKey, zeroize::Zeroizing<String>)> {
    if let Some(lacking) = permissions.iter().find(|p| !by.may(p)) {
        return Err(Kind::PermissionMissing.param(lacking.clone()).into());
    }
    // A key that ends can't make one that outlives it.
    let expires_at = match (by.expires_at, expires_at) {
        (Some(end), None) => Some(end),
        (Some(end), Some(at)) => Some(at.min(end)),
        (None, at) => at,
    };
    create(realm, by.actor(), source, name, permissions, expires_at).await
}

fn check(name: &str, permissions: &[String], expires_at: Option<Micros>, now: Micros) -> Result<()> {
    latchstring_proto::text::clean_line(name, 100)
        .map_err(|e| Kind::InputInvalid.param("name").says(e.to_string()))?;
    if name.trim().is_empty() {
        return Err(Kind::InputInvalid.param("name").says("A key needs a name.").into());
    }
    if permissions.is_empty() || permissions.len() > PERMISSIONS.len() {
        return Err(Kind::InputInvalid
            .param("permissions")
            .says("At least one permission is needed.")
            .into());
    }
    for permission in permissions {
        if !PERMISSIONS.contains(&permission.as_str()) {
            let says = format!("There is no permission “{permission}”. Known: {}.", PERMISSIONS.join(", "));
            return Err(Kind::InputInvalid.param("permissions").says(says).into());
        }
    }
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Kind::InputInvalid.param("expires_at").says("The expiry must be in the future.").into());
    }
    Ok(())
}

/// A key drawn before the transaction that stores it.
pub struct Made {
    key: ApiKey,
    secret: Keyed,
    entry: Entry,
}

impl Made {
    /// Draws a key.
    pub fn new(
        realm: &Realm,
        actor: Actor,
        source: &Source,
        name: &str,
        permissions: Vec<String>,
        expires_at: Option<Micros>,
    ) -> Self {
        let ground = realm.ground();
        let now = ground.now();
        let id = ApiKeyId::new(now, ground.random());
        let secret = Keyed::new(id.0, ground.random());
        let created_by = actor.id().unwrap_or_else(|| actor.kind().to_owned());
        let entry = Entry::new(ground.audit_id(), now, "api_key.created", actor)
            .on("api_key", id.0)
            .detail(serde_json::json!({ "name": name, "permissions": permissions }))
            .from(source);
        let key = ApiKey {
            id,
            name: name.to_owned(),
            permissions,
            created_by,
            created_at: now,
            expires_at,
            used_at: None,
            revoked_at: None,
            mount: None,
            role: None,
            hash: secret.hashed().0.to_vec(),
        };
        Self { key, secret, entry }
    }

    /// Draws a key of a mount. `render` makes its text of a fresh id and secret; the text as a whole is the secret.
    #[expect(clippy::too_many_arguments, reason = "each is a column")]
    pub fn for_mount(
        realm: &Realm,
        actor: Actor,
        source: &Source,
        mount: MountId,
        role: &str,
        permissions: &[&str],
        expires_at: Option<Micros>,
        render: impl FnOnce(&Keyed) -> Result<zeroize::Zeroizing<String>>,
    ) -> Result<(Self, zeroize::Zeroizing<String>)> {
        let permissions = permissions.iter().map(|p| (*p).to_owned()).collect();
        let mut made = Self::new(realm, actor, source, role, permissions, expires_at);
        let text = render(&made.secret)?;
        made.key.mount = Some(mount);
        made.key.role = Some(role.to_owned());
        made.key.hash = Hashed::of(text.as_bytes()).0.to_vec();
        Ok((made, text))
    }

    /// Stores it, with its audit row.
    pub async fn put(&self, tx: &mut latchstring_db::Tx) -> Result<()> {
        store::insert(tx, &self.key).await?;
        audit::write(tx, self.entry.clone()).await
    }

    /// The text to show once.
    pub fn text(&self) -> zeroize::Zeroizing<String> {
        text(&self.secret)
    }
}

/// Looks a key up by its text.
pub async fn check_text(realm: &Realm, source: &Source, text: &str) -> Result<ApiKey> {
    let now = realm.now();
    let found = match parse(text) {
        None => None,
        Some(secret) => {
            let id = ApiKeyId(secret.id);
            let found = realm.db().read(async |tx| store::find(tx, id).await).await?;
            found.filter(|k| k.mount.is_none() && secret.hashed().matches(&k.hash))
        }
    };
    admit(realm, source, found, now).await
}

/// Looks up a key of a mount by its id, which the dialect has read from its text.
pub async fn check_at(
    realm: &Realm,
    source: &Source,
    mount: MountId,
    id: Option<ApiKeyId>,
    text: &str,
) -> Result<ApiKey> {
    let found = match id {
        None => None,
        Some(id) => realm.db().read(async |tx| store::find(tx, id).await).await?,
    };
    let hash = Hashed::of(text.as_bytes());
    let found = found.filter(|key| key.mount == Some(mount) && hash.matches(&key.hash));
    admit(realm, source, found, realm.now()).await
}

/// Lets a key in whose secret was right, unless it is over.
async fn admit(realm: &Realm, source: &Source, found: Option<ApiKey>, now: Micros) -> Result<ApiKey> {
    let entry = || Entry::new(realm.ground().audit_id(), now, "api_key.refused", Actor::Anonymous);
    let known = found.as_ref().map(|k| k.id);
    let good = found.filter(|k| k.good(now));
    let Some(key) = good else {
        if let Some(id) = known {
            // Whose secret was right: that it is still in use is news for the operator.
            let entry = entry().on("api_key", id.0).from(source).refused();
            realm.db().write(async move |tx| -> Result<()> { audit::write(tx, entry.clone()).await }).await?;
        }
        // Only wrong keys count: a backend with a good one may ask as often as it likes.
        realm.limit_address(Rule::KeysByAddress, source).await?;
        return Err(Kind::ApiKeyUnusable.into());
    };
    if key.used_at.is_none_or(|at| now - at > crate::clock::MINUTE) {
        let id = key.id;
        realm.db().write(async move |tx| -> Result<()> { store::used(tx, id, now).await }).await?;
    }
    Ok(key)
}

/// Refuses a key that lacks a permission, and leaves word of it.
pub async fn must(realm: &Realm, key: &ApiKey, source: &Source, permission: &'static str) -> Result<()> {
    let refused = key.must(permission);
    if refused.is_err() {
        let entry = Entry::new(realm.ground().audit_id(), realm.now(), "api_key.refused", key.actor())
            .on("api_key", key.id.0)
            .detail(serde_json::json!({ "lacks": permission }))
            .from(source)
            .refused();
        realm.db().write(async move |tx| -> Result<()> { audit::write(tx, entry.clone()).await }).await?;
    }
    refused
}

/// Whether a key that was good is so still: for answers that outlast their request.
pub async fn is_good(realm: &Realm, id: ApiKeyId) -> Result<bool> {
    let now = realm.now();
    let found = realm.db().read(async |tx| store::find(tx, id).await).await?;
    Ok(found.is_some_and(|k| k.good(now)))
}

/// Every key, newest first.
pub async fn list(realm: &Realm) -> Result<Vec<ApiKey>> {
    realm.db().read(async |tx| store::list(tx).await).await
}

/// Takes a key back, at once.
pub async fn revoke(realm: &Realm, actor: Actor, source: &Source, id: ApiKeyId) -> Result<()> {
    let now = realm.now();
    let entry =
        Entry::new(realm.ground().audit_id(), now, "api_key.revoked", actor).on("api_key", id.0).from(source);
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            if !store::revoke(tx, id, now).await? {
                return Err(Refusal::new(Kind::NotFound).into());
            }
            audit::write(tx, entry.clone()).await
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_key_has_a_checksum_and_nothing_else_parses() {
        let secret = Keyed::new(uuid::Uuid::from_u128(5), &SystemRandom::default());
        let key = text(&secret);
        assert!(parse(&key).is_some());
        let mut wrong = key.to_string();
        wrong.pop();
        for bad in ["", "lsk_", &wrong, &format!("{wrong}g"), &"lsk_é".repeat(20)] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
