//! Statements on `browsers` and `browser_users`.

use crate::{
    cache::{CachedBrowser, Made, Signed},
    clock::Micros,
    id::{BrowserId, SessionId, UserId},
    refusal::Result,
};
use latchstring_db::Tx;
use std::sync::{Arc, atomic::AtomicI64};

/// A browser with its current session, if that lives.
pub async fn with_session(tx: &mut Tx, id: BrowserId, now: Micros) -> Result<Option<CachedBrowser>> {
    let row = tx
        .one(
            "SELECT b.hash, b.generation,
                    s.id, s.user_id, s.created_at, s.auth_at, s.methods, s.assurance, s.tasks, s.ends_at, s.idle_us,
                    s.active_at
               FROM browsers b
          LEFT JOIN sessions s ON s.id = b.current_session AND s.ended_at IS NULL
                                  AND (s.ends_at IS NULL OR s.ends_at > $2)
              WHERE b.id = $1 AND b.expires_at > $2",
            &[&id.0, &now],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let signed = match row.get::<Option<uuid::Uuid>>(2)? {
        None => None,
        Some(session) => Some(Arc::new(Signed {
            session: SessionId(session),
            user: UserId(row.get(3)?),
            browser: Some(id),
            created_at: row.get(4)?,
            auth_at: row.get(5)?,
            methods: serde_json::from_str(&row.get::<String>(6)?)?,
            assurance: row.get(7)?,
            tasks: serde_json::from_str(&row.get::<String>(8)?)?,
            ends_at: row.get(9)?,
            idle_us: row.get(10)?,
            active: AtomicI64::new(row.get(11)?),
            made: Made::default(),
        })),
    };
    Ok(Some(CachedBrowser { hash: row.get(0)?, generation: row.get(1)?, signed, read_at: now }))
}

/// Inserts a browser.
pub async fn insert(
    tx: &mut Tx,
    id: BrowserId,
    hash: &[u8],
    user_agent: Option<&str>,
    now: Micros,
    expires_at: Micros,
) -> Result<()> {
    tx.exec(
        "INSERT INTO browsers (id, hash, generation, user_agent, created_at, expires_at)
         VALUES ($1, $2, 1, $3, $4, $5)",
        &[&id.0, &hash, &user_agent, &now, &expires_at],
    )
    .await?;
    Ok(())
}

/// Gives the browser a new secret, only if its cookie is still of the generation that was shown. Gives the new
/// generation.
pub async fn rotate(
    tx: &mut Tx,
    id: BrowserId,
    generation: i64,
    hash: &[u8],
    session: Option<SessionId>,
    expires_at: Micros,
) -> Result<Option<i64>> {
    let session = session.map(|s| s.0);
    let row = tx
        .one(
            "UPDATE browsers SET hash = $3, generation = generation + 1, current_session = $4,
                                 expires_at = CASE WHEN expires_at > $5 THEN expires_at ELSE CAST($5 AS BIGINT) END
              WHERE id = $1 AND generation = $2 RETURNING generation",
            &[&id.0, &generation, &hash, &session, &expires_at],
        )
        .await?;
    Ok(match row {
        Some(row) => Some(row.get(0)?),
        None => None,
    })
}

/// Lets the browser live until `until` at least; `false` when it does so anyway.
pub async fn prolong(tx: &mut Tx, id: BrowserId, until: Micros) -> Result<bool> {
    let n = tx
        .exec("UPDATE browsers SET expires_at = $2 WHERE id = $1 AND expires_at < $2", &[&id.0, &until])
        .await?;
    Ok(n == 1)
}

/// Notes that a user signed in with this browser.
pub async fn know(tx: &mut Tx, browser: BrowserId, user: UserId, now: Micros) -> Result<()> {
    tx.exec(
        "INSERT INTO browser_users (browser_id, user_id, known_at) VALUES ($1, $2, $3)
             ON CONFLICT (browser_id, user_id) DO UPDATE SET known_at = $3",
        &[&browser.0, &user.0, &now],
    )
    .await?;
    Ok(())
}

/// Whether a user has signed in with this browser.
pub async fn knows(tx: &mut Tx, browser: BrowserId, user: UserId) -> Result<bool> {
    Ok(tx
        .one("SELECT 1 FROM browser_users WHERE browser_id = $1 AND user_id = $2", &[&browser.0, &user.0])
        .await?
        .is_some())
}

/// The browsers of a user's sessions that were just ended for `reason` are not known any more, to them; that of the
/// session which asked for it is.
pub async fn forget_thrown_out(
    tx: &mut Tx,
    user: UserId,
    asks: SessionId,
    reason: &str,
    now: Micros,
) -> Result<()> {
    tx.exec(
        "DELETE FROM browser_users
          WHERE user_id = $1
            AND browser_id IN (SELECT browser_id FROM sessions
                                WHERE user_id = $1 AND end_reason = $3 AND ended_at >= $4)
            AND browser_id NOT IN (SELECT browser_id FROM sessions WHERE id = $2 AND browser_id IS NOT NULL)",
        &[&user.0, &asks.0, &reason, &now],
    )
    .await?;
    Ok(())
}

/// Trust in a user's browsers ends: after a stolen password, none of them is known any more.
pub async fn forget_user(tx: &mut Tx, user: UserId) -> Result<()> {
    tx.exec("DELETE FROM browser_users WHERE user_id = $1", &[&user.0]).await?;
    Ok(())
}

/// Nobody's browser is known any more.
pub async fn forget_all(tx: &mut Tx) -> Result<()> {
    tx.exec("DELETE FROM browser_users", &[]).await?;
    Ok(())
}
