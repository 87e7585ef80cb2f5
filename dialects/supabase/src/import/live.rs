//! A project's live database, read by pages. Rows come as JSON, so that columns which a version lacks are missing rather
//! than an error.

use super::{Batches, Failed, Found, Progress};
use crate::rows::{IN_IDENTITIES, IN_USERS, Raw};
use latchstring_core::admin::import::{BATCH, IDENTITIES};
use latchstring_db::{Db, Error, Tx};
use std::collections::{BTreeMap, HashMap};
use tokio::sync::mpsc::Sender;
use uuid::Uuid;

/// Most bytes of a row that is asked for. What is larger could not be taken either: metadata ends at 16 KiB.
const ROW: i64 = 128 * 1024;

/// Hands on all users. What is read of a user is read at one moment.
pub(super) async fn read(
    db: &Db,
    progress: &Progress,
    to: &Sender<Found>,
) -> Result<BTreeMap<String, u64>, Failed> {
    let there = db.read_slow(async move |tx| there(tx).await).await.map_err(Failed::Source)?;
    if !there {
        return Err(Failed::NoTable);
    }
    let mut batches = Batches::new(to, progress);
    let mut after = Uuid::nil();
    loop {
        let page = db.read_slow(async move |tx| page(tx, after).await).await.map_err(Failed::Source)?;
        let full = page.len() == BATCH;
        for (id, row, identities) in page {
            after = id;
            if let Some(found) = batches.user(row, identities) {
                to.send(found).await.map_err(|_| Failed::Stopped)?;
            }
        }
        if !full {
            break;
        }
    }
    let rest = batches.rest();
    to.send(rest).await.map_err(|_| Failed::Stopped)?;
    db.read_slow(async move |tx| others(tx).await).await.map_err(Failed::Source)
}

async fn there(tx: &mut Tx) -> Result<bool, Error> {
    let row = tx
        .one(
            "SELECT to_regclass('auth.users') IS NOT NULL AND to_regclass('auth.identities') IS NOT NULL",
            &[],
        )
        .await?;
    row.map_or(Ok(false), |row| row.get(0))
}

async fn page(tx: &mut Tx, after: Uuid) -> Result<Vec<(Uuid, Raw, Vec<Raw>)>, Error> {
    // Policies that hide rows from this role shall be an error, and no shorter list.
    tx.exec("SET LOCAL row_security = off", &[]).await?;
    let (after, most) = (after.to_string(), i64::try_from(BATCH).unwrap_or(1));
    let users = tx
        .all(
            "SELECT CAST(u.id AS TEXT), CASE WHEN octet_length(u.body) <= $3 THEN u.body END
               FROM (SELECT r.id, CAST(to_jsonb(r) AS TEXT) AS body
                       FROM auth.users r WHERE r.id > CAST($1 AS UUID) ORDER BY r.id LIMIT $2) u
              ORDER BY u.id",
            &[&after, &most, &ROW],
        )
        .await?;
    // One more than can be taken: that there are too many is then told.
    let each = i64::try_from(IDENTITIES + 1).unwrap_or(1);
    let linked = tx
        .all(
            "SELECT CAST(u.id AS TEXT), CASE WHEN octet_length(i.body) <= $3 THEN i.body END
               FROM (SELECT r.id FROM auth.users r WHERE r.id > CAST($1 AS UUID) ORDER BY r.id LIMIT $2) u
         CROSS JOIN LATERAL (SELECT CAST(to_jsonb(r) AS TEXT) AS body
                               FROM auth.identities r WHERE r.user_id = u.id
                              ORDER BY r.created_at, r.provider LIMIT $4) i",
            &[&after, &most, &ROW, &each],
        )
        .await?;
    let mut identities: HashMap<String, Vec<Raw>> = HashMap::new();
    for row in linked {
        let (of, body): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        identities.entry(of).or_default().push(Raw::of_json(IN_IDENTITIES, "", body.as_deref()));
    }
    let mut page = Vec::with_capacity(users.len());
    for row in users {
        let (id, body): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let raw = Raw::of_json(IN_USERS, &id, body.as_deref());
        let of_user = identities.remove(&id).unwrap_or_default();
        page.push((Uuid::parse_str(&id).unwrap_or(Uuid::max()), raw, of_user));
    }
    Ok(page)
}

/// What people set up for signing in that is not taken. The rest of the vendor's tables is of the moment.
async fn others(tx: &mut Tx) -> Result<BTreeMap<String, u64>, Error> {
    let mut counts = BTreeMap::new();
    let there = tx
        .one(
            "SELECT to_regclass('auth.mfa_factors') IS NOT NULL, to_regclass('auth.webauthn_credentials') IS NOT NULL",
            &[],
        )
        .await?;
    let Some(there) = there else { return Ok(counts) };
    tx.exec("SET LOCAL row_security = off", &[]).await?;
    if there.get(0)? {
        let row = tx.one("SELECT count(*) FROM auth.mfa_factors", &[]).await?;
        note(&mut counts, "mfa_factors", row)?;
    }
    if there.get(1)? {
        let row = tx.one("SELECT count(*) FROM auth.webauthn_credentials", &[]).await?;
        note(&mut counts, "webauthn_credentials", row)?;
    }
    Ok(counts)
}

fn note(
    counts: &mut BTreeMap<String, u64>,
    table: &str,
    row: Option<latchstring_db::Row>,
) -> Result<(), Error> {
    let count: i64 = row.map_or(Ok(0), |row| row.get(0))?;
    if count > 0 {
        counts.insert(table.to_owned(), count.unsigned_abs());
    }
    Ok(())
}
