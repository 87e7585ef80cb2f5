//! Plain values that checks answer from memory. Kept apart from the rules that fill them.

use crate::{
    clock::{HOUR, Micros, SECOND},
    id::{BrowserId, MountId, SessionId, UserId},
    secret::Hidden,
};
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use serde::Deserialize;
use std::any::Any;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicI64, Ordering},
};
use uuid::Uuid;

/// Entries are read again after so long, whatever happens.
pub const LIFETIME: Micros = 60 * SECOND;
/// With its answer, some 800 bytes each, and 700 more with the header of forward-auth: 150 MB of cookies and as many of
/// tokens at the very worst. Only what was asked for within a minute is here.
const ENTRIES: usize = 100_000;

/// What a realm remembers of cookies and tokens. An entry is only ever made of what the database or a signature has
/// confirmed, so nobody fills it with inventions.
pub struct Cache {
    /// By id; the entry holds the hash that a cookie must have.
    pub browsers: quick_cache::sync::Cache<Uuid, Arc<CachedBrowser>>,
    /// By SHA-256 of the token.
    pub tokens: quick_cache::sync::Cache<[u8; 32], Arc<Checked>>,
    /// The same for tokens of other mounts, whose form their dialects know.
    pub mounted: quick_cache::sync::Cache<[u8; 32], Mounted>,
    views: quick_cache::sync::Cache<(MountId, UserId), View, ByBytes>,
}

/// How somebody's account stood at one moment: of two that are equal, faces show the same. Each change of what a face shows
/// takes the account's row, which counts its revision; a sign-in alone leaves that to those who edit the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The revision.
    pub rev: i64,
    /// The newest sign-in.
    pub signed_in_at: Option<Micros>,
}

/// Views are dropped after so long: somewhat more than an access token lives, so that who stays signed in is still there
/// at the next refresh, and nobody's data stays here for long after the account is gone.
const VIEW_LIFETIME: Micros = 2 * HOUR;
/// What all views together may take.
const VIEW_BYTES: u64 = 8 * 1024 * 1024;

/// A user as a mount shows them.
#[derive(Clone)]
struct View {
    seen: Seen,
    kept_at: Micros,
    bytes: usize,
    made: Arc<dyn Any + Send + Sync>,
}

/// Views differ in size: what a user is called, and what apps keep of them.
#[derive(Clone)]
struct ByBytes;

impl quick_cache::Weighter<(MountId, UserId), View> for ByBytes {
    fn weight(&self, _: &(MountId, UserId), view: &View) -> u64 {
        view.bytes as u64 + 200
    }
}

/// A token of a mount that was verified.
#[derive(Clone)]
pub struct Mounted {
    /// At which mount.
    pub mount: MountId,
    /// When its signature was checked.
    pub checked_at: Micros,
    /// Until when it is good, in microseconds.
    pub ends_at: Micros,
    /// What it says.
    pub verified: Arc<dyn Any + Send + Sync>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            browsers: quick_cache::sync::Cache::new(ENTRIES),
            tokens: quick_cache::sync::Cache::new(ENTRIES),
            mounted: quick_cache::sync::Cache::new(ENTRIES),
            views: quick_cache::sync::Cache::with_weighter(4_096, VIEW_BYTES, ByBytes),
        }
    }
}

impl Cache {
    /// Drops what is too old to answer, and would otherwise stay until others need its place.
    pub fn forget(&self, now: Micros) {
        self.browsers.retain(|_, browser| now - browser.read_at < LIFETIME);
        self.tokens.retain(|_, token| now - token.checked_at < LIFETIME);
        self.mounted.retain(|_, token| now - token.checked_at < LIFETIME);
        self.views.retain(|_, view| now - view.kept_at < VIEW_LIFETIME);
    }

    /// A user as a mount showed them, if nothing has changed since. Right only because every change of what a face shows
    /// takes the user's row (`user::store::lock`).
    pub fn view<T: Any + Send + Sync>(&self, mount: MountId, user: UserId, seen: Seen) -> Option<Arc<T>> {
        let view = self.views.get(&(mount, user)).filter(|view| view.seen == seen)?;
        view.made.downcast().ok()
    }

    /// Remembers a user as a mount shows them, in about `bytes`.
    pub fn keep_view<T: Any + Send + Sync>(
        &self,
        mount: MountId,
        user: UserId,
        seen: Seen,
        now: Micros,
        bytes: usize,
        made: Arc<T>,
    ) {
        self.views.insert((mount, user), View { seen, kept_at: now, bytes, made });
    }

