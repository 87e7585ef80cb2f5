//! Whether the process is alive and ready.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
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
