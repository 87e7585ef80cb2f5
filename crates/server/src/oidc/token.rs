//! `POST /token`: the password form of FastAPI's `OAuth2PasswordBearer` (RFC 6749, 4.3), and the keys of its tokens.

use super::discovery::keys;
use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use latchstring_core::{
    Class, Error, Kind, attempt::Caller, key::Purpose, oauth::password_grant, secret::Password,
};
use latchstring_proto::jose::Alg;
use latchstring_web::{Ctx, Problem, body, problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The public keys of the tokens that `/token` gives, where their algorithm has any.
#[utoipa::path(get, path = "/token/jwks.json", tag = "tokens", responses((status = 200, description = "A JWK Set")))]
pub async fn jwks(ctx: Ctx) -> Result<Response, Problem> {
    let settings = ctx.realm.settings();
    let endpoint = &settings.1.token_endpoint;
    let alg = Alg::parse(&endpoint.alg).filter(|alg| endpoint.enabled && *alg != Alg::Hs256);
    match alg {
        // Made here if need be: an app may fetch its keys before anybody has signed in.
        Some(alg) => Ok(keys(ctx.realm.ring(Purpose::TokenEndpoint(alg)).await?.jwks())),
        None => Ok(keys(Bytes::from_static(b"{\"keys\":[]}"))),
    }
}

/// The form of RFC 6749, 4.3.2. Other members (scope, client_id) are ignored, as that RFC asks.
#[derive(Deserialize, ToSchema)]
pub struct Form {
    /// `password`; FastAPI's form may leave it out.
    pub grant_type: Option<String>,
    /// An e-mail address or username.
    pub username: Option<String>,
    /// Exactly as typed.
    pub password: Option<String>,
}

/// RFC 6749, 5.1.
#[derive(Serialize, ToSchema)]
pub struct Answer {
    /// A JWT whose `sub` is the user's id.
    pub access_token: String,
    /// Always `bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: i64,
}

/// RFC 6749, 5.2.
#[derive(Debug, Serialize, ToSchema)]
pub struct OAuthError {
    /// The protocol's code.
    pub error: &'static str,
    /// A sentence for the developer.
    pub error_description: String,
}

/// A token for a user name and a password. Off unless the realm's settings turn it on.
#[utoipa::path(post, path = "/token", tag = "tokens",
    request_body(content = Form, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Answer), (status = "4XX", body = OAuthError)))]
pub async fn token(ctx: Ctx, request: Request) -> Response {
    match answer(ctx, request).await {
        Ok(answer) => {
            let mut response = axum::Json(answer).into_response();
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(Problem(error)) => render(error),
    }
}

async fn answer(ctx: Ctx, request: Request) -> Result<Answer, Problem> {
    if !ctx.realm.settings().1.token_endpoint.enabled {
        return Err(Kind::NotFound.into());
    }
    let form: Form = body::form(request).await?;
    if form.grant_type.as_deref().is_some_and(|g| g != "password") {
        return Err(Kind::InputInvalid.param("grant_type").into());
    }
    let (Some(username), Some(password)) = (form.username, form.password) else {
        return Err(Kind::InputInvalid.param("username").says("username and password are needed.").into());
    };
    let caller = Caller { source: (*ctx.source).clone(), ..Caller::default() };
    let granted = password_grant::grant(&ctx.realm, &caller, &username, Password::new(password)).await?;
    Ok(Answer { access_token: granted.token, token_type: "bearer", expires_in: granted.expires_in })
}

/// RFC 6749, 5.2: which of its codes a refusal is.
fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::InputInvalid => "invalid_request",
        kind => match kind.class() {
            Class::ProofWrong
            | Class::Forbidden
            | Class::StepUp
            | Class::Gone
            | Class::Conflict
            | Class::GrantUnusable => "invalid_grant",
            Class::Invalid => "invalid_request",
            Class::Unauthenticated => "invalid_client",
            Class::NotFound | Class::Off => "unsupported_grant_type",
            Class::Limited => "slow_down",
            Class::Unavailable => "temporarily_unavailable",
        },
    }
}

fn render(error: Error) -> Response {
    let refusal = match error {
        Error::Refused(refusal) => refusal,
        Error::Fault(fault) => return problem::fault(&fault),
    };
    let kind = refusal.kind;
    let error = match kind {
        Kind::InputInvalid if refusal.detail.param.as_deref() == Some("grant_type") => {
            "unsupported_grant_type"
        }
        kind => code(kind),
    };
    let document = problem::document(&refusal);
    let status = match kind.class() {
        Class::Limited => StatusCode::TOO_MANY_REQUESTS,
        Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Class::NotFound | Class::Off => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response =
        (status, axum::Json(OAuthError { error, error_description: document.detail })).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    problem::come_again(headers, refusal.detail.retry_after, refusal.detail.limit());
    response.extensions_mut().insert(kind);
    response
}
