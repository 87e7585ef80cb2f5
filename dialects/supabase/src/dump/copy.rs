//! A line of COPY's text format: values between tabs, with `\N` for NULL and backslashes for what can't stand there.

use super::{What, lex::VALUE};

/// A value as it was found.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Field {
    Null,
    Text(String),
    /// Longer than what is kept.
    Long,
}

/// Reads one value.
pub(super) fn field(raw: &[u8]) -> Result<Field, What> {
    if raw == b"\\N" {
        return Ok(Field::Null);
    }
    if raw.len() > VALUE {
        return Ok(Field::Long);
    }
    if raw.contains(&0) {
        return Err(What::Nul);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        bytes.extend_from_slice(&rest[..at]);
        let (byte, used) = unescaped(&rest[at + 1..]).ok_or(What::BadEscape)?;
        if byte == 0 {
            return Err(What::Nul);
        }
        bytes.push(byte);
        rest = &rest[at + 1 + used..];
    }
    bytes.extend_from_slice(rest);
    String::from_utf8(bytes).map(Field::Text).map_err(|_| What::NotUtf8)
}

/// What stands behind a backslash, and in how many bytes. PostgreSQL takes any other byte as it is; no dump writes one, so
/// that it is more likely something else.
pub(super) fn unescaped(rest: &[u8]) -> Option<(u8, usize)> {
    let octal = |byte: &&u8| (b'0'..=b'7').contains(*byte);
    Some(match *rest.first()? {
        b'b' => (0x08, 1),
        b'f' => (0x0c, 1),
        b'n' => (b'\n', 1),
        b'r' => (b'\r', 1),
        b't' => (b'\t', 1),
        b'v' => (0x0b, 1),
        b'\\' => (b'\\', 1),
        b'x' => {
            let digits = rest[1..].iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
            let text = std::str::from_utf8(&rest[1..=digits]).ok()?;
            (u8::from_str_radix(text, 16).ok()?, 1 + digits)
        }
        b'0'..=b'7' => {
            let digits = rest.iter().take(3).take_while(octal).count();
            let value = rest[..digits].iter().fold(0_u32, |value, byte| value * 8 + u32::from(byte - b'0'));
            (u8::try_from(value).ok()?, digits)
        }
        _ => return None,
    })
}

/// Writes a value so that [`field`], and PostgreSQL, read it back.
pub fn write(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let text = |raw: &[u8]| match field(raw) {
            Ok(Field::Text(text)) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(field(b"\\N"), Ok(Field::Null));
        assert_eq!(text(b""), "");
        assert_eq!(text(b"plain \xc3\xa9"), "plain é");
        assert_eq!(text(b"\\\\N\\t\\n\\r\\b\\f\\v\\\\"), "\\N\t\n\r\u{8}\u{c}\u{b}\\");
        assert_eq!(text(b"\\101\\x42\\x4a1\\0603"), "ABJ103");
        assert_eq!(text(b"\\303\\251"), "é");
        for bad in [&b"\\q"[..], b"\\", b"a\\", b"\\x", b"\\xg", b"\\777", b"\\.", b"\\N1", b"\\u0041"] {
            assert_eq!(field(bad), Err(What::BadEscape), "{bad:?}");
        }
        for nul in [&b"a\0"[..], b"\\0", b"\\000", b"\\x0", b"\\x00"] {
            assert_eq!(field(nul), Err(What::Nul), "{nul:?}");
        }
        assert_eq!(field(b"\xff"), Err(What::NotUtf8));
        assert_eq!(field(b"\\377"), Err(What::NotUtf8));
        assert_eq!(field(&vec![b'a'; VALUE + 1]), Ok(Field::Long));
    }

    #[test]
    fn what_is_written_is_read() {
        for text in ["", "a\tb\nc\rd\\e\\N", "\\N", "\\.", "é\u{7f}\u{1}"] {
            let mut out = String::new();
            write(text, &mut out);
            assert!(!out.contains(['\t', '\n', '\r']));
            assert_eq!(field(out.as_bytes()), Ok(Field::Text(text.to_owned())));
        }
    }
}
