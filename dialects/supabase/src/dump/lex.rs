//! The bytes of a dump, and the words of its SQL: just enough of PostgreSQL's lexical rules to tell code from strings and
//! comments, in bounded memory whatever stands there.

use super::{Broken, What};
use std::io::{ErrorKind, Read};

/// Most bytes of a value that is kept. What of a user may be large, the metadata, is taken up to a tenth of it.
pub const VALUE: usize = 256 * 1024;
/// Most bytes of a name.
const NAME: usize = 256;

/// A reader that counts lines.
pub(super) struct Bytes<R> {
    reader: R,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    /// The line of the next byte, from 1.
    pub(super) line: u64,
    over: bool,
}

impl<R: Read> Bytes<R> {
    pub(super) fn new(reader: R) -> Self {
        let buffer = vec![0; 64 * 1024].into_boxed_slice();
        Self { reader, buffer, at: 0, end: 0, line: 1, over: false }
    }

    /// What is wrong, at the line where we are.
    pub(super) fn broken(&self, what: What) -> Broken {
        Broken { line: self.line, what }
    }

    /// What has been read and not consumed; empty at the end.
    fn fill(&mut self) -> Result<&[u8], Broken> {
        while self.at == self.end && !self.over {
            match self.reader.read(&mut self.buffer) {
                Ok(0) => self.over = true,
                Ok(n) => (self.at, self.end) = (0, n),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(What::Unreadable(error.to_string()))),
            }
        }
        Ok(&self.buffer[self.at..self.end])
    }

    /// The first bytes, up to `n`, without consuming them. Only at the beginning.
    pub(super) fn first(&mut self, n: usize) -> Result<&[u8], Broken> {
        while self.end < n && !self.over {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.over = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(What::Unreadable(error.to_string()))),
            }
        }
        Ok(&self.buffer[..self.end.min(n)])
    }

    pub(super) fn skip(&mut self, n: usize) {
        self.at = (self.at + n).min(self.end);
    }

    pub(super) fn peek(&mut self) -> Result<Option<u8>, Broken> {
        Ok(self.fill()?.first().copied())
    }

    pub(super) fn next(&mut self) -> Result<Option<u8>, Broken> {
        let byte = self.peek()?;
        if let Some(byte) = byte {
            self.at += 1;
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }

    /// Consumes the next byte if it is this one.
    fn eat(&mut self, wanted: u8) -> Result<bool, Broken> {
        let is = self.peek()? == Some(wanted);
        if is {
            self.next()?;
        }
        Ok(is)
    }

    /// Reads to the end of the line, which is consumed and left out. Gives whether there was one; without, the text has
    /// ended. `most` bounds what is kept: a longer line gives [`What::LongLine`], or without `most` is passed over.
    pub(super) fn line(&mut self, out: &mut Vec<u8>, most: Option<usize>) -> Result<bool, Broken> {
        out.clear();
        loop {
            let piece = self.fill()?;
            if piece.is_empty() {
                return Ok(false);
            }
            let (length, ends) = match piece.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at, true),
                None => (piece.len(), false),
            };
            match most {
                Some(most) if out.len() + length > most => return Err(self.broken(What::LongLine)),
                Some(_) => out.extend_from_slice(&piece[..length]),
                // Only what is needed to tell the end of data from data.
                None => {
                    let room = 4_usize.saturating_sub(out.len()).min(length);
                    out.extend_from_slice(&piece[..room]);
                }
            }
            self.at += length;
            if ends {
                self.at += 1;
                self.line += 1;
                // A program on Windows may have written it. A return that belongs to a value is written as `\r`.
                if out.last() == Some(&b'\r') {
                    out.pop();
                }
                return Ok(true);
            }
        }
    }
}

/// A word of SQL.
#[derive(PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a name, in lower case.
    Word(String),
    /// A quoted name.
    Name(String),
    /// A string; `None`: longer than [`VALUE`]. Empty where strings are not kept.
    Text(Option<String>),
    /// A number, with its sign left out.
    Number(String),
    /// Anything else.
    Sign(u8),
}

