//! User names: letters, digits and `. _ -`, compared by a form that folds case, compatibility and look-alikes.
//!
//! The rule of identity: NFKC, case folded, then the Cyrillic and Greek letters that look like an ASCII letter replaced
//! by it. So `Paypal`, `paypal` and `pаypаl` with Cyrillic letters are one name, and the price is that a Cyrillic name of
//! look-alikes alone (`сор`) is taken when `cop` is. Other mixtures of scripts are refused. Whole-script imitations in
//! scripts beyond these are not detected: the table is for what people confuse daily, not for all of Unicode.

use crate::text::{is_ignorable, is_word};
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The most code points of a name.
pub const MAX_USERNAME: usize = 64;

/// Why a name was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// No characters, or too many.
    #[error("a user name has 1 to 64 characters")]
    Length,
    /// Something else than letters, digits, dots, hyphens and underscores.
    #[error("a user name has letters, digits, dots, hyphens and underscores only")]
    Character,
    /// A separator first or last.
    #[error("a user name begins and ends with a letter or digit")]
    Edge,
    /// Letters of scripts that are not written together.
    #[error("a user name does not mix alphabets")]
    Mixed,
}

/// A name that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    typed: String,
    normal: String,
}

impl Username {
    /// Checks and normalises. Nothing is trimmed. There is no `@`, in any width, so a name is never an address
    /// (CVE-2022-39229).
    pub fn parse(typed: &str) -> Result<Self, UsernameError> {
        if typed.is_empty() || typed.len() > MAX_USERNAME * 4 || typed.chars().count() > MAX_USERNAME {
            return Err(UsernameError::Length);
        }
        if typed.chars().any(is_ignorable) {
            return Err(UsernameError::Character);
        }
        let folded = fold(typed);
        // Compatibility characters grow: one ligature can be eighteen letters.
        if folded.chars().count() > MAX_USERNAME {
            return Err(UsernameError::Length);
        }
        if !folded.chars().all(|c| is_word(c) || is_separator(c)) {
            return Err(UsernameError::Character);
        }
        if folded.starts_with(is_separator) || folded.ends_with(is_separator) {
            return Err(UsernameError::Edge);
        }
        check_marks(&folded)?;
        check_scripts(&folded)?;
        // Apart from their accents, which look the same on every letter; the replaced letter may then compose with its
        // accent, or have a dot too many.
        let replaced: String = folded.nfd().map(|c| look_alike(c).unwrap_or(c)).collect();
        let normal = fold(&replaced);
        // Two accents of Greek that were one character with their letter are two with its look-alike.
        if normal.chars().count() > MAX_USERNAME {
            return Err(UsernameError::Length);
        }
        Ok(Self { typed: typed.to_owned(), normal })
    }

    /// As it was written.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// The form that is unique and looked up by.
    pub fn normal(&self) -> &str {
        &self.normal
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | '_' | '-')
}

/// NFKC with full case folding. Upper and then lower case is folding for all but a few letters, and those few (dotted and
/// dotless i) fall on their ASCII look-alike, which is what we want here.
fn fold(typed: &str) -> String {
    let mut text: String = typed.nfkc().collect();
    // Folding can leave something to compose, and composing something to fold; the second round is the last.
    for _ in 0..2 {
        let lower = text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
        let mut folded: String = lower.map(|c| if c == 'ς' { 'σ' } else { c }).nfkc().collect();
        // A dot above a letter that has one cannot be seen.
        while let Some(at) = folded.find("i\u{307}").or_else(|| folded.find("j\u{307}")) {
            folded.remove(at + 1);
        }
        text = folded;
    }
    text
}

/// Marks follow a letter, three at most: stacks of them reach into the lines above.
fn check_marks(text: &str) -> Result<(), UsernameError> {
    let mut allowed = 0;
    for c in text.chars() {
        if !is_combining_mark(c) {
            allowed = if is_separator(c) { 0 } else { 3 };
        } else if allowed == 0 {
            return Err(UsernameError::Character);
        } else {
            allowed -= 1;
        }
    }
    Ok(())
}

/// The beginning of a normal form, from what somebody typed of it: for searching. Nothing is refused.
pub fn fold_prefix(typed: &str) -> String {
    fold(typed).chars().map(|c| look_alike(c).unwrap_or(c)).collect()
}

