//! Signing keys, as operators manage them.

use crate::{
    audit::{Actor, Source},
    key::{self, PUBLISH_AHEAD, Purpose},
    realm::Realm,
    refusal::{Kind, Result},
};

/// Adds a key to a ring, which signs in ten minutes, when every reader of the key set knows it, or `at_once`. The key
/// before it stays published until its last token is over. Gives the new key's name.
pub async fn rotate(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    ring: &str,
    at_once: bool,
) -> Result<String> {
    let purpose = Purpose::parse(ring).ok_or_else(|| {
        let known = Purpose::ALL.map(Purpose::word).join(", ");
        Kind::InputInvalid.param("ring").says(format!("There is no such ring. Known: {known}."))
    })?;
    let ahead = if at_once { 0 } else { PUBLISH_AHEAD };
    let longest = realm.longest_token();
    let kid = key::rotate(realm.db(), realm.ground(), realm.mount(), purpose, ahead, longest, actor, source)
        .await?;
    realm.reload_rings().await?;
    Ok(kid)
}

/// Takes a signing key back, for when its private part may have got out: nothing that it signed is taken from now on,
/// by us at once, by others as soon as they read the key set again.
pub async fn revoke(realm: &Realm, actor: Actor, source: &Source, kid: &str) -> Result<()> {
    key::revoke(realm.db(), realm.ground(), realm.mount(), kid, actor, source).await?;
    realm.reload_rings().await?;
    // Tokens that were checked lately are remembered by what they say, not by their key.
    realm.cache().forget_tokens();
    Ok(())
}
