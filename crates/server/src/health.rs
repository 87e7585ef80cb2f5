//! Whether the process is alive and ready, and what it says to a method that a path does not take.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use latchstring_core::{Kind, Refusal};
use latchstring_web::App;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready))
}

fn text(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// The process is alive.
#[utoipa::path(get, path = "/healthz", tag = "realm", responses((status = 200, description = "Alive")))]
async fn alive() -> Response {
    text(StatusCode::OK, "ok\n")
}

/// The process can serve: its database answers and it is not about to stop.
#[utoipa::path(get, path = "/readyz", tag = "realm", responses((status = 200, description = "Ready"),
    (status = 503, description = "Not ready")))]
async fn ready(State(app): State<App>) -> Response {
    if app.is_stopping() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    let Some(realm) = app.realm() else { return text(StatusCode::SERVICE_UNAVAILABLE, "starting\n") };
    match realm.db().ping().await {
        Ok(()) => text(StatusCode::OK, "ready\n"),
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}

pub(crate) async fn not_that_method() -> Response {
    let refusal = Refusal::new(Kind::NotFound).says("That path does not take this method.");
    let mut document = latchstring_web::problem::document(&refusal);
    document.status = StatusCode::METHOD_NOT_ALLOWED.as_u16();
    latchstring_web::problem::answer(&document)
}
