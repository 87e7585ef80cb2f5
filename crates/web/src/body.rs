//! JSON bodies: bounded, strictly typed, and refused in words that help.

use crate::problem::Problem;
use axum::extract::{FromRequest, Request};
use http::header;
use http_body_util::{BodyExt, Limited};
use latchstring_core::{Kind, Refusal};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IntoDeserializer},
};

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
            return Kind::InputInvalid.param(name.to_owned()).says(says);
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
        assert_eq!(told("{").1, "The body is not JSON (line 1, column 1).");
    }
}
