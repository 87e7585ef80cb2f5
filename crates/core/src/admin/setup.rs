//! The first API key: made from a one-time set-up token, which the server prints while there is no key.

use crate::{
    api_key::{self, Made},
    audit::{Actor, Source},
    clock::HOUR,
    limit::Rule,
    realm::Realm,
    refusal::{Kind, Result},
    secret::{Hashed, Keyed},
    ticket,
};

const PURPOSE: &str = "setup";

/// Makes a set-up token if the realm has no API key yet. A token made before is void.
pub async fn token(realm: &Realm) -> Result<Option<zeroize::Zeroizing<String>>> {
    let now = realm.now();
    if realm.db().read(async |tx| api_key::store::any(tx, now).await).await? {
        return Ok(None);
    }
    let ground = realm.ground();
    let secret = Keyed::new(crate::id::v7(now, ground.random()), ground.random());
    let text = secret.text();
    let hash = Hashed::of(text.as_bytes());
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            ticket::store::clear(tx, PURPOSE).await?;
            let body = serde_json::json!({});
            let expires_at = now + 24 * HOUR;
            let new =
                ticket::New { hash, purpose: PURPOSE, user: None, about: None, body: &body, expires_at };
            ticket::put(tx, new, now).await
        })
        .await?;
    Ok(Some(text))
}

/// Spends the set-up token for an API key that may do everything.
pub async fn redeem(realm: &Realm, source: &Source, token: &str) -> Result<zeroize::Zeroizing<String>> {
    realm.limit_address(Rule::KeysByAddress, source).await?;
    let hash = Hashed::of(token.trim().as_bytes());
    let now = realm.now();
    let made = Made::new(realm, Actor::Operator, source, "first key", vec!["*".into()], None);
    let text = made.text();
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            if ticket::spend(tx, hash, PURPOSE, now).await?.is_none() {
                return Err(Kind::SetupUnusable.into());
            }
            // It stands in a log. Once there is a key, however it came, nobody needs the token.
            if api_key::store::any(tx, now).await? {
                return Err(Kind::SetupUnusable.into());
            }
            made.put(tx).await
        })
        .await?;
    Ok(text)
}
