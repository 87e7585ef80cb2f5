//! `/api/v1/settings`.

use super::{
    settings_shape::{SettingsChange, SettingsView},
    show::if_match,
};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use latchstring_core::{admin, settings::Settings};
use latchstring_web::{Ctx, Json, Problem, body::Strict, problem::Document};

fn show(rev: i64, settings: &Settings) -> Response {
    let mut response = axum::Json(settings.shown()).into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("\"{rev}\"")) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// The realm's settings; secrets are left out. The ETag is the revision, for `If-Match`.
#[utoipa::path(get, path = "/api/v1/settings", tag = "realm", security(("api_key" = [])),
    responses((status = 200, body = SettingsView), (status = "4XX", body = Document)))]
pub async fn read(ctx: Ctx) -> Result<Response, Problem> {
    ctx.key("settings:read").await?;
    let settings = ctx.realm.settings();
    Ok(show(settings.0, &settings.1))
}

/// Change settings (a merge patch, RFC 7396). They are in force at once here, and within a second on every node. To change
/// `look.templates`, a key needs `users:write` too: a frame stands around the codes and links of mails.
#[utoipa::path(patch, path = "/api/v1/settings", tag = "realm", request_body = SettingsChange, security(("api_key" = [])),
    responses((status = 200, body = SettingsView), (status = "4XX", body = Document)))]
pub async fn change(
    ctx: Ctx,
    headers: HeaderMap,
    Json(Strict(body)): Json<Strict>,
) -> Result<Response, Problem> {
    let key = ctx.key_with(admin::settings::permissions(&body)).await?;
    let seen = if_match(&headers)?;
    let (rev, settings) = admin::settings::patch(&ctx.realm, key.actor(), &ctx.source, body, seen).await?;
    Ok(show(rev, &settings))
}
