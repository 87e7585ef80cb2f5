//! Sessions: that somebody proved who they are, how and when, and until when that holds.

pub mod store;

use crate::{
    clock::Micros,
    ended::{self, Ending},
    ground::Ground,
    id::{BrowserId, ClientId, SessionId, UserId},
    refusal::Result,
};
use latchstring_db::Tx;

/// Whether a session belongs to a browser's cookie or lives by its tokens alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// Held by a browser.
    Browser,
    /// Held by whoever has its tokens.
    Token,
}

/// A session to insert.
#[derive(Debug, Clone)]
pub struct New {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// Browser or token.
    pub kind: SessionKind,
    /// The browser that holds it.
    pub browser: Option<BrowserId>,
    /// The client for which it was made.
    pub client: Option<ClientId>,
    /// The mount at which it was made.
    pub mount: crate::id::MountId,
    /// How (RFC 8176 values).
    pub methods: Vec<String>,
    /// Level of assurance: 1 or 2.
    pub assurance: i64,
    /// What has to be done before it may be used.
    pub tasks: Vec<String>,
    /// Claims that stay for its life.
    pub claims: serde_json::Value,
    /// The User-Agent at sign-in.
    pub user_agent: Option<String>,
    /// The address at sign-in.
    pub address: Option<String>,
    /// Ends after so long without use.
    pub idle_us: Option<Micros>,
    /// Ends in any case.
    pub ends_at: Option<Micros>,
}

/// A session as lists show it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// `browser` or `token`.
    pub kind: String,
    /// The browser that holds it.
    pub browser: Option<BrowserId>,
    /// When it began.
    pub created_at: Micros,
    /// When a proof was last given.
    pub auth_at: Micros,
    /// Last use, to the minute.
    pub active_at: Micros,
    /// Ends in any case.
    pub ends_at: Option<Micros>,
    /// Ends after so long without use.
    pub idle_us: Option<Micros>,
    /// How.
    pub methods: Vec<String>,
    /// Level of assurance.
    pub assurance: i64,
    /// What has to be done before it may be used.
    pub tasks: Vec<String>,
    /// The User-Agent at sign-in.
    pub user_agent: Option<String>,
    /// The address at sign-in.
    pub address: Option<String>,
}

impl Shown {
    /// Whether it lives at `now`.
    pub fn lives(&self, now: Micros) -> bool {
        self.ends_at.is_none_or(|at| at > now) && self.idle_us.is_none_or(|idle| self.active_at + idle > now)
    }
}

/// Which of a user's sessions to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// This one.
    One(SessionId),
    /// All but this one.
    Others(SessionId),
    /// All.
    All,
}

/// Ends sessions of `user` with their families, in the caller's transaction, as of `now`, the time that the caller has
/// drawn for all of it. Gives the endings, which the caller applies after the commit.
pub async fn end(
    tx: &mut Tx,
    ground: &Ground,
    user: UserId,
    which: Which,
    reason: &'static str,
    now: Micros,
    keep: Micros,
) -> Result<Vec<Ending>> {
    let ids = match which {
        Which::One(id) => store::end_one(tx, user, id, now, reason).await?,
        Which::Others(id) => store::end_others(tx, user, id, now, reason).await?,
        Which::All => store::end_all(tx, user, now, reason).await?,
    };
    let mut endings = Vec::with_capacity(ids.len());
    for id in ids {
        crate::family::store::end_of_session(tx, id, now, reason).await?;
        let ending = Ending::session(ground, id, keep);
        ended::write(tx, &ending).await?;
        endings.push(ending);
    }
    Ok(endings)
}

/// Ends everything of a user from before `now`: sessions, families of any kind, tokens that no session row vouches for,
/// and the trust in browsers: what a thief signed in with has no tries of its own any more.
///
/// The caller has taken the user's row, or a sign-in that is not committed yet would be missed; and `now` is the time
/// that it gives to a session which it opens in the same transaction, or that one could be older than the mark.
pub async fn end_everything(
    tx: &mut Tx,
    ground: &Ground,
    user: UserId,
    reason: &'static str,
    now: Micros,
    keep: Micros,
) -> Result<Vec<Ending>> {
    let mut endings = end(tx, ground, user, Which::All, reason, now, keep).await?;
    crate::family::store::end_of_user(tx, user, now, reason).await?;
    crate::browser::store::forget_user(tx, user).await?;
    // Whole seconds: a token's `iat` has no more, and what is issued from now on must not be older than the mark.
    let mark = now - now % crate::clock::SECOND;
    crate::user::store::set_valid_after(tx, user, mark).await?;
    let ending = Ending::user(ground, user, mark, keep);
    ended::write(tx, &ending).await?;
    endings.push(ending);
    Ok(endings)
}
