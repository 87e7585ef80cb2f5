//! Statements on `rings` and `keys`.

use super::Fresh;
use crate::{
    clock::Micros,
    id::{KeyId, MountId, RingId},
    refusal::Result,
};
use latchstring_db::Tx;

/// A stored key of a ring.
pub struct Row {
    /// The key's id.
    pub id: KeyId,
    /// Its ring's mount.
    pub mount: MountId,
    /// Its name in tokens.
    pub kid: String,
    /// Its ring's purpose.
    pub purpose: String,
    /// Its algorithm.
    pub alg: String,
    /// Whether it was made elsewhere.
    pub imported: bool,
    /// The sealed private part.
    pub sealed: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Micros,
    /// From when it signs.
    pub active_at: Micros,
    /// From when its successor signs.
    pub retired_at: Option<Micros>,
    /// Until when it is published.
    pub drop_at: Option<Micros>,
}

/// The keys of all mounts that are still published, youngest first. They are few.
pub async fn live(tx: &mut Tx, now: Micros) -> Result<Vec<Row>> {
    let rows = tx
        .all(
            "SELECT k.id, k.kid, r.purpose, k.alg, k.sealed, k.created_at, k.active_at, k.retired_at, k.drop_at,
                    r.mount_id, k.origin
               FROM rings r JOIN keys k ON k.ring_id = r.id
              WHERE k.drop_at IS NULL OR k.drop_at > $1
              ORDER BY k.active_at DESC, k.id DESC",
            &[&now],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Row {
                id: KeyId(row.get(0)?),
                mount: MountId(row.get(9)?),
                imported: row.get::<String>(10)? == "imported",
                kid: row.get(1)?,
                purpose: row.get(2)?,
                alg: row.get(3)?,
                sealed: row.get(4)?,
                created_at: row.get(5)?,
                active_at: row.get::<Option<i64>>(6)?.unwrap_or(i64::MAX),
                retired_at: row.get(7)?,
                drop_at: row.get(8)?,
            })
        })
        .collect()
}

/// The id of a ring.
pub async fn ring(tx: &mut Tx, mount: MountId, purpose: &str) -> Result<Option<RingId>> {
    let row =
        tx.one("SELECT id FROM rings WHERE mount_id = $1 AND purpose = $2", &[&mount.0, &purpose]).await?;
    Ok(match row {
        Some(row) => Some(RingId(row.get(0)?)),
        None => None,
    })
}

/// The id of a ring, held until the transaction ends.
pub async fn lock_ring(tx: &mut Tx, mount: MountId, purpose: &str) -> Result<Option<RingId>> {
    let row = tx
        .one(
            "UPDATE rings SET purpose = purpose WHERE mount_id = $1 AND purpose = $2 RETURNING id",
            &[&mount.0, &purpose],
        )
        .await?;
    Ok(match row {
        Some(row) => Some(RingId(row.get(0)?)),
        None => None,
    })
}

/// Inserts a ring, unless there is one for the purpose.
pub async fn insert_ring(
    tx: &mut Tx,
    id: RingId,
    mount: MountId,
    purpose: &str,
    alg: &str,
    now: Micros,
) -> Result<Option<RingId>> {
    let row = tx
        .one(
            "INSERT INTO rings (id, mount_id, purpose, alg, created_at) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (mount_id, purpose) DO NOTHING RETURNING id",
            &[&id.0, &mount.0, &purpose, &alg, &now],
        )
        .await?;
    Ok(match row {
        Some(row) => Some(RingId(row.get(0)?)),
        None => None,
    })
}

/// Inserts a key.
pub async fn insert(tx: &mut Tx, ring: RingId, key: &Fresh) -> Result<()> {
    tx.exec(
        "INSERT INTO keys (id, ring_id, kid, alg, state, origin, public, sealed, created_at, active_at,
                           retired_at)
         VALUES ($1, $2, $3, $4, 'usual', $9, $5, $6, $7, $8, $10)",
        &[
            &key.id.0,
            &ring.0,
            &key.kid,
            &key.alg.as_str(),
            &key.public,
            &key.sealed,
            &key.created_at,
            &key.active_at,
            &if key.imported { "imported" } else { "made" },
            &key.retired_at,
        ],
    )
    .await?;
    Ok(())
}

/// The key of a ring by its name, with its public part and whether it is still published.
pub async fn named(
    tx: &mut Tx,
    ring: RingId,
    kid: &str,
    now: Micros,
) -> Result<Option<(Option<String>, bool)>> {
    let row =
        tx.one("SELECT public, drop_at FROM keys WHERE ring_id = $1 AND kid = $2", &[&ring.0, &kid]).await?;
    Ok(match row {
        Some(row) => Some((row.get(0)?, row.get::<Option<i64>>(1)?.is_none_or(|at| at > now))),
        None => None,
    })
}

/// The name of the key of a ring that signs, or will in a moment, when every node knows it.
pub async fn signing(tx: &mut Tx, ring: RingId) -> Result<Option<String>> {
    let row = tx
        .one(
            "SELECT kid FROM keys WHERE ring_id = $1 AND retired_at IS NULL ORDER BY active_at DESC, id DESC LIMIT 1",
            &[&ring.0],
        )
        .await?;
    Ok(row.map(|row| row.get(0)).transpose()?)
}

/// The keys of a ring get a successor that signs from `at`.
pub async fn retire_all(tx: &mut Tx, ring: RingId, at: Micros, drop_at: Micros) -> Result<()> {
    tx.exec(
        "UPDATE keys SET retired_at = $2, drop_at = $3 WHERE ring_id = $1 AND retired_at IS NULL",
        &[&ring.0, &at, &drop_at],
    )
    .await?;
    Ok(())
}

/// A key is published no more, and its private part goes; `false` when that was so before.
pub async fn drop_now(tx: &mut Tx, id: KeyId, now: Micros) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE keys SET retired_at = CASE WHEN retired_at < $2 THEN retired_at ELSE CAST($2 AS BIGINT) END,
                             drop_at = $2, sealed = NULL
              WHERE id = $1 AND (drop_at IS NULL OR drop_at > $2)",
            &[&id.0, &now],
        )
        .await?;
    Ok(n == 1)
}

/// The revision of all rings: nodes load them again when it moves.
pub async fn rev(tx: &mut Tx) -> Result<i64> {
    Ok(match tx.one("SELECT number FROM facts WHERE name = 'rings_rev'", &[]).await? {
        Some(row) => row.get(0)?,
        None => 0,
    })
}

/// Moves the revision.
pub async fn bump(tx: &mut Tx) -> Result<()> {
    tx.exec(
        "INSERT INTO facts (name, number) VALUES ('rings_rev', 1)
             ON CONFLICT (name) DO UPDATE SET number = facts.number + 1",
        &[],
    )
    .await?;
    Ok(())
}
