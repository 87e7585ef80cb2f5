//! Registered claims (RFC 7519 4.1) that every kind of token shares: times and audience.
//!
//! Times are microseconds since 1970 on our side, as everywhere in this product, and `now` is passed in.

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

const SECOND: i64 = 1_000_000;
/// The year 9999. What lies beyond is milliseconds by mistake, or an attempt to overflow.
const LATEST: i64 = 253_402_300_799;

/// RFC 7519 2: "A JSON numeric value representing the number of seconds from 1970-01-01T00:00:00Z UTC". Fractions are
/// allowed; strings, negative numbers and what lies beyond the year 9999 are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate(i64);

impl NumericDate {
    /// From microseconds; written as whole seconds, rounded down.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// As microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }
}

impl Serialize for NumericDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.div_euclid(SECOND))
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = NumericDate;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds since 1970 as a number")
            }
            fn visit_u64<E: serde::de::Error>(self, v: u64) -> Result<NumericDate, E> {
                match i64::try_from(v) {
                    Ok(seconds) if seconds <= LATEST => Ok(NumericDate(seconds * SECOND)),
                    _ => Err(E::custom("out of range")),
                }
            }
            fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<NumericDate, E> {
                u64::try_from(v).map_err(|_| E::custom("negative")).and_then(|v| self.visit_u64(v))
            }
            fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<NumericDate, E> {
                // The range test is also false for NaN and infinities.
                if !(0.0..=LATEST as f64).contains(&v) {
                    return Err(E::custom("out of range"));
                }
                Ok(NumericDate((v * SECOND as f64) as i64))
            }
        }
        deserializer.deserialize_any(Number).map_err(|_| D::Error::custom("not a NumericDate"))
    }
}

/// The three times of a token. `#[serde(flatten)]` it into a claims type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<NumericDate>,
    /// When it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<NumericDate>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<NumericDate>,
}

/// What a kind of token must satisfy in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRules {
    /// How long after its end a token is still taken. RFC 7519 4.1.4: "some small leeway, usually no more than a few
    /// minutes, to account for clock skew".
    pub leeway_us: i64,
    /// How far the maker's clock may be from ours in all the other times: `nbf`, `iat`, and what is reckoned from now.
    pub skew_us: i64,
    /// Refuse a token without an end.
    pub exp_required: bool,
    /// Refuse a token that was made longer ago, or has no `iat` (DPoP proofs).
    pub max_age_us: Option<i64>,
    /// Refuse a token that ends later than this from now (client assertions, whose ids must be remembered until then).
    pub max_ahead_us: Option<i64>,
}

impl TimeRules {
    /// An end is required; ten seconds of leeway, as FAPI 2.0 wants of future times.
    pub const STRICT: Self = Self {
        leeway_us: 10 * SECOND,
        skew_us: 10 * SECOND,
        exp_required: true,
        max_age_us: None,
        max_ahead_us: None,
    };
}

/// Why the times of a token were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// `exp` is in the past.
    #[error("expired")]
    Expired,
    /// `nbf` is in the future.
    #[error("not yet valid")]
    NotYet,
    /// `iat` is in the future.
    #[error("made in the future")]
    FromTheFuture,
    /// A required time is missing.
    #[error("a time is missing")]
    Missing,
    /// Made too long ago.
    #[error("too old")]
    TooOld,
    /// Ends too far ahead.
    #[error("lives too long")]
    TooLong,
}

impl Times {
    /// Checks them against the caller's clock.
    pub fn check(&self, now_us: i64, rules: &TimeRules) -> Result<(), TimeError> {
        let (leeway, skew) = (rules.leeway_us.max(0), rules.skew_us.max(0));
        match self.exp {
            None if rules.exp_required || rules.max_ahead_us.is_some() => return Err(TimeError::Missing),
            None => {}
            Some(exp) => {
                // RFC 7519 4.1.4: "the current date/time MUST be before the expiration date/time".
                if now_us >= exp.0.saturating_add(leeway) {
                    return Err(TimeError::Expired);
                }
                if rules
                    .max_ahead_us
                    .is_some_and(|max| exp.0.saturating_sub(now_us) > max.saturating_add(skew))
                {
                    return Err(TimeError::TooLong);
                }
            }
        }
        // RFC 7519 4.1.5: "the current date/time MUST be after or equal to the not-before date/time".
        if self.nbf.is_some_and(|nbf| now_us < nbf.0.saturating_sub(skew)) {
            return Err(TimeError::NotYet);
        }
        if self.iat.is_some_and(|iat| now_us < iat.0.saturating_sub(skew)) {
            return Err(TimeError::FromTheFuture);
        }
        if let Some(max) = rules.max_age_us {
            let iat = self.iat.ok_or(TimeError::Missing)?;
            if now_us.saturating_sub(iat.0) > max.saturating_add(skew) {
                return Err(TimeError::TooOld);
            }
        }
        Ok(())
    }
}

/// RFC 7519 4.1.3: "In the general case, the 'aud' value is an array of case-sensitive strings"; in the special case of
/// one, it may be that string.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// A single string.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl Audience {
    /// Whether `me` is among them, exactly.
    pub fn contains(&self, me: &str) -> bool {
        self.as_slice().iter().any(|aud| aud == me)
    }

    /// Whether `me` is the only one, which client assertions and logout tokens should say.
    pub fn is_only(&self, me: &str) -> bool {
        matches!(self.as_slice(), [aud] if aud == me)
    }

    /// All of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(aud) => std::slice::from_ref(aud),
            Self::Many(auds) => auds,
        }
    }
}
