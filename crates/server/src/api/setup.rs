//! `POST /api/v1/setup`: the first API key.

use http::StatusCode;
use latchstring_core::admin::setup;
use latchstring_web::{Ctx, Json, Problem, problem::Document};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The set-up token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupBody {
    /// As the server printed it at its start.
    pub token: String,
}

/// The first API key.
#[derive(Serialize, ToSchema)]
pub struct SetupView {
    /// May do everything; shown once.
    pub key: String,
}

/// Exchange the one-time set-up token for an API key.
#[utoipa::path(post, path = "/api/v1/setup", tag = "realm", request_body = SetupBody,
    responses((status = 201, body = SetupView), (status = "4XX", body = Document)))]
pub async fn redeem(
    ctx: Ctx,
    Json(body): Json<SetupBody>,
) -> Result<(StatusCode, axum::Json<SetupView>), Problem> {
    let key = setup::redeem(&ctx.realm, &ctx.source, &body.token).await?;
    Ok((StatusCode::CREATED, axum::Json(SetupView { key: key.to_string() })))
}
