//! Statements on `annotations`.

use crate::{id::UserId, refusal::Result};
use latchstring_db::{Param, Tx};
use uuid::Uuid;

/// An annotation to insert.
pub struct New<'a> {
    /// What it is about.
    pub object: Uuid,
    /// The kind of mount that keeps it.
    pub kind: &'a str,
    /// JSON.
    pub body: &'a str,
}

/// Writes annotations, in place of those that were there.
pub async fn set(tx: &mut Tx, rows: &[New<'_>]) -> Result<()> {
    let rows: Vec<[&dyn Param; 3]> =
        rows.iter().map(|row| -> [&dyn Param; 3] { [&row.object, &row.kind, &row.body] }).collect();
    let rows: Vec<&[&dyn Param]> = rows.iter().map(|row| &row[..]).collect();
    tx.many(
        "INSERT INTO annotations (object_id, mount_kind, body) VALUES ($1, $2, $3)
             ON CONFLICT (object_id, mount_kind) DO UPDATE SET body = $3",
        &rows,
    )
    .await?;
    Ok(())
}

/// The annotations of one kind about users with ids after `after`, up to `last`.
pub async fn of_users(tx: &mut Tx, kind: &str, after: UserId, last: UserId) -> Result<Vec<(UserId, String)>> {
    let rows = tx
        .all(
            "SELECT object_id, body FROM annotations
              WHERE object_id > $1 AND object_id <= $2 AND mount_kind = $3 ORDER BY object_id",
            &[&after.0, &last.0, &kind],
        )
        .await?;
    rows.iter().map(|row| Ok((UserId(row.get(0)?), row.get(1)?))).collect()
}

/// The annotation of one kind about an object.
pub async fn find(tx: &mut Tx, object: Uuid, kind: &str) -> Result<Option<String>> {
    let row = tx
        .one("SELECT body FROM annotations WHERE object_id = $1 AND mount_kind = $2", &[&object, &kind])
        .await?;
    Ok(match row {
        Some(row) => Some(row.get(0)?),
        None => None,
    })
}
