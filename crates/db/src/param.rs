//! Values that go into a statement.

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::Error;

/// The four types that exist on both databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// BIGINT, also for times in microseconds.
    Int,
    /// BOOLEAN.
    Bool,
    /// TEXT.
    Text,
    /// BYTEA, also for ids and hashes.
    Bytes,
}

/// A parameter in the form in which it is bound.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// NULL of a type: PostgreSQL must know which.
    Null(Kind),
    /// BIGINT.
    Int(i64),
    /// BOOLEAN.
    Bool(bool),
    /// TEXT.
    Text(&'a str),
    /// BYTEA.
    Bytes(&'a [u8]),
}

impl Value<'_> {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Null(kind) => *kind,
            Self::Int(_) => Kind::Int,
            Self::Bool(_) => Kind::Bool,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
        }
    }
}

/// What can be bound to `$n`. Implement it for a type of your own by handing on to its inner value.
pub trait Param: Sync {
    /// The value, borrowed.
    fn value(&self) -> Value<'_>;

    /// The type of a NULL in its place.
    fn kind() -> Kind
    where
        Self: Sized;
}

/// What only one of the databases would refuse is refused on both, so that tests on either find it:
/// PostgreSQL takes more parameters than it needs, SQLite takes a NUL in text.
pub(crate) fn check(sql: &'static str, wanted: usize, args: &[&dyn Param]) -> Result<(), Error> {
    if wanted != args.len() {
        return Err(Error::misuse(sql, format!("it has {wanted} parameters, {} were given", args.len())));
    }
    let has_nul = |arg: &&dyn Param| matches!(arg.value(), Value::Text(text) if text.as_bytes().contains(&0));
    match args.iter().position(has_nul) {
        Some(index) => Err(Error::misuse(sql, format!("the text for ${} holds a NUL", index + 1))),
        None => Ok(()),
    }
}

macro_rules! param {
    ($($type:ty => $kind:ident, |$this:ident| $value:expr;)*) => {$(
        impl Param for $type {
            fn value(&self) -> Value<'_> {
                let $this = self;
                Value::$kind($value)
            }
            fn kind() -> Kind {
                Kind::$kind
            }
        }
    )*};
}

param! {
    i64 => Int, |this| *this;
    bool => Bool, |this| *this;
    &str => Text, |this| this;
    String => Text, |this| this;
    Box<str> => Text, |this| this;
    std::sync::Arc<str> => Text, |this| this;
    std::borrow::Cow<'_, str> => Text, |this| this;
    &[u8] => Bytes, |this| this;
    Vec<u8> => Bytes, |this| this;
    Box<[u8]> => Bytes, |this| this;
    Uuid => Bytes, |this| this.as_bytes();
}

impl<const N: usize> Param for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
    fn kind() -> Kind {
        Kind::Bytes
    }
}

impl<T: Param> Param for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
    fn kind() -> Kind {
        T::kind()
    }
}

impl<T: Param> Param for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null(T::kind()), Param::value)
    }
    fn kind() -> Kind {
        T::kind()
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null(_) => ValueRef::Null,
            Self::Int(int) => ValueRef::Integer(int),
            Self::Bool(bool) => ValueRef::Integer(bool.into()),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Kind {
    pub(crate) fn postgres(self) -> Type {
        match self {
            Self::Int => Type::INT8,
            Self::Bool => Type::BOOL,
            Self::Text => Type::TEXT,
            Self::Bytes => Type::BYTEA,
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        // Statements are prepared with the kinds of their values, so a mismatch means that one text
        // is used with two sets of types.
        if *ty != self.kind().postgres() {
            return Err(format!("a {:?} was given where the statement has {ty}", self.kind()).into());
        }
        match self {
            Self::Null(_) => Ok(IsNull::Yes),
            Self::Int(int) => int.to_sql(ty, out),
            Self::Bool(bool) => bool.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