/// What of strings is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Strings,
    Nothing,
}

impl<R: Read> Bytes<R> {
    /// The next word, past blanks and comments; `None` at the end of the text.
    pub(super) fn token(&mut self, keep: Keep) -> Result<Option<Token>, Broken> {
        loop {
            let Some(byte) = self.next()? else { return Ok(None) };
            let token = match byte {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0c => continue,
                b'-' if self.peek()? == Some(b'-') => {
                    while !matches!(self.peek()?, None | Some(b'\n')) {
                        self.next()?;
                    }
                    continue;
                }
                b'/' if self.peek()? == Some(b'*') => {
                    self.next()?;
                    self.comment()?;
                    continue;
                }
                0 => return Err(self.broken(What::Nul)),
                b'\'' => Token::Text(self.string(b'\'', false, keep)?),
                b'"' => Token::Name(self.name()?),
                b'$' => match self.dollar(keep)? {
                    Some(text) => Token::Text(text),
                    None => Token::Sign(b'$'),
                },
                b'0'..=b'9' => Token::Number(self.number(byte)?),
                byte if starts_word(byte) => {
                    let word = self.word(byte)?;
                    match word.as_str() {
                        // E'…' knows backslashes; B'…', X'…' and N'…' are as plain ones.
                        "e" if self.eat(b'\'')? => Token::Text(self.string(b'\'', true, keep)?),
                        "b" | "x" | "n" if self.eat(b'\'')? => {
                            self.string(b'\'', false, Keep::Nothing)?;
                            Token::Text(Some(String::new()))
                        }
                        _ => Token::Word(word),
                    }
                }
                byte => Token::Sign(byte),
            };
            return Ok(Some(token));
        }
    }

