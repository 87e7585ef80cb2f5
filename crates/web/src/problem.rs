//! Problem documents (RFC 9457): how our own API says no. The `code` is stable; the sentence tells a person what
//! happened and what to do next.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use latchstring_core::{Class, Error, Kind, Refusal, refusal::Policy};
use serde::Serialize;
use utoipa::ToSchema;

/// A refusal or fault on its way out.
#[derive(Debug)]
pub struct Problem(pub Error);

impl<E: Into<Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// A problem document.
#[derive(Debug, Serialize, ToSchema)]
pub struct Document {
    /// Where the kind of problem is described.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, in a few words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do next, for a person.
    pub detail: String,
    /// The stable code, for a program.
    pub code: &'static str,
    /// The member of the input that is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// Which rules failed, as stable words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Seconds after which trying again makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The limit that is reached: for headers alone.
    #[serde(skip)]
    pub limit: Option<Policy>,
}

/// The status of a class. Exceptions by kind stand before it.
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::RevChanged => StatusCode::PRECONDITION_FAILED,
        kind => match kind.class() {
            Class::Invalid => StatusCode::BAD_REQUEST,
            Class::ProofWrong => StatusCode::FORBIDDEN,
            Class::Unauthenticated => StatusCode::UNAUTHORIZED,
            Class::Forbidden => StatusCode::FORBIDDEN,
            Class::StepUp => StatusCode::FORBIDDEN,
            Class::NotFound => StatusCode::NOT_FOUND,
            Class::Conflict => StatusCode::CONFLICT,
            Class::Gone => StatusCode::GONE,
            Class::Limited => StatusCode::TOO_MANY_REQUESTS,
            Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Class::GrantUnusable => StatusCode::BAD_REQUEST,
            Class::Off => StatusCode::FORBIDDEN,
        },
    }
}

