//! Tokens and keys under OAuth's names.

pub mod discovery;
pub mod token;

use latchstring_web::App;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(discovery::jwks))
        .routes(routes!(discovery::authorization_server))
        .routes(routes!(token::jwks))
        .routes(routes!(token::token))
}
