//! Checking of native access tokens. The signature says what was issued; `ended` says whether it still holds.

use crate::{
    cache::LIFETIME,
    clock::{Micros, NODE_SKEW, SECOND},
    realm::Realm,
    refusal::{Kind, Refusal, Result},
    secret::Hashed,
    session,
};
use latchstring_proto::jose::{TimeRules, Times, Unverified};
use std::sync::Arc;

pub use crate::cache::Checked;

/// Checks a native access token meant for our own API (audience = issuer). One whose session waits for something is
/// refused.
pub async fn access(realm: &Realm, token: &str) -> Result<Arc<Checked>> {
    let checked = access_with_tasks(realm, token).await?;
    if checked.tasks.is_empty() {
        return Ok(checked);
    }
    let refusal = Refusal::new(Kind::TaskOutstanding);
    Err(checked.tasks.iter().cloned().fold(refusal, Refusal::reason).into())
}

/// [`access`] for a face that serves what the session waits for.
pub async fn access_with_tasks(realm: &Realm, token: &str) -> Result<Arc<Checked>> {
    let now = realm.now();
    let key = Hashed::of(token.as_bytes()).0;
    let checked = match remembered(realm, &key, now) {
        Some(checked) => checked,
        None => {
            let checked = Arc::new(verify(realm, token, now)?);
            realm.cache().tokens.insert(key, checked.clone());
            checked
        }
    };
    lives(realm, &checked, now).await?;
    Ok(checked)
}

/// [`access`] by memory alone. `None`: memory can't tell; ask [`access`].
pub fn glance(realm: &Realm, token: &str) -> Option<Arc<Checked>> {
    let now = realm.now();
    let checked = remembered(realm, &Hashed::of(token.as_bytes()).0, now)?;
    (checked.tasks.is_empty() && realm.is_fresh() && stands(realm, &checked, now)).then_some(checked)
}

fn remembered(realm: &Realm, key: &[u8; 32], now: Micros) -> Option<Arc<Checked>> {
    realm.cache().tokens.get(key).filter(|checked| now - checked.checked_at < LIFETIME)
}

fn verify(realm: &Realm, token: &str, now: Micros) -> Result<Checked> {
    let unusable = |_| Kind::TokenUnusable;
    let unverified = Unverified::parse(token).map_err(unusable)?;
    let ring = realm.native_ring()?;
    // The key, and with it algorithm and kind, come from our ring; the token only names it.
    let key =
        unverified.header().kid.as_deref().and_then(|kid| ring.verifying(kid)).ok_or(Kind::TokenUnusable)?;
    let verified = unverified.verify(key).map_err(unusable)?;
    // RFC 8725, 3.11: the ring signs other kinds too, and only this one is an access token.
    if verified.typ() != Some(crate::token::mint::ACCESS_TYP) {
        return Err(Kind::TokenUnusable.into());
    }
    let times: Times = verified.claims().map_err(unusable)?;
    // It ends when it says. But it may come from another node, whose clock may be ahead of ours.
    let rules = TimeRules { leeway_us: 0, skew_us: NODE_SKEW, ..TimeRules::STRICT };
    times.check(now, &rules).map_err(|_| Kind::TokenUnusable)?;
    let mut checked: Checked = verified.claims().map_err(unusable)?;
    if checked.iss != realm.issuer() || checked.aud != crate::token::mint::audience(realm, &checked.tasks) {
        return Err(Kind::TokenUnusable.into());
    }
    checked.checked_at = now;
    Ok(checked)
}

async fn lives(realm: &Realm, checked: &Checked, now: Micros) -> Result<()> {
    if !stands(realm, checked, now) {
        return Err(Kind::TokenUnusable.into());
    }
    if realm.is_fresh() {
        return Ok(());
    }
    // The poll is late: ask the database. In a box, so that the usual case carries nothing of it along.
    let Some(sid) = checked.sid else { return Err(Kind::DatabaseAway.into()) };
    let session = Box::pin(realm.db().read(async |tx| session::store::find(tx, sid).await)).await?;
    match session {
        Some(session) if session.lives(now) => Ok(()),
        _ => Err(Kind::TokenUnusable.into()),
    }
}

/// Whether nothing that memory knows of speaks against it.
fn stands(realm: &Realm, checked: &Checked, now: Micros) -> bool {
    checked.exp > now / SECOND
        && !checked.sid.is_some_and(|sid| realm.ended().session_ended(sid))
        && checked.iat >= realm.ended().user_valid_after(checked.sub) / SECOND
}
