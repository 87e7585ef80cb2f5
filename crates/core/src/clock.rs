//! Time is passed in: nothing below the binary asks the machine for it.

use latchstring_look::Say;
use std::sync::atomic::{AtomicI64, Ordering};

/// Unix time in microseconds, as stored and compared everywhere.
pub type Micros = i64;

/// One second.
pub const SECOND: Micros = 1_000_000;
/// One minute.
pub const MINUTE: Micros = 60 * SECOND;
/// One hour.
pub const HOUR: Micros = 60 * MINUTE;
/// One day.
pub const DAY: Micros = 24 * HOUR;
/// How far the clocks of two nodes may be apart.
pub const NODE_SKEW: Micros = 2 * SECOND;

const MONTHS: [&str; 12] = [
    "month-1", "month-2", "month-3", "month-4", "month-5", "month-6", "month-7", "month-8", "month-9",
    "month-10", "month-11", "month-12",
];

/// A time as people read it: “1 January 2026, 00:00 UTC”.
pub fn date(at: Micros) -> Say {
    let at = jiff::Timestamp::from_microsecond(at).unwrap_or(jiff::Timestamp::MAX);
    let at = jiff::tz::Offset::UTC.to_datetime(at);
    let month = usize::try_from(at.month()).ok().and_then(|n| MONTHS.get(n - 1)).copied().unwrap_or_default();
    Say::new("date")
        .with("day", i64::from(at.day()))
        .with("month", Say::new(month))
        .with("year", at.year().to_string())
        .with("time", format!("{:02}:{:02}", at.hour(), at.minute()))
}

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Micros;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    fn now(&self) -> Micros {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that a test moves by hand.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// A clock that stands at `now`.
    pub fn at(now: Micros) -> Self {
        Self(AtomicI64::new(now))
    }

    /// Moves the clock forward (or back, when negative).
    pub fn advance(&self, by: Micros) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Micros {
        // Each look moves it by one microsecond, so that ids made in a row are ordered.
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// A stopwatch for metrics: monotonic, unlike [`Clock`].
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> std::time::Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchstring_look::Language;

    #[test]
    fn times_are_written_as_people_read_them() {
        let said = |language, at| latchstring_look::Words::default().say(language, &date(at));
        assert_eq!(said(Language::English, 1_767_225_600_000_000), "1 January 2026, 00:00 UTC");
        assert_eq!(said(Language::German, 1_770_000_000_000_000), "2. Februar 2026, 02:40 UTC");
        assert!(said(Language::Arabic, 1_770_000_000_000_000).contains("2026"));
        assert!(said(Language::English, i64::MAX).contains("9999"));
    }
}
