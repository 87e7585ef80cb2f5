//! Plain values that checks answer from memory. Kept apart from the rules that fill them.

use crate::{
    clock::Micros,
    id::{BrowserId, SessionId, UserId},
};
use std::sync::atomic::{AtomicI64, Ordering};

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
    pub methods: Vec<String>,
    /// Level of assurance: 1 or 2.
    pub assurance: i64,
    /// What has to be done before the session may be used.
    pub tasks: Vec<String>,
    /// Ends in any case.
    pub ends_at: Option<Micros>,
    /// Ends after so long without use.
    pub idle_us: Option<Micros>,
    /// Last use that is known here.
    pub active: AtomicI64,
}

impl Signed {
    /// Whether the session is over by time.
    pub fn expired(&self, now: Micros) -> bool {
        self.ends_at.is_some_and(|at| at <= now)
            || self.idle_us.is_some_and(|idle| self.active.load(Ordering::Relaxed) + idle <= now)
    }
}

/// A browser's cookie and the session it holds now, as read from the database.
#[derive(Debug)]
pub struct CachedBrowser {
    /// SHA-256 of the cookie's secret.
    pub hash: [u8; 32],
    /// Moves at each sign-in and step-up.
    pub generation: i64,
    /// The current session, if there is one.
    pub signed: Option<std::sync::Arc<Signed>>,
}