    /// Drops what was remembered of tokens: a key has changed.
    pub fn forget_tokens(&self) {
        self.tokens.clear();
        self.mounted.clear();
    }
}

/// What a session check answers: who is signed in, how, and until when.
#[derive(Debug)]
pub struct Signed {
    /// The session.
    pub session: SessionId,
    /// The user.
    pub user: UserId,
    /// The browser that holds it, if any does.
    pub browser: Option<BrowserId>,
    /// When the session began.
    pub created_at: Micros,
    /// When a proof was last given.
    pub auth_at: Micros,
    /// How (RFC 8176 values).
    pub methods: Box<[String]>,
    /// Level of assurance: 1 or 2.
    pub assurance: i64,
    /// What has to be done before the session may be used.
    pub tasks: Box<[String]>,
    /// Ends in any case.
    pub ends_at: Option<Micros>,
    /// Ends after so long without use.
    pub idle_us: Option<Micros>,
    /// Last use that is known here.
    pub active: AtomicI64,
    /// What was made of it before.
    pub made: Made,
}

impl Signed {
    /// Whether the session is over by time.
    pub fn expired(&self, now: Micros) -> bool {
        self.ends_at.is_some_and(|at| at <= now)
            || self.idle_us.is_some_and(|idle| self.active.load(Ordering::Relaxed) + idle <= now)
    }
}

/// What is made of a session or token once and is right for as long as the entry that holds it.
#[derive(Debug, Default)]
pub struct Made {
    /// The body of the session check's answer.
    pub answer: OnceLock<Bytes>,
    /// The signed identity header of forward-auth, while it is young.
    pub identity: ArcSwapOption<Identity>,
}

/// A signed identity header.
#[derive(Debug)]
pub struct Identity {
    /// The JWT.
    pub token: Hidden,
    /// When it was made.
    pub made_at: Micros,
    /// Under which state of the key rings.
    pub rings: i64,
}

/// A browser's cookie and the session it holds now, as read from the database.
#[derive(Debug)]
pub struct CachedBrowser {
    /// SHA-256 of the cookie's secret.
    pub hash: [u8; 32],
    /// Moves at each sign-in and step-up.
    pub generation: i64,
    /// The current session, if there is one.
    pub signed: Option<Arc<Signed>>,
    /// When it was read.
    pub read_at: Micros,
}

/// What a checked access token says.
#[derive(Debug, Deserialize)]
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
    pub amr: Box<[String]>,
    /// Level of assurance.
    pub acr: String,
    /// What has to be done before the session may be used.
    #[serde(default)]
    pub tasks: Box<[String]>,
    /// Who issued it.
    pub(crate) iss: String,
    /// For whom.
    pub(crate) aud: String,
    /// To whom.
    pub client_id: String,
    /// When its signature was checked.
    #[serde(skip)]
    pub(crate) checked_at: Micros,
    /// What was made of it before.
    #[serde(skip)]
    pub made: Made,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser(read_at: Micros) -> Arc<CachedBrowser> {
        Arc::new(CachedBrowser { hash: [0; 32], generation: 1, signed: None, read_at })
    }

    fn token(checked_at: Micros) -> Arc<Checked> {
        Arc::new(Checked {
            sub: UserId(Uuid::nil()),
            sid: None,
            iat: 0,
            exp: 0,
            auth_time: 0,
            amr: Box::default(),
            acr: String::new(),
            tasks: Box::default(),
            iss: String::new(),
            aud: String::new(),
            client_id: String::new(),
            checked_at,
            made: Made::default(),
        })
    }

    #[test]
    fn what_is_too_old_to_answer_leaves_memory() {
        let cache = Cache::default();
        cache.browsers.insert(Uuid::from_u128(1), browser(0));
        cache.browsers.insert(Uuid::from_u128(2), browser(SECOND));
        cache.tokens.insert([1; 32], token(0));
        cache.tokens.insert([2; 32], token(SECOND));
        cache.forget(LIFETIME);
        assert_eq!((cache.browsers.len(), cache.tokens.len()), (1, 1));
        assert!(cache.browsers.get(&Uuid::from_u128(2)).is_some() && cache.tokens.get(&[2; 32]).is_some());
    }
}
