//! Which characters may stand in a line that people read, and the classes that addresses and user names build on.

use unicode_normalization::UnicodeNormalization as _;

/// Why a line was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More characters than allowed.
    #[error("too long")]
    TooLong,
    /// A control character, a line break, or one that changes the direction of what follows.
    #[error("contains a character that cannot be shown")]
    Unprintable,
}

/// Checks a name or title of at most `max` code points. Nothing is trimmed or changed: what was typed is kept, or refused.
///
/// Joiners stay allowed, since emoji and several scripts need them; a mail subject or log line can be built from the
/// result without further escapes of lines.
pub fn clean_line(text: &str, max: usize) -> Result<&str, TextError> {
    // The byte test comes first, so that a megabyte costs nothing.
    if text.len() > max.saturating_mul(4) || text.chars().count() > max {
        return Err(TextError::TooLong);
    }
    if text.chars().any(|c| breaks_lines(c) || overrides_direction(c) || hides(c)) {
        return Err(TextError::Unprintable);
    }
    Ok(text)
}

/// Controls (NUL among them) and Unicode's own line ends.
pub(crate) fn breaks_lines(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Embeddings, overrides and isolates: what makes "gpj.exe" read as "exe.jpg".
pub(crate) fn overrides_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Invisible and of no use inside a line.
fn hides(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Unicode's Default_Ignorable_Code_Point: what renders as nothing. Some are letters or marks by category (Hangul
/// fillers, variation selectors), so a test by category lets them through.
pub(crate) fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// A letter, digit or combining mark that can be seen.
pub(crate) fn is_word(c: char) -> bool {
    (c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)) && !is_ignorable(c)
}

/// A character outside ASCII that normalisation would turn into one with ASCII in it: full-width forms, the Kelvin
/// sign, ligatures, circled letters. Folding those is how one account's address becomes another's (CVE-2019-19844).
pub(crate) fn imitates_ascii(c: char) -> bool {
    // A letter with an accent decomposes to ASCII and a mark, but composes again to itself.
    !c.is_ascii() && std::iter::once(c).nfkc().any(|folded| folded.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn attack_a116_unprintable_names() {
        for bad in [
            "a\0b",
            "a\nb",
            "a\rb",
            "\u{7f}",
            "a\u{85}",
            "a\u{2028}b",
            "\u{202e}exe",
            "a\u{2066}b",
            "a\u{200b}b",
            "\u{feff}a",
        ] {
            assert_eq!(clean_line(bad, 20), Err(TextError::Unprintable), "{bad:?}");
        }
        for good in ["", " Ada ", "Zoë", "O'Brien, Jr.", "👩‍💻", "נועה", "می‌خواهم", "<b>"]
        {
            assert_eq!(clean_line(good, 20), Ok(good));
        }
        assert_eq!(clean_line("éééé", 3), Err(TextError::TooLong));
        assert_eq!(clean_line(&"x".repeat(1 << 20), 3), Err(TextError::TooLong));
    }

    #[test]
    fn imitations() {
        for c in ['\u{212a}', 'Ａ', '＠', 'ﬁ', 'ſ', '①', '．', '\u{37e}'] {
            assert!(imitates_ascii(c), "{c:?}");
        }
        for c in ['é', 'ı', 'ß', 'а', 'ω', 'a', 'ñ', '。'] {
            assert!(!imitates_ascii(c), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn clean_line_keeps_or_refuses(text in any::<String>(), max in 0usize..30) {
            if let Ok(kept) = clean_line(&text, max) {
                prop_assert_eq!(kept, text.as_str());
                let bad = kept.contains(['\0', '\n', '\r', '\u{202e}']);
                prop_assert!(!bad);
            }
        }
    }
}
