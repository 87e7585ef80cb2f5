//! The small part of SQL that must be understood to respell it for SQLite and to split scripts.
//! Not a parser: it only tells code from quotes and comments.

use std::collections::HashMap;

use parking_lot::RwLock;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Code,
    Quoted,
    Comment,
}

/// Cuts a text into code, quoted text and comments. Nothing is lost: the pieces add up to the text.
pub(crate) fn pieces(sql: &str) -> Vec<(Piece, &str)> {
    let bytes = sql.as_bytes();
    let mut out = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &sql[at..];
        let special = match bytes[at] {
            quote @ (b'\'' | b'"') => {
                let end = rest[1..].find(quote as char).map_or(rest.len(), |end| end + 2);
                Some((Piece::Quoted, end))
            }
            b'-' if rest.starts_with("--") => Some((Piece::Comment, rest.find('\n').unwrap_or(rest.len()))),
            b'/' if rest.starts_with("/*") => {
                Some((Piece::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2)))
            }
            b'$' => dollar_quote(rest).map(|end| (Piece::Quoted, end)),
            _ => None,
        };
        match special {
            Some((piece, length)) => {
                if start < at {
                    out.push((Piece::Code, &sql[start..at]));
                }
                out.push((piece, &rest[..length]));
                at += length;
                start = at;
            }
            // The bytes of a multi-byte character are all above 127, so stopping inside one cannot happen.
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    if start < bytes.len() {
        out.push((Piece::Code, &sql[start..]));
    }
    out
}

/// Length of `$tag$ … $tag$` at the beginning of the text.
fn dollar_quote(rest: &str) -> Option<usize> {
    let tag = rest[1..].find('$')?;
    let name = &rest[1..=tag];
    if name.starts_with(|c: char| c.is_ascii_digit())
        || !name.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return None;
    }
    let mark = &rest[..tag + 2];
    Some(rest[mark.len()..].find(mark).map_or(rest.len(), |end| end + 2 * mark.len()))
}

/// The same statement as SQLite wants it: `?n` for `$n` (rusqlite binds `$n` by first appearance, so that
/// `$2 … $1` would be silently wrong), names of types that STRICT tables and CAST understand (`CAST(x AS BYTEA)`
/// would make a number there), no `COLLATE "C"` (it is what SQLite does anyway).
pub(crate) fn respell(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 8);
    for (piece, text) in pieces(sql) {
        match piece {
            Piece::Code => respell_code(text, &mut out),
            Piece::Quoted if text == "\"C\"" && ends_with_word(&out, "COLLATE") => {
                let end = out.trim_end().len() - "COLLATE".len();
                out.truncate(out[..end].trim_end().len());
            }
            Piece::Quoted | Piece::Comment => out.push_str(text),
        }
    }
    out
}

fn ends_with_word(text: &str, word: &str) -> bool {
    let text = text.trim_end();
    text.len() >= word.len()
        && text.is_char_boundary(text.len() - word.len())
        && text[text.len() - word.len()..].eq_ignore_ascii_case(word)
}

fn respell_code(code: &str, out: &mut String) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length =
            if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (token, tail) = rest.split_at(length);
        let spelled = match token {
            "$" if tail.starts_with(|c: char| c.is_ascii_digit()) => "?",
            _ if token.eq_ignore_ascii_case("BIGINT") || token.eq_ignore_ascii_case("BOOLEAN") => "INTEGER",
            _ if token.eq_ignore_ascii_case("BYTEA") => "BLOB",
            _ => token,
        };
        out.push_str(spelled);
        rest = tail;
    }
}

/// What is known of a statement of the program.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    /// As SQLite wants it.
    pub(crate) for_sqlite: &'static str,
    /// The highest `$n`.
    pub(crate) parameters: usize,
}

/// Looks at a statement once: keyed by the address of the text, which is static.
pub(crate) fn known(sql: &'static str) -> Known {
    static DONE: RwLock<Option<HashMap<(usize, usize), Known>>> = RwLock::new(None);
    let key = (sql.as_ptr() as usize, sql.len());
    if let Some(known) = DONE.read().as_ref().and_then(|done| done.get(&key)) {
        return *known;
    }
    let spelled = respell(sql);
    // Leaked on purpose: there are as many as statements in the program.
    let for_sqlite = if spelled == sql { sql } else { &*spelled.leak() };
    let known = Known { for_sqlite, parameters: parameters(sql) };
    DONE.write().get_or_insert_default().insert(key, known);
    known
}

fn parameters(sql: &str) -> usize {
    let code = pieces(sql).into_iter().filter(|(piece, _)| *piece == Piece::Code).map(|(_, text)| text);
    code.flat_map(|text| text.split('$').skip(1))
        .filter_map(|text| {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text[..end].parse().ok()
        })
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn respelling() {
        let check = |from: &str, to: &str| assert_eq!(respell(from), to);
        check("SELECT $2, $1 || '$1' -- $1", "SELECT ?2, ?1 || '$1' -- $1");
        check("CAST($12 AS BIGINT) bigints", "CAST(?12 AS INTEGER) bigints");
        check("a bytea, b Boolean, \"BYTEA\"", "a BLOB, b INTEGER, \"BYTEA\"");
        check("ORDER BY a COLLATE \"C\", b", "ORDER BY a, b");
        check("name TEXT collate \"C\" NOT NULL", "name TEXT NOT NULL");
        check("SELECT 'it''s $1' , $1", "SELECT 'it''s $1' , ?1");
        check("/* $1 */ é$1", "/* $1 */ é?1");
    }

    #[test]
    fn pieces_add_up() {
        for sql in ["a 'b' -- c\n$1 $$x;$$ \"d\" /* e */", "'open", "/* open", "$a$ open", "é '", "$1$2", ""]
        {
            assert_eq!(pieces(sql).iter().map(|(_, text)| *text).collect::<String>(), sql);
        }
        assert_eq!(parameters("$2, '$9' || $11 -- $12"), 11);
        assert_eq!(parameters("SELECT 1"), 0);
        assert_eq!(pieces("$f$ ' $f$"), [(Piece::Quoted, "$f$ ' $f$")]);
    }
}
