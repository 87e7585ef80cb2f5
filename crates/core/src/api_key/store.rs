//! Statements on `api_keys`.

use super::ApiKey;
use crate::{
    clock::Micros,
    id::{ApiKeyId, MountId},
    refusal::Result,
};
use latchstring_db::{Row, Tx};

/// Inserts a key.
pub async fn insert(tx: &mut Tx, key: &ApiKey) -> Result<()> {
    tx.exec(
        "INSERT INTO api_keys (id, hash, name, permissions, created_by, created_at, expires_at, mount_id, role)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            &key.id.0,
            &key.hash,
            &key.name,
            &serde_json::to_string(&key.permissions)?,
            &key.created_by,
            &key.created_at,
            &key.expires_at,
            &key.mount.map(|m| m.0),
            &key.role,
        ],
    )
    .await?;
    Ok(())
}

fn from_row(row: &Row) -> Result<ApiKey> {
    Ok(ApiKey {
        id: ApiKeyId(row.get(0)?),
        hash: row.get(1)?,
        name: row.get(2)?,
        permissions: serde_json::from_str(&row.get::<String>(3)?)?,
        created_by: row.get(4)?,
        created_at: row.get(5)?,
        expires_at: row.get(6)?,
        used_at: row.get(7)?,
        revoked_at: row.get(8)?,
        mount: row.get::<Option<uuid::Uuid>>(9)?.map(MountId),
        role: row.get(10)?,
    })
}

/// A key.
pub async fn find(tx: &mut Tx, id: ApiKeyId) -> Result<Option<ApiKey>> {
    tx.one(
        "SELECT id, hash, name, permissions, created_by, created_at, expires_at, used_at, revoked_at, mount_id, role
           FROM api_keys WHERE id = $1",
        &[&id.0],
    )
    .await?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// Every key, newest first.
pub async fn list(tx: &mut Tx) -> Result<Vec<ApiKey>> {
    tx.all(
        "SELECT id, hash, name, permissions, created_by, created_at, expires_at, used_at, revoked_at, mount_id, role
           FROM api_keys ORDER BY id DESC LIMIT 1000",
        &[],
    )
    .await?
    .iter()
    .map(from_row)
    .collect()
}

/// Notes a use.
pub async fn used(tx: &mut Tx, id: ApiKeyId, now: Micros) -> Result<()> {
    tx.exec("UPDATE api_keys SET used_at = $2 WHERE id = $1", &[&id.0, &now]).await?;
    Ok(())
}

/// Takes it back.
pub async fn revoke(tx: &mut Tx, id: ApiKeyId, now: Micros) -> Result<bool> {
    let n = tx
        .exec("UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", &[&id.0, &now])
        .await?;
    Ok(n == 1)
}

/// Whether there is any key of our own API that is good. Those of a dialect's mount open nothing there.
pub async fn any(tx: &mut Tx, now: Micros) -> Result<bool> {
    Ok(tx
        .one(
            "SELECT 1 FROM api_keys
              WHERE mount_id IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1) LIMIT 1",
            &[&now],
        )
        .await?
        .is_some())
}
