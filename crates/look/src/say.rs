//! A message without a language.

use serde::Serialize;
use std::borrow::Cow;

/// What stands in a place that a message leaves open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Arg {
    /// Text, as it is.
    Text(Cow<'static, str>),
    /// A number, which decides between singular and plural.
    Number(i64),
    /// Another message.
    Say(Box<Say>),
}

impl From<&'static str> for Arg {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Say> for Arg {
    fn from(say: Say) -> Self {
        Self::Say(Box::new(say))
    }
}

/// A message by its name, with what stands in its open places. It is said in a language only where it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Say {
    /// The message's name in the `.ftl` files.
    pub id: &'static str,
    /// What stands in its open places.
    pub args: Vec<(&'static str, Arg)>,
}

impl Say {
    /// The message `id`.
    pub const fn new(id: &'static str) -> Self {
        Self { id, args: Vec::new() }
    }

    /// With `value` where the message says `$name`.
    pub fn with(mut self, name: &'static str, value: impl Into<Arg>) -> Self {
        self.args.push((name, value.into()));
        self
    }
}

impl From<&'static str> for Say {
    fn from(id: &'static str) -> Self {
        Self::new(id)
    }
}
