//! Statements on `jobs`.

use crate::{clock::Micros, id::JobId, refusal::Result};
use latchstring_db::{Engine, Tx};
use uuid::Uuid;

/// A claimed job, still sealed.
pub struct Claimed {
    /// The job's id.
    pub id: JobId,
    /// What sort of job.
    pub kind: String,
    /// Tries, this one included.
    pub tries: i64,
    /// The sealed payload.
    pub sealed: Vec<u8>,
}

/// Inserts a job.
pub async fn insert(tx: &mut Tx, id: JobId, kind: &str, sealed: &[u8], at: Micros) -> Result<()> {
    tx.exec(
        "INSERT INTO jobs (id, kind, sealed, run_at, tries, created_at) VALUES ($1, $2, $3, $4, 0, $4)",
        &[&id.0, &kind, &sealed, &at],
    )
    .await?;
    Ok(())
}

/// Whether a job is due.
pub async fn any_due(tx: &mut Tx, now: Micros) -> Result<bool> {
    let row = tx
        .one(
            "SELECT 1 FROM jobs WHERE run_at <= $1 AND done_at IS NULL AND failed_at IS NULL LIMIT 1",
            &[&now],
        )
        .await?;
    Ok(row.is_some())
}

/// Claims due jobs until `until`. Several nodes may claim at once: PostgreSQL skips what another holds.
pub async fn claim(tx: &mut Tx, holder: Uuid, now: Micros, until: Micros, most: i64) -> Result<Vec<Claimed>> {
    let sql = match tx.engine() {
        Engine::Sqlite => {
            "UPDATE jobs SET run_at = $3, holder = $1, tries = tries + 1
              WHERE id IN (SELECT id FROM jobs WHERE run_at <= $2 AND done_at IS NULL AND failed_at IS NULL
                            ORDER BY run_at LIMIT $4)
          RETURNING id, kind, tries, sealed"
        }
        Engine::Postgres => {
            "UPDATE jobs SET run_at = $3, holder = $1, tries = tries + 1
              WHERE id IN (SELECT id FROM jobs WHERE run_at <= $2 AND done_at IS NULL AND failed_at IS NULL
                            ORDER BY run_at LIMIT $4 FOR UPDATE SKIP LOCKED)
          RETURNING id, kind, tries, sealed"
        }
    };
    let rows = tx.all(sql, &[&holder, &now, &until, &most]).await?;
    let mut claimed = rows
        .iter()
        .map(|row| {
            Ok(Claimed { id: JobId(row.get(0)?), kind: row.get(1)?, tries: row.get(2)?, sealed: row.get(3)? })
        })
        .collect::<Result<Vec<_>>>()?;
    // RETURNING has no order, and two mails to one person should come as they were written.
    claimed.sort_by_key(|c| c.id);
    Ok(claimed)
}

/// Done: the payload goes.
pub async fn done(tx: &mut Tx, id: JobId, holder: Uuid, now: Micros) -> Result<()> {
    tx.exec(
        "UPDATE jobs SET done_at = $3, sealed = NULL, last_error = NULL WHERE id = $1 AND holder = $2",
        &[&id.0, &holder, &now],
    )
    .await?;
    Ok(())
}

/// Again later.
pub async fn again(tx: &mut Tx, id: JobId, holder: Uuid, run_at: Micros, error: &str) -> Result<()> {
    tx.exec(
        "UPDATE jobs SET run_at = $3, last_error = $4 WHERE id = $1 AND holder = $2",
        &[&id.0, &holder, &run_at, &error],
    )
    .await?;
    Ok(())
}

/// Given up: the payload goes.
pub async fn fail(tx: &mut Tx, id: JobId, holder: Uuid, now: Micros, error: &str) -> Result<()> {
    tx.exec(
        "UPDATE jobs SET failed_at = $3, sealed = NULL, last_error = $4 WHERE id = $1 AND holder = $2",
        &[&id.0, &holder, &now, &error],
    )
    .await?;
    Ok(())
}

/// How many wait, and since when the oldest.
pub async fn waiting(tx: &mut Tx) -> Result<(i64, Option<Micros>)> {
    let row = tx
        .one("SELECT count(*), min(created_at) FROM jobs WHERE done_at IS NULL AND failed_at IS NULL", &[])
        .await?
        .ok_or(crate::refusal::Fault::bug("count gave no row"))?;
    Ok((row.get(0)?, row.get(1)?))
}
