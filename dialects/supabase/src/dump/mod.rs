//! Reads what `pg_dump` writes in its plain format, as a stream and in bounded memory: the rows of wanted tables, from COPY
//! blocks and from INSERT statements that name their columns. Whatever else stands in a dump is passed over.
//!
//! It is no SQL engine: what it can't read soundly it refuses, with the number of the line. It knows no table.

pub mod copy;
mod lex;

use lex::{Bytes, Keep, Token};
use std::{collections::BTreeMap, io::Read};

pub use lex::VALUE;

/// Most bytes of one row in a COPY block.
pub const ROW: usize = 16 * 1024 * 1024;
/// Most columns of a table: PostgreSQL has no more.
const COLUMNS: usize = 1_600;
/// Most tables that are counted by their names.
const COUNTED: usize = 100;

/// A table whose rows are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its schema.
    pub schema: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The columns that are wanted. Those that the dump lacks are NULL.
    pub columns: &'static [&'static str],
}

/// A row of a wanted table. No `Debug`: there may be secrets in it.
pub struct Row<'a> {
    /// Which table, by its place among those that were asked for.
    pub table: usize,
    /// The line where it begins.
    pub line: u64,
    /// The values, in the order of [`Table::columns`].
    pub values: &'a [Option<String>],
    /// A column whose value is longer than [`VALUE`], and left out.
    pub long: Option<&'static str>,
}

/// What was found beside the rows.
#[derive(Debug, Default)]
pub struct Seen {
    /// Whether each wanted table stands in the dump.
    pub found: Vec<bool>,
    /// Rows of other tables in the schemas of the wanted ones.
    pub others: BTreeMap<String, u64>,
}

/// Why a dump is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The file could not be read on.
    Unreadable(String),
    /// A binary format of `pg_dump`.
    Archive,
    /// Compressed.
    Compressed,
    /// Two bytes a character.
    Utf16,
    /// A byte that is not UTF-8.
    NotUtf8,
    /// The dump says that it is in another encoding.
    Encoding,
    /// Strings are written in the way of PostgreSQL before 9.1.
    OldStrings,
    /// A NUL.
    Nul,
    /// A backslash with something behind it that no dump writes.
    BadEscape,
    /// A row with more or fewer values than there are columns.
    Columns {
        /// Values in the row.
        found: usize,
        /// Columns of the table.
        wanted: usize,
    },
    /// A column twice, or too many of them.
    ColumnList,
    /// A row that is too long.
    LongLine,
    /// A name that is too long.
    LongName,
    /// The text ends in the middle of something.
    Cut,
    /// `\.` where no data are.
    StrayEnd,
    /// A command of psql that could change what follows.
    Meta,
    /// COPY with options, or without a list of columns.
    CopyForm,
    /// INSERT without a list of columns.
    InsertForm,
    /// Something else than a plain value.
    NoValue,
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            What::Unreadable(why) => return write!(f, "the file can't be read: {why}"),
            What::Columns { found, wanted } => {
                return write!(f, "the row has {found} values, and the table {wanted} columns");
            }
            What::Archive => {
                "this is an archive of pg_dump: make plain text of it with pg_restore --file=dump.sql ARCHIVE"
            }
            What::Compressed => "this is compressed: unpack it first",
            What::Utf16 => {
                "this is UTF-16, as PowerShell's > writes it: let pg_dump write the file itself with --file=dump.sql"
            }
            What::NotUtf8 => "a byte is not UTF-8: dump with pg_dump --encoding=UTF8",
            What::Encoding => "the dump is in another encoding: dump with pg_dump --encoding=UTF8",
            What::OldStrings => "strings are written as before PostgreSQL 9.1: dump with a newer pg_dump",
            What::Nul => "a NUL byte, which PostgreSQL never writes",
            What::BadEscape => "a backslash with something behind it that pg_dump does not write",
            What::ColumnList => "the list of columns can't be right",
            What::LongLine => "the row is longer than 16 MiB",
            What::LongName => "a name or number is longer than 256 bytes",
            What::Cut => "the dump ends in the middle: it was not written to its end, or was cut",
            What::StrayEnd => "an end of data (\\.) where there are no data",
            What::Meta => "a command of psql, which pg_dump does not write",
            What::CopyForm => "COPY is read only with a list of columns and without options, as pg_dump writes it",
            What::InsertForm => {
                "an INSERT without the names of its columns: dump with --column-inserts, or without --inserts"
            }
            What::NoValue => "something else than a plain value",
        })
    }
}

