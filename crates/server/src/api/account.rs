//! `/api/v1/account`: the signed-in user's own account.

use super::{
    show::{UserView, time},
    users::MetadataBody,
};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use latchstring_core::{Kind, account, secret::Password, user::ProfileChange};
use latchstring_web::{Ctx, Json, Problem, body, cookie, problem::Document};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// My account.
#[utoipa::path(get, path = "/api/v1/account", tag = "account", security(("cookie" = []), ("access_token" = [])),
    responses((status = 200, body = UserView), (status = "4XX", body = Document)))]
pub async fn read(ctx: Ctx) -> Result<axum::Json<UserView>, Problem> {
    let me = ctx.me(false).await?;
    let full = account::read(&ctx.realm, &me).await?;
    Ok(axum::Json(UserView::of(&full, ctx.realm.now(), false)))
}

/// Tells an absent member from one that is `null`.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}

/// Changes to a profile; absent members stay, `null` takes a member away. `M`: the metadata that the caller may write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileBody<M> {
    /// The full name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub name: Option<Option<String>>,
    /// The given name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub given_name: Option<Option<String>>,
    /// The family name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub family_name: Option<Option<String>>,
    /// The https address of a picture.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub picture: Option<Option<String>>,
    /// The preferred language (BCP 47).
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub locale: Option<Option<String>>,
    /// Metadata bags.
    #[serde(default)]
    pub metadata: M,
}

impl<M: Into<MetadataBody>> From<ProfileBody<M>> for ProfileChange {
    fn from(body: ProfileBody<M>) -> Self {
        let metadata = body.metadata.into();
        Self {
            name: body.name,
            given_name: body.given_name,
            family_name: body.family_name,
            picture: body.picture,
            locale: body.locale,
            meta_own: metadata.own,
            meta_public: metadata.public,
            meta_private: metadata.private,
        }
    }
}

/// The metadata that users write themselves.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OwnMetadata {
    /// Replaces it whole.
    #[serde(deserialize_with = "body::strict")]
    #[schema(value_type = Option<Object>)]
    pub own: Option<serde_json::Value>,
}

impl From<OwnMetadata> for MetadataBody {
    fn from(metadata: OwnMetadata) -> Self {
        Self { own: metadata.own, ..Self::default() }
    }
}

/// Change my profile.
#[utoipa::path(patch, path = "/api/v1/account", tag = "account", request_body = ProfileBody<OwnMetadata>,
    security(("cookie" = []), ("access_token" = [])),
    responses((status = 200, body = UserView), (status = "4XX", body = Document)))]
pub async fn change(
    ctx: Ctx,
    Json(body): Json<ProfileBody<OwnMetadata>>,
) -> Result<axum::Json<UserView>, Problem> {
    let me = ctx.me(true).await?;
    let full = account::change(&ctx.realm, &me, &ctx.source, body.into()).await?;
    Ok(axum::Json(UserView::of(&full, ctx.realm.now(), false)))
}

/// Until when a deleted account can be kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletionView {
    /// When it is gone for good.
    pub delete_after: String,
}

/// Delete my account. Every session and token ends at once. For `account.deletion_grace_seconds` it can be kept by
/// signing in again: such a session waits for the task `deletion_pending`. Guests, and everybody where that is 0, are
/// gone at once. Needs a fresh proof.
#[utoipa::path(delete, path = "/api/v1/account", tag = "account", security(("cookie" = []), ("access_token" = [])),
    responses((status = 202, description = "It is going to be", body = DeletionView),
        (status = 204, description = "Deleted for good"), (status = "4XX", body = Document)))]
pub async fn delete(ctx: Ctx) -> Result<Response, Problem> {
    let me = ctx.me(true).await?;
    Ok(match account::delete_mine(&ctx.realm, &me, &ctx.source).await? {
        Some(at) => {
            (StatusCode::ACCEPTED, axum::Json(DeletionView { delete_after: time(at) })).into_response()
        }
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Keep my account, which was to be deleted: what a session with the task `deletion_pending` waits for. Other sessions
/// that wait for it end. A cookie changes; who holds tokens refreshes them. Where nothing was to be deleted, nothing
/// happens.
#[utoipa::path(post, path = "/api/v1/account/keep", tag = "account",
    security(("cookie" = []), ("access_token" = [])),
    responses((status = 200, body = UserView), (status = "4XX", body = Document)))]
pub async fn keep(ctx: Ctx) -> Result<Response, Problem> {
    let me = ctx.me_with_tasks(true, true).await?;
    let (full, new) = account::keep(&ctx.realm, &me, &ctx.caller().await?).await?;
    let now = ctx.realm.now();
    let mut response = axum::Json(UserView::of(&full, now, false)).into_response();
    if let Some(value) = new.and_then(|new| cookie::set(ctx.app.config(), &new, now)) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// Old and new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePasswordBody {
    /// The one that counts now; absent only where there is none.
    pub current_password: Option<String>,
    /// The one that counts from now on.
    pub new_password: String,
}

/// Change my password. All other sessions end.
#[utoipa::path(post, path = "/api/v1/account/password", tag = "account", request_body = ChangePasswordBody,
    security(("cookie" = []), ("access_token" = [])),
    responses((status = 204, description = "Changed"), (status = "4XX", body = Document)))]
pub async fn password(ctx: Ctx, Json(body): Json<ChangePasswordBody>) -> Result<StatusCode, Problem> {
    let me = ctx.me(true).await?;
    let old = body.current_password.map(Password::new);
    let new = Password::new(body.new_password);
    account::change_password(&ctx.realm, &me, &ctx.caller().await?, old, new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A username.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UsernameBody {
    /// The new one; `null` takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub username: Option<Option<String>>,
}

/// Set, change or take away my username. Needs a fresh proof.
#[utoipa::path(put, path = "/api/v1/account/username", tag = "account", request_body = UsernameBody,
    security(("cookie" = []), ("access_token" = [])),
    responses((status = 200, body = UserView), (status = "4XX", body = Document)))]
pub async fn username(ctx: Ctx, Json(body): Json<UsernameBody>) -> Result<axum::Json<UserView>, Problem> {
    let me = ctx.me(true).await?;
    let Some(username) = body.username else {
        return Err(Kind::InputInvalid.param("username").says("This member is missing.").into());
    };
    let full = account::set_username(&ctx.realm, &me, &ctx.source, username.as_deref()).await?;
    Ok(axum::Json(UserView::of(&full, ctx.realm.now(), false)))
}
