//! Whether a new password is good enough (NIST SP 800-63B-4 3.1.1.2, ASVS 6.2).
//!
//! Length counts in code points, up to a limit that only keeps hashing cheap. There are no composition rules unless a
//! realm asks for one, nothing is trimmed, and lists are compared with the whole password. What is refused comes with a sentence for its owner.

use std::fmt;
use zxcvbn::{Score, zxcvbn};

/// What the estimator looks at; its time grows with the square and more.
const ESTIMATED_CHARS: usize = 100;
/// What it looks at where very many characters can stand for letters: it tries their combinations, which took it half a
/// second for a hundred characters made for that. So many different ones in so few are strong without further looks.
const ESTIMATED_CHARS_OF_MANY: usize = 32;
/// Above this many different substitutes there are many. The ten digits are all among them.
const MANY: usize = 10;
const SUBSTITUTES: &str = "0123456789@({[<!|$+%";
/// As many context words as an account has, and more.
const MAX_CONTEXT: usize = 32;
/// Guesses within which lie all of the estimator's 30,000 common passwords, plain or with a capital.
const COMMON_GUESSES: u64 = 60_001;
/// Shorter words stand in too many good passwords.
const MIN_WORD: usize = 4;

/// Kinds of characters that a password must have. NIST advises against asking for any (SP 800-63B-4 3.1.1.2); apps that
/// come from elsewhere may have promised it to an auditor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Characters {
    /// Whatever it likes.
    #[default]
    Any,
    /// A letter and a digit.
    LettersDigits,
    /// A small letter, a capital and a digit.
    LowerUpperLettersDigits,
    /// These, and one that is neither letter nor digit.
    LowerUpperLettersDigitsSymbols,
}

impl Characters {
    fn are_in(self, password: &str) -> bool {
        let has = |kind: fn(char) -> bool| password.chars().any(kind);
        let cases = || has(char::is_lowercase) && has(char::is_uppercase);
        match self {
            Self::Any => true,
            Self::LettersDigits => has(char::is_alphabetic) && has(char::is_numeric),
            Self::LowerUpperLettersDigits => cases() && has(char::is_numeric),
            Self::LowerUpperLettersDigitsSymbols => {
                cases() && has(char::is_numeric) && has(|c| !c.is_alphanumeric() && !c.is_whitespace())
            }
        }
    }
}

/// What a realm asks of passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// At least so many code points.
    pub min_chars: usize,
    /// At most so many; below 128 it counts as 128.
    pub max_chars: usize,
    /// zxcvbn's score from 0 to 4 that must be reached.
    pub min_score: u8,
    /// What it must have.
    pub characters: Characters,
}

impl Policy {
    /// Where the password is the only factor: "15 characters in length".
    pub const SINGLE_FACTOR: Self =
        Self { min_chars: 15, max_chars: 256, min_score: 3, characters: Characters::Any };
    /// Where another factor follows: "a minimum of eight characters".
    pub const WITH_FACTOR: Self =
        Self { min_chars: 8, max_chars: 256, min_score: 3, characters: Characters::Any };

    fn max(&self) -> usize {
        self.max_chars.max(128)
    }
}

/// Why a password was refused. `Display` has a plain English sentence, [`Weakness::code`] the key for translations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weakness {
    /// Fewer code points than asked for.
    TooShort,
    /// More than can be taken.
    TooLong,
    /// Among the passwords that everybody tries first.
    Common,
    /// A name that belongs to the account or the service, with little else.
    ContextWord,
    /// Known from a breach.
    Breached,
    /// Made of parts that are quickly put together.
    Guessable,
    /// A kind of character that is asked for is not in it.
    Characters,
}

impl Weakness {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::TooShort,
        Self::TooLong,
        Self::Common,
        Self::ContextWord,
        Self::Breached,
        Self::Guessable,
        Self::Characters,
    ];

    /// A stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Common => "common",
            Self::ContextWord => "context_word",
            Self::Breached => "breached",
            Self::Guessable => "guessable",
            Self::Characters => "characters",
        }
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => {
                "This password is too short. Several words that don't belong together are easy to remember."
            }
            Self::TooLong => "This password is too long.",
            Self::Common => "This password is one of those that attackers try first.",
            Self::ContextWord => {
                "This password is little more than a name that belongs to you or to this service."
            }
            Self::Breached => {
                "This password has appeared in a data breach. Please choose one that you use nowhere else."
            }
            Self::Guessable => "This password is easy to guess. Add words that don't belong together.",
            Self::Characters => {
                "This password lacks a kind of character that is asked for: letters, digits, or also small and capital \
                 letters and symbols."
            }
        })
    }
}

