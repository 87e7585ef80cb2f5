//! Checking of native access tokens. The signature says what was issued; `ended` says whether it still holds.

use crate::{
    clock::{Micros, SECOND},
    id::{SessionId, UserId},
    realm::Realm,
    refusal::{Kind, Refusal, Result},
    secret::Hashed,
    session,
};
use latchstring_proto::jose::{TimeRules, Times, Unverified};
use serde::Deserialize;
use std::sync::Arc;

/// What a checked access token says.
#[derive(Debug, Clone, Deserialize)]
pub struct Checked {
    /// Who.
    pub sub: UserId,
    /// By which session.
    pub sid: Option<SessionId>,
    /// Issued, in Unix seconds.
    pub iat: i64,
    /// Until, in Unix seconds.
    pub exp: i64,
    /// When a proof was last given, in Unix seconds.
    pub auth_time: i64,
    /// How.
    #[serde(default)]
    pub amr: Vec<String>,
    /// Level of assurance.
    pub acr: String,
    /// What has to be done before the session may be used.
    #[serde(default)]
    pub tasks: Vec<String>,
    /// Who issued it.
    iss: String,
    /// For whom.
    aud: String,
    /// To whom.
    pub client_id: String,
}

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
    let cached = realm.tokens().get(&key).and_then(|any| any.downcast::<Checked>().ok());
    let checked = match cached {
        Some(checked) => checked,
        None => {
            let checked = Arc::new(verify(realm, token)?);
            realm.tokens().insert(key, checked.clone());
            checked
        }
    };
    lives(realm, &checked, now).await?;
    Ok(checked)
}

fn verify(realm: &Realm, token: &str) -> Result<Checked> {
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
    let rules = TimeRules { leeway_us: 0, ..TimeRules::STRICT };
    times.check(realm.now(), &rules).map_err(|_| Kind::TokenUnusable)?;
    let checked: Checked = verified.claims().map_err(unusable)?;
    if checked.iss != realm.issuer() || checked.aud != realm.issuer() {
        return Err(Kind::TokenUnusable.into());
    }
    Ok(checked)
}

async fn lives(realm: &Realm, checked: &Checked, now: Micros) -> Result<()> {
    if checked.exp <= now / SECOND {
        return Err(Kind::TokenUnusable.into());
    }
    if realm.is_fresh() {
        if checked.sid.is_some_and(|sid| realm.ended().session_ended(sid))
            || checked.iat < realm.ended().user_valid_after(checked.sub) / SECOND
        {
            return Err(Kind::TokenUnusable.into());
        }
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