/// Where and why a dump is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The line, from 1.
    pub line: u64,
    /// Why.
    pub what: What,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Broken {}

/// Reads a dump to its end and hands on each row of `tables`. An error of `on_row` ends it.
pub fn read<R: Read, E: From<Broken>>(
    reader: R,
    tables: &[Table],
    on_row: &mut dyn FnMut(Row<'_>) -> Result<(), E>,
) -> Result<Seen, E> {
    let mut bytes = Bytes::new(reader);
    begin(&mut bytes)?;
    let seen = Seen { found: vec![false; tables.len()], others: BTreeMap::new() };
    let mut dump = Dump { bytes, tables, seen, on_row };
    while dump.statement()? {}
    Ok(dump.seen)
}

/// Tells what is no plain text by its first bytes, and passes over a mark of UTF-8.
fn begin<R: Read>(bytes: &mut Bytes<R>) -> Result<(), Broken> {
    let first = bytes.first(5)?;
    let what = match first {
        [b'P', b'G', b'D', b'M', b'P'] => What::Archive,
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [b'P', b'K', 3, 4, ..] | [b'B', b'Z', b'h', ..] => {
            What::Compressed
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => What::Utf16,
        [0xef, 0xbb, 0xbf, ..] => {
            bytes.skip(3);
            return Ok(());
        }
        _ => return Ok(()),
    };
    Err(bytes.broken(what))
}

struct Dump<'a, R, E> {
    bytes: Bytes<R>,
    tables: &'a [Table],
    seen: Seen,
    on_row: &'a mut dyn FnMut(Row<'_>) -> Result<(), E>,
}

/// A table as a statement names it.
enum Named {
    /// One that is wanted.
    Wanted(usize),
    /// One beside it.
    Beside(String),
    /// Any other.
    Other,
}