/// Title and sentence of each kind.
pub fn words(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::InputInvalid => ("Input not usable", "Something in the request is not as it has to be."),
        Kind::EmailInvalid => {
            ("Not an e-mail address", "Check the address; it can't receive mail as it stands.")
        }
        Kind::UsernameInvalid => {
            ("Not a usable username", "Use letters, digits, dots, hyphens and underscores.")
        }
        Kind::PasswordWeak => ("Password too weak", "Choose another password, longer or less common."),
        Kind::SettingInvalid => ("Setting not usable", "A setting has a value that can't be used."),
        Kind::HashUnusable => {
            ("Password hash not usable", "The hash has a form or cost that can't be verified here.")
        }
        Kind::CredentialsWrong => {
            ("Not right", "That identifier and password don’t match. Try again, or ask for a code by e-mail.")
        }
        Kind::CodeWrong => {
            ("Code not right", "That code is not right, or too old. Check it, or ask for a new one.")
        }
        Kind::LinkUnusable => {
            ("Link not usable", "This link has been used or is too old. Ask for a new one where you started.")
        }
        Kind::AttemptUnknown => (
            "Unknown attempt",
            "There is no such attempt, or it belongs to another browser or handle. Begin a new one.",
        ),
        Kind::AttemptClosed => ("Attempt over", "This attempt is over or too old. Begin a new one."),
        Kind::StepNotOffered => {
            ("Not now", "The attempt does not take that step now; `reasons` lists those it takes.")
        }
        Kind::IdentifierTaken => ("Taken", "Another account has that already. Choose another."),
        Kind::SignUpClosed => (
            "Sign-up closed",
            "New accounts can’t be made here without an invitation. Ask whoever runs this service.",
        ),
        Kind::InvitationUnusable => (
            "Invitation not usable",
            "This invitation has been used, taken back, or is too old. Ask for a new one.",
        ),
        Kind::GuestsOff => ("No guests", "Guests are not admitted here. Make an account or sign in."),
        Kind::NotForGuests => {
            ("Not for guests", "A guest can’t have that. Sign up first; what is yours stays.")
        }
        Kind::AddressUnproven => {
            ("Address not confirmed", "Confirm the address first: the code and the link came by e-mail.")
        }
        Kind::PasswordSame => ("The same password", "Choose a password that is another one than before."),
        Kind::UserBanned => {
            ("Account banned", "This account may not sign in. Ask whoever runs this service.")
        }
        Kind::NotSignedIn => ("Not signed in", "Sign in first."),
        Kind::TaskOutstanding => ("Something is left to do", "Finish what `reasons` names; then this works."),
        Kind::ReauthRequired => (
            "Prove it again",
            "Your last sign-in is too long ago for this. Prove again that it is you (a step_up attempt).",
        ),
        Kind::TokenUnusable => {
            ("Token not usable", "The access token is expired, revoked or not ours. Refresh, or sign in.")
        }
        Kind::RefreshUnusable => {
            ("Refresh token not usable", "The refresh token is expired, revoked or not ours. Sign in again.")
        }
        Kind::RefreshReused => (
            "Refresh token reused",
            "This refresh token was used before, so its whole family has been ended. Sign in again.",
        ),
        Kind::AuthCodeUnusable => ("Code not usable", "The code has been used or is too old. Begin again."),
        Kind::CodeVerifierWrong => {
            ("Wrong verifier", "The code belongs to another code challenge, and is spent now. Begin again.")
        }
        Kind::ApiKeyUnusable => {
            ("API key not usable", "Send a valid API key as “Authorization: Bearer lsk_…”.")
        }
        Kind::PermissionMissing => {
            ("Permission missing", "The API key lacks the permission that `param` names.")
        }
        Kind::OriginRefused => (
            "Wrong origin",
            "A request with the cookie must come from this site or a listed origin (send an Origin header).",
        ),
        Kind::NotFound => ("Not found", "There is no such thing here."),
        Kind::RevChanged => ("Changed meanwhile", "It changed since you read it. Read it again and repeat."),
        Kind::Exists => ("Exists already", "There is one with that id already."),
        Kind::SetupUnusable => (
            "Set-up token not usable",
            "The set-up token has been used, is too old, or came after the first API key. While there is no key, each \
             start of the server prints a new one; `latchstring api-key create NAME --permission '*'` makes one at any time.",
        ),
        Kind::LastOne => ("The last one", "This is the last one; add another before you take it away."),
        Kind::RateLimited => ("Too many requests", "Wait for as long as Retry-After says, then try again."),
        Kind::Throttled => (
            "Too many wrong tries",
            "Wait for as long as Retry-After says, or sign in with a code by e-mail.",
        ),
        Kind::HashQueueFull => ("Busy", "The server is busy with other sign-ins. Try again in a moment."),
        Kind::DatabaseAway => {
            ("Not available", "The server can’t reach its database just now. Try again in a moment.")
        }
        Kind::FeatureOff => ("Switched off", "This is switched off in the settings of this realm."),
    }
}

/// The document of a refusal.
pub fn document(refusal: &Refusal) -> Document {
    let (title, says) = words(refusal.kind);
    Document {
        kind: format!("/docs#{}", refusal.kind.code()),
        title,
        status: status(refusal.kind).as_u16(),
        detail: refusal.detail.says.as_deref().unwrap_or(says).to_owned(),
        code: refusal.kind.code(),
        param: refusal.detail.param.as_deref().map(ToOwned::to_owned),
        reasons: refusal.detail.reasons.iter().map(|r| r.clone().into_owned()).collect(),
        retry_after: refusal.detail.retry_after,
        limit: refusal.detail.limit(),
    }
}

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Says when to come again, and which limit it is that is reached (draft-ietf-httpapi-ratelimit-headers-10, 4 and 3).
pub fn come_again(headers: &mut HeaderMap, retry_after: Option<u64>, limit: Option<Policy>) {
    let Some(seconds) = retry_after else { return };
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    let Some(Policy { name, quota, window }) = limit else { return };
    let values = [
        (RATE_LIMIT, format!("\"{name}\";r=0;t={seconds}")),
        (RATE_LIMIT_POLICY, format!("\"{name}\";q={quota};w={window}")),
    ];
    for (header, value) in values {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(header, value);
        }
    }
}

/// Puts a document on the wire.
pub fn answer(document: &Document) -> Response {
    answer_with(document, document)
}

