//! Statements on `credentials`.

use super::SetBy;
use crate::{
    clock::Micros,
    id::{CredentialId, UserId},
    refusal::Result,
    secret::Hidden,
};
use latchstring_db::{Param, Tx};

/// Sets a user's password, replacing the one before.
pub async fn set_password(
    tx: &mut Tx,
    id: CredentialId,
    user: UserId,
    phc: &str,
    set_by: SetBy,
    set_proven: bool,
    now: Micros,
) -> Result<()> {
    tx.exec(
        "INSERT INTO credentials (id, user_id, kind, secret, body, set_by, set_proven, created_at, changed_at)
         VALUES ($1, $2, 'password', $3, '{}', $4, $5, $6, $6)
             ON CONFLICT (user_id) WHERE kind = 'password'
             DO UPDATE SET secret = $3, body = '{}', set_by = $4, set_proven = $5, changed_at = $6, used_at = NULL",
        &[&id.0, &user.0, &phc, &set_by.word(), &set_proven, &now],
    )
    .await?;
    Ok(())
}

/// A password from elsewhere.
pub struct Imported<'a> {
    /// Its id.
    pub id: CredentialId,
    /// Whose.
    pub user: UserId,
    /// The hash.
    pub phc: &'a str,
    /// Whether the address was vouched for when it came.
    pub set_proven: bool,
}

/// Gives passwords to users who have none.
pub async fn insert_imported(tx: &mut Tx, rows: &[Imported<'_>], now: Micros) -> Result<u64> {
    let by = SetBy::Import.word();
    let rows: Vec<[&dyn Param; 6]> = rows
        .iter()
        .map(|row| -> [&dyn Param; 6] { [&row.id.0, &row.user.0, &row.phc, &by, &row.set_proven, &now] })
        .collect();
    let rows: Vec<&[&dyn Param]> = rows.iter().map(|row| &row[..]).collect();
    Ok(tx
        .many(
            "INSERT INTO credentials (id, user_id, kind, secret, body, set_by, set_proven, created_at, changed_at)
             VALUES ($1, $2, 'password', $3, '{}', $4, $5, $6, $6) ON CONFLICT DO NOTHING",
            &rows,
        )
        .await?)
}

/// The password hashes of users with ids after `after`, up to `last`.
pub async fn passwords(tx: &mut Tx, after: UserId, last: UserId) -> Result<Vec<(UserId, Hidden)>> {
    let rows = tx
        .all(
            "SELECT user_id, secret FROM credentials
              WHERE kind = 'password' AND user_id > $1 AND user_id <= $2 ORDER BY user_id",
            &[&after.0, &last.0],
        )
        .await?;
    rows.iter().map(|row| Ok((UserId(row.get(0)?), row.get::<String>(1)?.into()))).collect()
}

/// A user's password hash.
pub async fn password(tx: &mut Tx, user: UserId) -> Result<Option<String>> {
    let row =
        tx.one("SELECT secret FROM credentials WHERE user_id = $1 AND kind = 'password'", &[&user.0]).await?;
    Ok(match row {
        Some(row) => Some(row.get(0)?),
        None => None,
    })
}

/// Replaces a hash by one of today's cost, only if it is still the one that was verified.
pub async fn upgrade(tx: &mut Tx, user: UserId, old: &str, new: &str) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE credentials SET secret = $3 WHERE user_id = $1 AND kind = 'password' AND secret = $2",
            &[&user.0, &old, &new],
        )
        .await?;
    Ok(n == 1)
}

/// Takes a user's password away; `false` when there was none.
pub async fn delete_password(tx: &mut Tx, user: UserId) -> Result<bool> {
    let n = tx.exec("DELETE FROM credentials WHERE user_id = $1 AND kind = 'password'", &[&user.0]).await?;
    Ok(n == 1)
}

/// Takes away what was set while nobody had proven the address or vouched for it.
pub async fn evict_unproven(tx: &mut Tx, user: UserId) -> Result<u64> {
    Ok(tx.exec("DELETE FROM credentials WHERE user_id = $1 AND set_proven = FALSE", &[&user.0]).await?)
}