impl<R: Read, E: From<Broken>> Dump<'_, R, E> {
    /// Reads one statement; `false` at the end of the text.
    fn statement(&mut self) -> Result<bool, E> {
        let Some(first) = self.bytes.token(Keep::Nothing)? else { return Ok(false) };
        match first {
            Token::Sign(b';') => {}
            Token::Sign(b'\\') => self.meta()?,
            Token::Word(word) => match word.as_str() {
                "copy" => self.copy()?,
                "insert" => self.insert()?,
                "set" => self.set()?,
                "create" => self.rest(true)?,
                _ => self.rest(false)?,
            },
            first => self.rest_after(Some(first), false)?,
        }
        Ok(true)
    }

    /// A line for psql. Newer versions of `pg_dump` write two of them, against hostile names; they mean nothing to us.
    fn meta(&mut self) -> Result<(), Broken> {
        let wrong = |dump: &Self, what| Err(dump.bytes.broken(what));
        if self.bytes.peek()? == Some(b'.') {
            return wrong(self, What::StrayEnd);
        }
        match self.bytes.token(Keep::Nothing)? {
            Some(Token::Word(word)) if matches!(word.as_str(), "restrict" | "unrestrict" | "connect") => {}
            _ => return wrong(self, What::Meta),
        }
        self.bytes.line(&mut Vec::new(), None)?;
        Ok(())
    }

    fn rest(&mut self, creates: bool) -> Result<(), Broken> {
        let next = self.bytes.token(Keep::Nothing)?;
        self.rest_after(next, creates)
    }

    /// Passes over the rest of a statement, from this word of it on. `creates`: it may be a function whose body stands
    /// between BEGIN and END, with semicolons inside; psql tells them in the same way.
    fn rest_after(&mut self, first: Option<Token>, creates: bool) -> Result<(), Broken> {
        let (mut depth, mut blocks, mut routine, mut words) = (0_u32, 0_u32, false, 0_u32);
        let mut next = first;
        loop {
            let token = next.ok_or_else(|| self.bytes.broken(What::Cut))?;
            match &token {
                // Data after their end, more likely than a command of psql.
                Token::Sign(b'\\') => {
                    let stray = self.bytes.peek()? == Some(b'.');
                    return Err(self.bytes.broken(if stray { What::StrayEnd } else { What::Meta }));
                }
                Token::Sign(b'(') => depth = depth.saturating_add(1),
                Token::Sign(b')') => depth = depth.saturating_sub(1),
                Token::Sign(b';') if depth == 0 && blocks == 0 => return Ok(()),
                Token::Word(word) if creates => {
                    words = words.saturating_add(1);
                    match word.as_str() {
                        "function" | "procedure" if words <= 3 => routine = true,
                        "begin" if routine => blocks = blocks.saturating_add(1),
                        "case" if blocks > 0 => blocks = blocks.saturating_add(1),
                        "end" => blocks = blocks.saturating_sub(1),
                        _ => {}
                    }
                }
                _ => {}
            }
            next = self.bytes.token(Keep::Nothing)?;
        }
    }

    /// `SET name = value`: two of them would change what the rest means.
    fn set(&mut self) -> Result<(), Broken> {
        let name = self.bytes.token(Keep::Strings)?;
        let Some(Token::Word(name)) = name else {
            return self.rest_after(name, false);
        };
        if !matches!(name.as_str(), "client_encoding" | "standard_conforming_strings") {
            return self.rest(false);
        }
        let value = match self.bytes.token(Keep::Strings)? {
            Some(Token::Sign(b'=') | Token::Word(_)) => self.bytes.token(Keep::Strings)?,
            _ => None,
        };
        let value = match value {
            Some(Token::Word(value)) => value,
            Some(Token::Text(Some(value))) => value.to_ascii_lowercase(),
            _ => String::new(),
        };
        let is_strings = name == "standard_conforming_strings";
        match value.as_str() {
            "on" | "true" | "yes" | "1" if is_strings => self.rest(false),
            "utf8" | "utf-8" | "unicode" if !is_strings => self.rest(false),
            _ => Err(self.bytes.broken(if is_strings { What::OldStrings } else { What::Encoding })),
        }
    }

    /// A name with or without its schema, and the word after it.
    fn named(&mut self, first: Option<Token>) -> Result<(Named, Option<Token>), Broken> {
        let word = |token: Option<Token>| match token {
            Some(Token::Word(word) | Token::Name(word)) => Some(word),
            _ => None,
        };
        let Some(first) = word(first) else { return Ok((Named::Other, None)) };
        let next = self.bytes.token(Keep::Nothing)?;
        if next != Some(Token::Sign(b'.')) {
            return Ok((Named::Other, next));
        }
        let Some(name) = word(self.bytes.token(Keep::Nothing)?) else { return Ok((Named::Other, None)) };
        let next = self.bytes.token(Keep::Nothing)?;
        let wanted = self.tables.iter().position(|table| table.schema == first && table.name == name);
        let named = match wanted {
            Some(at) => Named::Wanted(at),
            None if self.tables.iter().any(|table| table.schema == first) => Named::Beside(name),
            None => Named::Other,
        };
        Ok((named, next))
    }

    /// The list of columns, whose parenthesis was read, as places among those that are wanted.
    fn columns(&mut self, table: Option<usize>) -> Result<Vec<Option<usize>>, Broken> {
        let mut places: Vec<Option<usize>> = Vec::new();
        loop {
            let (Some(Token::Word(name)) | Some(Token::Name(name))) = self.bytes.token(Keep::Nothing)? else {
                return Err(self.bytes.broken(What::ColumnList));
            };
            let place =
                table.and_then(|at| self.tables[at].columns.iter().position(|column| *column == name));
            if places.len() == COLUMNS || (place.is_some() && places.contains(&place)) {
                return Err(self.bytes.broken(What::ColumnList));
            }
            places.push(place);
            match self.bytes.token(Keep::Nothing)? {
                Some(Token::Sign(b',')) => {}
                Some(Token::Sign(b')')) => return Ok(places),
                _ => return Err(self.bytes.broken(What::ColumnList)),
            }
        }
    }

    fn count(&mut self, name: String, rows: u64) {
        let full = self.seen.others.len() >= COUNTED && !self.seen.others.contains_key(&name);
        let name = if full { "…".to_owned() } else { name };
        *self.seen.others.entry(name).or_default() += rows;
    }

    fn copy(&mut self) -> Result<(), E> {
        let first = self.bytes.token(Keep::Nothing)?;
        let Some(Token::Word(_) | Token::Name(_)) = first else {
            return Ok(self.rest_after(first, false)?);
        };
        let (named, mut next) = self.named(first)?;
        let table = if let Named::Wanted(at) = named { Some(at) } else { None };
        let mut columns = None;
        if next == Some(Token::Sign(b'(')) {
            columns = Some(self.columns(table)?);
            next = self.bytes.token(Keep::Nothing)?;
        }
        let is = |token: &Option<Token>, word: &str| matches!(token, Some(Token::Word(w)) if w == word);
        if !is(&next, "from") {
            return Ok(self.rest_after(next, false)?);
        }
        next = self.bytes.token(Keep::Nothing)?;
        if !is(&next, "stdin") {
            return Ok(self.rest_after(next, false)?);
        }
        // Whose data come in another form can't be passed over either.
        if self.bytes.token(Keep::Nothing)? != Some(Token::Sign(b';'))
            || (table.is_some() && columns.is_none())
        {
            return Err(self.bytes.broken(What::CopyForm).into());
        }
        let mut line = Vec::new();
        let whole = self.bytes.line(&mut line, Some(lex::VALUE))?;
        if !whole || !line.trim_ascii().is_empty() {
            let line = self.bytes.line - u64::from(whole);
            return Err(Broken { line, what: if whole { What::CopyForm } else { What::Cut } }.into());
        }
        match (table, columns) {
            (Some(table), Some(columns)) => self.copied(table, &columns),
            _ => Ok(self.passed(named)?),
        }
    }

    /// The data of a wanted table.
    fn copied(&mut self, table: usize, columns: &[Option<usize>]) -> Result<(), E> {
        self.seen.found[table] = true;
        let names = self.tables[table].columns;
        let mut values: Vec<Option<String>> = vec![None; names.len()];
        let mut line = Vec::new();
        loop {
            let number = self.bytes.line;
            let whole = self.bytes.line(&mut line, Some(ROW))?;
            if !whole {
                return Err(self.bytes.broken(What::Cut).into());
            }
            if line == b"\\." {
                return Ok(());
            }
            let broken = |what| Broken { line: number, what };
            let (mut count, mut long) = (0, None);
            for raw in line.split(|byte| *byte == b'\t') {
                if let Some(place) = columns.get(count).copied().flatten() {
                    values[place] = match copy::field(raw).map_err(broken)? {
                        copy::Field::Null => None,
                        copy::Field::Text(text) => Some(text),
                        copy::Field::Long => {
                            long = Some(names[place]);
                            None
                        }
                    };
                }
                count += 1;
            }
            if count != columns.len() {
                return Err(broken(What::Columns { found: count, wanted: columns.len() }).into());
            }
            (self.on_row)(Row { table, line: number, values: &values, long })?;
        }
    }

    /// The data of another table.
    fn passed(&mut self, named: Named) -> Result<(), Broken> {
        let mut rows = 0;
        let mut line = Vec::new();
        loop {
            if !self.bytes.line(&mut line, None)? {
                return Err(self.bytes.broken(What::Cut));
            }
            if line == b"\\." {
                break;
            }
            rows += 1;
        }
        if let Named::Beside(name) = named {
            self.count(name, rows);
        }
        Ok(())
    }

    fn insert(&mut self) -> Result<(), E> {
        match self.bytes.token(Keep::Nothing)? {
            Some(Token::Word(into)) if into == "into" => {}
            other => return Ok(self.rest_after(other, false)?),
        }
        let first = self.bytes.token(Keep::Nothing)?;
        let (named, next) = self.named(first)?;
        match named {
            Named::Wanted(table) => {
                if next != Some(Token::Sign(b'(')) {
                    return Err(self.bytes.broken(What::InsertForm).into());
                }
                let columns = self.columns(Some(table))?;
                self.inserted(table, &columns)
            }
            Named::Beside(name) => Ok(self.counted(name, next)?),
            Named::Other => Ok(self.rest_after(next, false)?),
        }
    }

    /// The rows of a wanted table.
    fn inserted(&mut self, table: usize, columns: &[Option<usize>]) -> Result<(), E> {
        self.seen.found[table] = true;
        let is = |token: &Option<Token>, word: &str| matches!(token, Some(Token::Word(w)) if w == word);
        let mut token = self.bytes.token(Keep::Nothing)?;
        // OVERRIDING SYSTEM VALUE
        if is(&token, "overriding") {
            self.bytes.token(Keep::Nothing)?;
            self.bytes.token(Keep::Nothing)?;
            token = self.bytes.token(Keep::Nothing)?;
        }
        if !is(&token, "values") {
            return Err(self.bytes.broken(What::InsertForm).into());
        }
        let names = self.tables[table].columns;
        let mut values: Vec<Option<String>> = vec![None; names.len()];
        loop {
            if self.bytes.token(Keep::Nothing)? != Some(Token::Sign(b'(')) {
                return Err(self.bytes.broken(What::NoValue).into());
            }
            let line = self.bytes.line;
            let (mut count, mut long) = (0, None);
            loop {
                let place = columns.get(count).copied().flatten();
                let (value, is_long) = self.value(place.is_some())?;
                if let Some(place) = place {
                    values[place] = value;
                    if is_long {
                        long = Some(names[place]);
                    }
                }
                count += 1;
                match self.bytes.token(Keep::Nothing)? {
                    Some(Token::Sign(b',')) => {}
                    Some(Token::Sign(b')')) => break,
                    None => return Err(self.bytes.broken(What::Cut).into()),
                    Some(_) => return Err(self.bytes.broken(What::NoValue).into()),
                }
            }
            if count != columns.len() {
                let what = What::Columns { found: count, wanted: columns.len() };
                return Err(Broken { line, what }.into());
            }
            (self.on_row)(Row { table, line, values: &values, long })?;
            match self.bytes.token(Keep::Nothing)? {
                Some(Token::Sign(b',')) => {}
                Some(Token::Sign(b';')) => return Ok(()),
                // ON CONFLICT DO NOTHING
                Some(Token::Word(on)) if on == "on" => return Ok(self.rest(false)?),
                None => return Err(self.bytes.broken(What::Cut).into()),
                Some(_) => return Err(self.bytes.broken(What::NoValue).into()),
            }
        }
    }

    /// One value, and whether it was too long to be kept.
    fn value(&mut self, wanted: bool) -> Result<(Option<String>, bool), Broken> {
        let keep = if wanted { Keep::Strings } else { Keep::Nothing };
        let token = match self.bytes.token(keep)? {
            Some(Token::Sign(b'-')) => match self.bytes.token(keep)? {
                Some(Token::Number(number)) => Some(Token::Number(format!("-{number}"))),
                _ => return Err(self.bytes.broken(What::NoValue)),
            },
            token => token,
        };
        match token {
            Some(Token::Text(Some(text))) => Ok((Some(text), false)),
            Some(Token::Text(None)) => Ok((None, true)),
            Some(Token::Number(number)) => Ok((Some(number), false)),
            Some(Token::Word(word)) => match word.as_str() {
                // A column that is computed is left to its table.
                "null" | "default" => Ok((None, false)),
                "true" | "false" => Ok((Some(word), false)),
                _ => Err(self.bytes.broken(What::NoValue)),
            },
            None => Err(self.bytes.broken(What::Cut)),
            Some(_) => Err(self.bytes.broken(What::NoValue)),
        }
    }

    /// Counts the rows of a table beside, by the parentheses after VALUES.
    fn counted(&mut self, name: String, first: Option<Token>) -> Result<(), Broken> {
        let (mut depth, mut rows, mut values) = (0_u32, 0, false);
        let mut next = first;
        loop {
            let token = next.ok_or_else(|| self.bytes.broken(What::Cut))?;
            match &token {
                Token::Sign(b'(') => {
                    rows += u64::from(values && depth == 0);
                    depth = depth.saturating_add(1);
                }
                Token::Sign(b')') => depth = depth.saturating_sub(1),
                Token::Sign(b';') if depth == 0 => break,
                Token::Word(word) if depth == 0 => values = word == "values",
                _ => {}
            }
            next = self.bytes.token(Keep::Nothing)?;
        }
        self.count(name, rows);
        Ok(())
    }
}
