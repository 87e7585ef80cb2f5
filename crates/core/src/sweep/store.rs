//! Statements of the sweeper. Each takes at most a thousand rows.

use crate::{
    clock::Micros,
    family,
    id::{SessionId, UserId, v7_floor},
    refusal::Result,
};
use latchstring_db::Tx;
use uuid::Uuid;

/// Rows that a full step takes.
pub const FULL: u64 = 1_000;

/// One table to sweep, up to a time.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Challenges that expired.
    Challenges(Micros),
    /// Attempts that are neither open nor readable.
    Attempts(Micros),
    /// Browsers whose cookie expired.
    Browsers(Micros),
    /// Sessions whose time is over are marked as ended, and with them the families that hang off them.
    ExpireSessions(Micros),
    /// Families whose time is over are marked as ended.
    ExpireFamilies(Micros),
    /// Families that ended long ago.
    Families(Micros),
    /// Endings that no token outlives.
    Ended(Micros),
    /// Tickets that expired.
    Tickets(Micros),
    /// Limits that are full again.
    Limits(Micros),
    /// Failures that are long ago.
    Throttles(Micros),
    /// Jobs that were done long ago.
    Jobs(Micros),
    /// Jobs that were given up long ago.
    FailedJobs(Micros),
    /// Private parts of keys that are published no more; nodes then load the rings again, without these keys.
    Keys(Micros),
    /// Invitations whose time was over long ago, used or not.
    Invitations(Micros),
    /// API keys that were taken back, or expired, long ago.
    ApiKeys(Micros),
    /// Audit rows from before.
    Audits(Micros),
}

/// Sweeps one table.
pub async fn run(tx: &mut Tx, step: Step) -> Result<u64> {
    let (sql, at) = match step {
        Step::ExpireSessions(at) => return expire_sessions(tx, at).await,
        Step::Audits(before) => return audits(tx, before).await,
        Step::Challenges(at) => (
            "DELETE FROM challenges WHERE id IN (SELECT id FROM challenges WHERE expires_at <= $1 LIMIT 1000)",
            at,
        ),
        Step::Attempts(at) => (
            "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE expires_at <= $1 LIMIT 1000)",
            at,
        ),
        Step::Browsers(at) => (
            "DELETE FROM browsers WHERE id IN (SELECT id FROM browsers WHERE expires_at <= $1 LIMIT 1000)",
            at,
        ),
        Step::ExpireFamilies(at) => (
            "UPDATE families SET ended_at = $1, end_reason = 'expired'
              WHERE id IN (SELECT id FROM families
                            WHERE ended_at IS NULL AND ends_at IS NOT NULL AND ends_at <= $1 LIMIT 1000)
                AND ended_at IS NULL",
            at,
        ),
        Step::Families(at) => (
            "DELETE FROM families WHERE id IN (SELECT id FROM families
                            WHERE ended_at IS NOT NULL AND ended_at <= $1 LIMIT 1000)",
            at,
        ),
        Step::Ended(at) => {
            ("DELETE FROM ended WHERE id IN (SELECT id FROM ended WHERE keep_until <= $1 LIMIT 1000)", at)
        }
        Step::Tickets(at) => (
            "DELETE FROM tickets WHERE hash IN (SELECT hash FROM tickets WHERE expires_at <= $1 LIMIT 1000)",
            at,
        ),
        Step::Limits(at) => {
            ("DELETE FROM limits WHERE key IN (SELECT key FROM limits WHERE tat <= $1 LIMIT 1000)", at)
        }
        Step::Throttles(at) => (
            "DELETE FROM throttles WHERE key IN (SELECT key FROM throttles WHERE updated_at <= $1 LIMIT 1000)",
            at,
        ),
        Step::Jobs(at) => (
            "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE done_at IS NOT NULL AND done_at <= $1 LIMIT 1000)",
            at,
        ),
        Step::FailedJobs(at) => (
            "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE failed_at IS NOT NULL AND failed_at <= $1 LIMIT 1000)",
            at,
        ),
        Step::Invitations(at) => (
            "DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at <= $1 LIMIT 1000)",
            at,
        ),
        Step::ApiKeys(at) => ("DELETE FROM api_keys WHERE revoked_at <= $1 OR expires_at <= $1", at),
        Step::Keys(at) => (
            "UPDATE keys SET sealed = NULL WHERE drop_at IS NOT NULL AND drop_at <= $1 AND sealed IS NOT NULL",
            at,
        ),
    };
    let n = tx.exec(sql, &[&at]).await?;
    if n > 0 && matches!(step, Step::Keys(_)) {
        crate::key::store::bump(tx).await?;
    }
    Ok(n)
}

