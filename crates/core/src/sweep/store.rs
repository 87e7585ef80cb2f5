//! Statements of the sweeper. Each takes at most a thousand rows.

use crate::{clock::Micros, refusal::Result};
use latchstring_db::Tx;

/// One table to sweep, up to a time.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Challenges that expired.
    Challenges(Micros),
    /// Attempts that are neither open nor readable.
    Attempts(Micros),
    /// Browsers whose cookie expired.
    Browsers(Micros),
    /// Sessions whose time is over are marked as ended.
    ExpireSessions(Micros),
    /// Families whose time is over are marked as ended.
    ExpireFamilies(Micros),
    /// Sessions that ended long ago.
    Sessions(Micros),
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
}

/// Sweeps one table.
pub async fn run(tx: &mut Tx, step: Step) -> Result<u64> {
    let (sql, at) = match step {
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
        Step::ExpireSessions(at) => (
            "UPDATE sessions SET ended_at = $1, end_reason = 'expired'
              WHERE id IN (SELECT id FROM sessions
                            WHERE ended_at IS NULL AND ends_at IS NOT NULL AND ends_at <= $1 LIMIT 1000)
                AND ended_at IS NULL",
            at,
        ),
        Step::ExpireFamilies(at) => (
            "UPDATE families SET ended_at = $1, end_reason = 'expired'
              WHERE id IN (SELECT id FROM families
                            WHERE ended_at IS NULL AND ends_at IS NOT NULL AND ends_at <= $1 LIMIT 1000)
                AND ended_at IS NULL",
            at,
        ),
        Step::Sessions(at) => (
            "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions
                            WHERE ended_at IS NOT NULL AND ended_at <= $1 LIMIT 1000)",
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