/// What the eye takes for an ASCII letter. Lower case alone, since folding went before.
fn look_alike(c: char) -> Option<char> {
    Some(match c {
        // Cyrillic
        'а' => 'a',
        'ь' => 'b',
        'с' => 'c',
        'ԁ' => 'd',
        'е' => 'e',
        'һ' => 'h',
        'і' | 'ӏ' => 'i',
        'ј' => 'j',
        'о' => 'o',
        'р' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'ѵ' => 'v',
        'ԝ' => 'w',
        'х' => 'x',
        'у' | 'ү' => 'y',
        // Cyrillic and Greek whose capitals are the look-alikes: В, К, М, Н, Т; Α, Β, Ε, Ζ, Η, Κ, Μ, Ν, Τ, Χ.
        'в' | 'β' => 'b',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'н' | 'η' => 'h',
        'т' | 'τ' => 't',
        'ζ' => 'z',
        // Greek
        'α' => 'a',
        'ε' => 'e',
        'ι' => 'i',
        'ν' => 'n',
        'ο' | 'σ' => 'o',
        'ρ' => 'p',
        'υ' => 'y',
        'χ' => 'x',
        'ω' => 'w',
        'γ' => 'y',
        _ => return None,
    })
}

/// Their capitals look like one ASCII letter (N, H, Y) and their small forms like another (v, n, u). In a whole Greek
/// name the capital decides, being the same picture; amid Latin letters nobody could say what was meant.
fn is_ambiguous(c: char) -> bool {
    matches!(c, 'ν' | 'η' | 'υ')
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    /// Digits, marks and separators go with every script.
    Common,
    Latin,
    Greek,
    Cyrillic,
    /// Han, kana, bopomofo and Hangul, which are written together and with Latin.
    EastAsian,
    /// Everything else, told apart by its block of Unicode.
    Other(u32),
}

fn script(c: char) -> Script {
    if c.is_ascii_digit() || is_separator(c) || is_combining_mark(c) || c.is_numeric() {
        return Script::Common;
    }
    match u32::from(c) {
        0x41..=0x24f
        | 0x250..=0x2af
        | 0x1d00..=0x1d25
        | 0x1e00..=0x1eff
        | 0x2c60..=0x2c7f
        | 0xa720..=0xa7ff
        | 0xab30..=0xab64 => Script::Latin,
        0x2b0..=0x2ff => Script::Common,
        0x370..=0x3ff | 0x1f00..=0x1fff => Script::Greek,
        0x400..=0x52f | 0x1c80..=0x1c8f | 0x2de0..=0x2dff | 0xa640..=0xa69f => Script::Cyrillic,
        0x1100..=0x11ff
        | 0x2e80..=0x2fdf
        | 0x3005..=0x31ff
        | 0x3400..=0x9fff
        | 0xa960..=0xa97f
        | 0xac00..=0xd7ff
        | 0xf900..=0xfaff
        | 0x16fe0..=0x18d8f
        | 0x1aff0..=0x1b16f
        | 0x20000..=0x3ffff => Script::EastAsian,
        // Arabic and its supplements are one; the others mostly fit a block of 128.
        0x600..=0x6ff | 0x750..=0x77f | 0x870..=0x8ff => Script::Other(0x600),
        // Georgian and Ethiopic sit in several blocks.
        0x10a0..=0x10ff | 0x1c90..=0x1cbf | 0x2d00..=0x2d2f => Script::Other(0x10a0),
        0x1200..=0x139f | 0x2d80..=0x2ddf | 0xab00..=0xab2f => Script::Other(0x1200),
        // Cherokee folds to capitals of another block.
        0x13a0..=0x13ff | 0xab70..=0xabbf => Script::Other(0x13a0),
        other => Script::Other(other / 128 * 128),
    }
}

