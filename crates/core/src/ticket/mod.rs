//! Tickets: single-use secrets with a purpose and a small JSON body. The one-time set-up token is one.

pub mod store;

use crate::{clock::Micros, id::UserId, refusal::Result, secret::Hashed};
use latchstring_db::Tx;

/// A ticket that can still be spent.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// Of its secret.
    pub hash: Vec<u8>,
    /// Whose it is; it goes with them.
    pub user: Option<UserId>,
    /// What it says.
    pub body: serde_json::Value,
    /// When it was made.
    pub created_at: Micros,
}

/// A ticket to make.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// Of its secret.
    pub hash: Hashed,
    /// What it is for.
    pub purpose: &'a str,
    /// Whose it is.
    pub user: Option<UserId>,
    /// What it is bound to beside them.
    pub about: Option<&'a str>,
    /// What it says.
    pub body: &'a serde_json::Value,
    /// When it can't be spent any more.
    pub expires_at: Micros,
}

/// Stores a ticket. For a user's, the caller has taken the user's row: it is later than all that they have.
pub async fn put(tx: &mut Tx, new: New<'_>, now: Micros) -> Result<()> {
    store::insert(tx, &new, now).await
}

/// Spends a ticket: gives its body exactly once, and only before it expires.
pub async fn spend(
    tx: &mut Tx,
    hash: Hashed,
    purpose: &str,
    now: Micros,
) -> Result<Option<serde_json::Value>> {
    match store::spend(tx, &hash.0, purpose, now).await? {
        Some(body) => Ok(Some(serde_json::from_str(&body)?)),
        None => Ok(None),
    }
}
