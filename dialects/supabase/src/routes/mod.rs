//! The endpoints, a file each.

mod about;

use crate::{PATH, error};
use axum::{Router, middleware, routing::get};
use latchstring_web::App;

/// The endpoints, relative to a mount. On a host of its own, the SDK asks below [`PATH`], the bare auth client at the
/// root.
pub(crate) fn routes() -> Router<App> {
    endpoints()
        .nest(PATH, endpoints())
        .fallback(error::nothing_here)
        .method_not_allowed_fallback(error::not_that_method)
        .layer(middleware::from_fn(error::speak))
}

fn endpoints() -> Router<App> {
    Router::new()
        .route("/health", get(about::health))
        .route("/settings", get(about::settings))
        .route("/.well-known/jwks.json", get(about::jwks))
        .route("/.well-known/openid-configuration", get(about::discovery))
}
