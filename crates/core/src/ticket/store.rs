//! Statements on `tickets`.

use super::{New, Ticket};
use crate::{clock::Micros, id::UserId, refusal::Result};
use latchstring_db::{Row, Tx};

/// Inserts a ticket.
pub async fn insert(tx: &mut Tx, new: &New<'_>, now: Micros) -> Result<()> {
    tx.exec(
        "INSERT INTO tickets (hash, purpose, user_id, about, body, created_at, expires_at)
         SELECT $1, $2, $3, $4, $5,
                CASE WHEN MAX(created_at) >= $6 THEN MAX(created_at) + 1 ELSE $6 END, $7
           FROM tickets WHERE user_id = $3",
        &[
            &new.hash.0.as_slice(),
            &new.purpose,
            &new.user.map(|u| u.0),
            &new.about,
            &new.body.to_string(),
            &now,
            &new.expires_at,
        ],
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

/// When the oldest ticket of a user about something was made that can be spent.
pub async fn oldest(
    tx: &mut Tx,
    user: UserId,
    purpose: &str,
    about: &str,
    now: Micros,
) -> Result<Option<Micros>> {
    let row = tx
        .one(
            "SELECT MIN(created_at) FROM tickets
              WHERE user_id = $1 AND purpose = $2 AND about = $3 AND spent_at IS NULL AND expires_at > $4",
            &[&user.0, &purpose, &about, &now],
        )
        .await?;
    Ok(row.map(|row| row.get(0)).transpose()?.flatten())
}

/// Removes the tickets of a user about something.
pub async fn delete_about(tx: &mut Tx, user: UserId, purpose: &str, about: &str) -> Result<()> {
    tx.exec(
        "DELETE FROM tickets WHERE user_id = $1 AND purpose = $2 AND about = $3 AND spent_at IS NULL",
        &[&user.0, &purpose, &about],
    )
    .await?;
    Ok(())
}

/// Removes the tickets of a user, made at `since` or later, about anything else.
pub async fn delete_others(
    tx: &mut Tx,
    user: UserId,
    purpose: &str,
    about: &str,
    since: Micros,
) -> Result<()> {
    tx.exec(
        "DELETE FROM tickets
          WHERE user_id = $1 AND purpose = $2 AND about <> $3 AND created_at >= $4 AND spent_at IS NULL",
        &[&user.0, &purpose, &about, &since],
    )
    .await?;
    Ok(())
}

/// Lets a user's tickets last until `expires_at` at least.
pub async fn last_until(tx: &mut Tx, user: UserId, purpose: &str, expires_at: Micros) -> Result<()> {
    tx.exec(
        "UPDATE tickets SET expires_at = $3
          WHERE user_id = $1 AND purpose = $2 AND spent_at IS NULL AND expires_at < $3",
        &[&user.0, &purpose, &expires_at],
    )
    .await?;
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
