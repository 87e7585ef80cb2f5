//! Times as PostgreSQL writes them, and as `core` keeps them: microseconds since 1970.

/// A time with its offset, as dumps and JSON have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// A moment.
    At(i64),
    /// After every other.
    Never,
    /// Before every other.
    Always,
}

/// Reads a time. Without an offset it is none.
pub fn parse(text: &str) -> Option<Time> {
    match text {
        "infinity" => return Some(Time::Never),
        "-infinity" => return Some(Time::Always),
        // No longer one has a meaning.
        _ if text.len() > 40 => return None,
        _ => {}
    }
    // The last days that can be shown, and all later ones: PostgreSQL knows some 290,000 years more.
    let year: u32 = text.split('-').next()?.parse().ok()?;
    if year >= 9999 {
        return Some(Time::Never);
    }
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Time::At(at.as_microsecond()))
}

/// Writes a time as a dump has it.
pub fn write(at: i64) -> Option<String> {
    let at = jiff::Timestamp::from_microsecond(at).ok()?;
    Some(at.to_string().replace('T', " ").replace('Z', "+00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_dumps_and_of_json() {
        let noon = 1_714_564_800_000_000;
        for (text, at) in [
            ("2024-05-01 12:00:00+00", noon),
            ("2024-05-01 14:00:00+02", noon),
            ("2024-05-01 17:30:00+05:30", noon),
            ("2024-05-01 12:00:00.25+00", noon + 250_000),
            ("2024-05-01T12:00:00.000001+00:00", noon + 1),
            ("2024-05-01T12:00:00Z", noon),
        ] {
            assert_eq!(parse(text), Some(Time::At(at)), "{text}");
        }
        assert_eq!(parse("infinity"), Some(Time::Never));
        for never in ["9999-12-31 23:59:59+00", "12345-01-01 00:00:00+00"] {
            assert_eq!(parse(never), Some(Time::Never));
        }
        assert_eq!(parse("-infinity"), Some(Time::Always));
        for bad in ["", "now", "2024-05-01 12:00:00", "2024-05-01", "2024-05-01 12:00:00+00 BC", "24-5-1"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(write(noon + 1).as_deref(), Some("2024-05-01 12:00:00.000001+00"));
        for at in [0, noon, noon + 120, -62_135_596_800_000_000, 253_370_764_799_999_999] {
            assert_eq!(write(at).and_then(|text| parse(&text)), Some(Time::At(at)));
        }
    }
}
