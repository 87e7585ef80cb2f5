//! Statements on `identifiers`.

use super::{Identifier, IdentifierKind, REALM_SPACE, Stored};
use crate::{
    clock::Micros,
    id::{IdentifierId, UserId},
    refusal::{Fault, Result},
};
use latchstring_db::{Row, Tx};

/// A row to insert.
pub struct New<'a> {
    /// Its id.
    pub id: IdentifierId,
    /// Whose.
    pub user: UserId,
    /// What.
    pub identifier: &'a Identifier,
    /// When we saw proof.
    pub proven_at: Option<Micros>,
    /// Who says that it is theirs.
    pub asserted_by: Option<&'a str>,
    /// Whether it is the one to show.
    pub is_primary: bool,
}

/// Inserts an identifier; `false` when another account (or this one) has it.
pub async fn insert(tx: &mut Tx, new: New<'_>, now: Micros) -> Result<bool> {
    let asserted_at = new.asserted_by.map(|_| now);
    let row = tx
        .one(
            "INSERT INTO identifiers (id, user_id, space, kind, typed, normal, is_primary, proven_at, asserted_at,
                                      asserted_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                 ON CONFLICT (space, kind, normal) DO NOTHING RETURNING id",
            &[
                &new.id.0,
                &new.user.0,
                &REALM_SPACE,
                &new.identifier.kind.word(),
                &new.identifier.typed,
                &new.identifier.normal,
                &new.is_primary,
                &new.proven_at,
                &asserted_at,
                &new.asserted_by,
                &now,
            ],
        )
        .await?;
    Ok(row.is_some())
}

/// Reads an identifier whose columns begin at `from`: id, user_id, kind, typed, normal, is_primary, proven_at,
/// asserted_at.
pub(crate) fn stored(row: &Row, from: usize) -> Result<Stored> {
    let kind: String = row.get(from + 2)?;
    Ok(Stored {
        id: IdentifierId(row.get(from)?),
        user: UserId(row.get(from + 1)?),
        kind: IdentifierKind::parse(&kind).ok_or(Fault::bug("a stored identifier has an unknown kind"))?,
        typed: row.get(from + 3)?,
        normal: row.get(from + 4)?,
        is_primary: row.get(from + 5)?,
        proven_at: row.get(from + 6)?,
        asserted_at: row.get(from + 7)?,
    })
}

/// The identifier with this normal form.
pub async fn find(tx: &mut Tx, kind: IdentifierKind, normal: &str) -> Result<Option<Stored>> {
    tx.one(
        "SELECT id, user_id, kind, typed, normal, is_primary, proven_at, asserted_at
           FROM identifiers WHERE space = $1 AND kind = $2 AND normal = $3",
        &[&REALM_SPACE, &kind.word(), &normal],
    )
    .await?
    .as_ref()
    .map(|row| stored(row, 0))
    .transpose()
}

/// The identifiers of a user, oldest first.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Vec<Stored>> {
    tx.all(
        "SELECT id, user_id, kind, typed, normal, is_primary, proven_at, asserted_at
           FROM identifiers WHERE user_id = $1 ORDER BY id",
        &[&user.0],
    )
    .await?
    .iter()
    .map(|row| stored(row, 0))
    .collect()
}

/// We saw proof of this address.
pub async fn prove(tx: &mut Tx, id: IdentifierId, now: Micros) -> Result<()> {
    tx.exec("UPDATE identifiers SET proven_at = $2 WHERE id = $1", &[&id.0, &now]).await?;
    Ok(())
}

/// Spells an identifier anew; its normal form stays.
pub async fn spell(tx: &mut Tx, id: IdentifierId, typed: &str) -> Result<()> {
    tx.exec("UPDATE identifiers SET typed = $2 WHERE id = $1", &[&id.0, &typed]).await?;
    Ok(())
}

/// Takes an identifier away that nobody has proven or asserted. Gives whose it was.
pub async fn delete_claim(tx: &mut Tx, id: IdentifierId) -> Result<Option<UserId>> {
    let row = tx
        .one(
            "DELETE FROM identifiers WHERE id = $1 AND proven_at IS NULL AND asserted_at IS NULL RETURNING user_id",
            &[&id.0],
        )
        .await?;
    Ok(match row {
        Some(row) => Some(UserId(row.get(0)?)),
        None => None,
    })
}

/// Takes a user's identifiers of one kind away, but for one normal form.
pub async fn delete_others(tx: &mut Tx, user: UserId, kind: IdentifierKind, keep: &str) -> Result<()> {
    tx.exec(
        "DELETE FROM identifiers WHERE user_id = $1 AND kind = $2 AND normal <> $3",
        &[&user.0, &kind.word(), &keep],
    )
    .await?;
    Ok(())
}

/// Takes away what was set by someone who had proven nothing: a user's identifiers without proof or assertion.
pub async fn delete_unproven(tx: &mut Tx, user: UserId, keep: IdentifierId) -> Result<()> {
    tx.exec(
        "DELETE FROM identifiers
          WHERE user_id = $1 AND id <> $2 AND kind = 'email' AND proven_at IS NULL AND asserted_at IS NULL",
        &[&user.0, &keep.0],
    )
    .await?;
    Ok(())
}

/// Whether nobody but the person themself said that an identifier is theirs.
pub async fn self_asserted(tx: &mut Tx, id: IdentifierId) -> Result<bool> {
    let row = tx
        .one("SELECT 1 FROM identifiers WHERE id = $1 AND asserted_by = $2", &[&id.0, &super::SELF_ASSERTED])
        .await?;
    Ok(row.is_some())
}
