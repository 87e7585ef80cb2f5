//! The outbox: jobs written in the same transaction as the change that causes them, and done afterwards. A mail
//! server that is down delays mail, never a request. Payloads are sealed, and gone as soon as the job is done.

pub mod store;

use crate::{clock::Micros, ground::Ground, id::JobId, refusal::Result};
use latchstring_db::Tx;
use uuid::Uuid;

/// A job prepared before the transaction: sealed, with its id.
#[derive(Debug, Clone)]
pub struct Prepared {
    id: JobId,
    kind: &'static str,
    sealed: Vec<u8>,
    at: Micros,
}

/// Seals `payload` for a job of `kind`, to be done at once.
pub fn prepare(ground: &Ground, kind: &'static str, payload: &impl serde::Serialize) -> Result<Prepared> {
    let at = ground.now();
    let id = JobId::new(at, ground.random());
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(payload)?);
    Ok(Prepared { id, kind, sealed: ground.keys.seal(&place(id), &plain)?, at })
}

/// Writes a prepared job.
pub async fn put(tx: &mut Tx, job: &Prepared) -> Result<()> {
    store::insert(tx, job.id, job.kind, &job.sealed, job.at).await
}

/// A job that this process holds until its lease ends.
pub struct Taken {
    /// The job's id.
    pub id: JobId,
    /// What sort of job.
    pub kind: String,
    /// How often it has been tried, this time included.
    pub tries: i64,
    /// Its payload.
    pub payload: zeroize::Zeroizing<Vec<u8>>,
}

/// Takes up to `most` due jobs for `lease`; others see them again only when the lease is over.
pub async fn take(
    db: &latchstring_db::Db,
    ground: &Ground,
    holder: Uuid,
    lease: Micros,
    most: i64,
) -> Result<Vec<Taken>> {
    let now = ground.now();
    // Idle nodes only read: a claim that finds nothing must not wake the writer.
    if !db.read(async |tx| store::any_due(tx, now).await).await? {
        return Ok(Vec::new());
    }
    let rows = db
        .write(async move |tx| -> Result<Vec<store::Claimed>> {
            store::claim(tx, holder, now, now + lease, most).await
        })
        .await?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        match ground.keys.open(&place(row.id), &row.sealed) {
            Ok(payload) => taken.push(Taken { id: row.id, kind: row.kind, tries: row.tries, payload }),
            Err(fault) => {
                tracing::error!(job = %row.id, error = &fault as &dyn std::error::Error, "a job can't be opened");
                fail(db, row.id, holder, now, "the payload can't be opened").await?;
            }
        }
    }
    Ok(taken)
}

/// The job is done: its payload goes at once. Like what follows it does nothing once another holds the job, which is so
/// when the lease was over before the work was.
pub async fn done(db: &latchstring_db::Db, id: JobId, holder: Uuid, now: Micros) -> Result<()> {
    db.write(async move |tx| -> Result<()> { store::done(tx, id, holder, now).await }).await
}

/// The job did not work; it is tried again at `run_at`.
pub async fn again(
    db: &latchstring_db::Db,
    id: JobId,
    holder: Uuid,
    run_at: Micros,
    error: &str,
) -> Result<()> {
    let error = error.to_owned();
    db.write(async move |tx| -> Result<()> { store::again(tx, id, holder, run_at, &error).await }).await
}

/// The job can't work; it is given up, and its payload goes.
pub async fn fail(db: &latchstring_db::Db, id: JobId, holder: Uuid, now: Micros, error: &str) -> Result<()> {
    let error = error.to_owned();
    db.write(async move |tx| -> Result<()> { store::fail(tx, id, holder, now, &error).await }).await
}

/// How many jobs wait, and since when the oldest.
pub async fn waiting(db: &latchstring_db::Db) -> Result<(i64, Option<Micros>)> {
    db.read(async |tx| store::waiting(tx).await).await
}

fn place(id: JobId) -> String {
    format!("jobs/sealed/{id}")
}
