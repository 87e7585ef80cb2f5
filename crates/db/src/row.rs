//! Values that come out of a statement.

use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use crate::Error;

/// One row of an answer. It owns its values.
#[derive(Debug)]
pub struct Row(Inner);

#[derive(Debug)]
enum Inner {
    Sqlite(Box<[rusqlite::types::Value]>),
    Postgres(tokio_postgres::Row),
}

/// A value as the database gave it.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// NULL.
    Null,
    /// A number, or a truth value of SQLite.
    Int(i64),
    /// A truth value of PostgreSQL.
    Bool(bool),
    /// TEXT.
    Text(&'a str),
    /// BYTEA.
    Bytes(&'a [u8]),
}

/// Why a [`Cell`] could not become what was asked for.
#[derive(Debug)]
pub struct Mismatch(Box<str>);

impl Mismatch {
    /// A reason in words, without the value.
    pub fn new(reason: impl Into<Box<str>>) -> Self {
        Self(reason.into())
    }

    fn expected(what: &str, found: Cell<'_>) -> Self {
        let found = match found {
            Cell::Null => "NULL",
            Cell::Int(_) => "a number",
            Cell::Bool(_) => "a boolean",
            Cell::Text(_) => "text",
            Cell::Bytes(_) => "bytes",
        };
        Self(format!("expected {what}, found {found}").into())
    }
}

/// What can be read from a column. Implement it for a type of your own by handing on to its inner value.
pub trait Column: Sized {
    /// Converts the value.
    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch>;
}

impl Row {
    /// The value of a column, counted from 0.
    pub fn get<T: Column>(&self, index: usize) -> Result<T, Error> {
        let cell = match &self.0 {
            Inner::Sqlite(values) => sqlite_cell(values, index),
            Inner::Postgres(row) => postgres_cell(row, index),
        };
        cell.and_then(T::from_cell).map_err(|Mismatch(reason)| Error::Decode { index, reason })
    }

    /// How many columns there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Inner::Sqlite(values) => values.len(),
            Inner::Postgres(row) => row.len(),
        }
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn sqlite(values: Box<[rusqlite::types::Value]>) -> Self {
        Self(Inner::Sqlite(values))
    }

    pub(crate) fn postgres(row: tokio_postgres::Row) -> Self {
        Self(Inner::Postgres(row))
    }
}

fn no_such_column() -> Mismatch {
    Mismatch::new("the row has fewer columns")
}

fn sqlite_cell(values: &[rusqlite::types::Value], index: usize) -> Result<Cell<'_>, Mismatch> {
    use rusqlite::types::Value;
    Ok(match values.get(index).ok_or_else(no_such_column)? {
        Value::Null => Cell::Null,
        Value::Integer(int) => Cell::Int(*int),
        Value::Text(text) => Cell::Text(text),
        Value::Blob(bytes) => Cell::Bytes(bytes),
        Value::Real(_) => return Err(Mismatch::new("a fraction; CAST it in the statement")),
    })
}

fn postgres_cell(row: &tokio_postgres::Row, index: usize) -> Result<Cell<'_>, Mismatch> {
    if index >= row.len() {
        return Err(no_such_column());
    }
    row.try_get(index).map_err(|error| {
        // "error deserializing column 3" helps nobody; the cause below it does.
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        Mismatch::new(cause.unwrap_or_else(|| error.to_string()))
    })
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(ty, raw)?.into()),
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::BYTEA => Self::Bytes(raw),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                Self::Text(std::str::from_utf8(raw)?)
            }
            _ => {
                return Err(
                    format!("type {ty} has no counterpart on SQLite; CAST it in the statement").into()
                );
            }
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

// The two databases differ in whether `a = b` is a number or a boolean, so each reads as the other.
impl Column for i64 {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Int(int) => Ok(int),
            Cell::Bool(bool) => Ok(bool.into()),
            other => Err(Mismatch::expected("a number", other)),
        }
    }
}

impl Column for bool {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Bool(bool) => Ok(bool),
            Cell::Int(int @ (0 | 1)) => Ok(int == 1),
            other => Err(Mismatch::expected("a boolean", other)),
        }
    }
}

impl Column for String {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Text(text) => Ok(text.to_owned()),
            other => Err(Mismatch::expected("text", other)),
        }
    }
}

impl Column for Vec<u8> {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Bytes(bytes) => Ok(bytes.to_vec()),
            other => Err(Mismatch::expected("bytes", other)),
        }
    }
}

impl<const N: usize> Column for [u8; N] {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Bytes(bytes) => bytes
                .try_into()
                .map_err(|_| Mismatch::new(format!("expected {N} bytes, found {}", bytes.len()))),
            other => Err(Mismatch::expected("bytes", other)),
        }
    }
}

impl Column for Uuid {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        <[u8; 16]>::from_cell(cell).map(Self::from_bytes)
    }
}

impl<T: Column> Column for Option<T> {
    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        match cell {
            Cell::Null => Ok(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}
