//! Rate limits: GCRA, keyed by a MAC of what is limited, so that neither memory nor the database holds addresses.
//! Most limits live in this process, in bounded memory; those that several nodes must share are one statement.

pub mod proving;
pub mod store;

use crate::{
    clock::{Micros, SECOND},
    refusal::{Kind, Policy, Refusal},
    seal::{Keys, MacPurpose},
};
use latchstring_proto::gcra;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// `burst` at once, then evenly `burst` in `per_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object with `burst` and `per_seconds`")]
pub struct Rate {
    /// How many at once.
    pub burst: u32,
    /// In how many seconds the burst fills up again.
    pub per_seconds: i64,
}

impl Rate {
    /// The same as a GCRA limit.
    pub fn gcra(self) -> gcra::Limit {
        gcra::Limit {
            burst: self.burst,
            period_us: (self.per_seconds * SECOND / i64::from(self.burst)).max(1),
        }
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident => $shared:literal, $name:literal;)*) => {
        /// What is limited.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Rule { $($(#[$doc])* $rule,)* }

        impl Rule {
            /// Every rule, for tables and tests.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule,)*];
            /// Whether nodes must count together, and a restart must not forget.
            pub fn shared(self) -> bool { match self { $(Rule::$rule => $shared,)* } }
            /// Its name, in metrics and logs.
            pub fn name(self) -> &'static str { match self { $(Rule::$rule => $name,)* } }
        }
    };
}

rules! {
    /// Attempts begun, per address.
    AttemptsByAddress => false, "attempts_by_address";
    /// Passwords tried, per address.
    PasswordsByAddress => false, "passwords_by_address";
    /// Codes tried, per address.
    CodesByAddress => false, "codes_by_address";
    /// Codes tried, per identifier.
    CodesByIdentifier => true, "codes_by_identifier";
    /// Messages sent, per target.
    SendsByTarget => true, "sends_by_target";
    /// Messages sent, per target and day.
    SendsByTargetDaily => true, "sends_by_target_daily";
    /// Messages caused, per address.
    SendsByAddress => true, "sends_by_address";
    /// Accounts and guests made, per address.
    SignUpsByAddress => true, "sign_ups_by_address";
    /// Refreshes and token requests, per address.
    TokensByAddress => false, "tokens_by_address";
    /// Notices of what does not by itself put an account into other hands, per person and sort.
    NoticesByUser => true, "notices_by_user";
    /// Wrong keys, per address.
    KeysByAddress => false, "keys_by_address";
}

/// The key under which `value` is counted for `rule`.
pub fn key(keys: &Keys, rule: Rule, value: &[u8]) -> [u8; 32] {
    keys.mac(MacPurpose::Limit, &[rule.name().as_bytes(), value])
}

/// Says that a limit is reached.
pub fn refused(rule: Rule, rate: Rate, retry_after: Micros) -> Refusal {
    let policy = Policy { name: rule.name(), quota: rate.burst, window: rate.per_seconds };
    Refusal::new(Kind::RateLimited).reason(rule.name()).retry_after_micros(retry_after).limit(policy)
}

const SHARDS: usize = 16;
/// 16 shards of 8,192 entries of about 64 bytes: at most some 10 MiB under a flood of distinct keys.
const PER_SHARD: usize = 8_192;

/// Counts in this process, in bounded memory.
pub struct Limiter {
    shards: [Mutex<HashMap<[u8; 32], Micros>>; SHARDS],
}

impl Default for Limiter {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::new(HashMap::new())) }
    }
}

impl Limiter {
    /// Takes one, or says after how many microseconds there is one to take.
    pub fn take(&self, key: [u8; 32], rate: Rate, now: Micros) -> Result<(), Micros> {
        let mut shard = self.shards[usize::from(key[0]) % SHARDS].lock();
        let decision = gcra::decide(shard.get(&key).copied(), now, rate.gcra(), 1);
        let Some(tat) = decision.allowed else {
            if let (Some(lowered), Some(tat)) = (decision.lowered, shard.get_mut(&key)) {
                *tat = lowered;
            }
            return Err(decision.retry_after_us);
        };
        if shard.len() >= PER_SHARD && !shard.contains_key(&key) {
            make_room(&mut shard, now);
        }
        shard.insert(key, tat);
        Ok(())
    }

    /// How many keys are counted, for metrics and tests.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|s| s.lock().len()).sum()
    }

    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Full entries (nothing taken lately) say nothing and go first. If all are in use, the half that is nearest to full
/// goes: a flood of fresh keys (each with one taken) never drives out a key that is being hammered.
fn make_room(shard: &mut HashMap<[u8; 32], Micros>, now: Micros) {
    shard.retain(|_, tat| *tat > now);
    if shard.len() >= PER_SHARD {
        let mut tats: Vec<Micros> = shard.values().copied().collect();
        let middle = tats.len() / 2;
        let (_, median, _) = tats.select_nth_unstable(middle);
        let median = *median;
        shard.retain(|_, tat| *tat > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn k(n: u64) -> [u8; 32] {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&n.to_le_bytes());
        key
    }

    #[test]
    fn a_burst_then_evenly() {
        let limiter = Limiter::default();
        let rate = Rate { burst: 3, per_seconds: 3 };
        for _ in 0..3 {
            assert!(limiter.take(k(1), rate, 0).is_ok());
        }
        assert_eq!(limiter.take(k(1), rate, 0), Err(SECOND));
        assert!(limiter.take(k(1), rate, SECOND).is_ok());
        assert!(limiter.take(k(2), rate, SECOND).is_ok(), "keys don't touch each other");
    }

    #[test]
    fn attack_a155_a_flood_of_distinct_keys_stays_bounded_and_does_not_free_the_hammered_one() {
        let limiter = Limiter::default();
        let rate = Rate { burst: 10, per_seconds: 600 };
        while limiter.take(k(0), rate, 0).is_ok() {}
        for n in 1..400_000 {
            let _ = limiter.take(k(n), rate, 1);
        }
        assert!(limiter.len() <= SHARDS * PER_SHARD);
        assert!(limiter.take(k(0), rate, 2).is_err(), "the flood must not reset a limit that was reached");
    }
}
