//! One file a command.

pub(crate) mod api_key;
pub(crate) mod backup;
pub(crate) mod dev;
pub(crate) mod dialect;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod serve;
pub(crate) mod user;

use latchstring_core::clock::Micros;

/// A time for people and machines: RFC 3339 in UTC.
pub(crate) fn time(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |t| t.to_string())
}
