//! How this face says no: the vendor's codes and sentences, in the two forms that its SDKs read.

use crate::ask::Ask;
use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use latchstring_core::{
    Class, Error, Kind, Refusal,
    refusal::{Fault, Policy},
    settings::Characters,
};
use latchstring_web::{Problem, problem::come_again};
use serde::Serialize;
use std::borrow::Cow;

/// The header by which a client says which form of answer it reads.
const VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
/// The version from which errors have a text as their `code`.
const MODERN: &str = "2024-01-01";
const ERROR_CODE: HeaderName = HeaderName::from_static("x-sb-error-code");

/// An answer that says no.
#[derive(Debug, Clone)]
pub struct Fail {
    /// The HTTP status.
    pub status: StatusCode,
    /// The vendor's code.
    pub code: &'static str,
    /// A sentence, as the vendor's SDK shows it.
    pub says: Cow<'static, str>,
    /// Why a password is weak.
    reasons: Vec<String>,
    /// OAuth's form (RFC 6749, 5.2) in place of the vendor's own.
    oauth: bool,
    retry_after: Option<u64>,
    limit: Option<Policy>,
    /// For the metric and the log line of the edge.
    kind: Option<Kind>,
}

impl Fail {
    /// An answer.
    pub fn new(status: u16, code: &'static str, says: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            says: says.into(),
            reasons: Vec::new(),
            oauth: false,
            retry_after: None,
            limit: None,
            kind: None,
        }
    }

    /// 400 `validation_failed`.
    pub fn invalid(says: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "validation_failed", says)
    }

    /// What a refusal is called. Where a new password is too short, apps show how long it has to be, which the realm says.
    pub fn of(ask: &Ask, error: Error) -> Self {
        let mut fail = Self::from(error);
        if fail.reasons.iter().any(|reason| reason == "length") {
            let least = ask.realm.settings().1.password.min_chars;
            fail.says = format!("Password should be at least {least} characters.").into();
        } else if fail.reasons.iter().any(|reason| reason == "characters") {
            let kinds = match ask.realm.settings().1.password.characters {
                Characters::Any | Characters::LettersDigits => "letters and digits",
                Characters::LowerUpperLettersDigits => "small letters, capital letters and digits",
                Characters::LowerUpperLettersDigitsSymbols => {
                    "small letters, capital letters, digits and symbols"
                }
            };
            fail.says = format!("Password should contain {kinds}.").into();
        }
        fail
    }

    /// 422: the mount offers nothing by e-mail.
    pub fn no_email() -> Self {
        Self::new(422, "email_provider_disabled", "Email logins are disabled")
    }

    /// 400: there is no way to send to a phone.
    pub fn no_phone() -> Self {
        Self::new(400, "phone_provider_disabled", "Unsupported phone provider")
    }

    /// 401: no bearer token.
    pub fn no_bearer() -> Self {
        Self::new(401, "no_authorization", "This endpoint requires a valid Bearer token")
    }

    /// 403: a bearer token that is none of ours.
    pub fn bad_jwt(says: &'static str) -> Self {
        Self::new(403, "bad_jwt", says)
    }

    /// 403: the session of a token is over.
    pub fn no_session() -> Self {
        Self::new(403, "session_not_found", "Session from session_id claim in JWT does not exist")
    }
}

