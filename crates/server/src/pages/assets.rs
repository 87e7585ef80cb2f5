//! The style sheet and the mark, under names that change with their content: kept for ever by those who fetched them.

use super::{message::Failure, visit::Visit};
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use latchstring_core::{Kind, secret::Hashed};
use std::sync::LazyLock;

const LOOK: &str = include_str!("../../assets/look.css");
const MARK: &str = include_str!("../../assets/mark.svg");

/// The addresses of what pages load.
pub(super) struct Addresses {
    pub look: String,
    pub mark: String,
}

pub(super) static ADDRESSES: LazyLock<Addresses> =
    LazyLock::new(|| Addresses { look: address("look", LOOK, "css"), mark: address("mark", MARK, "svg") });

fn address(name: &str, text: &str, extension: &str) -> String {
    let hash = Hashed::of(text.as_bytes()).0;
    let hash: String = hash[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("/assets/{name}.{hash}.{extension}")
}

/// A file by its name with the hash. Any other name, an old hash too, is nothing: pages name the one that is there.
pub(super) async fn named(visit: Visit, Path(name): Path<String>) -> Result<Response, Failure> {
    let address = format!("/assets/{name}");
    match address {
        a if a == ADDRESSES.look => Ok(file(LOOK, "text/css; charset=utf-8", FOR_EVER)),
        a if a == ADDRESSES.mark => Ok(file(MARK, "image/svg+xml", FOR_EVER)),
        _ => Err(visit.fails(Kind::NotFound)),
    }
}

/// What browsers ask for on pages that name no icon: answers of the API, pictures, mails.
pub(super) async fn favicon() -> Response {
    file(MARK, "image/svg+xml", "public, max-age=86400")
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";

fn file(text: &'static str, kind: &'static str, keep: &'static str) -> Response {
    let mut response = text.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}
