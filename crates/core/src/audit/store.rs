//! Statements on `audits`.

use super::{Entry, Row};
use crate::{id::AuditId, refusal::Result};
use latchstring_db::Tx;
use uuid::Uuid;

/// Inserts a row, or counts one up that stands for the same refusal of the same minute.
pub async fn insert(tx: &mut Tx, entry: &Entry, coalesce: Option<[u8; 32]>) -> Result<()> {
    let address = entry.source.address.map(|a| a.to_string());
    tx.exec(
        "INSERT INTO audits (id, at, action, outcome, actor_kind, actor_id, target_kind, target_id, detail, address,
                             request_id, coalesce_key, count)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)
             ON CONFLICT (coalesce_key) WHERE coalesce_key IS NOT NULL DO UPDATE SET count = audits.count + 1",
        &[
            &entry.id.0,
            &entry.at,
            &entry.action,
            &entry.outcome,
            &entry.actor.kind(),
            &entry.actor.id(),
            &entry.target_kind,
            &entry.target_id,
            &entry.detail.to_string(),
            &address,
            &entry.source.request_id,
            &coalesce,
        ],
    )
    .await?;
    Ok(())
}

fn from_row(row: &latchstring_db::Row) -> Result<Row> {
    let detail: String = row.get(8)?;
    Ok(Row {
        id: AuditId(row.get(0)?),
        at: row.get(1)?,
        action: row.get(2)?,
        outcome: row.get(3)?,
        actor_kind: row.get(4)?,
        actor_id: row.get(5)?,
        target_kind: row.get(6)?,
        target_id: row.get(7)?,
        detail: serde_json::from_str(&detail)?,
        address: row.get(9)?,
        request_id: row.get(10)?,
        count: row.get(11)?,
    })
}

/// A page, newest first.
pub async fn list(
    tx: &mut Tx,
    target: Option<Uuid>,
    before: Option<AuditId>,
    limit: i64,
) -> Result<Vec<Row>> {
    let before = before.map_or(Uuid::max(), |id| id.0);
    let rows = match target {
        Some(target) => {
            tx.all(
                "SELECT id, at, action, outcome, actor_kind, actor_id, target_kind, target_id, detail, address,
                        request_id, count
                   FROM audits WHERE target_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                &[&target, &before, &limit],
            )
            .await?
        }
        None => {
            tx.all(
                "SELECT id, at, action, outcome, actor_kind, actor_id, target_kind, target_id, detail, address,
                        request_id, count
                   FROM audits WHERE id < $1 ORDER BY id DESC LIMIT $2",
                &[&before, &limit],
            )
            .await?
        }
    };
    rows.iter().map(from_row).collect()
}

/// The newest changes of one kind to something, since a time, newest first. Of sign-ins it knows none: most rows are.
pub async fn changes(tx: &mut Tx, target: Uuid, action: &str, since: Uuid, limit: i64) -> Result<Vec<Row>> {
    // The last conditions are those of the index, which is found by its words.
    tx.all(
        "SELECT id, at, action, outcome, actor_kind, actor_id, target_kind, target_id, detail, address,
                request_id, count
           FROM audits
          WHERE target_id = $1 AND action = $2 AND id > $3 AND outcome = 'done'
            AND action <> 'session.began'
          ORDER BY id DESC LIMIT $4",
        &[&target, &action, &since, &limit],
    )
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Writes nothing, at the price of a statement: an account that does not exist costs what one that does costs.
pub async fn nothing(tx: &mut Tx) -> Result<()> {
    tx.exec("UPDATE audits SET count = count WHERE id = $1", &[&Uuid::nil()]).await?;
    Ok(())
}
