//! User names and lines of text: one normal form in whatever case, never an address, nothing that cannot be seen.

use crate::text;
use latchstring_core::identifier::{Identifier, IdentifierKind};
use latchstring_proto::text::clean_line;
use latchstring_proto::username::{MAX_USERNAME, Username};
use unicode_normalization::UnicodeNormalization as _;

/// The input is a name as somebody typed it.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    for max in [0, 5, 80] {
        if let Ok(line) = clean_line(text, max) {
            assert_eq!(line, text);
            assert!(
                text.chars().count() <= max && !text.contains(['\0', '\n', '\r', '\u{2028}', '\u{202e}'])
            );
        }
    }
    let Ok(name) = Username::parse(text) else { return };
    assert_eq!(name.typed(), text);
    let normal = name.normal();
    assert!(!normal.is_empty() && normal.chars().count() <= MAX_USERNAME);
    assert!(!normal.contains(|c: char| c == '@' || c.is_control() || c.is_whitespace()));
    let any = Identifier::any(text).expect("a name is an identifier");
    assert_eq!((any.kind, any.normal.as_str()), (IdentifierKind::Username, normal));
    // Spelled otherwise it is the same, if it is one at all. Composed first: a mark of Greek is a letter in upper case, and
    // before other marks that makes another text of equal ones.
    let composed: String = text.nfc().collect();
    for other in [normal.to_owned(), composed.to_lowercase(), composed.to_uppercase(), composed] {
        if let Ok(other) = Username::parse(&other) {
            assert_eq!(other.normal(), normal, "{text:?} and {:?}", other.typed());
        }
    }
}