fn check_scripts(text: &str) -> Result<(), UsernameError> {
    let mut seen: Vec<Script> = Vec::with_capacity(2);
    for script in text.chars().map(script).filter(|s| *s != Script::Common) {
        if !seen.contains(&script) {
            seen.push(script);
        }
    }
    let all_look_alike = |of: Script| {
        text.chars().filter(|c| script(*c) == of).all(|c| look_alike(c).is_some() && !is_ambiguous(c))
    };
    match seen.as_slice() {
        [] | [_] | [Script::Latin, Script::EastAsian] | [Script::EastAsian, Script::Latin] => Ok(()),
        // The imitation then falls on the name it imitates.
        [Script::Latin, other] | [other, Script::Latin]
            if matches!(other, Script::Cyrillic | Script::Greek) && all_look_alike(*other) =>
        {
            Ok(())
        }
        _ => Err(UsernameError::Mixed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(typed: &str) -> String {
        Username::parse(typed).unwrap_or_else(|e| panic!("{typed}: {e}")).normal
    }

    #[test]
    fn accepts_what_people_are_called() {
        for (typed, expect) in [
            ("Ada", "ada"),
            ("ada.lovelace_1815-x", "ada.lovelace_1815-x"),
            ("José", "josé"),
            ("Jose\u{301}", "josé"),
            ("Straße", "strasse"),
            ("ａｄａ", "ada"),
            ("田中さくら", "田中さくら"),
            ("tanaka田中", "tanaka田中"),
            ("김철수", "김철수"),
            ("नेहा", "नेहा"),
            ("نوعا", "نوعا"),
            ("7", "7"),
        ] {
            assert_eq!(normal(typed), expect);
        }
        normal(&"x".repeat(64));
    }

    #[test]
    fn attack_a114_look_alikes_are_one_name() {
        for (imitation, real) in [
            ("pаypаl", "paypal"),
            ("аdmin", "admin"),
            ("ΑDΜIN", "admin"),
            ("ΝΙΚΟ", "niko"),
            ("admın", "admin"),
            ("ADMİN", "admin"),
            ("\u{212a}ate", "kate"),
            ("сор", "cop"),
            ("ﬁsh", "fish"),
            ("i\u{307}vy", "ivy"),
            // Cyrillic letters under an accent, in two characters and in one.
            ("jos\u{435}\u{301}", "josé"),
            ("\u{430}\u{301}", "á"),
            ("\u{441}\u{43e}\u{440}\u{450}", "copè"),
            ("\u{456}\u{307}vy", "ivy"),
        ] {
            assert_eq!(normal(imitation), normal(real), "{imitation}");
        }
        assert_ne!(normal("анна"), normal("anna"));
        for mixed in ["adminж", "Яdmin", "aδmin", "adminא", "жω", "ΑDΜΙΝ"] {
            assert_eq!(Username::parse(mixed), Err(UsernameError::Mixed), "{mixed}");
        }
    }

    #[test]
    fn attack_a115_never_an_address() {
        for bad in ["victim@corp.test", "victim＠corp.test", "victim﹫corp.test"] {
            assert_eq!(Username::parse(bad), Err(UsernameError::Character));
        }
    }

    #[test]
    fn attack_a116_invisible_characters() {
        for bad in [
            "admin\0x",
            "admin ",
            " admin",
            "admin\u{200b}",
            "\u{202e}nimda",
            "ad\u{ad}min",
            "ad\u{fe0f}min",
            "a\u{3164}",
            "a\nb",
            "a/b",
            "a\u{3000}b",
        ] {
            assert_eq!(Username::parse(bad), Err(UsernameError::Character), "{bad:?}");
        }
        assert_eq!(Username::parse("\u{301}a"), Err(UsernameError::Character));
        assert_eq!(Username::parse(&format!("a{}", "\u{30f}".repeat(9))), Err(UsernameError::Character));
        for edge in [".a", "a.", "_a", "a-", "."] {
            assert_eq!(Username::parse(edge), Err(UsernameError::Edge));
        }
        for length in
            [String::new(), "x".repeat(65), "x".repeat(1 << 20), "\u{fdfa}".repeat(10), "\u{3b0}".repeat(64)]
        {
            assert_eq!(Username::parse(&length), Err(UsernameError::Length));
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in any::<String>()) {
            if let Ok(name) = Username::parse(&text) {
                prop_assert!(!name.normal().contains('@') && !name.normal().is_empty());
            }
        }

        #[test]
        fn case_does_not_count(text in "[\\pL\\pN._-]{1,10}") {
            if let (Ok(a), Ok(b)) = (Username::parse(&text), Username::parse(&text.to_lowercase())) {
                prop_assert_eq!(a.normal(), b.normal());
            }
        }

        #[test]
        fn folding_is_stable(text in "[\\pL\\pM\\pN._-]{1,10}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
        }
    }
}
