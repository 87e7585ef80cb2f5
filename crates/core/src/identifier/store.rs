//! Statements on `identifiers`.

use super::{Identifier, IdentifierKind, REALM_SPACE, Stored};
use crate::{
    clock::Micros,
    id::{IdentifierId, UserId},
    page::AT_ONCE,
    refusal::{Fault, Result},
};
use latchstring_db::{Param, Row, Tx};

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

/// The only identifier of somebody from elsewhere.
pub struct Imported<'a> {
    /// Its id.
    pub id: IdentifierId,
    /// Whose.
    pub user: UserId,
    /// What.
    pub identifier: &'a Identifier,
    /// Who says that it is theirs, and since when.
    pub asserted: Option<(&'a str, Micros)>,
    /// Since when they have it.
    pub created_at: Micros,
}

/// Inserts identifiers from elsewhere; gives how many: those that somebody has already are not.
pub async fn insert_imported(tx: &mut Tx, rows: &[Imported<'_>]) -> Result<u64> {
    let asserted = rows
        .iter()
        .map(|row| (row.identifier.kind.word(), row.asserted.map(|a| a.1), row.asserted.map(|a| a.0)))
        .collect::<Vec<_>>();
    let rows: Vec<[&dyn Param; 9]> = rows
        .iter()
        .zip(&asserted)
        .map(|(row, (kind, at, by))| -> [&dyn Param; 9] {
            [
                &row.id.0,
                &row.user.0,
                &REALM_SPACE,
                kind,
                &row.identifier.typed,
                &row.identifier.normal,
                at,
                by,
                &row.created_at,
            ]
        })
        .collect();
    let rows: Vec<&[&dyn Param]> = rows.iter().map(|row| &row[..]).collect();
    Ok(tx
        .many(
            "INSERT INTO identifiers (id, user_id, space, kind, typed, normal, is_primary, asserted_at, asserted_by,
                                      created_at)
             VALUES ($1, $2, $3, $4, $5, $6, TRUE, $7, $8, $9) ON CONFLICT DO NOTHING",
            &rows,
        )
        .await?)
}

/// Those among the normal forms of e-mail addresses that somebody has.
pub async fn taken(tx: &mut Tx, normals: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let kind = IdentifierKind::Email.word();
    for some in normals.chunks(AT_ONCE) {
        let mut args: Vec<&dyn Param> = vec![&REALM_SPACE, &kind];
        args.extend((0..AT_ONCE).map(|n| &some[n.min(some.len() - 1)] as &dyn Param));
        let rows = tx
            .all(
                "SELECT normal FROM identifiers
                  WHERE space = $1 AND kind = $2
                    AND normal IN ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                                  $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38,
                                  $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51, $52)",
                &args,
            )
            .await?;
        for row in rows {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// When the identifiers of users with ids after `after`, up to `last`, were made.
pub async fn made_at(tx: &mut Tx, after: UserId, last: UserId) -> Result<Vec<(IdentifierId, Micros)>> {
    let rows = tx
        .all(
            "SELECT id, created_at FROM identifiers WHERE user_id > $1 AND user_id <= $2",
            &[&after.0, &last.0],
        )
        .await?;
    rows.iter().map(|row| Ok((IdentifierId(row.get(0)?), row.get(1)?))).collect()
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

/// Somebody whose word counts says that this identifier is its owner's; `false` when that was known.
pub async fn assert(tx: &mut Tx, id: IdentifierId, by: &str, now: Micros) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE identifiers SET asserted_at = $2, asserted_by = $3
              WHERE id = $1 AND proven_at IS NULL AND (asserted_at IS NULL OR asserted_by = $4)",
            &[&id.0, &now, &by, &super::SELF_ASSERTED],
        )
        .await?;
    Ok(n == 1)
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

/// Whether every e-mail address of a user was proven, or vouched for by somebody else than whoever signed up with it.
pub async fn all_vouched(tx: &mut Tx, user: UserId) -> Result<bool> {
    let row = tx
        .one(
            "SELECT 1 FROM identifiers
              WHERE user_id = $1 AND kind = 'email' AND proven_at IS NULL AND (asserted_at IS NULL OR asserted_by = $2)
              LIMIT 1",
            &[&user.0, &super::SELF_ASSERTED],
        )
        .await?;
    Ok(row.is_none())
}

/// Whether nobody but the person themself said that an identifier is theirs.
pub async fn self_asserted(tx: &mut Tx, id: IdentifierId) -> Result<bool> {
    let row = tx
        .one("SELECT 1 FROM identifiers WHERE id = $1 AND asserted_by = $2", &[&id.0, &super::SELF_ASSERTED])
        .await?;
    Ok(row.is_some())
}