async fn expire_sessions(tx: &mut Tx, at: Micros) -> Result<u64> {
    let ended = tx
        .all(
            "UPDATE sessions SET ended_at = $1, end_reason = 'expired'
              WHERE id IN (SELECT id FROM sessions
                            WHERE ended_at IS NULL AND ends_at IS NOT NULL AND ends_at <= $1 LIMIT 1000)
                AND ended_at IS NULL
          RETURNING id",
            &[&at],
        )
        .await?;
    // A family may have been given no end of its own.
    let mut n = 0;
    for row in &ended {
        let session = SessionId(row.get(0)?);
        n += family::store::end_of_session(tx, session, at, "expired").await?;
    }
    Ok(n + ended.len() as u64)
}

/// Deletes sessions that ended before; gives whose they were.
pub async fn sessions(tx: &mut Tx, before: Micros) -> Result<Vec<UserId>> {
    let rows = tx
        .all(
            "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions
                            WHERE ended_at IS NOT NULL AND ended_at <= $1 LIMIT 1000)
          RETURNING user_id",
            &[&before],
        )
        .await?;
    rows.iter().map(|row| Ok(UserId(row.get(0)?))).collect()
}

/// Those among `users` who are guests and have no session left, and no grant.
pub async fn lost_guests(tx: &mut Tx, users: &[UserId]) -> Result<Vec<UserId>> {
    let mut lost = Vec::new();
    for user in users {
        let row = tx
            .one(
                "SELECT id FROM users
                  WHERE id = $1 AND kind = 'guest'
                    AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = users.id)
                    AND NOT EXISTS (SELECT 1 FROM families f WHERE f.user_id = users.id AND f.ended_at IS NULL)",
                &[&user.0],
            )
            .await?;
        if row.is_some() && !lost.contains(user) {
            lost.push(*user);
        }
    }
    Ok(lost)
}

/// Ids are in the order of time, so that no other index is needed.
async fn audits(tx: &mut Tx, before: Micros) -> Result<u64> {
    let n = tx
        .exec(
            "DELETE FROM audits WHERE id IN (SELECT id FROM audits WHERE id < $1 ORDER BY id LIMIT 1000)",
            &[&v7_floor(before)],
        )
        .await?;
    Ok(n)
}

/// Goes on with the round of families that have no end, by `batch` of them, and ends those that have been unused for
/// their own limit; without one, since `forgotten`, unless their session has been used meanwhile. Only these need it:
/// the others go when their time is over.
pub async fn end_unused_families(tx: &mut Tx, now: Micros, forgotten: Micros, batch: i64) -> Result<u64> {
    let from = tx.one("SELECT bytes FROM facts WHERE name = 'sweep_families'", &[]).await?;
    let from: Uuid = from.map(|row| row.get(0)).transpose()?.unwrap_or_else(Uuid::nil);
    let last = tx
        .one(
            "SELECT id FROM families WHERE ended_at IS NULL AND ends_at IS NULL AND id > $1
              ORDER BY id LIMIT 1 OFFSET $2",
            &[&from, &(batch - 1)],
        )
        .await?;
    let last: Option<Uuid> = last.map(|row| row.get(0)).transpose()?;
    let n = tx
        .exec(
            "UPDATE families SET ended_at = $1, end_reason = 'unused'
              WHERE ended_at IS NULL AND ends_at IS NULL AND id > $2 AND id <= $3
                AND (idle_at <= $1
                     OR (idle_at IS NULL AND used_at <= $4
                         AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = families.session_id
                                            AND s.ended_at IS NULL AND s.active_at > $4)))",
            &[&now, &from, &last.unwrap_or_else(Uuid::max), &forgotten],
        )
        .await?;
    // At the end the round begins anew.
    let next = last.unwrap_or_else(Uuid::nil);
    if next != from {
        tx.exec(
            "INSERT INTO facts (name, bytes) VALUES ('sweep_families', $1)
                 ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes",
            &[&next],
        )
        .await?;
    }
    Ok(n)
}
