//! Just enough of Rust's lexical rules to tell code from strings and comments. Not a parser.

/// A Rust file taken apart. `code` has the lines and columns of the file, with blanks where the contents of strings,
/// characters and comments were, so that a search in it finds only code.
pub(super) struct Lexed {
    pub(super) code: String,
    pub(super) strings: Vec<(usize, String)>,
}

impl Lexed {
    /// The first line of the test module that closes the file (`#[cfg(test)] mod …`), or a line past the end.
    pub(super) fn tests_from(&self) -> usize {
        let lines: Vec<&str> = self.code.lines().map(str::trim).collect();
        let is_test_module = |at: &usize| {
            lines[*at] == "#[cfg(test)]"
                && lines[at + 1..]
                    .iter()
                    .find(|line| !line.is_empty() && !line.starts_with("#["))
                    .is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
        };
        (0..lines.len()).find(is_test_module).map_or(usize::MAX, |at| at + 1)
    }

    /// Each place where `word` stands in the code as a word of its own: its line and what follows it.
    pub(super) fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
        find_words(&self.code, word).map(|at| (line_of(&self.code, at), &self.code[at + word.len()..]))
    }
}

/// Byte positions of `word` in `text` where no letter, digit or underscore touches it.
pub(super) fn find_words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        !text[..*at].chars().next_back().is_some_and(inside)
            && !text[at + word.len()..].chars().next().is_some_and(inside)
    })
}

pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count()
}

pub(super) fn lex(text: &str) -> Lexed {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut strings = Vec::new();
    let mut line = 1;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let (kind, length) = piece(rest, at > 0 && is_word(bytes[at - 1]));
        let whole = &rest[..length];
        let masked = match kind {
            Kind::Code => 0..0,
            Kind::Comment => 0..length,
            Kind::Str { open, close } => {
                strings.push((line, whole[open..length - close].to_owned()));
                open..length - close
            }
            Kind::Char => 1..length - 1,
        };
        for byte in &mut code[at + masked.start..at + masked.end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        line += whole.bytes().filter(|byte| *byte == b'\n').count();
        at += length;
    }
    // Only whole characters were blanked, each byte by a blank, so this is UTF-8 still.
    Lexed { code: String::from_utf8(code).unwrap_or_default(), strings }
}

enum Kind {
    Code,
    Comment,
    Str { open: usize, close: usize },
    Char,
}

/// The kind and length in bytes of what `rest` begins with; code comes one character at a time.
fn piece(rest: &str, after_word: bool) -> (Kind, usize) {
    if rest.starts_with("//") {
        return (Kind::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, block_comment(rest));
    }
    if !after_word {
        let prefix = ["br", "cr", "r"].iter().find(|prefix| rest.starts_with(**prefix));
        if let Some(raw) = prefix.and_then(|prefix| raw_string(rest, prefix.len())) {
            return raw;
        }
    }
    if rest.starts_with('"') {
        let length = escaped(rest, '"');
        return (Kind::Str { open: 1, close: usize::from(length > 1) }, length);
    }
    if let Some(after) = rest.strip_prefix('\'') {
        let mut chars = after.chars();
        let (first, second) = (chars.next(), chars.next());
        if first == Some('\\') || second == Some('\'') {
            let length = escaped(rest, '\'');
            return if length > 1 { (Kind::Char, length) } else { (Kind::Code, 1) };
        }
        // Otherwise it is a lifetime or a label.
    }
    (Kind::Code, rest.chars().next().map_or(1, char::len_utf8))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn raw_string(rest: &str, prefix: usize) -> Option<(Kind, usize)> {
    let hashes = rest[prefix..].bytes().take_while(|byte| *byte == b'#').count();
    let open = prefix + hashes + 1;
    if rest.as_bytes().get(open - 1) != Some(&b'"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let length = rest[open..].find(&end).map_or(rest.len(), |at| open + at + end.len());
    Some((Kind::Str { open, close: end.len().min(length - open) }, length))
}

/// The length of a literal that begins and ends with `quote` and knows backslashes.
fn escaped(rest: &str, quote: char) -> usize {
    let mut skip = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if skip => skip = false,
            '\\' => skip = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_told_from_code() {
        let text = r####"use a; // dbg "no"
/* one /* nested */ "still" */ let x: &'static str = "yes \" // no comment";
let c = '"'; let d = '\''; let e = 'é'; let y = r#"raw "inner" text"#; br"bytes"; b"more";
let for_r = r; loop_r"not raw";
"####;
        let lexed = lex(text);
        let strings: Vec<&str> = lexed.strings.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(strings, ["yes \\\" // no comment", "raw \"inner\" text", "bytes", "more", "not raw"]);
        assert_eq!(lexed.strings.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 3, 3, 4]);
        assert_eq!(lexed.code.len(), text.len());
        assert!(lexed.code.contains("let x: &'static str = \""));
        assert!(!lexed.code.contains("dbg") && !lexed.code.contains("nested"));
    }

    #[test]
    fn an_unclosed_literal_ends_with_the_file() {
        for text in ["\"open", "\"", "r#\"open", "r\"", "/* open", "'\\", "'", "b'x'", "\"\\"] {
            assert_eq!(lex(text).code.len(), text.len(), "{text}");
        }
    }

    #[test]
    fn the_closing_test_module_is_found() {
        let lexed =
            lex("fn a() {}\n#[cfg(test)]\nfn helper() {}\n#[cfg(test)]\n#[rustfmt::skip]\nmod tests {\n}\n");
        assert_eq!(lexed.tests_from(), 4);
        assert_eq!(lex("#[cfg(test)]\nmod testing;\nfn a() {}").tests_from(), usize::MAX);
    }

    #[test]
    fn words_are_whole() {
        let lexed = lex("crate::a; my_crate::b;\n$crate::c");
        assert_eq!(lexed.words("crate").map(|(line, _)| line).collect::<Vec<_>>(), [1, 2]);
    }
}
