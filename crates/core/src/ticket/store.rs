//! Statements on `tickets`.

use crate::{clock::Micros, refusal::Result};
use latchstring_db::Tx;

/// Inserts a ticket.
pub async fn insert(
    tx: &mut Tx,
    hash: &[u8],
    purpose: &str,
    body: &str,
    now: Micros,
    expires_at: Micros,
) -> Result<()> {
    tx.exec(
        "INSERT INTO tickets (hash, purpose, body, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        &[&hash, &purpose, &body, &now, &expires_at],
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
