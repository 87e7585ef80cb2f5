//! Statements on `factors`.

use super::Factor;
use crate::{
    clock::Micros,
    id::{FactorId, IdentifierId, UserId},
    refusal::Result,
};
use latchstring_db::Tx;

/// A user's confirmed factors.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Vec<Factor>> {
    tx.all(
        "SELECT id, kind, identifier_id FROM factors WHERE user_id = $1 AND confirmed_at IS NOT NULL ORDER BY id",
        &[&user.0],
    )
    .await?
    .iter()
    .map(|row| {
        Ok(Factor {
            id: FactorId(row.get(0)?),
            kind: row.get(1)?,
            identifier: row.get::<Option<uuid::Uuid>>(2)?.map(IdentifierId),
        })
    })
    .collect()
}

/// Users with ids after `after`, up to `last`, who have a confirmed factor.
pub async fn holders(tx: &mut Tx, after: UserId, last: UserId) -> Result<Vec<UserId>> {
    tx.all(
        "SELECT user_id FROM factors WHERE user_id > $1 AND user_id <= $2 AND confirmed_at IS NOT NULL",
        &[&after.0, &last.0],
    )
    .await?
    .iter()
    .map(|row| Ok(UserId(row.get(0)?)))
    .collect()
}

/// Adds a confirmed factor that mails a code to one of the user's addresses.
pub async fn insert_email(
    tx: &mut Tx,
    id: FactorId,
    user: UserId,
    identifier: IdentifierId,
    now: Micros,
) -> Result<()> {
    tx.exec(
        "INSERT INTO factors (id, user_id, kind, identifier_id, body, last_step, created_at, confirmed_at)
         VALUES ($1, $2, 'email', $3, '{}', 0, $4, $4)",
        &[&id.0, &user.0, &identifier.0, &now],
    )
    .await?;
    Ok(())
}
