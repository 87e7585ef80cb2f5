//! What the face says about itself: health, settings, keys.

use crate::{ask::Ask, error::Fail};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use latchstring_core::{key::Purpose, settings::SignUp};
use serde_json::{Value, json};

/// `GET /health`
pub(crate) async fn health(_: Ask) -> Json<Value> {
    Json(json!({
        "version": concat!("latchstring-", env!("CARGO_PKG_VERSION")),
        "name": "Latchstring",
        "description": "Latchstring speaks the Supabase Auth API",
    }))
}

/// The vendor's names of providers, for clients that ask for each.
const PROVIDERS: &[&str] = &[
    "apple",
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "figma",
    "fly",
    "github",
    "gitlab",
    "google",
    "kakao",
    "keycloak",
    "linkedin",
    "linkedin_oidc",
    "notion",
    "slack",
    "slack_oidc",
    "snapchat",
    "spotify",
    "twitch",
    "twitter",
    "workos",
    "x",
    "zoom",
];

/// `GET /settings`
pub(crate) async fn settings(ask: Ask) -> Json<Value> {
    let realm = ask.realm.settings();
    let mut external: serde_json::Map<String, Value> =
        PROVIDERS.iter().map(|name| ((*name).to_owned(), json!(false))).collect();
    external.insert("email".into(), json!(ask.settings.email));
    external.insert("phone".into(), json!(false));
    external.insert("anonymous_users".into(), json!(realm.1.guests));
    Json(json!({
        "external": external,
        "disable_signup": realm.1.sign_up != SignUp::Open,
        "mailer_autoconfirm": !realm.1.confirm_sign_up,
        "phone_autoconfirm": false,
        "sms_provider": "",
        "saml_enabled": false,
        "passkeys_enabled": false,
    }))
}

/// `GET /.well-known/jwks.json`
pub(crate) async fn jwks(ask: Ask) -> Result<Response, Fail> {
    let ring = ask.realm.ring_of(ask.mount.id, Purpose::Access).await?;
    let mut response = ring.jwks().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    // As long as a new key is published before it signs, and shorter.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}

/// `GET /.well-known/openid-configuration`: what verifiers of this face's tokens look for.
pub(crate) async fn discovery(ask: Ask) -> Result<Json<Value>, Fail> {
    let ring = ask.realm.ring_of(ask.mount.id, Purpose::Access).await?;
    let issuer = &ask.mount.issuer;
    let mut algs: Vec<&str> = ring.keys.iter().map(|key| key.alg().as_str()).collect();
    algs.dedup();
    Ok(Json(json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "userinfo_endpoint": format!("{issuer}/user"),
        "token_endpoint": format!("{issuer}/token"),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algs,
    })))
}
