//! How Latchstring looks and speaks: the languages and their words, and the templates that pages and mails are made of.
//!
//! Architecture invariant: this crate knows words and markup, and nothing of accounts: no I/O, no database, no rule. What
//! is said is passed around as [`Say`], a message without a language; it gets its language where it is shown.

pub mod brand;
pub mod colour;
mod language;
pub mod mail;
mod say;
pub mod template;
mod words;

pub use language::Language;
pub use say::{Arg, Say};
pub use words::{Overrides, Words, WrongWords};

use std::collections::{BTreeMap, BTreeSet};

/// The names of all messages of `language`, with what each leaves open.
pub fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    words::messages(language).into_iter().map(|(name, places)| (name, places.variables)).collect()
}

/// Escapes text for HTML, attribute values included.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
