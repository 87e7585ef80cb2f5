//! The style sheet and the mark, under names that change with their content: kept for ever by those who fetched them.

use super::{message::Failure, visit::Visit};
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use latchstring_core::{Kind, secret::Hashed};
use latchstring_look::brand::{Brand, Logo};
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
    format!("/assets/{name}.{}.{extension}", hash(text.as_bytes()))
}

fn hash(bytes: &[u8]) -> String {
    Hashed::of(bytes).0[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The addresses of what a realm has made its own.
pub(super) fn of_brand(brand: &Brand) -> &latchstring_look::brand::Addresses {
    brand.addresses(hash)
}

/// A file by its name with the hash. Any other name, an old hash too, is nothing: pages name the one that is there.
pub(super) async fn named(visit: Visit, Path(name): Path<String>) -> Result<Response, Failure> {
    let address = format!("/assets/{name}");
    match address {
        a if a == ADDRESSES.look => Ok(file(LOOK, "text/css; charset=utf-8", FOR_EVER)),
        a if a == ADDRESSES.mark => Ok(file(MARK, "image/svg+xml", FOR_EVER)),
        address => of_realm(&visit, &address).ok_or_else(|| visit.fails(Kind::NotFound)),
    }
}

/// What a realm has made its own.
fn of_realm(visit: &Visit, address: &str) -> Option<Response> {
    let brand = &*visit.ctx.realm.brand();
    let known = of_brand(brand);
    if known.style.as_deref() == Some(address) {
        return brand.style().map(|text| file(text, "text/css; charset=utf-8", FOR_EVER));
    }
    let keep = match address {
        address if known.logo.as_deref() == Some(address) => FOR_EVER,
        Logo::PATH => FOR_A_DAY,
        _ => return None,
    };
    let picture = brand.logo.clone()?;
    let mut response = file(picture.bytes, picture.media_type, keep);
    // Opened by itself, a drawing runs nothing and loads nothing.
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Some(response)
}

/// What browsers ask for on pages that name no icon: answers of the API, pictures, mails.
pub(super) async fn favicon() -> Response {
    file(MARK, "image/svg+xml", FOR_A_DAY)
}

const FOR_A_DAY: &str = "public, max-age=86400";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

fn file(text: impl IntoResponse, kind: &'static str, keep: &'static str) -> Response {
    let mut response = text.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}
