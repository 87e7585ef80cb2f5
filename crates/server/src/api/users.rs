//! `/api/v1/users`: management, by API key.

use super::{
    account::ProfileBody,
    audit::{self, AuditPage},
    session::views,
    sessions::{EndedView, SessionsView},
    show::{UserView, etag, if_match, parse_time},
};
use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use latchstring_core::{
    Kind, account,
    admin::users::{self, NewSecret, NewUser},
    id::UserId,
    identifier::Identifier,
    secret::Password,
    session::Which,
    user::{Full, ProfileChange},
};
use latchstring_web::{Ctx, Json, Problem, body, problem::Document};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A user to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBody {
    /// The id, where it comes from elsewhere.
    pub id: Option<Uuid>,
    /// The address.
    pub email: Option<String>,
    /// You vouch that the address is theirs. It counts for signing in, but it is your word, not a proof that we saw:
    /// `email_proven` stays `false` until the person uses a code or link that was mailed there.
    #[serde(default)]
    pub email_asserted: bool,
    /// The username.
    pub username: Option<String>,
    /// A password, in clear.
    pub password: Option<String>,
    /// Or a hash from elsewhere: argon2, bcrypt, scrypt, PBKDF2, Firebase's scrypt.
    pub password_hash: Option<String>,
    /// The full name.
    pub name: Option<String>,
    /// The given name.
    pub given_name: Option<String>,
    /// The family name.
    pub family_name: Option<String>,
    /// The https address of a picture.
    pub picture: Option<String>,
    /// The preferred language (BCP 47).
    pub locale: Option<String>,
    /// Metadata bags.
    #[serde(default)]
    pub metadata: MetadataBody,
}

/// Metadata bags; each replaces the one before, whole.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetadataBody {
    /// All may read it.
    #[serde(deserialize_with = "body::strict")]
    #[schema(value_type = Option<Object>)]
    pub public: Option<serde_json::Value>,
    /// For admins.
    #[serde(deserialize_with = "body::strict")]
    #[schema(value_type = Option<Object>)]
    pub private: Option<serde_json::Value>,
    /// The user's own.
    #[serde(deserialize_with = "body::strict")]
    #[schema(value_type = Option<Object>)]
    pub own: Option<serde_json::Value>,
}

fn secret(password: Option<String>, hash: Option<String>) -> Result<Option<NewSecret>, Problem> {
    match (password, hash) {
        (Some(_), Some(_)) => {
            Err(Kind::InputInvalid.param("password_hash").says("Give a password or a hash, not both.").into())
        }
        (Some(password), None) => Ok(Some(NewSecret::Password(Password::new(password)))),
        (None, Some(hash)) => Ok(Some(NewSecret::Hash(hash.into()))),
        (None, None) => Ok(None),
    }
}

fn show(ctx: &Ctx, status: StatusCode, full: &Full) -> Response {
    let view = UserView::of(full, ctx.realm.now(), true);
    let mut response = (status, axum::Json(view)).into_response();
    if let Ok(value) = HeaderValue::from_str(&etag(full)) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// Create a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = CreateBody, security(("api_key" = [])),
    responses((status = 201, body = UserView), (status = "4XX", body = Document)))]
pub async fn create(ctx: Ctx, Json(body): Json<CreateBody>) -> Result<Response, Problem> {
    let key = ctx.key("users:write").await?;
    let new = NewUser {
        id: body.id.map(UserId),
        email: body.email.as_deref().map(Identifier::email).transpose()?,
        email_asserted: body.email_asserted,
        username: body.username.as_deref().map(Identifier::username).transpose()?,
        secret: secret(body.password, body.password_hash)?,
        profile: ProfileChange {
            name: body.name.map(Some),
            given_name: body.given_name.map(Some),
            family_name: body.family_name.map(Some),
            picture: body.picture.map(Some),
            locale: body.locale.map(Some),
            meta_own: body.metadata.own,
            meta_public: body.metadata.public,
            meta_private: body.metadata.private,
        },
        ..NewUser::default()
    };
    let full = users::create(&ctx.realm, key.actor(), &ctx.source, new).await?;
    Ok(show(&ctx, StatusCode::CREATED, &full))
}

/// Which users.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// The beginning of an address or username.
    q: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// At most so many, 1 to 200.
    limit: Option<i64>,
}

/// Users.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsersPage {
    /// Oldest first, or in the order of what was searched for.
    pub users: Vec<UserView>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// List users, or search by the beginning of an address or username.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(ListQuery), security(("api_key" = [])),
    responses((status = 200, body = UsersPage), (status = "4XX", body = Document)))]
pub async fn list(
    ctx: Ctx,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<UsersPage>, Problem> {
    ctx.key("users:read").await?;
    let Query(query) = query.map_err(|_| {
        let says = "Known: q, cursor, limit. An address or username, or its beginning, goes into q.";
        Kind::InputInvalid.param("query").says(says)
    })?;
    let limit = query.limit.unwrap_or(50);
    let page = users::list(&ctx.realm, query.q.as_deref(), query.cursor.as_deref(), limit).await?;
    let now = ctx.realm.now();
    let users = page.users.iter().map(|full| UserView::of(full, now, true)).collect();
    Ok(axum::Json(UsersPage { users, next: page.next }))
}

/// The id of a user in the path. Anything that is no UUID is a user that does not exist.
pub struct Id(UserId);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut http::request::Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<Uuid>::from_request_parts(parts, state).await.map_err(|_| Kind::NotFound)?;
        Ok(Self(UserId(id)))
    }
}

/// Read a user. The ETag is the revision, for `If-Match`.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", params(("id" = Uuid, Path)),
    security(("api_key" = [])),
    responses((status = 200, body = UserView), (status = "4XX", body = Document)))]