/// What each refusal of the rules is called here. Exceptions by kind, then every class.
fn of_kind(refusal: &Refusal) -> Fail {
    let says = |default: &'static str| refusal.detail.says.clone().unwrap_or(default.into());
    match refusal.kind {
        Kind::InputInvalid | Kind::UsernameInvalid | Kind::SettingInvalid | Kind::HashUnusable => {
            Fail::invalid(says("Something in the request is not as it has to be."))
        }
        Kind::EmailInvalid => Fail::invalid("Unable to validate email address: invalid format"),
        Kind::PasswordWeak => Fail {
            reasons: refusal.detail.reasons.iter().map(|reason| weak(reason).to_owned()).collect(),
            ..Fail::new(
                422,
                "weak_password",
                says("Password is too weak. Choose a longer or less common one."),
            )
        },
        Kind::CredentialsWrong => Fail::new(400, "invalid_credentials", "Invalid login credentials"),
        Kind::CodeWrong | Kind::LinkUnusable => {
            Fail::new(403, "otp_expired", "Token has expired or is invalid")
        }
        Kind::IdentifierTaken => {
            Fail::new(422, "email_exists", "A user with this email address has already been registered")
        }
        Kind::Exists => Fail::new(422, "conflict", "There is one with that id already"),
        Kind::SignUpClosed => Fail::new(422, "signup_disabled", "Signups not allowed for this instance"),
        Kind::GuestsOff => Fail::new(422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled"),
        // No page of an app serves it.
        Kind::TaskOutstanding => Fail::new(
            403,
            "user_banned",
            "This account waits to be deleted. Its owner can keep it on the sign-in page",
        ),
        Kind::UserBanned => Fail::new(403, "user_banned", "User is banned"),
        Kind::ReauthRequired => {
            Fail::new(400, "reauthentication_needed", "Password update requires reauthentication")
        }
        Kind::RefreshReused => {
            Fail::new(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
        }
        Kind::RefreshUnusable => {
            Fail::new(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
        }
        Kind::PermissionMissing => Fail::new(403, "not_admin", "User not allowed"),
        Kind::ApiKeyUnusable => Fail::new(401, "no_authorization", "Invalid API key"),
        kind => match kind.class() {
            Class::Invalid => Fail::invalid(says("Something in the request is not as it has to be.")),
            Class::ProofWrong => Fail::new(400, "invalid_credentials", "Invalid login credentials"),
            Class::Unauthenticated => Fail::bad_jwt("invalid JWT: unable to parse or verify signature"),
            Class::Forbidden => Fail::new(403, "not_admin", says("User not allowed")),
            Class::StepUp => Fail::new(401, "insufficient_aal", "Prove again that it is you"),
            Class::NotFound => Fail::new(404, "user_not_found", "User not found"),
            Class::Conflict => Fail::new(409, "conflict", says("It changed meanwhile. Try again.")),
            Class::Gone => Fail::new(403, "otp_expired", "Token has expired or is invalid"),
            Class::Limited => Fail::new(429, "over_request_rate_limit", "Request rate limit reached"),
            Class::Unavailable => Fail::new(503, "unexpected_failure", "Not available just now. Try again."),
            Class::GrantUnusable => Fail::new(400, "refresh_token_not_found", "Invalid grant"),
            Class::Off => Fail::new(422, "feature_disabled", "This is switched off here"),
        },
    }
}

/// The vendor's word for why a password is weak, where it has one.
fn weak(reason: &str) -> &str {
    match reason {
        "too_short" => "length",
        "breached" => "pwned",
        "characters" => "characters",
        other => other,
    }
}

impl From<Refusal> for Fail {
    fn from(refusal: Refusal) -> Self {
        let mut fail = of_kind(&refusal);
        fail.retry_after = refusal.detail.retry_after;
        fail.limit = refusal.detail.limit();
        fail.kind = Some(refusal.kind);
        if fail.status == StatusCode::TOO_MANY_REQUESTS {
            let reasons = &refusal.detail.reasons;
            if reasons.iter().any(|reason| reason.starts_with("sends_")) {
                fail.code = "over_email_send_rate_limit";
                fail.says = match fail.retry_after {
                    Some(seconds) => {
                        format!("For security purposes, you can only request this after {seconds} seconds.")
                            .into()
                    }
                    None => "email rate limit exceeded".into(),
                };
            }
        }
        fail
    }
}

impl From<Kind> for Fail {
    fn from(kind: Kind) -> Self {
        Refusal::from(kind).into()
    }
}

impl From<Fault> for Fail {
    fn from(fault: Fault) -> Self {
        // Logged here, once, with its chain of causes.
        tracing::error!(error = &fault as &dyn std::error::Error, "a request failed");
        Fail::new(
            500,
            "unexpected_failure",
            "Unexpected failure, please check server logs for more information",
        )
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Fault(fault) => fault.into(),
        }
    }
}

impl From<Problem> for Fail {
    fn from(Problem(error): Problem) -> Self {
        error.into()
    }
}

impl IntoResponse for Fail {
    fn into_response(self) -> Response {
        // The body depends on a header of the request: `speak` writes it.
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Serialize)]
struct Weak<'a> {
    reasons: &'a [String],
}

#[derive(Serialize)]
struct Modern<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weak_password: Option<Weak<'a>>,
}

#[derive(Serialize)]
struct Legacy<'a> {
    code: u16,
    error_code: &'a str,
    msg: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weak_password: Option<Weak<'a>>,
}

#[derive(Serialize)]
struct OAuth<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// Writes errors in the form that the client reads.
pub async fn speak(request: Request, next: Next) -> Response {
    // Versions are dates, and dates compare as texts.
    let version = request.headers().get(VERSION).and_then(|value| value.to_str().ok());
    let modern = version.is_some_and(|version| version.len() == MODERN.len() && version >= MODERN);
    let mut response = next.run(request).await;
    let Some(fail) = response.extensions_mut().remove::<Fail>() else { return response };
    let weak_password = (!fail.reasons.is_empty()).then_some(Weak { reasons: &fail.reasons });
    let says = &*fail.says;
    let body = if fail.oauth {
        serde_json::to_vec(&OAuth { error: fail.code, error_description: says })
    } else if modern {
        serde_json::to_vec(&Modern { code: fail.code, message: says, weak_password })
    } else {
        serde_json::to_vec(&Legacy {
            code: fail.status.as_u16(),
            error_code: fail.code,
            msg: says,
            weak_password,
        })
    };
    let mut response = (fail.status, body.unwrap_or_default()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ERROR_CODE, HeaderValue::from_static(fail.code));
    if modern {
        headers.insert(VERSION, HeaderValue::from_static(MODERN));
    }
    come_again(headers, fail.retry_after, fail.limit);
    if let Some(kind) = fail.kind {
        response.extensions_mut().insert(kind);
    }
    response
}

/// A path that this face does not have.
pub async fn nothing_here() -> Fail {
    Fail::new(404, "not_found", "There is no such path here")
}

/// A method that a path does not take. The router adds `Allow`.
pub async fn not_that_method() -> Fail {
    Fail::new(405, "method_not_allowed", "This path does not take this method")
}
