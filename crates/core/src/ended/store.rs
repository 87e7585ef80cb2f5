//! Statements on `ended`.

use super::{EndedKind, Ending, Published};
use crate::{clock::Micros, id::EndedId, refusal::Result};
use latchstring_db::Tx;

/// Inserts an ending.
pub async fn insert(tx: &mut Tx, e: &Ending) -> Result<()> {
    tx.exec(
        "INSERT INTO ended (id, kind, object_id, number, at, keep_until) VALUES ($1, $2, $3, $4, $5, $6)",
        &[&e.id.0, &e.kind.word(), &e.object, &e.number, &e.at, &e.keep_until],
    )
    .await?;
    Ok(())
}

/// What ended at or after `since` and still matters.
pub async fn since(tx: &mut Tx, since: Micros, now: Micros) -> Result<Vec<Ending>> {
    let rows = tx
        .all(
            "SELECT id, kind, object_id, number, at, keep_until FROM ended WHERE at >= $1 AND keep_until > $2",
            &[&since, &now],
        )
        .await?;
    let mut endings = Vec::with_capacity(rows.len());
    for row in rows {
        let word: String = row.get(1)?;
        // A kind that a newer binary writes and this one does not know ends nothing here.
        let Some(kind) = EndedKind::parse(&word) else { continue };
        endings.push(Ending {
            id: EndedId(row.get(0)?),
            kind,
            object: row.get(2)?,
            number: row.get(3)?,
            at: row.get(4)?,
            keep_until: row.get(5)?,
        });
    }
    Ok(endings)
}

/// Whether an ending waits for its position. Changed cookies are our own caches' business and are never published.
pub async fn any_unplaced(tx: &mut Tx) -> Result<bool> {
    let row = tx.one("SELECT 1 FROM ended WHERE position IS NULL AND kind <> 'browser' LIMIT 1", &[]).await?;
    Ok(row.is_some())
}

/// Endings without a position, oldest first.
pub async fn unplaced(tx: &mut Tx, most: i64) -> Result<Vec<EndedId>> {
    let rows = tx
        .all(
            "SELECT id FROM ended WHERE position IS NULL AND kind <> 'browser' ORDER BY id LIMIT $1",
            &[&most],
        )
        .await?;
    rows.iter().map(|row| Ok(EndedId(row.get(0)?))).collect()
}

/// The feed's counter, held until the transaction ends.
pub async fn lock_counter(tx: &mut Tx) -> Result<i64> {
    let row = tx
        .one(
            "INSERT INTO facts (name, number) VALUES ('feed_position', 0)
                 ON CONFLICT (name) DO UPDATE SET number = facts.number RETURNING number",
            &[],
        )
        .await?
        .ok_or(crate::refusal::Fault::bug("the feed's counter gave no row"))?;
    Ok(row.get(0)?)
}

/// Moves the feed's counter.
pub async fn set_counter(tx: &mut Tx, position: i64) -> Result<()> {
    tx.exec("UPDATE facts SET number = $1 WHERE name = 'feed_position'", &[&position]).await?;
    Ok(())
}

/// The feed's counter.
pub async fn counter(tx: &mut Tx) -> Result<i64> {
    Ok(match tx.one("SELECT number FROM facts WHERE name = 'feed_position'", &[]).await? {
        Some(row) => row.get(0)?,
        None => 0,
    })
}

/// Gives an ending its position.
pub async fn place(tx: &mut Tx, id: EndedId, position: i64) -> Result<()> {
    tx.exec("UPDATE ended SET position = $2 WHERE id = $1 AND position IS NULL", &[&id.0, &position]).await?;
    Ok(())
}

fn published(row: &latchstring_db::Row) -> Result<Published> {
    Ok(Published {
        position: row.get(0)?,
        kind: row.get(1)?,
        object: row.get(2)?,
        number: row.get(3)?,
        at: row.get(4)?,
    })
}

/// What the feed has after a position.
pub async fn after(tx: &mut Tx, position: i64, most: i64) -> Result<Vec<Published>> {
    let rows = tx
        .all(
            "SELECT position, kind, object_id, number, at FROM ended
              WHERE position > $1 ORDER BY position LIMIT $2",
            &[&position, &most],
        )
        .await?;
    rows.iter().map(published).collect()
}

/// What was published after a position and still matters.
pub async fn live(tx: &mut Tx, now: Micros, after: i64, most: i64) -> Result<Vec<Published>> {
    let rows = tx
        .all(
            "SELECT position, kind, object_id, number, at FROM ended
              WHERE position > $2 AND keep_until > $1 ORDER BY position LIMIT $3",
            &[&now, &after, &most],
        )
        .await?;
    rows.iter().map(published).collect()
}
