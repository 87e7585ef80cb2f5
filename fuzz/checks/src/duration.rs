//! Go's durations, as back ends say how long a ban lasts.

use crate::text;
use latchstring_supabase::duration::parse;

/// The input is a duration.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some(micros) = parse(text) else { return };
    // Within Go's 64 bits of nanoseconds, rounded away from zero.
    assert!(micros.unsigned_abs() <= u64::MAX / 2 / 1_000 + 1, "{text:?}: {micros}");
    let bare = text.trim_start_matches(['+', '-']);
    assert!(text.len() - bare.len() <= 1, "{text:?} has two signs");
    assert_eq!(parse(&format!("-{bare}")), Some(-micros.abs()), "{text:?}");
    // Something added is more, or too much.
    if bare != "0"
        && let Some(more) = parse(&format!("{bare}1h"))
    {
        assert!(more > micros.abs(), "{text:?}");
    }
}
