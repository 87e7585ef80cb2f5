//! `POST /api/v1/refresh`.

use super::show::TokensView;
use latchstring_core::token::mint;
use latchstring_web::{Ctx, Json, Problem, problem::Document};
use serde::Deserialize;
use utoipa::ToSchema;

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshBody {
    /// The newest one.
    pub refresh_token: String,
}

/// A new access token, and the next refresh token. The one before gives the same answer for a minute (a lost answer,
/// two tabs); anything older ends the family.
#[utoipa::path(post, path = "/api/v1/refresh", tag = "session", request_body = RefreshBody,
    responses((status = 200, body = TokensView), (status = "4XX", body = Document)))]
pub async fn refresh(ctx: Ctx, Json(body): Json<RefreshBody>) -> Result<axum::Json<TokensView>, Problem> {
    let (_, tokens) = mint::refresh(&ctx.realm, &body.refresh_token, &ctx.source).await?;
    Ok(axum::Json(TokensView::of(&tokens)))
}
