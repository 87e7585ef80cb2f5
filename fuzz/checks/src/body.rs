//! Bodies of requests: JSON and forms into one type, and the sentence that says what is wrong with them. What was sent
//! may be a secret, so the sentence holds no value.

use crate::text;
use latchstring_web::body::{explain, form};
use serde::Deserialize;
use serde_json::Value;

/// Seeds write it where a secret would stand.
pub(crate) const SECRET: &str = "hunter2";

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Sample {
    identifier: String,
    password: Option<String>,
    seconds: Option<u32>,
    guest: Option<bool>,
    kind: Option<Kind>,
    words: Option<Vec<String>>,
    inner: Option<Inner>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    SignIn,
    SignUp,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Inner {
    secret: String,
}

/// The input is a body.
pub fn check(data: &[u8]) {
    json(data);
    pairs(data);
}

fn json(data: &[u8]) {
    let Err(error) = serde_json::from_slice::<Sample>(data) else { return };
    let refusal = explain(&error);
    let says = refusal.detail.says.as_deref().unwrap_or_default();
    assert!(!says.is_empty() && says.chars().count() <= 300, "{says:?}");
    let param = refusal.detail.param.as_deref().unwrap_or_default();
    assert!(param.chars().count() <= 60);
    if let Ok(value) = serde_json::from_slice::<Value>(data)
        && !names_hold(&value, SECRET)
    {
        assert!(!says.contains(SECRET) && !param.contains(SECRET), "a value was quoted: {says:?}");
    }
}

/// Whether a member's name holds the word: names are quoted, since a mistyped one has to be recognised.
pub(crate) fn names_hold(value: &Value, word: &str) -> bool {
    match value {
        Value::Array(list) => list.iter().any(|value| names_hold(value, word)),
        Value::Object(map) => map.iter().any(|(name, value)| name.contains(word) || names_hold(value, word)),
        _ => false,
    }
}

#[derive(Debug, Deserialize, PartialEq)]
struct Form {
    username: String,
    password: Option<String>,
}

fn pairs(data: &[u8]) {
    let read = form::<Form>(data);
    let Ok(all) = serde_urlencoded::from_bytes::<Vec<(String, String)>>(data) else {
        assert!(read.is_err());
        return;
    };
    let of = |name: &str| {
        all.iter().filter(|(found, _)| found == name).map(|(_, value)| value).collect::<Vec<_>>()
    };
    let (names, passwords) = (of("username"), of("password"));
    match read {
        Ok(form) => {
            assert_eq!(names, [&form.username], "one of two was chosen, or another");
            assert_eq!(passwords, form.password.iter().collect::<Vec<_>>());
        }
        Err(_) => assert!(
            names.len() != 1 || passwords.len() > 1 || text(data).is_none(),
            "a good form was refused"
        ),
    }
}
