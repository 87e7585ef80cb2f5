//! `/api/v1/sessions`: the user's own sessions.

use super::{session::views, show::SessionView};
use axum::extract::{Path, Query};
use http::StatusCode;
use latchstring_core::{Kind, account, id::SessionId, session::Which};
use latchstring_web::{Ctx, Problem, problem::Document};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Sessions.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionsView {
    /// Newest first.
    pub sessions: Vec<SessionView>,
}

/// Where am I signed in?
#[utoipa::path(get, path = "/api/v1/sessions", tag = "account", security(("cookie" = []), ("access_token" = [])),
    responses((status = 200, body = SessionsView), (status = "4XX", body = Document)))]
pub async fn list(ctx: Ctx) -> Result<axum::Json<SessionsView>, Problem> {
    let me = ctx.me(false).await?;
    let sessions = account::sessions(&ctx.realm, me.user).await?;
    Ok(axum::Json(SessionsView { sessions: views(&sessions, Some(me.session)) }))
}

/// Which sessions to end.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All but this one.
    Others,
    /// All, this one included, and everything that was granted to clients.
    All,
}

/// Which sessions to end.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ScopeQuery {
    /// `others` or `all`.
    #[param(inline)]
    scope: Scope,
}

/// How many ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedView {
    /// How many.
    pub ended: usize,
}

/// Sign out elsewhere, or everywhere.
#[utoipa::path(delete, path = "/api/v1/sessions", tag = "account", params(ScopeQuery),
    security(("cookie" = []), ("access_token" = [])),
    responses((status = 200, body = EndedView), (status = "4XX", body = Document)))]
pub async fn end_many(
    ctx: Ctx,
    query: Result<Query<ScopeQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<EndedView>, Problem> {
    let Query(query) =
        query.map_err(|_| Kind::InputInvalid.param("scope").says("Say scope=others or scope=all."))?;
    let me = ctx.me(true).await?;
    let which = match query.scope {
        Scope::Others => Which::Others(me.session),
        Scope::All => Which::All,
    };
    let ended = account::end_mine(&ctx.realm, &me, &ctx.source, which).await?;
    Ok(axum::Json(EndedView { ended }))
}

/// End one of my sessions.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "account", params(("id" = Uuid, Path)),
    security(("cookie" = []), ("access_token" = [])),
    responses((status = 204, description = "Ended"), (status = "4XX", body = Document)))]
pub async fn end(ctx: Ctx, id: Option<Path<Uuid>>) -> Result<StatusCode, Problem> {
    let me = ctx.me(true).await?;
    let Some(Path(id)) = id else { return Err(Kind::NotFound.into()) };
    let which = Which::One(SessionId(id));
    let ended = account::end_mine(&ctx.realm, &me, &ctx.source, which).await?;
    if ended == 0 {
        return Err(Kind::NotFound.into());
    }
    Ok(StatusCode::NO_CONTENT)
}
