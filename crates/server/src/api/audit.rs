//! `/api/v1/audit`.

use super::show::AuditView;
use axum::extract::Query;
use latchstring_core::{Kind, audit, id::AuditId, page};
use latchstring_web::{Ctx, Problem, problem::Document};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// `next` of the page before.
    cursor: Option<Uuid>,
    /// At most so many, 1 to 200.
    limit: Option<i64>,
}

/// Rows of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// Newest first.
    pub audit: Vec<AuditView>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

/// What happened in the realm, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "realm", params(AuditQuery), security(("api_key" = [])),
    responses((status = 200, body = AuditPage), (status = "4XX", body = Document)))]
pub async fn list(
    ctx: Ctx,
    query: Result<Query<AuditQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<AuditPage>, Problem> {
    ctx.key("audit:read").await?;
    page(&ctx, None, query).await
}

pub(crate) async fn page(
    ctx: &Ctx,
    target: Option<Uuid>,
    query: Result<Query<AuditQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<AuditPage>, Problem> {
    let Query(query) = query.map_err(|_| Kind::InputInvalid.param("query").says("Known: cursor, limit."))?;
    let limit = page::limit(query.limit.unwrap_or(50));
    let (rows, next) = audit::list(ctx.realm.db(), target, query.cursor.map(AuditId), limit).await?;
    Ok(axum::Json(AuditPage {
        audit: rows.into_iter().map(AuditView::of).collect(),
        next: next.map(|id| id.0),
    }))
}