/// Puts a refusal on the wire whose document has members of its own beside (RFC 9457, 3.2).
pub fn extended<T: Serialize>(refusal: &Refusal, extension: &T) -> Response {
    #[derive(Serialize)]
    struct Extended<'a, T> {
        #[serde(flatten)]
        document: &'a Document,
        #[serde(flatten)]
        extension: &'a T,
    }
    let document = &document(refusal);
    let mut response = answer_with(document, &Extended { document, extension });
    // For the metric and the log line of the edge.
    response.extensions_mut().insert(refusal.kind);
    response
}

fn answer_with(document: &Document, body: &impl Serialize) -> Response {
    let status = StatusCode::from_u16(document.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    come_again(headers, document.retry_after, document.limit);
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110, 15.5.2: a 401 says how to authenticate. RFC 6750, 3.
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"latchstring\""));
    }
    response
}

/// A problem that no refusal is behind: the protocol's own, and what goes wrong on our side.
#[derive(Debug)]
pub struct Own {
    /// The stable code.
    pub code: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// What happened, in a few words.
    pub title: &'static str,
    /// What happened and what to do next.
    pub says: &'static str,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
}

/// RFC 9110, 15.5.6. The router adds `Allow`.
pub static METHOD_NOT_ALLOWED: Own = Own {
    code: "method_not_allowed",
    status: StatusCode::METHOD_NOT_ALLOWED,
    title: "Method not allowed",
    says: "This path does not take this method. The Allow header lists those that it takes.",
    retry_after: None,
};

/// A fault.
pub static INTERNAL: Own = Own {
    code: "internal",
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "Our mistake",
    says: "Something went wrong on our side. It has been logged; the request id is in the X-Request-Id header.",
    retry_after: None,
};

/// The listener gave a request up.
pub static TIMEOUT: Own = Own {
    code: "timeout",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Took too long",
    says: "The request or its answer took too long. Try again in a moment.",
    retry_after: Some(2),
};

/// Something was sent in clear where TLS is.
pub static HTTPS_REQUIRED: Own = Own {
    code: "https_required",
    status: StatusCode::FORBIDDEN,
    title: "https is needed",
    says: "This came in clear, and was not taken. Use https. A password, key or token that was sent with it may have \
           been read on the way: replace it.",
    retry_after: None,
};

/// All of them, for tables and tests.
pub static OWN: [&Own; 4] = [&METHOD_NOT_ALLOWED, &INTERNAL, &TIMEOUT, &HTTPS_REQUIRED];

impl Own {
    /// Its document.
    pub fn document(&self) -> Document {
        Document {
            kind: format!("/docs#{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            detail: self.says.into(),
            code: self.code,
            param: None,
            reasons: Vec::new(),
            retry_after: self.retry_after,
            limit: None,
        }
    }
}

/// A fault is logged here, once, with its chain of causes; its answer says nothing of them.
pub fn fault(fault: &latchstring_core::refusal::Fault) -> Response {
    tracing::error!(error = fault as &dyn std::error::Error, "a request failed");
    answer(&INTERNAL.document())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self.0 {
            Error::Refused(refusal) => {
                let mut response = answer(&document(&refusal));
                // For the metric and the log line of the edge.
                response.extensions_mut().insert(refusal.kind);
                response
            }
            Error::Fault(f) => fault(&f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_words_for_people() {
        for kind in Kind::ALL {
            let (title, says) = words(*kind);
            assert!(!title.is_empty() && says.ends_with(['.', '…']), "{kind:?}");
            assert!(!says.contains('!'), "{kind:?}: no exclamation marks");
        }
        for own in OWN {
            assert!(own.says.ends_with('.') && !own.says.contains('!'), "{own:?}");
            assert!(Kind::ALL.iter().all(|kind| kind.code() != own.code), "{own:?} is a kind's code too");
        }
    }

    #[test]
    fn refusals_are_never_5xx_but_for_being_unavailable() {
        for kind in Kind::ALL {
            let status = status(*kind);
            assert!(status.is_client_error() || kind.class() == Class::Unavailable, "{kind:?}");
        }
    }
}
