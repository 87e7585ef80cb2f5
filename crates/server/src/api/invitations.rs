//! `/api/v1/invitations`.

use super::show::time;
use axum::extract::{Path, Query};
use http::StatusCode;
use latchstring_core::{
    Kind, admin::invitations, clock::Micros, id::InvitationId, identifier::Identifier, invitation,
};
use latchstring_web::{Ctx, Json, Problem, problem::Document};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationView {
    /// Its id.
    pub id: Uuid,
    /// For whom.
    pub email: String,
    /// `pending`, `accepted`, `revoked` or `expired`.
    pub state: &'static str,
    /// Who invited.
    pub invited_by: String,
    /// When.
    pub created_at: String,
    /// Until when it is good.
    pub expires_at: String,
    /// When it was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<String>,
}

impl InvitationView {
    fn of(i: &invitation::Invitation, now: Micros) -> Self {
        Self {
            id: i.id.0,
            email: i.address.typed.clone(),
            state: i.state(now),
            invited_by: i.invited_by.clone(),
            created_at: time(i.created_at),
            expires_at: time(i.expires_at),
            accepted_at: i.accepted_at.map(time),
        }
    }
}

/// Whom to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteBody {
    /// The address; the link goes there and to nobody else.
    pub email: String,
}

/// Invite an address.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "realm", request_body = InviteBody,
    security(("api_key" = [])),
    responses((status = 201, body = InvitationView), (status = "4XX", body = Document)))]
pub async fn create(
    ctx: Ctx,
    Json(body): Json<InviteBody>,
) -> Result<(StatusCode, axum::Json<InvitationView>), Problem> {
    let key = ctx.key("invitations:write").await?;
    let address = Identifier::email(&body.email)?;
    let made = invitations::create(&ctx.realm, key.actor(), &ctx.source, address).await?;
    Ok((StatusCode::CREATED, axum::Json(InvitationView::of(&made, ctx.realm.now()))))
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// `next` of the page before.
    cursor: Option<Uuid>,
    /// At most so many, 1 to 200.
    limit: Option<i64>,
}

/// Invitations.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationsPage {
    /// Newest first.
    pub invitations: Vec<InvitationView>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

/// List invitations.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "realm", params(PageQuery), security(("api_key" = [])),
    responses((status = 200, body = InvitationsPage), (status = "4XX", body = Document)))]
pub async fn list(
    ctx: Ctx,
    query: Result<Query<PageQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<InvitationsPage>, Problem> {
    ctx.key("invitations:read").await?;
    let Query(query) = query.map_err(|_| Kind::InputInvalid.param("query").says("Known: cursor, limit."))?;
    let limit = query.limit.unwrap_or(50);
    let (list, next) = invitations::list(&ctx.realm, query.cursor.map(InvitationId), limit).await?;
    let now = ctx.realm.now();
    Ok(axum::Json(InvitationsPage {
        invitations: list.iter().map(|i| InvitationView::of(i, now)).collect(),
        next: next.map(|id| id.0),
    }))
}

/// Take an invitation back.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "realm", params(("id" = Uuid, Path)),
    security(("api_key" = [])),
    responses((status = 204, description = "Taken back"), (status = "4XX", body = Document)))]
pub async fn revoke(ctx: Ctx, id: Option<Path<Uuid>>) -> Result<StatusCode, Problem> {
    let key = ctx.key("invitations:write").await?;
    let Some(Path(id)) = id else { return Err(Kind::NotFound.into()) };
    invitations::revoke(&ctx.realm, key.actor(), &ctx.source, InvitationId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
