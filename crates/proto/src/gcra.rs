//! The rate limiter: the generic cell rate algorithm, as a function from one stored number to the next.
//!
//! What is stored per key is a single time, the theoretical arrival time: when the bucket will be full again. The limiter
//! in process and the one in the database call the same function.

/// A bucket of `burst` tokens that gains one each `period_us`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many may come at once.
    pub burst: u32,
    /// Microseconds until one token is back. Zero or less refills at once.
    pub period_us: i64,
}

impl Limit {
    /// How long an empty bucket takes to fill; also how long a stored time is worth keeping.
    pub const fn window_us(&self) -> i64 {
        self.period().saturating_mul(self.burst as i64)
    }

    const fn period(&self) -> i64 {
        if self.period_us > 0 { self.period_us } else { 0 }
    }
}

/// What the limiter said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The time to store, when the request may pass. A refused request stores nothing, but for `lowered`.
    pub allowed: Option<i64>,
    /// The time to store when the request is refused and what is stored lies beyond an empty bucket: or a clock that was
    /// set back, or a limit that was lowered, would lock out until that time comes.
    pub lowered: Option<i64>,
    /// How long to wait until the same request passes; zero when it passed, `i64::MAX` when it never will, because it
    /// costs more than the bucket holds.
    pub retry_after_us: i64,
    /// How many single tokens are left after this decision.
    pub remaining: u32,
}

/// Decides about a request that costs `cost` tokens. `tat` is what was stored for the key, if anything.
pub fn decide(tat: Option<i64>, now: i64, limit: Limit, cost: u32) -> Decision {
    let (period, window) = (limit.period(), limit.window_us());
    // A bucket is never emptier than empty: a clock that was set back, or a limit that was lowered, locks nobody out for
    // longer than a window.
    let full = now.saturating_add(window);
    let lowered = tat.is_some_and(|tat| tat > full).then_some(full);
    let tat = tat.unwrap_or(now).clamp(now, full);
    let remaining = |tat: i64| match period {
        0 => limit.burst,
        _ => u32::try_from(full.saturating_sub(tat) / period).unwrap_or(limit.burst).min(limit.burst),
    };
    if cost > limit.burst {
        return Decision { allowed: None, lowered, retry_after_us: i64::MAX, remaining: remaining(tat) };
    }
    let next = tat.saturating_add(period.saturating_mul(i64::from(cost)));
    if next > full {
        let retry_after_us = next.saturating_sub(full);
        Decision { allowed: None, lowered, retry_after_us, remaining: remaining(tat) }
    } else {
        Decision { allowed: Some(next), lowered: None, retry_after_us: 0, remaining: remaining(next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: Limit = Limit { burst: 5, period_us: 1_000 };

    #[test]
    fn a_burst_and_then_one_by_one() {
        let mut tat = None;
        for left in (0..5).rev() {
            let decision = decide(tat, 0, LIMIT, 1);
            assert_eq!((decision.remaining, decision.retry_after_us), (left, 0));
            tat = Some(decision.allowed.expect("within the burst"));
        }
        assert_eq!(
            decide(tat, 0, LIMIT, 1),
            Decision { allowed: None, lowered: None, retry_after_us: 1_000, remaining: 0 }
        );
        assert_eq!(decide(tat, 999, LIMIT, 1).retry_after_us, 1);
        assert_eq!(
            decide(tat, 1_000, LIMIT, 1),
            Decision { allowed: Some(6_000), lowered: None, retry_after_us: 0, remaining: 0 }
        );
        assert_eq!(decide(tat, 2_000, LIMIT, 3).retry_after_us, 1_000);
        assert_eq!(decide(tat, 1_000_000, LIMIT, 5).allowed, Some(1_005_000));
    }

    #[test]
    fn odd_limits() {
        assert_eq!(decide(None, 0, LIMIT, 6).retry_after_us, i64::MAX);
        assert_eq!(decide(None, 0, Limit { burst: 0, ..LIMIT }, 1).allowed, None);
        assert!(decide(Some(i64::MAX), 7, Limit { burst: 1, period_us: 0 }, 1).allowed.is_some());
        assert!(decide(Some(5_000), 0, LIMIT, 0).allowed.is_some());
        // The clock was a year ahead when this was stored.
        let ahead = decide(Some(i64::MAX), 0, LIMIT, 1);
        assert_eq!((ahead.retry_after_us, ahead.lowered), (1_000, Some(5_000)));
        assert!(decide(ahead.lowered, 1_000, LIMIT, 1).allowed.is_some(), "it kept its word");
    }

    proptest! {
        #[test]
        fn never_more_than_burst_and_rate(burst in 1u32..20, period_us in 1i64..1_000, gaps in proptest::collection::vec(0i64..2_000, 1..200)) {
            let limit = Limit { burst, period_us };
            let (mut tat, mut now, mut passed) = (None, 0, 0u64);
            for gap in gaps {
                now += gap;
                let decision = decide(tat, now, limit, 1);
                match decision.allowed {
                    Some(next) => { tat = Some(next); passed += 1; }
                    None => {
                        // What it says about waiting is exact.
                        let later = now + decision.retry_after_us;
                        prop_assert!(decide(tat, later, limit, 1).allowed.is_some());
                        prop_assert!(decide(tat, later - 1, limit, 1).allowed.is_none());
                    }
                }
                prop_assert!(passed <= u64::from(burst) + (now / period_us) as u64);
            }
        }

        #[test]
        fn never_overflows(tat in any::<Option<i64>>(), now in any::<i64>(), burst in any::<u32>(), period_us in any::<i64>(), cost in any::<u32>()) {
            let decision = decide(tat, now, Limit { burst, period_us }, cost);
            prop_assert_eq!(decision.allowed.is_some(), decision.retry_after_us == 0);
            prop_assert!(decision.remaining <= burst);
        }
    }
}
