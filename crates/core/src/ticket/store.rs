//! Statements on `tickets`.

use super::Ticket;
use crate::{clock::Micros, id::UserId, refusal::Result};
use latchstring_db::{Row, Tx};

/// Inserts a ticket.
pub async fn insert(
    tx: &mut Tx,
    hash: &[u8],
    purpose: &str,
    user: Option<UserId>,
    body: &str,
    now: Micros,
    expires_at: Micros,
) -> Result<()> {
    tx.exec(
        "INSERT INTO tickets (hash, purpose, user_id, body, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[&hash, &purpose, &user.map(|u| u.0), &body, &now, &expires_at],
    )
    .await?;
    Ok(())
}

/// Marks it spent, if it is not, and gives its body.
pub async fn spend(tx: &mut Tx, hash: &[u8], purpose: &str, now: Micros) -> Result<Option<String>> {
    let row = tx
        .one(
            "UPDATE tickets SET spent_at = $3
              WHERE hash = $1 AND purpose = $2 AND spent_at IS NULL AND expires_at > $3
          RETURNING body",
            &[&hash, &purpose, &now],
        )
        .await?;
    Ok(match row {
        Some(row) => Some(row.get(0)?),
        None => None,
    })
}

fn ticket(row: &Row) -> Result<Ticket> {
    Ok(Ticket {
        hash: row.get(0)?,
        user: row.get::<Option<uuid::Uuid>>(1)?.map(UserId),
        body: serde_json::from_str(&row.get::<String>(2)?)?,
        created_at: row.get(3)?,
    })
}

/// A ticket that can be spent.
pub async fn find(tx: &mut Tx, hash: &[u8], purpose: &str, now: Micros) -> Result<Option<Ticket>> {
    tx.one(
        "SELECT hash, user_id, body, created_at FROM tickets
          WHERE hash = $1 AND purpose = $2 AND spent_at IS NULL AND expires_at > $3",
        &[&hash, &purpose, &now],
    )
    .await?
    .as_ref()
    .map(ticket)
    .transpose()
}

/// The tickets of a user that can be spent, oldest first.
pub async fn of_user(tx: &mut Tx, user: UserId, purpose: &str, now: Micros) -> Result<Vec<Ticket>> {
    tx.all(
        "SELECT hash, user_id, body, created_at FROM tickets
          WHERE user_id = $1 AND purpose = $2 AND spent_at IS NULL AND expires_at > $3
          ORDER BY created_at LIMIT 1000",
        &[&user.0, &purpose, &now],
    )
    .await?
    .iter()
    .map(ticket)
    .collect()
}

/// Removes a ticket.
pub async fn delete(tx: &mut Tx, hash: &[u8]) -> Result<()> {
    tx.exec("DELETE FROM tickets WHERE hash = $1", &[&hash]).await?;
    Ok(())
}

/// Removes the unspent tickets of a purpose: a newer one replaces them.
pub async fn clear(tx: &mut Tx, purpose: &str) -> Result<()> {
    tx.exec("DELETE FROM tickets WHERE purpose = $1 AND spent_at IS NULL", &[&purpose]).await?;
    Ok(())
}

/// Removes every unspent ticket.
pub async fn clear_all(tx: &mut Tx) -> Result<()> {
    tx.exec("DELETE FROM tickets WHERE spent_at IS NULL", &[]).await?;
    Ok(())
}
