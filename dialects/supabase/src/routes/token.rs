//! `POST /token`: a password, a refresh token, or the code that was carried to an app.

use super::mail;
use crate::{
    ask::{Ask, Body, given},
    error::Fail,
    token::{self, Session},
};
use axum::{Json, extract::Query};
use latchstring_core::{
    Kind,
    attempt::{exchange, password},
    secret::Password,
    token::mint,
};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    grant_type: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Grant {
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    refresh_token: Option<String>,
    auth_code: Option<String>,
    code_verifier: Option<String>,
}

pub(crate) async fn token(
    ask: Ask,
    Query(which): Query<Which>,
    Body(grant): Body<Grant>,
) -> Result<Json<Session>, Fail> {
    let session = match which.grant_type.as_str() {
        "password" => by_password(&ask, grant).await?,
        "refresh_token" => by_refresh(&ask, grant).await?,
        "pkce" => by_code(&ask, grant).await?,
        "id_token" => {
            return Err(Fail::new(400, "provider_disabled", "Provider is not enabled"));
        }
        "web3" => return Err(Fail::new(422, "web3_provider_disabled", "Web3 provider is disabled")),
        _ => return Err(Fail::new(400, "invalid_credentials", "unsupported_grant_type")),
    };
    Ok(Json(session))
}

async fn by_password(ask: &Ask, grant: Grant) -> Result<Session, Fail> {
    let email = match (given(grant.email), given(grant.phone)) {
        (Some(_), Some(_)) => {
            return Err(Fail::invalid("Only an email address or phone number should be provided on login."));
        }
        (None, Some(_)) => {
            return Err(Fail::new(422, "phone_provider_disabled", "Phone logins are disabled"));
        }
        (None, None) => return Err(Fail::invalid("missing email or phone")),
        (Some(email), None) => email,
    };
    if !ask.settings.email {
        return Err(Fail::no_email());
    }
    // What is no address is as wrong as one that nobody has, and costs the same.
    let identifier = mail::somebody(&email);
    let password = Password::new(grant.password.unwrap_or_default());
    if password.expose().is_empty() {
        return Err(Fail::new(400, "invalid_credentials", "Invalid login credentials"));
    }
    let signed = password::sign_in(&ask.realm, &ask.caller(), &identifier, password).await;
    let outcome = signed.map_err(|error| match error.kind() {
        Some(Kind::AddressUnproven) => Fail::new(400, "email_not_confirmed", "Email not confirmed"),
        Some(Kind::UserBanned) => Fail::new(400, "user_banned", "User is banned"),
        // Longer than any password may be.
        Some(Kind::InputInvalid) => Fail::new(400, "invalid_credentials", "Invalid login credentials"),
        _ => error.into(),
    })?;
    token::signed_in(ask, outcome).await
}

async fn by_refresh(ask: &Ask, grant: Grant) -> Result<Session, Fail> {
    let Some(text) = given(grant.refresh_token) else {
        return Err(Fail::invalid("refresh_token required"));
    };
    let (family, refresh) = mint::refresh_at(&ask.realm, ask.mount.id, &text, &ask.source).await?;
    token::refreshed(ask, &family, refresh).await
}

async fn by_code(ask: &Ask, grant: Grant) -> Result<Session, Fail> {
    let (Some(code), Some(verifier)) = (given(grant.auth_code), given(grant.code_verifier)) else {
        return Err(Fail::invalid("invalid request: both auth code and code verifier should be non-empty"));
    };
    let exchanged = exchange::exchange(&ask.realm, &ask.caller(), &code, Some(&verifier)).await;
    let (outcome, _) = exchanged.map_err(|error| match error.kind() {
        Some(Kind::AuthCodeUnusable) => {
            Fail::new(404, "flow_state_not_found", "invalid flow state, no valid flow state found")
        }
        Some(Kind::CodeVerifierWrong) => Fail::new(
            400,
            "bad_code_verifier",
            "code challenge does not match previously saved code verifier",
        ),
        _ => error.into(),
    })?;
    token::signed_in(ask, outcome).await
}
