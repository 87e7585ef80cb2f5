//! The JSON API: one file a resource. Routes on one screen.

pub mod account;
pub mod attempts;
pub mod audit;
pub mod forward_auth;
pub mod invitations;
pub mod keys;
pub mod refresh;
pub mod revocations;
pub mod session;
pub mod sessions;
pub mod settings;
pub mod settings_shape;
pub mod setup;
pub mod show;
pub mod users;

use axum::response::{IntoResponse, Response};
use http::header;
use latchstring_web::App;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(attempts::begin))
        .routes(routes!(attempts::read, attempts::cancel))
        .routes(routes!(attempts::password))
        .routes(routes!(attempts::send))
        .routes(routes!(attempts::code))
        .routes(routes!(attempts::new_password))
        .routes(routes!(session::read, session::sign_out))
        .routes(routes!(session::token))
        .routes(routes!(session::check))
        .routes(routes!(session::switch))
        .routes(routes!(refresh::refresh))
        .routes(routes!(forward_auth::check))
        .routes(routes!(account::read, account::change, account::delete))
        .routes(routes!(account::keep))
        .routes(routes!(account::password))
        .routes(routes!(account::username))
        .routes(routes!(sessions::list, sessions::end_many))
        .routes(routes!(sessions::end))
        .routes(routes!(setup::redeem))
        .routes(routes!(users::create, users::list))
        .routes(routes!(users::read, users::change, users::delete))
        .routes(routes!(users::ban))
        .routes(routes!(users::unban))
        .routes(routes!(users::password))
        .routes(routes!(users::sessions, users::end_sessions))
        .routes(routes!(users::audit))
        .routes(routes!(invitations::create, invitations::list))
        .routes(routes!(invitations::revoke))
        .routes(routes!(settings::read, settings::change))
        .routes(routes!(keys::create, keys::list))
        .routes(routes!(keys::revoke))
        .routes(routes!(keys::signing))
        .routes(routes!(keys::rotate))
        .routes(routes!(keys::revoke_signing))
        .routes(routes!(audit::list))
        .routes(routes!(revocations::snapshot))
        .routes(routes!(revocations::events))
        .routes(routes!(openapi))
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "realm", responses((status = 200, description = "OpenAPI 3.1")))]
async fn openapi() -> Response {
    static TEXT: std::sync::LazyLock<String> = std::sync::LazyLock::new(crate::openapi);
    (
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")],
        TEXT.as_str(),
    )
        .into_response()
}
