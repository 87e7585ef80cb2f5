//! Browsers: a cookie jar or native install that we have given a secret. The cookie names the browser, not a session;
//! the browser holds attempts and any number of sessions, one of them current. The cookie's value changes at each
//! sign-in and step-up, and the one before is dead at once.

pub mod store;

use crate::{
    cache::{CachedBrowser, LIFETIME, Signed},
    clock::{HOUR, MINUTE, Micros},
    id::{BrowserId, UserId},
    realm::Realm,
    refusal::{Kind, Refusal, Result},
    secret::Keyed,
};
use std::sync::{Arc, atomic::Ordering};

/// A browser that nobody signed in with is forgotten after so long.
pub const UNUSED: Micros = HOUR;

/// A browser whose cookie was right, as far as a rule has to know it.
#[derive(Debug, Clone)]
pub struct Known {
    /// Which.
    pub id: BrowserId,
    /// The generation of the cookie that was shown: what follows is valid only while it stands.
    pub generation: i64,
    /// Who is signed in, if anybody is.
    pub signed: Option<Arc<Signed>>,
    /// The cookie that was shown, to be sent again with a longer life.
    pub(crate) shown: Keyed,
}

/// A new or changed cookie, to be sent with the answer.
#[derive(Debug, Clone)]
pub struct NewCookie {
    /// The value.
    pub secret: Keyed,
    /// When it ends.
    pub expires_at: Micros,
}

/// Looks at a cookie's value. `None`: there is no such browser, or its cookie has changed since.
pub async fn check(realm: &Realm, value: &str) -> Result<Option<Known>> {
    let Some(cookie) = Keyed::parse(value) else { return Ok(None) };
    let hash = cookie.hashed();
    let id = BrowserId(cookie.id);
    let now = realm.now();
    if let Some(cached) = remembered(realm, id, now)
        && let Some(known) = admit(realm, &cookie, &hash, id, &cached, now)
    {
        return Ok(Some(known));
    }
    // Another secret than memory's is wrong, or newer: another node may have changed it a moment ago. A flood of wrong
    // ones costs what one for unknown browsers does, a read by key each, and changes nothing in memory.
    // In a box: what a hit, the usual case, carries along stays small.
    Box::pin(read(realm, &cookie, &hash, id, now)).await
}

/// [`check`] by memory alone. `None`: memory can't tell; ask [`check`].
pub fn glance(realm: &Realm, value: &str) -> Option<Known> {
    let cookie = Keyed::parse(value)?;
    let id = BrowserId(cookie.id);
    let now = realm.now();
    let cached = remembered(realm, id, now)?;
    let hash = cookie.hashed();
    admit(realm, &cookie, &hash, id, &cached, now)
}

/// What memory holds of a browser, if that may be trusted: the poll of endings is not late, the entry is young, its
/// cookie has not changed since, and its session is not over. (One that is over is read again: another may be current.)
fn remembered(realm: &Realm, id: BrowserId, now: Micros) -> Option<Arc<CachedBrowser>> {
    if !realm.is_fresh() {
        return None;
    }
    let cached = realm.cache().browsers.get(&id.0)?;
    let stands = now - cached.read_at < LIFETIME
        && cached.generation >= realm.ended().browser_generation(id)
        && !cached.signed.as_ref().is_some_and(|s| dead(realm, s, now));
    stands.then_some(cached)
}

/// Asks the database; remembers the answer, unless the poll is late and memory is not to be trusted.
async fn read(
    realm: &Realm,
    cookie: &Keyed,
    hash: &crate::secret::Hashed,
    id: BrowserId,
    now: Micros,
) -> Result<Option<Known>> {
    let fresh = realm.is_fresh();
    let Some(row) = realm.db().read(async |tx| store::with_session(tx, id, now).await).await? else {
        return Ok(None);
    };
    let known = admit(realm, cookie, hash, id, &row, now);
    if fresh && known.is_some() {
        // What ended between our reading and this line is found by `dead` at the next look, since endings outlive
        // cached entries.
        realm.cache().browsers.insert(id.0, Arc::new(row));
    }
    Ok(known)
}

fn admit(
    realm: &Realm,
    cookie: &Keyed,
    hash: &crate::secret::Hashed,
    id: BrowserId,
    row: &CachedBrowser,
    now: Micros,
) -> Option<Known> {
    if !hash.matches(&row.hash) {
        return None;
    }
    let signed = row.signed.clone().filter(|s| !dead(realm, s, now));
    if let Some(signed) = &signed {
        touch(realm, signed, now);
    }
    Some(Known { id, generation: row.generation, signed, shown: cookie.clone() })
}

/// Whether a session that memory knows is over.
fn dead(realm: &Realm, signed: &Signed, now: Micros) -> bool {
    signed.expired(now)
        || realm.ended().session_ended(signed.session)
        || signed.created_at < realm.ended().user_valid_after(signed.user)
}

fn touch(realm: &Realm, signed: &Signed, now: Micros) {
    let seen = signed.active.load(Ordering::Relaxed);
    // Once a minute at most, and by one of those who come at once.
    if now - seen >= MINUTE
        && signed.active.compare_exchange(seen, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    {
        realm.touch(signed.session, now);
    }
}

/// Whether a session may be used: refuses one that waits for something, unless the face serves that task.
pub fn usable(signed: &Signed) -> Result<()> {
    if signed.tasks.is_empty() {
        return Ok(());
    }
    let mut refusal = Refusal::new(Kind::TaskOutstanding);
    for task in &signed.tasks {
        refusal = refusal.reason(task.clone());
    }
    Err(refusal.into())
}

/// A new browser for an attempt that begins without one.
pub async fn create(realm: &Realm, user_agent: Option<&str>) -> Result<(Known, NewCookie)> {
    let ground = realm.ground();
    let now = ground.now();
    let id = BrowserId::new(now, ground.random());
    let secret = Keyed::new(id.0, ground.random());
    let hash = secret.hashed();
    let expires_at = now + UNUSED;
    let user_agent = user_agent.map(ToOwned::to_owned);
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            store::insert(tx, id, &hash.0, user_agent.as_deref(), now, expires_at).await
        })
        .await?;
    let known = Known { id, generation: 1, signed: None, shown: secret.clone() };
    Ok((known, NewCookie { secret, expires_at }))
}

/// Whether `user` has signed in with this browser before.
pub async fn is_known_to(realm: &Realm, browser: BrowserId, user: UserId) -> Result<bool> {
    realm.db().read(async |tx| store::knows(tx, browser, user).await).await
}
