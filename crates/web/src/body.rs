//! JSON bodies: bounded, strictly typed, and refused in words that help.

use crate::problem::Problem;
use axum::extract::{FromRequest, Request};
use http::header;
use http_body_util::{BodyExt, Limited};
use latchstring_core::{Kind, Refusal};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

/// Most bytes of a request body.
pub const MOST: usize = 64 * 1024;

/// A JSON body.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        // A body of another type comes from a form of any site without a preflight: refused before it is read.
        if !is(&request, "application/json") {
            return Err(Kind::InputInvalid
                .param("Content-Type")
                .says("Send the body as JSON, with “Content-Type: application/json”.")
                .into());
        }
        let bytes = read(request).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|e| explain(&e).into())
    }
}

/// Reads a bounded body.
pub async fn read(request: Request) -> Result<axum::body::Bytes, Problem> {
    let limited = Limited::new(request.into_body(), MOST);
    match limited.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(e) if e.is::<http_body_util::LengthLimitError>() => {
            Err(Kind::InputInvalid.param("body").says("The body is too large: at most 64 KiB.").into())
        }
        Err(_) => Err(Kind::InputInvalid.param("body").says("The body did not arrive whole.").into()),
    }
}

/// Whether a body says that it is of a media type (RFC 9110, 8.3.1: whatever the case).
fn is(request: &Request, media_type: &str) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split(';').next())
        .is_some_and(|t| t.trim().eq_ignore_ascii_case(media_type))
}

/// Reads a form (`application/x-www-form-urlencoded`), and nothing else.
pub async fn form<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    if !is(&request, "application/x-www-form-urlencoded") {
        return Err(Kind::InputInvalid.param("Content-Type").says("Send a form.").into());
    }
    let bytes = read(request).await?;
    Ok(pairs(&bytes)?)
}

/// Reads the members of a form. One that stands twice is refused.
pub fn pairs<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_urlencoded::from_bytes(bytes).map_err(|_| {
        Kind::InputInvalid.param("body").says("The form can’t be read, or a member stands twice.")
    })
}

/// Reads a member that is one of several words. serde alone takes `{"word": null}` for the word too.
pub fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<T, D::Error> {
    T::deserialize(String::deserialize(d)?.into_deserializer())
}

/// Any JSON value in which no member stands twice. `serde_json::Value` keeps the last one, and whoever looked at the body
/// before us may have seen the first.
#[derive(Debug)]
pub struct Strict(pub Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(StrictVisitor).map(Self)
    }
}

/// Reads a member that may be absent or `null`, else as [`Strict`].
pub fn strict<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Value>, D::Error> {
    Option::<Strict>::deserialize(d).map(|strict| strict.map(|Strict(value)| value))
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some((name, Strict(value))) = map.next_entry::<String, _>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// serde's message, without the values that it may quote: they may be secrets.
pub fn explain(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    // serde ends with what it expected, and where. What stands before may be the sender's text, and hold the same words.
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(before, _)| before);
    let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
    if let Some(name) = text.strip_prefix("unknown field `").and_then(|t| t.split('`').next()) {
        let known = expected.unwrap_or("none").replace('`', "");
        let known = known.trim_start_matches("one of ");
        let name: String = name.chars().take(60).collect();
        return Kind::InputInvalid.param(name).says(format!("There is no such member here. Known: {known}."));
    }
    for start in ["missing field `", "duplicate field `"] {
        if let Some(name) = text.strip_prefix(start).and_then(|t| t.split('`').next()) {
            let says =
                if start.starts_with('m') { "This member is missing." } else { "This member stands twice." };
            let name: String = name.chars().take(60).collect();
            return Kind::InputInvalid.param(name).says(says);
        }
    }
    if let Some(expected) = expected {
        return Kind::InputInvalid
            .param("body")
            .says(format!("A member has the wrong type: expected {expected}."));
    }
    let says = format!("The body is not JSON (line {}, column {}).", error.line(), error.column());
    Kind::InputInvalid.param("body").says(says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what is wrong with one is looked at")]
    struct Sample {
        identifier: String,
        seconds: Option<u32>,
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        let told = |text: &str| {
            let error = serde_json::from_str::<Sample>(text).expect_err("wrong");
            let detail = explain(&error).detail;
            (detail.param.unwrap_or_default(), detail.says.unwrap_or_default())
        };
        for value in ["hunter2", "x, expected hunter2", "x at line hunter2", "x, expected hunter2 at line 7"]
        {
            assert_eq!(
                told(&format!(r#"{{"identifier":"a","seconds":"{value}"}}"#)),
                ("body".into(), "A member has the wrong type: expected u32.".into()),
                "{value}"
            );
        }
        let known = "There is no such member here. Known: identifier or seconds.";
        assert_eq!(told(r#"{"identifer":"a"}"#), ("identifer".into(), known.into()));
        assert_eq!(told(r#"{"x, expected y":"a"}"#), ("x, expected y".into(), known.into()));
        assert_eq!(told("{}"), ("identifier".into(), "This member is missing.".into()));
        let twice = told(r#"{"identifier":"a","identifier":"b"}"#);
        assert_eq!(twice, ("identifier".into(), "This member stands twice.".into()));
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":null,"c":[],"\u0061":2}}]"#] {
            let error = serde_json::from_str::<Strict>(text).expect_err("twice");
            assert_eq!(explain(&error).detail.param.unwrap_or_default(), "a", "{text}");
        }
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5,"x",{"a":{}}],"b":""}"#;
        let Strict(value) = serde_json::from_str(text).expect("once");
        assert_eq!(value, serde_json::from_str::<Value>(text).expect("JSON"));
        assert_eq!(told("{").1, "The body is not JSON (line 1, column 1).");
    }
}
