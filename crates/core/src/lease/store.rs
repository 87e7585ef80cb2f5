//! Statements on `leases`.

use crate::{clock::Micros, refusal::Result};
use latchstring_db::Tx;
use uuid::Uuid;

/// Takes a lease, or goes on with it, until `until`; `false` while another holds it. Until `now` gives it back.
pub async fn take(tx: &mut Tx, name: &'static str, holder: Uuid, now: Micros, until: Micros) -> Result<bool> {
    let row = tx
        .one(
            "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)
                 ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                  WHERE leases.holder = excluded.holder OR leases.until <= $4
             RETURNING name",
            &[&name, &holder, &until, &now],
        )
        .await?;
    Ok(row.is_some())
}
