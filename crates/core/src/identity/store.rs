//! Statements on `identities`.

use super::Identity;
use crate::{
    clock::Micros,
    id::{ConnectionId, IdentityId, UserId},
    page::AT_ONCE,
    refusal::Result,
};
use latchstring_db::{Param, Row, Tx};

/// An identity to insert.
pub struct New<'a> {
    /// Its id.
    pub id: IdentityId,
    /// Whose.
    pub user: UserId,
    /// Where.
    pub connection: ConnectionId,
    /// Who they are there.
    pub subject: &'a str,
    /// JSON.
    pub claims: &'a str,
    /// Whether the upstream vouches for the address, so that proving it does not take this away.
    pub set_proven: bool,
    /// When it was linked.
    pub created_at: Micros,
    /// When they last came by it.
    pub used_at: Option<Micros>,
}

/// Inserts identities; gives how many: those whose id, or whose subject at the connection, is there already are not.
pub async fn insert_many(tx: &mut Tx, rows: &[New<'_>]) -> Result<u64> {
    let rows: Vec<[&dyn Param; 8]> = rows
        .iter()
        .map(|row| -> [&dyn Param; 8] {
            [
                &row.id.0,
                &row.user.0,
                &row.connection.0,
                &row.subject,
                &row.claims,
                &row.set_proven,
                &row.created_at,
                &row.used_at,
            ]
        })
        .collect();
    let rows: Vec<&[&dyn Param]> = rows.iter().map(|row| &row[..]).collect();
    Ok(tx
        .many(
            "INSERT INTO identities (id, user_id, connection_id, subject, claims, set_proven, created_at, used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            &rows,
        )
        .await?)
}

/// Those among `subjects` of a connection that somebody has.
pub async fn taken(tx: &mut Tx, connection: ConnectionId, subjects: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for some in subjects.chunks(AT_ONCE) {
        let mut args: Vec<&dyn Param> = vec![&connection.0];
        args.extend((0..AT_ONCE).map(|n| &some[n.min(some.len() - 1)] as &dyn Param));
        let rows = tx
            .all(
                "SELECT subject FROM identities
                  WHERE connection_id = $1
                    AND subject IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                                   $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37,
                                   $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50, $51)",
                &args,
            )
            .await?;
        for row in rows {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// Those among `ids` that there are.
pub async fn known(tx: &mut Tx, ids: &[IdentityId]) -> Result<Vec<IdentityId>> {
    let mut found = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        let args: Vec<&dyn Param> =
            (0..AT_ONCE).map(|n| &some[n.min(some.len() - 1)].0 as &dyn Param).collect();
        let rows = tx
            .all(
                "SELECT id FROM identities
                  WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                              $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36,
                              $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)",
                &args,
            )
            .await?;
        for row in rows {
            found.push(IdentityId(row.get(0)?));
        }
    }
    Ok(found)
}

/// The identities of a user, oldest first.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Vec<Identity>> {
    let rows = tx
        .all(
            "SELECT i.id, i.user_id, c.slug, i.subject, i.claims, i.created_at, i.used_at
               FROM identities i JOIN connections c ON c.id = i.connection_id
              WHERE i.user_id = $1 ORDER BY i.created_at, i.id",
            &[&user.0],
        )
        .await?;
    rows.iter().map(from_row).collect()
}

/// The identities of some users, each user's oldest first.
pub async fn of_some(tx: &mut Tx, users: &[UserId]) -> Result<Vec<Identity>> {
    let mut found = Vec::new();
    for some in users.chunks(AT_ONCE) {
        let args: Vec<&dyn Param> =
            (0..AT_ONCE).map(|n| &some[n.min(some.len() - 1)].0 as &dyn Param).collect();
        let rows = tx
            .all(
                "SELECT i.id, i.user_id, c.slug, i.subject, i.claims, i.created_at, i.used_at
                   FROM identities i JOIN connections c ON c.id = i.connection_id
                  WHERE i.user_id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                               $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38,
                               $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)
                  ORDER BY i.user_id, i.created_at, i.id",
                &args,
            )
            .await?;
        for row in &rows {
            found.push(from_row(row)?);
        }
    }
    Ok(found)
}

fn from_row(row: &Row) -> Result<Identity> {
    Ok(Identity {
        id: IdentityId(row.get(0)?),
        user: UserId(row.get(1)?),
        connection: row.get(2)?,
        subject: row.get(3)?,
        claims: row.get(4)?,
        created_at: row.get(5)?,
        used_at: row.get(6)?,
    })
}

/// The identities of users with ids after `after`, up to `last`.
pub async fn of_users(tx: &mut Tx, after: UserId, last: UserId) -> Result<Vec<Identity>> {
    let rows = tx
        .all(
            "SELECT i.id, i.user_id, c.slug, i.subject, i.claims, i.created_at, i.used_at
               FROM identities i JOIN connections c ON c.id = i.connection_id
              WHERE i.user_id > $1 AND i.user_id <= $2 ORDER BY i.user_id, i.created_at, i.id",
            &[&after.0, &last.0],
        )
        .await?;
    rows.iter().map(from_row).collect()
}
