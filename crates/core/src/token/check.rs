//! Checking of native access tokens. The signature says what was issued; `ended` says whether it still holds.

use crate::{
    cache::{LIFETIME, Mounted},
    clock::{Micros, NODE_SKEW, SECOND},
    id::{KeyId, MountId, SessionId, UserId},
    key::Purpose,
    realm::Realm,
    refusal::{Kind, Refusal, Result},
    secret::Hashed,
    session,
};
use latchstring_proto::jose::{TimeRules, Times, Unverified};
use serde::de::DeserializeOwned;
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

/// A mount's access token whose signature and times are right.
pub struct Verified<T> {
    /// What it says, in the mount's own form.
    pub claims: T,
    /// The key that signed it, where it was imported: others may hold it too.
    pub by_imported: Option<KeyId>,
    /// Issued, in Unix seconds; 0 where it does not say.
    pub iat: i64,
    /// Whether it has an end.
    pub ends: bool,
}

/// Verifies a token by a mount's ring: signature, kind and times, as far as it has any. Whether its session still holds
/// is for [`session_holds`]. Each mount's tokens are read as one type.
pub fn verify_at<T>(realm: &Realm, mount: MountId, token: &str) -> Result<Arc<Verified<T>>>
where
    T: DeserializeOwned + Send + Sync + 'static,
{
    let now = realm.now();
    let key = Hashed::of(token.as_bytes()).0;
    let good = |m: &Mounted| m.mount == mount && now - m.checked_at < LIFETIME && now < m.ends_at;
    if let Some(known) = realm.cache().mounted.get(&key).filter(good)
        && let Ok(verified) = known.verified.downcast()
    {
        return Ok(verified);
    }
    let unusable = |_| Kind::TokenUnusable;
    let unverified = Unverified::parse(token).map_err(unusable)?;
    let rings = realm.rings();
    let ring = rings.of(mount, Purpose::Access).ok_or(Kind::TokenUnusable)?;
    // The key, and with it the algorithm, come from the mount's ring; the token only names it.
    let kid = unverified.header().kid.clone().ok_or(Kind::TokenUnusable)?;
    let signed_by = ring.verifying(&kid).ok_or(Kind::TokenUnusable)?;
    let verified = unverified.verify(signed_by).map_err(unusable)?;
    if verified.typ().is_some_and(|typ| typ != "JWT") {
        return Err(Kind::TokenUnusable.into());
    }
    let times: Times = verified.claims().map_err(unusable)?;
    let rules = TimeRules { leeway_us: 0, skew_us: NODE_SKEW, exp_required: false, ..TimeRules::STRICT };
    times.check(now, &rules).map_err(|_| Kind::TokenUnusable)?;
    let verified = Arc::new(Verified {
        claims: verified.claims().map_err(unusable)?,
        by_imported: ring.imported(&kid),
        iat: times.iat.map_or(0, |iat| iat.micros() / SECOND),
        ends: times.exp.is_some(),
    });
    let ends_at = times.exp.map_or(Micros::MAX, |exp| exp.micros());
    realm
        .cache()
        .mounted
        .insert(key, Mounted { mount, checked_at: now, ends_at, verified: verified.clone() });
    Ok(verified)
}

/// The session of a verified token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// It is over.
    No,
    /// It holds, and what the token says of it was said by this server.
    Yes,
    /// It holds. What the token says of it may be anybody's word who has the key; its proofs were last given at this time.
    Since(Micros),
}

/// Whether the session of a verified token still holds. What a key has signed that others may hold too is a session only
/// if there is one.
pub async fn session_holds<T>(
    realm: &Realm,
    verified: &Verified<T>,
    user: UserId,
    session: SessionId,
) -> Result<Holds> {
    let now = realm.now();
    let ended = realm.ended();
    if ended.session_ended(session) || verified.iat < ended.user_valid_after(user) / SECOND {
        return Ok(Holds::No);
    }
    if realm.is_fresh() && verified.by_imported.is_none() {
        return Ok(Holds::Yes);
    }
    let found = realm.db().read(async |tx| session::store::find(tx, session).await).await?;
    let found = found.filter(|found| found.user == user && found.lives(now));
    Ok(found.map_or(Holds::No, |found| Holds::Since(found.auth_at)))
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
