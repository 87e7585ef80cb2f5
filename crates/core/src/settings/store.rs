//! Statements on `settings`.

use crate::{clock::Micros, refusal::Result};
use latchstring_db::Tx;

/// The document and its revision.
pub async fn load(tx: &mut Tx) -> Result<Option<(i64, String)>> {
    match tx.one("SELECT rev, body FROM settings WHERE id = 1", &[]).await? {
        Some(row) => Ok(Some((row.get(0)?, row.get(1)?))),
        None => Ok(None),
    }
}

/// The first document. Does nothing when there is one.
pub async fn init(tx: &mut Tx, body: &str, now: Micros) -> Result<()> {
    tx.exec(
        "INSERT INTO settings (id, rev, body, updated_at) VALUES (1, 1, $1, $2) ON CONFLICT (id) DO NOTHING",
        &[&body, &now],
    )
    .await?;
    Ok(())
}

/// Moves the revision on and holds the row until the transaction ends; gives the new revision and the document.
pub async fn lock(tx: &mut Tx, now: Micros) -> Result<(i64, String)> {
    let row = tx
        .one("UPDATE settings SET rev = rev + 1, updated_at = $1 WHERE id = 1 RETURNING rev, body", &[&now])
        .await?
        .ok_or(crate::refusal::Fault::bug("the settings row is missing"))?;
    Ok((row.get(0)?, row.get(1)?))
}

/// Replaces the document; [`lock`] came before.
pub async fn save(tx: &mut Tx, body: &str) -> Result<()> {
    tx.exec("UPDATE settings SET body = $1 WHERE id = 1", &[&body]).await?;
    Ok(())
}
