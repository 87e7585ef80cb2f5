//! Statements on `certificates` and `certificate_proofs`.

use super::Got;
use crate::{clock::Micros, refusal::Result};
use latchstring_db::Tx;

/// The only row there is.
const NAME: &str = "acme";

/// A certificate as stored.
pub struct Row {
    pub(super) chain: String,
    pub(super) private: Vec<u8>,
    pub(super) begins_at: Micros,
    pub(super) ends_at: Micros,
    pub(super) wanted: String,
    pub(super) rev: i64,
}

/// The certificate, if there is one whose revision is another than `rev`.
pub async fn newer(tx: &mut Tx, rev: i64) -> Result<Option<Row>> {
    let row = tx
        .one(
            "SELECT chain, private, begins_at, ends_at, wanted, rev FROM certificates
              WHERE name = $1 AND rev <> $2 AND chain IS NOT NULL",
            &[&NAME, &rev],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Row {
        chain: row.get(0)?,
        private: row.get(1)?,
        begins_at: row.get(2)?,
        ends_at: row.get(3)?,
        wanted: row.get(4)?,
        rev: row.get(5)?,
    }))
}

/// Makes the row or has it stand for this directory, whose account it has then, if any. `None`: it is too early.
pub async fn row(tx: &mut Tx, directory: &str, now: Micros) -> Result<Option<Option<Vec<u8>>>> {
    let row = tx
        .one(
            "INSERT INTO certificates (name, directory, wanted, failures, next_at, rev) VALUES ($1, $2, '', 0, 0, 0)
                 ON CONFLICT (name) DO UPDATE SET
                    account = CASE WHEN certificates.directory = excluded.directory THEN certificates.account END,
                    next_at = CASE WHEN certificates.directory = excluded.directory THEN certificates.next_at ELSE 0 END,
                    directory = excluded.directory
             RETURNING account, next_at",
            &[&NAME, &directory],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let next_at: Micros = row.get(1)?;
    Ok(if next_at <= now { Some(row.get(0)?) } else { None })
}

/// Keeps the account.
pub async fn set_account(tx: &mut Tx, directory: &str, sealed: &Vec<u8>) -> Result<()> {
    tx.exec(
        "UPDATE certificates SET account = $3 WHERE name = $1 AND directory = $2",
        &[&NAME, &directory, sealed],
    )
    .await?;
    Ok(())
}

/// Keeps a certificate.
pub async fn set(tx: &mut Tx, wanted: &str, got: &Got, sealed: &Vec<u8>, next_at: Micros) -> Result<()> {
    tx.exec(
        "UPDATE certificates SET wanted = $2, chain = $3, private = $4, begins_at = $5, ends_at = $6, failures = 0,
                next_at = $7, rev = rev + 1
          WHERE name = $1",
        &[&NAME, &wanted, &got.chain, sealed, &got.begins_at, &got.ends_at, &next_at],
    )
    .await?;
    Ok(())
}

/// How many orders have failed one after the other.
pub async fn failures(tx: &mut Tx) -> Result<i64> {
    let row = tx.one("SELECT failures FROM certificates WHERE name = $1", &[&NAME]).await?;
    Ok(row.map(|row| row.get(0)).transpose()?.unwrap_or(0))
}

/// One more has failed; the next waits until `next_at`.
pub async fn fail(tx: &mut Tx, next_at: Micros) -> Result<()> {
    tx.exec(
        "UPDATE certificates SET failures = failures + 1, next_at = $2 WHERE name = $1",
        &[&NAME, &next_at],
    )
    .await?;
    Ok(())
}

/// Keeps an answer.
pub async fn put_proof(tx: &mut Tx, token: &str, host: &str, answer: &str, expires_at: Micros) -> Result<()> {
    tx.exec(
        "INSERT INTO certificate_proofs (token, host, answer, expires_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (token) DO UPDATE SET host = $2, answer = $3, expires_at = $4",
        &[&token, &host, &answer, &expires_at],
    )
    .await?;
    Ok(())
}

/// The answer to a token.
pub async fn proof(tx: &mut Tx, token: &str, now: Micros) -> Result<Option<String>> {
    let row = tx
        .one("SELECT answer FROM certificate_proofs WHERE token = $1 AND expires_at > $2", &[&token, &now])
        .await?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// Every answer, by host.
pub async fn proofs(tx: &mut Tx, now: Micros) -> Result<Vec<(String, String)>> {
    let rows = tx
        .all("SELECT host, answer FROM certificate_proofs WHERE expires_at > $1 ORDER BY expires_at", &[&now])
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Nothing is asked for any more.
pub async fn clear_proofs(tx: &mut Tx) -> Result<()> {
    // By the key, which both databases have an index for.
    tx.exec("DELETE FROM certificate_proofs WHERE token >= ''", &[]).await?;
    Ok(())
}
