//! Durations as Go writes them, which is how the vendor's back ends say how long a ban lasts: `1h30m`, `300ms`, `-1.5h`.

use latchstring_core::clock::Micros;

/// Nanoseconds of the units.
const UNITS: &[(&str, i128)] = &[
    ("ns", 1),
    ("us", 1_000),
    // The micro sign, and the Greek letter.
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];
/// Most bytes of a duration. Go takes more, and nobody writes more.
const MOST: usize = 100;

/// Reads a duration: decimal numbers, each with a fraction or not and with a unit, after a sign or none. `None`: it is
/// none, or longer than Go's 64 bits of nanoseconds.
pub fn parse(text: &str) -> Option<Micros> {
    if text.len() > MOST {
        return None;
    }
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit)?;
        // At most a hundred digits were let in; beyond nineteen it is too long in any unit.
        if whole.trim_start_matches('0').len() > 19 {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        nanos = nanos.checked_add(whole.checked_mul(*unit)?)?;
        // Digits of a fraction that are worth less than a nanosecond say nothing.
        let fraction = &fraction[..fraction.len().min(18)];
        if !fraction.is_empty() {
            let digits = u32::try_from(fraction.len()).ok()?;
            nanos += fraction.parse::<i128>().ok()? * unit / 10_i128.pow(digits);
        }
        if nanos > i128::from(i64::MAX) {
            return None;
        }
        rest = after;
    }
    // Away from zero: something is not nothing.
    let micros = i64::try_from((nanos + 999) / 1_000).ok()?;
    Some(if negative { -micros } else { micros })
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Micros = 3_600_000_000;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, expect) in [
            ("0", Some(0)),
            ("+0", Some(0)),
            ("-0", Some(0)),
            ("0s", Some(0)),
            ("24h", Some(24 * HOUR)),
            ("1h30m", Some(HOUR * 3 / 2)),
            ("1.5h", Some(HOUR * 3 / 2)),
            ("-1.5h", Some(-HOUR * 3 / 2)),
            ("+5s", Some(5_000_000)),
            (".5s", Some(500_000)),
            ("5.s", Some(5_000_000)),
            ("1h1m1s1ms1us1ns", Some(3_661_001_002)),
            ("1ns", Some(1)),
            ("1.0000000000000000000000000000000001s", Some(1_000_000)),
            ("300\u{b5}s", Some(300)),
            ("300\u{3bc}s", Some(300)),
            ("876000h", Some(876_000 * HOUR)),
            ("2562047h47m16.854775807s", Some(i64::MAX / 1_000 + 1)),
            ("2562047h47m16.854775808s", None),
            ("9223372036854775808ns", None),
            ("99999999999999999999999999999999999999999999h", None),
            ("2562048h", None),
            ("", None),
            ("+", None),
            ("-", None),
            ("1", None),
            (".", None),
            (".s", None),
            ("s", None),
            ("1d", None),
            ("1 h", None),
            ("1H", None),
            ("--1h", None),
            ("1h-1m", None),
            ("1e3s", None),
            ("1h ", None),
            ("\u{661}h", None),
            ("none", None),
            ("NaN", None),
        ] {
            assert_eq!(parse(text), expect, "{text:?}");
        }
        assert_eq!(parse(&"1h".repeat(51)), None, "too long a text");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,120}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_looks_like_one_never_panics(text in "[-+]?([0-9]{0,40}(\\.[0-9]{0,30})?(ns|us|ms|s|m|h)){0,5}") {
            if let Some(micros) = parse(&text) {
                prop_assert_eq!(parse(&format!("-{}", text.trim_start_matches(['-', '+']))), Some(-micros.abs()));
            }
        }

        #[test]
        fn what_is_written_is_read(hours in 0_i64..1_000_000, minutes in 0_i64..60, seconds in 0_i64..60,
                                   millis in 0_i64..1_000) {
            let micros = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + millis * 1_000;
            prop_assert_eq!(parse(&format!("{hours}h{minutes}m{seconds}s{millis}ms")), Some(micros));
            prop_assert_eq!(parse(&format!("{hours}h{minutes}m{seconds}.{millis:03}s")), Some(micros));
        }
    }
}
