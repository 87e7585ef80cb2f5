//! What verifiers read: the keys of native tokens, and what there is (RFC 8414). It lists what exists, no more.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, Method, header};
use latchstring_web::{
    Ctx, Problem,
    service::{self, AtOnce},
};
use serde::Serialize;
use utoipa::ToSchema;

/// RFC 7517, 5. Cached for five minutes: a new key is published ten minutes before it signs.
pub(crate) fn keys(set: Bytes) -> Response {
    let mut response = service::ok("application/jwk-set+json", set);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// The public keys of native tokens (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "tokens",
    responses((status = 200, description = "A JWK Set")))]
pub async fn jwks(ctx: Ctx) -> Result<Response, Problem> {
    Ok(keys(ctx.realm.native_ring()?.jwks()))
}

/// [`jwks`] by memory alone.
pub(crate) const JWKS: AtOnce = AtOnce {
    method: Method::GET,
    path: "/.well-known/jwks.json",
    answer: |look| Some(keys(look.realm.native_ring().ok()?.jwks())),
};

/// RFC 8414, 2, as far as it exists.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metadata {
    /// The issuer, character for character.
    pub issuer: String,
    /// Where the keys are.
    pub jwks_uri: String,
    /// The password form of the textbook app, where it is switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// What that takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grant_types_supported: Vec<&'static str>,
    /// How it is called: by anybody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// No authorization endpoint yet, so none.
    pub response_types_supported: Vec<&'static str>,
    /// Ours: the feed of revocations.
    pub revocation_feed: String,
}

/// What this authorization server has (RFC 8414).
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "tokens",
    responses((status = 200, body = Metadata)))]
pub async fn authorization_server(ctx: Ctx) -> Result<Response, Problem> {
    let issuer = ctx.realm.issuer();
    let on = ctx.realm.settings().1.token_endpoint.enabled;
    let metadata = Metadata {
        issuer: issuer.to_owned(),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        token_endpoint: on.then(|| format!("{issuer}/token")),
        grant_types_supported: if on { vec!["password"] } else { Vec::new() },
        token_endpoint_auth_methods_supported: if on { vec!["none"] } else { Vec::new() },
        response_types_supported: Vec::new(),
        revocation_feed: format!("{issuer}/api/v1/revocations/events"),
    };
    let mut response = axum::Json(metadata).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}
