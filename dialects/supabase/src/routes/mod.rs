//! The endpoints, a file each.

mod about;
mod admin;
mod invite;
mod logout;
mod mail;
mod off;
mod signup;
mod token;
mod user;
mod verify;

use crate::{PATH, error};
use axum::{
    Router, middleware,
    routing::{delete, get, post},
};
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
        .route("/signup", post(signup::signup))
        .route("/token", post(token::token))
        .route("/otp", post(mail::otp))
        .route("/magiclink", post(mail::magiclink))
        .route("/recover", post(mail::recover))
        .route("/resend", post(mail::resend))
        .route("/reauthenticate", get(mail::reauthenticate))
        .route("/verify", get(verify::page).post(verify::verify))
        .route("/verify/done", get(verify::done))
        .route("/user", get(user::get).put(user::put))
        .route("/user/identities/authorize", get(off::linking))
        .route("/user/identities/{id}", delete(off::linking))
        .route("/factors", post(off::enroll))
        .route("/factors/{id}", delete(off::factor))
        .route("/factors/{id}/challenge", post(off::factor))
        .route("/factors/{id}/verify", post(off::factor))
        .route("/authorize", get(off::authorize))
        .route("/sso", post(off::sso))
        .route("/logout", post(logout::logout))
        .route("/invite", post(invite::invite))
        .route("/admin/users", get(admin::users::list).post(admin::users::create))
        .route(
            "/admin/users/{id}",
            get(admin::users::read).put(admin::users::update).delete(admin::users::delete),
        )
        .route("/admin/generate_link", post(admin::link::generate))
}
