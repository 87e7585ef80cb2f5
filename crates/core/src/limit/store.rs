//! Statements on `limits` and `throttles`.

use super::Rate;
use crate::{clock::Micros, refusal::Result};
use latchstring_db::Tx;

/// Takes one from a limit that nodes share, or says after how many microseconds there is one to take.
/// One statement both checks and counts, so that parallel callers can't pass together.
pub async fn take(
    tx: &mut Tx,
    key: [u8; 32],
    rate: Rate,
    now: Micros,
) -> Result<std::result::Result<(), Micros>> {
    let period = rate.gcra().period_us;
    let most = now + period * (i64::from(rate.burst) - 1);
    let taken = tx
        .one(
            "INSERT INTO limits (key, tat) VALUES ($1, CAST($2 AS BIGINT) + CAST($3 AS BIGINT))
                 ON CONFLICT (key) DO UPDATE
                SET tat = CASE WHEN limits.tat > $2 THEN limits.tat ELSE CAST($2 AS BIGINT) END + CAST($3 AS BIGINT)
              WHERE limits.tat <= $4
          RETURNING tat",
            &[&key, &now, &period, &most],
        )
        .await?;
    if taken.is_some() {
        return Ok(Ok(()));
    }
    // As in `gcra::decide`: a bucket is never emptier than empty, or a clock that was set back, or a
    // limit that was lowered, would lock out until that time comes.
    let full = most + period;
    let tat: i64 = match tx.one("SELECT tat FROM limits WHERE key = $1", &[&key]).await? {
        Some(row) => row.get(0)?,
        None => most + 1,
    };
    if tat > full {
        tx.exec("UPDATE limits SET tat = $2 WHERE key = $1 AND tat > $2", &[&key, &full]).await?;
    }
    Ok(Err((tat.min(full) - most).max(1)))
}

/// The failures in a row under `key`, and when the next proof may be tried.
pub struct Throttle {
    /// Failures in a row, this one included.
    pub failures: i64,
    /// When the next may be tried.
    pub next_at: Micros,
}

/// Counts a proof as failed *before* it is evaluated, if one may be tried now. (Success takes it back by [`clear`].)
/// `None`: too early. Parallel guesses queue up on the row, so that no more than allowed are ever evaluated.
pub async fn try_proof(
    tx: &mut Tx,
    key: [u8; 32],
    now: Micros,
    free: i64,
    max_delay: Micros,
    closed_at: i64,
) -> Result<Option<Throttle>> {
    // The delay doubles with each failure past the free ones: 1 s, 2 s, 4 s, … up to the longest. The shift is
    // bounded by the CASE, since an overflow would be an error on PostgreSQL and a float on SQLite. While tries are
    // free the time does not matter (0): of two at once, the one with the earlier clock must not come too early.
    let row = tx
        .one(
            "INSERT INTO throttles (key, failures, next_at, updated_at)
             VALUES ($1, 1, CASE WHEN $3 > 1 THEN 0 ELSE CAST($2 AS BIGINT) + 1000000 END, $2)
                 ON CONFLICT (key) DO UPDATE
                SET failures = throttles.failures + 1,
                    updated_at = $2,
                    next_at = CASE WHEN throttles.failures + 1 < $3 THEN 0
                                   WHEN throttles.failures + 1 - $3 > 20 THEN CAST($2 AS BIGINT) + $4
                                   WHEN (CAST(1000000 AS BIGINT) << CAST(throttles.failures + 1 - $3 AS INTEGER)) > $4
                                   THEN CAST($2 AS BIGINT) + $4
                                   ELSE CAST($2 AS BIGINT)
                                        + (CAST(1000000 AS BIGINT) << CAST(throttles.failures + 1 - $3 AS INTEGER)) END
              WHERE throttles.next_at <= $2 AND throttles.failures < $5
          RETURNING failures, next_at",
            &[&key, &now, &free, &max_delay, &closed_at],
        )
        .await?;
    Ok(match row {
        Some(row) => Some(Throttle { failures: row.get(0)?, next_at: row.get(1)? }),
        None => None,
    })
}

/// What stands under `key`.
pub async fn throttle(tx: &mut Tx, key: [u8; 32]) -> Result<Option<Throttle>> {
    Ok(match tx.one("SELECT failures, next_at FROM throttles WHERE key = $1", &[&key]).await? {
        Some(row) => Some(Throttle { failures: row.get(0)?, next_at: row.get(1)? }),
        None => None,
    })
}

/// A proof succeeded: the row of failures is over.
pub async fn clear(tx: &mut Tx, key: [u8; 32]) -> Result<()> {
    tx.exec("DELETE FROM throttles WHERE key = $1", &[&key]).await?;
    Ok(())
}