/// Whoever set a password has proven the address since.
pub async fn set_proven(tx: &mut Tx, user: UserId) -> Result<()> {
    tx.exec(
        "UPDATE credentials SET set_proven = TRUE, set_by = CASE WHEN set_by = 'claim' THEN 'user' ELSE set_by END
          WHERE user_id = $1 AND set_proven = FALSE",
        &[&user.0],
    )
    .await?;
    Ok(())
}

/// The address that a user's credentials stood for has given way to one that nobody has proven: whoever proves it does
/// not inherit them.
pub async fn unset_proven(tx: &mut Tx, user: UserId) -> Result<()> {
    tx.exec("UPDATE credentials SET set_proven = FALSE WHERE user_id = $1", &[&user.0]).await?;
    tx.exec("UPDATE identities SET set_proven = FALSE WHERE user_id = $1", &[&user.0]).await?;
    Ok(())
}

/// What a password's row says once [`contest`] was said of it.
const CONTESTED: &str = r#"{"contested":true}"#;

/// What it says of where it came from.
fn from(whence: &str) -> String {
    serde_json::json!({ "from": whence }).to_string()
}

/// Notes from where somebody has signed up with a password.
pub async fn claimed_from(tx: &mut Tx, user: UserId, whence: &str) -> Result<()> {
    tx.exec(
        "UPDATE credentials SET body = $2 WHERE user_id = $1 AND kind = 'password' AND set_by = 'claim'",
        &[&user.0, &from(whence)],
    )
    .await?;
    Ok(())
}

/// Whether somebody has signed up with a password from there, and has not proven the address yet.
pub async fn is_claimed_from(tx: &mut Tx, user: UserId, whence: &str) -> Result<bool> {
    let row = tx
        .one(
            "SELECT 1 FROM credentials WHERE user_id = $1 AND kind = 'password' AND set_by = 'claim' AND body = $2",
            &[&user.0, &from(whence)],
        )
        .await?;
    Ok(row.is_some())
}

/// Somebody else has signed up with the address that a password stands for, and nobody has proven it.
pub async fn contest(tx: &mut Tx, user: UserId) -> Result<()> {
    tx.exec(
        "UPDATE credentials SET body = $2 WHERE user_id = $1 AND kind = 'password' AND set_proven = FALSE",
        &[&user.0, &CONTESTED],
    )
    .await?;
    Ok(())
}

/// Whether [`contest`] was said of a user's password.
pub async fn is_contested(tx: &mut Tx, user: UserId) -> Result<bool> {
    let row = tx
        .one(
            "SELECT 1 FROM credentials WHERE user_id = $1 AND kind = 'password' AND body = $2",
            &[&user.0, &CONTESTED],
        )
        .await?;
    Ok(row.is_some())
}

/// Users who signed up before `before` and have never proven their address, some of them in the order of these times and
/// after one of them. Not whom an operator keeps out: the address would be free again, and the ban forgotten.
pub async fn old_claims(
    tx: &mut Tx,
    before: Micros,
    after: (Micros, UserId),
    most: i64,
    now: Micros,
) -> Result<Vec<(Micros, UserId)>> {
    let rows = tx
        .all(
            "SELECT c.created_at, c.user_id FROM credentials c JOIN users u ON u.id = c.user_id
              WHERE c.set_by = 'claim' AND c.created_at < $1
                AND c.created_at >= $2 AND (c.created_at > $2 OR c.user_id > $3)
                AND (u.status = 'active' OR (u.status_until IS NOT NULL AND u.status_until <= $5))
              ORDER BY c.created_at, c.user_id LIMIT $4",
            &[&before, &after.0, &after.1.0, &most, &now],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, UserId(row.get(1)?)))).collect()
}

/// Whether a user is still one of these.
pub async fn is_claim(tx: &mut Tx, user: UserId) -> Result<bool> {
    let row = tx.one("SELECT 1 FROM credentials WHERE user_id = $1 AND set_by = 'claim'", &[&user.0]).await?;
    Ok(row.is_some())
}