/// Checks a new password. `context` has the words that an attacker would try on this account: its names, addresses and
/// their local parts, the organisation, the product. `breached` looks into a list of the caller's.
pub fn check(
    password: &str,
    context: &[&str],
    policy: &Policy,
    breached: impl Fn(&str) -> bool,
) -> Result<(), Vec<Weakness>> {
    // Before anything that costs: a code point has four bytes at most.
    if password.len() > policy.max() * 4 || password.chars().count() > policy.max() {
        return Err(vec![Weakness::TooLong]);
    }
    let mut found = Vec::new();
    if password.chars().count() < policy.min_chars {
        found.push(Weakness::TooShort);
    }
    if !policy.characters.are_in(password) {
        found.push(Weakness::Characters);
    }
    let contextual = is_contextual(password, context);
    if contextual {
        found.push(Weakness::ContextWord);
    }
    if breached(password) {
        found.push(Weakness::Breached);
    }
    let head = estimated(password);
    // Words longer than what is estimated could not match.
    let words: Vec<&str> =
        context.iter().copied().filter(|word| word.len() <= ESTIMATED_CHARS * 4).take(MAX_CONTEXT).collect();
    let estimate = zxcvbn(head, &words);
    if estimate.guesses() <= COMMON_GUESSES && !contextual {
        found.push(Weakness::Common);
    } else if estimate.score() < score(policy.min_score) {
        found.push(Weakness::Guessable);
    }
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// The part of the password that is estimated. What is hard to guess by its beginning is hard to guess.
fn estimated(password: &str) -> &str {
    let head = first_chars(password, ESTIMATED_CHARS);
    let kinds = SUBSTITUTES.chars().filter(|c| head.contains(*c)).count();
    if kinds > MANY { first_chars(head, ESTIMATED_CHARS_OF_MANY) } else { head }
}

fn first_chars(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

fn score(min: u8) -> Score {
    match min {
        0 => Score::Zero,
        1 => Score::One,
        2 => Score::Two,
        3 => Score::Three,
        _ => Score::Four,
    }
}

/// The password is a context word, or one of four letters or more and fewer than four characters besides.
fn is_contextual(password: &str, context: &[&str]) -> bool {
    let password = password.to_lowercase();
    context.iter().take(MAX_CONTEXT).map(|word| word.to_lowercase()).any(|word| {
        !word.is_empty()
            && (password == word
                || word.chars().count() >= MIN_WORD
                    && password.contains(&word)
                    && password.replace(&word, "").chars().count() < 4)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::quick;
    use proptest::prelude::*;

    const ANY: Policy = Policy { min_chars: 1, max_chars: 256, min_score: 0, characters: Characters::Any };

    fn weaknesses(password: &str, context: &[&str], policy: &Policy) -> Vec<Weakness> {
        check(password, context, policy, |_| false).err().unwrap_or_default()
    }

    #[test]
    fn v6_2_1_v6_2_9_length_in_code_points() {
        let policy = Policy { min_chars: 8, ..ANY };
        assert!(weaknesses("żółćęśń", &[], &policy).contains(&Weakness::TooShort));
        assert!(!weaknesses("żółćęśńa", &[], &policy).contains(&Weakness::TooShort));
        assert!(!weaknesses("🦀🐌🐙🦉🦔🐝🐢🦋", &[], &policy).contains(&Weakness::TooShort));
        assert!(!weaknesses(&"ü".repeat(256), &[], &policy).contains(&Weakness::TooLong));
        assert_eq!(weaknesses(&"ü".repeat(257), &[], &policy), [Weakness::TooLong]);
        // A setting cannot forbid what NIST and ASVS want allowed.
        let narrow = Policy { max_chars: 20, ..policy };
        assert!(!weaknesses(&"correct horse ".repeat(9), &[], &narrow).contains(&Weakness::TooLong));
        assert_eq!(weaknesses("", &[], &Policy::WITH_FACTOR)[0], Weakness::TooShort);
    }

    #[test]
    fn v6_2_5_no_composition_rules() {
        for good in [
            "correct horse battery staple",
            "zwei blaue elefanten tanzen",
            "  leading and trailing spaces  ",
            "wvqkzhrtplmx",
        ] {
            assert_eq!(weaknesses(good, &["ada"], &Policy::WITH_FACTOR), [], "{good}");
        }
    }

    #[test]
    fn v6_2_4_common_passwords_whatever_the_score_setting() {
        for common in [
            "password",
            "Password",
            "12345678",
            "qwertyuiop",
            "iloveyou",
            "baseball1",
            "letmein",
            "trustno1",
            "sunshine",
        ] {
            assert_eq!(weaknesses(common, &[], &ANY), [Weakness::Common], "{common}");
        }
        // The list is compared with the whole password.
        assert!(!weaknesses("password-of-the-thirsty-walrus", &[], &ANY).contains(&Weakness::Common));
    }

    #[test]
    fn attack_a125_context_words_and_breaches() {
        let context = [
            "ada.lovelace@corp.test",
            "ada.lovelace",
            "Lovelace",
            "Analytical Engines",
            "Latchstring",
            "ada",
        ];
        for bad in [
            "ada.lovelace@corp.test",
            "ADA.LOVELACE@corp.test",
            "Analytical Engines",
            "latchstring",
            "Latchstring1!",
            "1latchstring",
            "LATCHSTRING123",
            "latchstringlatchstring",
            "ada",
        ] {
            assert!(weaknesses(bad, &context, &ANY).contains(&Weakness::ContextWord), "{bad}");
        }
        for fine in ["latchstring walrus", "adamant gulls sing", "my engine is analytical"] {
            assert!(!weaknesses(fine, &context, &ANY).contains(&Weakness::ContextWord), "{fine}");
        }
        let result = check("wvqkzhrtplmx", &[], &ANY, |password| password == "wvqkzhrtplmx");
        assert_eq!(result, Err(vec![Weakness::Breached]));
        for weakness in [Weakness::Breached, Weakness::Common] {
            assert!(weakness.to_string().ends_with('.'));
        }
    }

    #[test]
    fn attack_a121_long_passwords_cost_nothing() {
        for len in [4097, 64 * 1024, 1 << 20] {
            let long = "a".repeat(len);
            let result = quick(|| check(&long, &[], &Policy::SINGLE_FACTOR, |_| panic!("not looked up")));
            assert_eq!(result, Err(vec![Weakness::TooLong]));
        }
    }

    #[test]
    fn attack_a152_substitutes_are_not_tried_without_end() {
        assert_eq!(estimated(&"4@8({[<36!1|0$5+7%2".repeat(6)).len(), ESTIMATED_CHARS_OF_MANY);
        assert_eq!(estimated(&"born 1907-08-23, ".repeat(9)).len(), ESTIMATED_CHARS);
        assert_eq!(estimated(&"ü".repeat(200)), "ü".repeat(100));
        assert_eq!(estimated("short"), "short");
    }

    #[test]
    fn guessable() {
        for guessable in ["abcdefgh1234", "aaaaaaaaaaaaaaaa", "monkey1984"] {
            let found = weaknesses(guessable, &[], &Policy::WITH_FACTOR);
            assert!(
                found.contains(&Weakness::Guessable) || found.contains(&Weakness::Common),
                "{guessable}: {found:?}"
            );
        }
    }

    #[test]
    fn characters_are_asked_for_only_where_somebody_does() {
        use Characters::{Any, LettersDigits, LowerUpperLettersDigits, LowerUpperLettersDigitsSymbols};
        for (password, enough) in [
            ("walrus gulls sing", &[Any][..]),
            ("walrus gulls sing 7", &[Any, LettersDigits]),
            ("Walrus gulls sing 7", &[Any, LettersDigits, LowerUpperLettersDigits]),
            (
                "Walrus-gulls sing 7",
                &[Any, LettersDigits, LowerUpperLettersDigits, LowerUpperLettersDigitsSymbols],
            ),
            ("الفقمة تغني 7", &[Any, LettersDigits]),
        ] {
            for characters in [Any, LettersDigits, LowerUpperLettersDigits, LowerUpperLettersDigitsSymbols] {
                let found = weaknesses(password, &[], &Policy { characters, ..ANY });
                let lacks = found.contains(&Weakness::Characters);
                assert_eq!(lacks, !enough.contains(&characters), "{password}: {characters:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn check_never_panics(password in "\\PC{0,40}", context in proptest::collection::vec("\\PC{0,12}", 0..4), min_chars in 0usize..20, min_score in any::<u8>()) {
            let words: Vec<&str> = context.iter().map(String::as_str).collect();
            let policy = Policy { min_chars, max_chars: 0, min_score, characters: Characters::Any };
            let found = weaknesses(&password, &words, &policy);
            prop_assert_eq!(found.contains(&Weakness::TooShort), password.chars().count() < min_chars);
        }
    }
}