pub async fn read(ctx: Ctx, id: Id) -> Result<Response, Problem> {
    ctx.key("users:read").await?;
    let full = users::read(&ctx.realm, id.0).await?;
    Ok(show(&ctx, StatusCode::OK, &full))
}

/// Change a user; with `If-Match`, only if it has not changed since.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", params(("id" = Uuid, Path)),
    request_body = ProfileBody<MetadataBody>, security(("api_key" = [])),
    responses((status = 200, body = UserView), (status = "4XX", body = Document)))]
pub async fn change(
    ctx: Ctx,
    id: Id,
    headers: HeaderMap,
    Json(body): Json<ProfileBody<MetadataBody>>,
) -> Result<Response, Problem> {
    let key = ctx.key("users:write").await?;
    let seen = if_match(&headers)?;
    let full = users::change(&ctx.realm, key.actor(), &ctx.source, id.0, body.into(), seen).await?;
    Ok(show(&ctx, StatusCode::OK, &full))
}

/// Delete a user, at once and for good.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users", params(("id" = Uuid, Path)),
    security(("api_key" = [])),
    responses((status = 204, description = "Deleted"), (status = "4XX", body = Document)))]
pub async fn delete(ctx: Ctx, id: Id) -> Result<StatusCode, Problem> {
    let key = ctx.key("users:write").await?;
    account::delete(&ctx.realm, id.0, key.actor(), &ctx.source).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A ban.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BanBody {
    /// Until when (RFC 3339); absent: until it is lifted.
    pub until: Option<String>,
    /// Why; for admins.
    pub reason: Option<String>,
}

/// Ban a user: every session and token ends at once.
#[utoipa::path(post, path = "/api/v1/users/{id}/ban", tag = "users", params(("id" = Uuid, Path)),
    request_body = BanBody, security(("api_key" = [])),
    responses((status = 200, body = UserView), (status = "4XX", body = Document)))]
pub async fn ban(ctx: Ctx, id: Id, Json(body): Json<BanBody>) -> Result<Response, Problem> {
    let key = ctx.key("users:write").await?;
    let until = match &body.until {
        None => None,
        Some(text) => Some(
            parse_time(text)
                .ok_or_else(|| Kind::InputInvalid.param("until").says("Write a time as RFC 3339."))?,
        ),
    };
    let full = users::ban(&ctx.realm, key.actor(), &ctx.source, id.0, until, body.reason).await?;
    Ok(show(&ctx, StatusCode::OK, &full))
}

/// Lift a ban.
#[utoipa::path(post, path = "/api/v1/users/{id}/unban", tag = "users", params(("id" = Uuid, Path)),
    security(("api_key" = [])),
    responses((status = 200, body = UserView), (status = "4XX", body = Document)))]
pub async fn unban(ctx: Ctx, id: Id) -> Result<Response, Problem> {
    let key = ctx.key("users:write").await?;
    let full = users::unban(&ctx.realm, key.actor(), &ctx.source, id.0).await?;
    Ok(show(&ctx, StatusCode::OK, &full))
}

/// A password or a hash.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPasswordBody {
    /// A password, in clear.
    pub password: Option<String>,
    /// Or a hash from elsewhere.
    pub password_hash: Option<String>,
}

/// Set a password or import a hash. Every session of the user ends.
#[utoipa::path(put, path = "/api/v1/users/{id}/password", tag = "users", params(("id" = Uuid, Path)),
    request_body = SetPasswordBody, security(("api_key" = [])),
    responses((status = 204, description = "Set"), (status = "4XX", body = Document)))]
pub async fn password(ctx: Ctx, id: Id, Json(body): Json<SetPasswordBody>) -> Result<StatusCode, Problem> {
    let key = ctx.key("users:write").await?;
    let Some(secret) = secret(body.password, body.password_hash)? else {
        return Err(Kind::InputInvalid.param("password").says("Give a password or a hash.").into());
    };
    users::set_password(&ctx.realm, key.actor(), &ctx.source, id.0, secret).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A user's sessions.
#[utoipa::path(get, path = "/api/v1/users/{id}/sessions", tag = "users", params(("id" = Uuid, Path)),
    security(("api_key" = [])),
    responses((status = 200, body = SessionsView), (status = "4XX", body = Document)))]
pub async fn sessions(ctx: Ctx, id: Id) -> Result<axum::Json<SessionsView>, Problem> {
    ctx.key("users:read").await?;
    users::read(&ctx.realm, id.0).await?;
    let sessions = account::sessions(&ctx.realm, id.0).await?;
    Ok(axum::Json(SessionsView { sessions: views(&sessions, None) }))
}

/// End every session and token of a user.
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions", tag = "users", params(("id" = Uuid, Path)),
    security(("api_key" = [])),
    responses((status = 200, body = EndedView), (status = "4XX", body = Document)))]
pub async fn end_sessions(ctx: Ctx, id: Id) -> Result<axum::Json<EndedView>, Problem> {
    let key = ctx.key("users:write").await?;
    users::read(&ctx.realm, id.0).await?;
    let ended = account::end_sessions(&ctx.realm, id.0, key.actor(), &ctx.source, Which::All).await?;
    Ok(axum::Json(EndedView { ended }))
}

/// What happened to a user, newest first.
#[utoipa::path(get, path = "/api/v1/users/{id}/audit", tag = "users",
    params(("id" = Uuid, Path), audit::AuditQuery), security(("api_key" = [])),
    responses((status = 200, body = AuditPage), (status = "4XX", body = Document)))]
pub async fn audit(
    ctx: Ctx,
    id: Id,
    query: Result<Query<audit::AuditQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<AuditPage>, Problem> {
    ctx.key("audit:read").await?;
    audit::page(&ctx, Some(id.0.0), query).await
}
