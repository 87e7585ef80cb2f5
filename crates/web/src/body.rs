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
        let json =
            request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| {
                v.split(';').next().is_some_and(|t| t.trim().eq_ignore_ascii_case("application/json"))
            });
        if !json {
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

/// Reads a form (`application/x-www-form-urlencoded`). Members that stand twice are refused.
pub fn form<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_urlencoded::from_bytes(bytes).map_err(|_| {
        Kind::InputInvalid.param("body").says("The form can’t be read, or a member stands twice.").into()
    })
}

/// Reads a member that is one of several words. serde alone takes `{"word": null}` for the word too.
pub fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<T, D::Error> {
    T::deserialize(String::deserialize(d)?.into_deserializer())
}

/// serde's message, without the values that it may quote: they may be secrets.
pub fn explain(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if let Some(name) = text.strip_prefix("unknown field `").and_then(|t| t.split('`').next()) {
        let known = text.split("expected ").nth(1).unwrap_or("none").replace('`', "");
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
    if let Some(expected) = text.split(", expected ").nth(1) {
        return Kind::InputInvalid
            .param("body")
            .says(format!("A member has the wrong type: expected {expected}."));
    }
    let says = format!("The body is not JSON (line {}, column {}).", error.line(), error.column());
    Kind::InputInvalid.param("body").says(says)
}
