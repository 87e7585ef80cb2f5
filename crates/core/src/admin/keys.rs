//! Signing keys, as operators manage them.

use crate::{
    audit::{Actor, Source},
    id::MountId,
    key::{self, Imported, PUBLISH_AHEAD, Purpose},
    realm::Realm,
    refusal::{Kind, Result},
};
use latchstring_proto::jose::SigningKey;

/// Adds a key to a ring, which signs in ten minutes, when every reader of the key set knows it, or `at_once`. The key
/// before it stays published until its last token is over. `mount` is the name of the mount whose ring it is; without, it
/// is one of our own. Gives the new key's name.
pub async fn rotate(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    mount: Option<&str>,
    ring: &str,
    at_once: bool,
) -> Result<String> {
    let purpose = Purpose::parse(ring).ok_or_else(|| {
        let known = Purpose::ALL.map(Purpose::word).join(", ");
        Kind::InputInvalid.param("ring").says(format!("There is no such ring. Known: {known}."))
    })?;
    let mount = match mount {
        Some(name) => find(realm, name)?,
        None if purpose == Purpose::Access => {
            return Err(Kind::InputInvalid
                .param("mount")
                .says("That ring is a mount's: say which, such as /auth/v1.")
                .into());
        }
        None => realm.mount(),
    };
    let ahead = if at_once { 0 } else { PUBLISH_AHEAD };
    let longest = realm.longest_token();
    let kid = key::rotate(realm.db(), realm.ground(), mount, purpose, ahead, longest, actor, source).await?;
    realm.reload_rings().await?;
    Ok(kid)
}

fn find(realm: &Realm, name: &str) -> Result<MountId> {
    let mounts = realm.mounts();
    let mount = mounts.named(name).ok_or_else(|| {
        let known: Vec<String> = mounts.iter().map(|mount| mount.name()).collect();
        let known =
            if known.is_empty() { "There is none.".into() } else { format!("Known: {}.", known.join(", ")) };
        Kind::InputInvalid.param("mount").says(format!("There is no such mount. {known}"))
    })?;
    Ok(mount.id)
}

/// A signing key, and where its ring stands.
pub struct Listed {
    /// The name of its mount; of our own faces none.
    pub mount: Option<String>,
    /// The key.
    pub key: key::Shown,
}

/// The signing keys of all mounts that are published.
pub async fn list(realm: &Realm) -> Result<Vec<Listed>> {
    // A command beside a server may have made a mount a moment ago.
    realm.follow().await?;
    let mounts = realm.mounts();
    let keys = key::list(realm.db(), realm.now()).await?;
    let named = |id: MountId| {
        (id != realm.mount()).then(|| mounts.get(id).map_or_else(|| id.to_string(), |m| m.name()))
    };
    Ok(keys.into_iter().map(|key| Listed { mount: named(key.mount), key }).collect())
}

/// Takes keys that were made elsewhere into the ring of a mount's access tokens: [`key::import`].
pub async fn import(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    mount: MountId,
    keys: &[SigningKey],
) -> Result<Vec<Imported>> {
    realm.ring_of(mount, Purpose::Access).await?;
    let longest = realm.longest_token();
    let done =
        key::import(realm.db(), realm.ground(), mount, Purpose::Access, keys, longest, actor, source).await?;
    realm.reload_rings().await?;
    Ok(done)
}

/// Takes a signing key back, for when its private part may have got out: nothing that it signed is taken from now on,
/// by us at once, by others as soon as they read the key set again.
pub async fn revoke(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    mount: Option<&str>,
    kid: &str,
) -> Result<()> {
    let mount = mount.map(|name| find(realm, name)).transpose()?;
    key::revoke(realm.db(), realm.ground(), mount, kid, actor, source).await?;
    realm.reload_rings().await?;
    // Tokens that were checked lately are remembered by what they say, not by their key.
    realm.cache().forget_tokens();
    Ok(())
}
