//! `/verify`: a code or a link is shown. The page behind a mailed link is our own: a GET spends nothing.

use super::mail;
use crate::{
    ask::{Ask, Body, given},
    error::Fail,
    redirect, token,
};
use axum::{
    Json,
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderValue, StatusCode, header};
use latchstring_core::{
    Kind,
    attempt::{Outcome, exchange, mailed},
    challenge::Purpose,
    secret::Keyed,
};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
pub(crate) struct Link {
    #[serde(default)]
    token: String,
}

/// `GET /verify`: on to the page with a button.
pub(crate) async fn page(ask: Ask, Query(link): Query<Link>) -> Redirect {
    // Nothing but a secret's characters comes into our own address.
    let token = if Keyed::parse(&link.token).is_some() { link.token } else { "unreadable".into() };
    Redirect::to(&format!("{}/verify?token={token}", ask.realm.issuer()))
}

#[derive(Deserialize)]
pub(crate) struct Code {
    #[serde(default)]
    code: String,
}

/// `GET /verify/done`: the page has handed over the code of an attempt without a code challenge. Single use and five
/// minutes bind it; whoever follows gets what whoever follows a link gets, at an address that was checked when the mail
/// was asked for.
pub(crate) async fn done(ask: Ask, Query(code): Query<Code>) -> Result<Response, Fail> {
    let exchanged = exchange::exchange(&ask.realm, &ask.caller(), &code.code, None).await;
    let (outcome, to) = match exchanged {
        Ok(exchanged) => exchanged,
        Err(error) if error.kind() == Some(Kind::TaskOutstanding) => {
            return Ok(Redirect::to(&format!("{}/sign-in", ask.realm.issuer())).into_response());
        }
        Err(error) => {
            let fail = match error.kind() {
                Some(Kind::AuthCodeUnusable | Kind::CredentialsWrong | Kind::CodeVerifierWrong) => {
                    Fail::new(403, "otp_expired", "Email link is invalid or has expired")
                }
                _ => error.into(),
            };
            return Ok(away(&error_at(&redirect::target(&ask, None), &fail)));
        }
    };
    let session = match token::signed_in(&ask, outcome).await {
        Ok(session) => session,
        Err(fail) => return Ok(away(&error_at(&to.ends_at, &fail))),
    };
    let (in_s, at) = (session.expires_in.to_string(), session.expires_at.to_string());
    let parameters = [
        ("access_token", session.access_token.as_str()),
        ("expires_at", &at),
        ("expires_in", &in_s),
        ("refresh_token", &session.refresh_token),
        ("sb", ""),
        ("token_type", "bearer"),
        ("type", &to.state),
    ];
    Ok(away(&redirect::with_fragment(&to.ends_at, &parameters)))
}

/// What an app is told when a link did not work.
fn error_at(address: &str, fail: &Fail) -> String {
    let error = match fail.status {
        StatusCode::BAD_REQUEST => "invalid_request",
        StatusCode::UNAUTHORIZED => "unauthorized_client",
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        status if status.is_server_error() => "server_error",
        _ => "access_denied",
    };
    let parameters =
        [("error", error), ("error_code", fail.code), ("error_description", &fail.says), ("sb", "")];
    redirect::with_fragment(address, &parameters)
}

/// Leads away with what stands in the address; it is nobody else's to see.
fn away(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(mut to) = HeaderValue::from_str(to) {
        to.set_sensitive(true);
        response.headers_mut().insert(header::LOCATION, to);
    }
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Verify {
    #[serde(rename = "type")]
    kind: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    token: Option<String>,
    token_hash: Option<String>,
}

/// What a type of the vendor's is a proof for. A first sign-in by mail is a sign-up there, and an app may call it either.
fn purposes(kind: &str) -> Option<&'static [Purpose]> {
    Some(match kind {
        "signup" | "invite" => &[Purpose::SignUp, Purpose::SignIn],
        "magiclink" => &[Purpose::SignIn, Purpose::SignUp],
        "email" => &[Purpose::SignIn, Purpose::SignUp, Purpose::Recover],
        "recovery" => &[Purpose::Recover],
        "email_change" => &[Purpose::Verify, Purpose::VerifyCurrent],
        _ => return None,
    })
}

/// `POST /verify`
pub(crate) async fn verify(ask: Ask, Body(body): Body<Verify>) -> Result<Response, Fail> {
    let Some(kind) = given(body.kind) else {
        return Err(Fail::invalid("Verify requires a verification type"));
    };
    let (email, phone) = (given(body.email), given(body.phone));
    let outcome = match (given(body.token), given(body.token_hash)) {
        (Some(_), Some(_)) | (None, None) => {
            return Err(Fail::invalid("Verify requires either a token or a token hash"));
        }
        (None, Some(_)) if email.is_some() || phone.is_some() => {
            return Err(Fail::invalid("Only the token_hash and type should be provided"));
        }
        (Some(_), None) if kind == "sms" || kind == "phone_change" || email.is_none() && phone.is_some() => {
            return Err(Fail::no_phone());
        }
        (Some(_), None) if email.is_some() == phone.is_some() => {
            return Err(Fail::invalid("Only an email address or phone number should be provided on verify"));
        }
        (token, hash) => {
            let purposes = purposes(&kind).ok_or_else(|| Fail::invalid("Unsupported verification type"))?;
            match (token, hash) {
                (Some(code), _) => {
                    let address = mail::address(email.as_deref().unwrap_or_default())
                        .map_err(|_| Fail::new(422, "validation_failed", "Invalid email format"))?;
                    mailed::code(&ask.realm, &ask.caller(), purposes, &address, &code).await
                }
                (_, hash) => {
                    // Links of PKCE flows bear a prefix at the vendor's.
                    let hash = hash.unwrap_or_default();
                    let token = hash.strip_prefix("pkce_").unwrap_or(&hash);
                    mailed::link(&ask.realm, &ask.caller(), purposes, token).await
                }
            }
        }
    };
    answer(&ask, outcome.map_err(expired)?).await
}

/// A code that is no code is a wrong one.
fn expired(error: latchstring_core::Error) -> Fail {
    match error.kind() {
        Some(Kind::InputInvalid | Kind::AttemptClosed | Kind::NotSignedIn | Kind::CredentialsWrong) => {
            Fail::new(403, "otp_expired", "Token has expired or is invalid")
        }
        _ => error.into(),
    }
}

async fn answer(ask: &Ask, outcome: Outcome) -> Result<Response, Fail> {
    let half = outcome.attempt.body.both.is_some_and(|both| both.current != both.next);
    if outcome.completed.is_none() && half {
        return Ok(Json(json!({ "msg": redirect::HALF, "code": "200" })).into_response());
    }
    Ok(Json(token::signed_in(ask, outcome).await?).into_response())
}
