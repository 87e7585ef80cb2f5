//! `/api/v1/keys`: API keys, and the signing keys of the realm.

use super::show::{parse_time, time};
use axum::extract::Path;
use http::StatusCode;
use latchstring_core::{Kind, admin::keys, api_key, id::ApiKeyId, key};
use latchstring_web::{Ctx, Json, Problem, problem::Document};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// An API key.
#[derive(Serialize, ToSchema)]
pub struct KeyView {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: String,
    /// Until when it is good; absent: until it is revoked.
    pub expires_at: Option<String>,
    /// Last use, to the minute.
    pub used_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
    /// The key itself; shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl KeyView {
    fn of(key: &api_key::ApiKey) -> Self {
        Self {
            id: key.id.0,
            name: key.name.clone(),
            permissions: key.permissions.clone(),
            created_by: key.created_by.clone(),
            created_at: time(key.created_at),
            expires_at: key.expires_at.map(time),
            used_at: key.used_at.map(time),
            revoked_at: key.revoked_at.map(time),
            key: None,
        }
    }
}

/// An API key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKeyBody {
    /// What it is called.
    pub name: String,
    /// What it may do: `*`, or a list of `noun:verb`.
    pub permissions: Vec<String>,
    /// Until when it is good (RFC 3339).
    pub expires_at: Option<String>,
}

/// Make an API key. Nobody gives a permission that they lack.
#[utoipa::path(post, path = "/api/v1/keys", tag = "realm", request_body = CreateKeyBody, security(("api_key" = [])),
    responses((status = 201, body = KeyView), (status = "4XX", body = Document)))]
pub async fn create(
    ctx: Ctx,
    Json(body): Json<CreateKeyBody>,
) -> Result<(StatusCode, axum::Json<KeyView>), Problem> {
    let by = ctx.key("keys:write").await?;
    let expires_at = match &body.expires_at {
        None => None,
        Some(text) => Some(
            parse_time(text)
                .ok_or_else(|| Kind::InputInvalid.param("expires_at").says("Write a time as RFC 3339."))?,
        ),
    };
    let (key, text) =
        api_key::create_by(&ctx.realm, &by, &ctx.source, &body.name, body.permissions, expires_at).await?;
    let mut view = KeyView::of(&key);
    view.key = Some(text.to_string());
    Ok((StatusCode::CREATED, axum::Json(view)))
}

/// API keys.
#[derive(Serialize, ToSchema)]
pub struct KeysView {
    /// Newest first.
    pub keys: Vec<KeyView>,
}

/// List API keys.
#[utoipa::path(get, path = "/api/v1/keys", tag = "realm", security(("api_key" = [])),
    responses((status = 200, body = KeysView), (status = "4XX", body = Document)))]
pub async fn list(ctx: Ctx) -> Result<axum::Json<KeysView>, Problem> {
    ctx.key("keys:read").await?;
    let keys = api_key::list(&ctx.realm).await?;
    Ok(axum::Json(KeysView { keys: keys.iter().map(KeyView::of).collect() }))
}

/// Revoke an API key, at once.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", tag = "realm", params(("id" = Uuid, Path)),
    security(("api_key" = [])),
    responses((status = 204, description = "Revoked"), (status = "4XX", body = Document)))]
pub async fn revoke(ctx: Ctx, id: Option<Path<Uuid>>) -> Result<StatusCode, Problem> {
    let by = ctx.key("keys:write").await?;
    let Some(Path(id)) = id else { return Err(Kind::NotFound.into()) };
    api_key::revoke(&ctx.realm, by.actor(), &ctx.source, ApiKeyId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A signing key.
#[derive(Debug, Serialize, ToSchema)]
pub struct SigningKeyView {
    /// What its ring signs.
    pub ring: String,
    /// Its name in tokens.
    pub kid: String,
    /// Its algorithm.
    pub alg: String,
    /// `next`, `active` or `retiring`.
    pub state: &'static str,
    /// When it was made.
    pub created_at: String,
    /// From when it signs.
    pub active_at: String,
    /// Until when it is published.
    pub drop_at: Option<String>,
}

/// Signing keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct SigningKeysView {
    /// Youngest first.
    pub keys: Vec<SigningKeyView>,
}

/// The signing keys that are published.
#[utoipa::path(get, path = "/api/v1/keys/signing", tag = "realm", security(("api_key" = [])),
    responses((status = 200, body = SigningKeysView), (status = "4XX", body = Document)))]
pub async fn signing(ctx: Ctx) -> Result<axum::Json<SigningKeysView>, Problem> {
    ctx.key("keys:read").await?;
    let keys = key::list(ctx.realm.db(), ctx.realm.mount(), ctx.realm.now()).await?;
    let keys = keys
        .into_iter()
        .map(|k| SigningKeyView {
            ring: k.purpose,
            kid: k.kid,
            alg: k.alg,
            state: k.state,
            created_at: time(k.created_at),
            active_at: time(k.active_at),
            drop_at: k.drop_at.map(time),
        })
        .collect();
    Ok(axum::Json(SigningKeysView { keys }))
}

/// Which ring, and when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateBody {
    /// `native`, or `token_endpoint_rs256`, `…_es256`, `…_eddsa`.
    pub ring: String,
    /// Sign with the new key at once, for an emergency: revoke the one before it then. Else it is published ten minutes
    /// before it signs.
    #[serde(default)]
    pub now: bool,
}

/// The new key.
#[derive(Debug, Serialize, ToSchema)]
pub struct RotateView {
    /// Its name in tokens.
    pub kid: String,
}

/// Rotate the keys of a ring, with overlap.
#[utoipa::path(post, path = "/api/v1/keys/signing/rotate", tag = "realm", request_body = RotateBody,
    security(("api_key" = [])),
    responses((status = 201, body = RotateView), (status = "4XX", body = Document)))]
pub async fn rotate(
    ctx: Ctx,
    Json(body): Json<RotateBody>,
) -> Result<(StatusCode, axum::Json<RotateView>), Problem> {
    let by = ctx.key("keys:write").await?;
    let kid = keys::rotate(&ctx.realm, by.actor(), &ctx.source, &body.ring, body.now).await?;
    Ok((StatusCode::CREATED, axum::Json(RotateView { kid })))
}

/// Take a signing key back, at once, when its private part may have got out: rotate its ring with `now` first. Every
/// access token, identity header and `/token` answer that it signed is refused from then on, so apps have to refresh
/// theirs; cookie sessions and refresh tokens go on, since no key signs them.
#[utoipa::path(delete, path = "/api/v1/keys/signing/{kid}", tag = "realm", params(("kid" = String, Path)),
    security(("api_key" = [])),
    responses((status = 204, description = "Taken back"), (status = "4XX", body = Document)))]
pub async fn revoke_signing(ctx: Ctx, kid: Option<Path<String>>) -> Result<StatusCode, Problem> {
    let by = ctx.key("keys:write").await?;
    let Some(Path(kid)) = kid else { return Err(Kind::NotFound.into()) };
    keys::revoke(&ctx.realm, by.actor(), &ctx.source, &kid).await?;
    Ok(StatusCode::NO_CONTENT)
}
