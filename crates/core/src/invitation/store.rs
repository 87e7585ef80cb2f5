//! Statements on `invitations`.

use super::Invitation;
use crate::{
    clock::Micros,
    id::{InvitationId, UserId},
    identifier::Identifier,
    refusal::Result,
};
use latchstring_db::{Row, Tx};

/// Inserts an invitation.
pub async fn insert(
    tx: &mut Tx,
    id: InvitationId,
    hash: &[u8],
    address: &Identifier,
    invited_by: &str,
    now: Micros,
    expires_at: Micros,
) -> Result<()> {
    tx.exec(
        "INSERT INTO invitations (id, hash, typed, normal, body, invited_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, '{}', $5, $6, $7)",
        &[&id.0, &hash, &address.typed, &address.normal, &invited_by, &now, &expires_at],
    )
    .await?;
    Ok(())
}

fn from_row(row: &Row) -> Result<Invitation> {
    Ok(Invitation {
        id: InvitationId(row.get(0)?),
        hash: row.get(1)?,
        address: super::address(row.get(2)?, row.get(3)?),
        invited_by: row.get(4)?,
        created_at: row.get(5)?,
        expires_at: row.get(6)?,
        accepted_at: row.get(7)?,
        revoked_at: row.get(8)?,
    })
}

/// An invitation.
pub async fn find(tx: &mut Tx, id: InvitationId) -> Result<Option<Invitation>> {
    tx.one(
        "SELECT id, hash, typed, normal, invited_by, created_at, expires_at, accepted_at, revoked_at
           FROM invitations WHERE id = $1",
        &[&id.0],
    )
    .await?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// A page, newest first.
pub async fn page(tx: &mut Tx, before: Option<InvitationId>, limit: i64) -> Result<Vec<Invitation>> {
    let before = before.map_or(uuid::Uuid::max(), |id| id.0);
    tx.all(
        "SELECT id, hash, typed, normal, invited_by, created_at, expires_at, accepted_at, revoked_at
           FROM invitations WHERE id < $1 ORDER BY id DESC LIMIT $2",
        &[&before, &limit],
    )
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Uses it, once, in time.
pub async fn accept(tx: &mut Tx, id: InvitationId, user: UserId, now: Micros) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE invitations SET accepted_at = $2, accepted_by = $3
              WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2",
            &[&id.0, &now, &user.0],
        )
        .await?;
    Ok(n == 1)
}

/// Takes it back.
pub async fn revoke(tx: &mut Tx, id: InvitationId, now: Micros) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE invitations SET revoked_at = $2 WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL",
            &[&id.0, &now],
        )
        .await?;
    Ok(n == 1)
}
