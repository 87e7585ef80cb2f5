//! Statements on `mounts`. The native one is made with the realm (`realm/store.rs`).

use super::{Enumeration, Mount};
use crate::{clock::Micros, id::MountId, refusal::Result};
use latchstring_db::Tx;
use std::sync::Arc;

/// Every mount but the native one.
pub async fn all(tx: &mut Tx) -> Result<Vec<Arc<Mount>>> {
    let rows = tx
        .all(
            "SELECT id, host, path, face, issuer, enumeration, body FROM mounts WHERE face <> 'native' ORDER BY id",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let (host, path, face): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
            let issuer: String = row.get(4)?;
            let mut mount = Mount::new(MountId(row.get(0)?), &host, &path, &face, &issuer);
            mount.enumeration = Enumeration::parse(&row.get::<String>(5)?);
            mount.body = row.get(6)?;
            Ok(Arc::new(mount))
        })
        .collect()
}

/// Inserts a mount, or changes the one that stands at the same host and path.
pub async fn put(tx: &mut Tx, mount: &Mount, now: Micros) -> Result<MountId> {
    let path = if mount.path.is_empty() { "/" } else { &mount.path };
    let row = tx
        .one(
            "INSERT INTO mounts (id, host, path, face, issuer, profile, cors, enumeration, body, created_at)
             VALUES ($1, $2, $3, $4, $5, $4, '{}', $6, $7, $8)
                 ON CONFLICT (host, path) DO UPDATE
                SET issuer = $5, enumeration = $6, body = $7 WHERE mounts.face = $4
          RETURNING id",
            &[
                &mount.id.0,
                &mount.host,
                &path,
                &mount.face,
                &mount.issuer,
                &mount.enumeration.word(),
                &mount.body,
                &now,
            ],
        )
        .await?;
    match row {
        Some(row) => Ok(MountId(row.get(0)?)),
        // Another face stands there.
        None => Err(crate::Kind::Exists.param("path").into()),
    }
}
