//! `/api/v1/keys`: API keys, and the signing keys of the realm.

use super::show::{parse_time, time};
use axum::extract::{Path, Query};
use http::StatusCode;
use latchstring_core::{Kind, admin::keys, api_key, id::ApiKeyId};
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
    /// The dialect’s mount that it is for; absent: for this API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount: Option<String>,
    /// What it is there, in the dialect’s words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
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
    fn of(ctx: &Ctx, key: &api_key::ApiKey) -> Self {
        let mounts = ctx.realm.mounts();
        Self {
            mount: key.mount.map(|id| mounts.get(id).map_or_else(|| id.to_string(), |m| m.name())),
            role: key.role.clone(),
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
    let mut view = KeyView::of(&ctx, &key);
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
    Ok(axum::Json(KeysView { keys: keys.iter().map(|key| KeyView::of(&ctx, key)).collect() }))
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
    /// The dialect’s mount whose ring it is, such as `/auth/v1`; `null`: one of our own.
    pub mount: Option<String>,
    /// Its name in tokens.
    pub kid: String,
    /// Its algorithm.
    pub alg: String,
    /// `next`, `active`, `retiring`, or `verify_only` for an imported one that signs nothing and stays until it is taken
    /// back.
    pub state: &'static str,
    /// Whether it was made elsewhere.
    pub imported: bool,
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

/// The signing keys that are published, of our own rings and those of all mounts.
#[utoipa::path(get, path = "/api/v1/keys/signing", tag = "realm", security(("api_key" = [])),
    responses((status = 200, body = SigningKeysView), (status = "4XX", body = Document)))]
pub async fn signing(ctx: Ctx) -> Result<axum::Json<SigningKeysView>, Problem> {
    ctx.key("keys:read").await?;
    let keys = keys::list(&ctx.realm).await?;
    let keys = keys
        .into_iter()
        .map(|keys::Listed { mount, key: k }| SigningKeyView {
            ring: k.purpose,
            mount,
            imported: k.imported,
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
    /// `native`, or `token_endpoint_rs256`, `…_es256`, `…_eddsa`; of a mount `access`.
    pub ring: String,
    /// The dialect’s mount whose ring it is, such as `/auth/v1`. Left out: one of our own.
    pub mount: Option<String>,
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
    let kid = keys::rotate(&ctx.realm, by.actor(), &ctx.source, body.mount.as_deref(), &body.ring, body.now)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(RotateView { kid })))
}

/// Whose key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeQuery {
    /// The mount, where several have a key of this name.
    pub mount: Option<String>,
}

/// Take a signing key back, at once, when its private part may have got out: rotate its ring with `now` first. Every
/// access token, identity header and `/token` answer that it signed is refused from then on, so apps have to refresh
/// theirs; cookie sessions and refresh tokens go on, since no key signs them.
#[utoipa::path(delete, path = "/api/v1/keys/signing/{kid}", tag = "realm",
    params(("kid" = String, Path), ("mount" = Option<String>, Query, description = "Where several mounts have a key of this name: whose.")),
    security(("api_key" = [])),
    responses((status = 204, description = "Taken back"), (status = "4XX", body = Document)))]
pub async fn revoke_signing(
    ctx: Ctx,
    kid: Option<Path<String>>,
    query: Result<Query<RevokeQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<StatusCode, Problem> {
    let by = ctx.key("keys:write").await?;
    let Some(Path(kid)) = kid else { return Err(Kind::NotFound.into()) };
    let Ok(Query(query)) = query else {
        return Err(Kind::InputInvalid.param("query").says("The one parameter is `mount`.").into());
    };
    keys::revoke(&ctx.realm, by.actor(), &ctx.source, query.mount.as_deref(), &kid).await?;
    Ok(StatusCode::NO_CONTENT)
}
