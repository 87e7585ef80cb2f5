//! Statements on `connections`.

use crate::{clock::Micros, id::ConnectionId, refusal::Result};
use latchstring_db::Tx;

/// The connection of this name.
pub async fn find(tx: &mut Tx, slug: &str) -> Result<Option<ConnectionId>> {
    Ok(match tx.one("SELECT id FROM connections WHERE slug = $1", &[&slug]).await? {
        Some(row) => Some(ConnectionId(row.get(0)?)),
        None => None,
    })
}

/// Makes a connection that is switched off and knows nothing of its upstream, unless there is one of this name.
pub async fn insert_bare(tx: &mut Tx, id: ConnectionId, slug: &str, now: Micros) -> Result<bool> {
    let n = tx
        .exec(
            "INSERT INTO connections (id, slug, kind, name, enabled, body, created_at)
             VALUES ($1, $2, 'oauth', $2, FALSE, '{}', $3) ON CONFLICT (slug) DO NOTHING",
            &[&id.0, &slug, &now],
        )
        .await?;
    Ok(n == 1)
}