    /// Block comments nest.
    fn comment(&mut self) -> Result<(), Broken> {
        let mut depth = 1_u32;
        while depth > 0 {
            match self.next()? {
                None => return Err(self.broken(What::Cut)),
                Some(b'*') if self.eat(b'/')? => depth -= 1,
                Some(b'/') if self.eat(b'*')? => depth += 1,
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn word(&mut self, first: u8) -> Result<String, Broken> {
        let mut word = vec![first.to_ascii_lowercase()];
        while let Some(byte) = self.peek()? {
            if !starts_word(byte) && !byte.is_ascii_digit() && byte != b'$' {
                break;
            }
            if word.len() == NAME {
                return Err(self.broken(What::LongName));
            }
            word.push(byte.to_ascii_lowercase());
            self.next()?;
        }
        String::from_utf8(word).map_err(|_| self.broken(What::NotUtf8))
    }

    fn number(&mut self, first: u8) -> Result<String, Broken> {
        let mut number = String::from(char::from(first));
        while let Some(byte) = self.peek()? {
            let exponent = matches!(byte, b'+' | b'-') && number.ends_with(['e', 'E']);
            if !byte.is_ascii_digit() && !matches!(byte, b'.' | b'e' | b'E') && !exponent {
                break;
            }
            if number.len() == NAME {
                return Err(self.broken(What::LongName));
            }
            number.push(char::from(byte));
            self.next()?;
        }
        Ok(number)
    }

    /// A quoted name, whose first quote was read.
    fn name(&mut self) -> Result<String, Broken> {
        let mut name = Vec::new();
        loop {
            match self.next()? {
                None => return Err(self.broken(What::Cut)),
                Some(0) => return Err(self.broken(What::Nul)),
                Some(b'"') if !self.eat(b'"')? => break,
                Some(_) if name.len() == NAME => return Err(self.broken(What::LongName)),
                Some(byte) => name.push(byte),
            }
        }
        String::from_utf8(name).map_err(|_| self.broken(What::NotUtf8))
    }

    /// A string, whose first quote was read; `None` when it is longer than what is kept.
    fn string(&mut self, quote: u8, escapes: bool, keep: Keep) -> Result<Option<String>, Broken> {
        let mut kept = Kept::new(keep);
        loop {
            match self.next()? {
                None => return Err(self.broken(What::Cut)),
                Some(0) => return Err(self.broken(What::Nul)),
                Some(byte) if byte == quote && !self.eat(quote)? => break,
                Some(b'\\') if escapes => {
                    let byte = self.escape()?;
                    kept.push(byte);
                }
                Some(byte) => kept.push(byte),
            }
        }
        kept.text().map_err(|()| self.broken(What::NotUtf8))
    }

    /// What stands behind a backslash of `E'…'`. Of those that a dump has no use for (`\u`), none.
    fn escape(&mut self) -> Result<u8, Broken> {
        let Some(byte) = self.next()? else { return Err(self.broken(What::Cut)) };
        let text_is_hex = byte == b'x';
        match byte {
            b'\\' | b'\'' | b'"' => Ok(byte),
            _ => {
                let digit = |byte: u8| {
                    if text_is_hex { byte.is_ascii_hexdigit() } else { (b'0'..=b'7').contains(&byte) }
                };
                let mut text = vec![byte];
                while text.len() < 3
                    && (text_is_hex || digit(byte))
                    && let Some(next) = self.peek()?.filter(|next| digit(*next))
                {
                    text.push(next);
                    self.next()?;
                }
                match super::copy::unescaped(&text) {
                    Some((0, _)) => Err(self.broken(What::Nul)),
                    Some((value, used)) if used == text.len() => Ok(value),
                    _ => Err(self.broken(What::BadEscape)),
                }
            }
        }
    }

    /// `$tag$ … $tag$`, whose first `$` was read; `None`: it is a parameter or a lone sign.
    fn dollar(&mut self, keep: Keep) -> Result<Option<Option<String>>, Broken> {
        let mut tag = Vec::new();
        loop {
            match self.peek()? {
                Some(b'$') => break,
                Some(byte) if starts_word(byte) || (byte.is_ascii_digit() && !tag.is_empty()) => {
                    if tag.len() == NAME {
                        return Err(self.broken(What::LongName));
                    }
                    tag.push(byte);
                    self.next()?;
                }
                _ => return Ok(None),
            }
        }
        self.next()?;
        let mut kept = Kept::new(keep);
        // How much of `$tag$` has been seen. A tag holds no `$`, so a failed match can begin anew only there.
        let mut seen = 0;
        loop {
            let Some(byte) = self.next()? else { return Err(self.broken(What::Cut)) };
            if byte == 0 {
                return Err(self.broken(What::Nul));
            }
            let wanted = if seen == 0 || seen == tag.len() + 1 { b'$' } else { tag[seen - 1] };
            if byte == wanted {
                seen += 1;
                if seen == tag.len() + 2 {
                    return Ok(Some(kept.text().map_err(|()| self.broken(What::NotUtf8))?));
                }
                continue;
            }
            if seen > 0 {
                kept.push(b'$');
                tag[..seen - 1].iter().for_each(|byte| kept.push(*byte));
            }
            seen = usize::from(byte == b'$');
            if seen == 0 {
                kept.push(byte);
            }
        }
    }
}

/// Any byte of a character outside ASCII can stand in a name.
fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

/// What is kept of a string.
struct Kept {
    bytes: Vec<u8>,
    keep: Keep,
    long: bool,
}

impl Kept {
    fn new(keep: Keep) -> Self {
        Self { bytes: Vec::new(), keep, long: false }
    }

    fn push(&mut self, byte: u8) {
        if self.keep == Keep::Nothing || self.long {
            return;
        }
        if self.bytes.len() == VALUE {
            self.long = true;
            self.bytes = Vec::new();
        } else {
            self.bytes.push(byte);
        }
    }

    fn text(self) -> Result<Option<String>, ()> {
        if self.long { Ok(None) } else { String::from_utf8(self.bytes).map(Some).map_err(|_| ()) }
    }
}
