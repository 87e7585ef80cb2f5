//! `/api/v1/attempts`: signing in, signing up, recovering, proving again, step by step.

use super::show::AttemptView;
use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use latchstring_core::{
    Error, Kind,
    attempt::{
        self, AttemptKind, Outcome, Sink,
        begin::{Begin, Within},
    },
    browser::NewCookie,
    id::AttemptId,
    identifier::Identifier,
    secret::Password,
};
use latchstring_web::{
    Ctx, Json, Problem, body, cookie,
    problem::{self, Document},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What is attempted.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindName {
    /// Get in.
    SignIn,
    /// Make an account.
    SignUp,
    /// Get back in, with a new password.
    Recover,
    /// Prove again, within a session.
    StepUp,
    /// Prove an address and make it the account's.
    Verify,
}

/// What comes out.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SinkName {
    /// A session held by the browser's cookie.
    Cookie,
    /// Access and refresh tokens.
    #[default]
    Tokens,
}

/// What to attempt.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginBody {
    /// What.
    #[serde(deserialize_with = "body::word")]
    pub kind: KindName,
    /// What comes out at the end.
    #[serde(default, deserialize_with = "body::word")]
    pub sink: SinkName,
    /// An e-mail address, or for a sign-in a username.
    pub identifier: Option<String>,
    /// For a sign-in: the password, if it is at hand already.
    pub password: Option<String>,
    /// For a sign-in: an unknown address may make an account, after its proof.
    #[serde(default)]
    pub or_sign_up: bool,
    /// For a sign-up: the name of the new account.
    pub name: Option<String>,
    /// For a sign-up: the invitation's secret.
    pub invitation: Option<String>,
    /// For a sign-up: as a guest, without an address.
    #[serde(default)]
    pub guest: bool,
    /// For a sign-up: make the signed-in guest a person; the id stays.
    #[serde(default)]
    pub upgrade: bool,
}

/// A problem document with the attempt that was begun all the same (RFC 9457, 3.2).
#[derive(Serialize, ToSchema)]
pub struct BegunDocument {
    #[serde(flatten)]
    problem: Document,
    #[serde(flatten)]
    extension: BegunExtension,
}

/// What a refusal may leave.
#[derive(Serialize, ToSchema)]
pub struct BegunExtension {
    /// The attempt to go on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptView>,
}

/// Begin an attempt. Nothing in the answer tells whether an account exists. A password that came along and is refused
/// leaves the attempt open: the problem document then has it as its member `attempt`, with the handle or beside the
/// cookie by which to go on, say by a code.
#[utoipa::path(post, path = "/api/v1/attempts", tag = "attempts", request_body = BeginBody,
    responses((status = 201, body = AttemptView),
              (status = "4XX", description = "Refused; with `attempt` if one was begun all the same", body = BegunDocument)))]
pub async fn begin(ctx: Ctx, Json(body): Json<BeginBody>) -> Result<Response, Problem> {
    let kind = match body.kind {
        KindName::SignIn => AttemptKind::SignIn,
        KindName::SignUp => AttemptKind::SignUp,
        KindName::Recover => AttemptKind::Recover,
        KindName::StepUp => AttemptKind::StepUp,
        KindName::Verify => AttemptKind::Verify,
    };
    let sink = match body.sink {
        SinkName::Cookie => Sink::Cookie,
        SinkName::Tokens => Sink::Tokens,
    };
    if sink == Sink::Cookie {
        // A foreign page must not sign the person in to somebody else's account.
        ctx.must_act()?;
    }
    if body.guest && body.password.is_some() {
        // Refused before there is a guest, whose session nobody would get.
        return Err(Kind::InputInvalid.param("password").says("A guest has no password.").into());
    }
    let identifier = body.identifier.as_deref().map(Identifier::any).transpose()?;
    let mut begin = Begin::new(kind, identifier, sink);
    begin.or_sign_up = body.or_sign_up;
    begin.name = body.name;
    begin.invitation = body.invitation.map(Into::into);
    begin.guest = body.guest;
    begin.upgrade = body.upgrade;
    if matches!(kind, AttemptKind::StepUp | AttemptKind::Verify) || body.upgrade {
        let me = ctx.me_with_tasks(true, kind == AttemptKind::StepUp).await?;
        begin.within = Some(Within { session: me.session, user: me.user });
    }
    let mut caller = ctx.caller().await?;
    let begun = attempt::begin::begin(&ctx.realm, &caller, begin).await?;
    let mut outcome = begun.outcome;
    let mut new_cookie = begun.cookie;
    if let Some(password) = body.password {
        caller.browser = begun.browser;
        caller.handle = begun.handle.clone();
        let id = outcome.attempt.id;
        match attempt::password::password(&ctx.realm, &caller, id, Password::new(password)).await {
            Ok(proven) => outcome = proven,
            Err(Error::Refused(refusal)) => {
                // What was begun stays begun, so the caller learns by what to go on; else nobody ever could.
                let mut attempt = AttemptView::of(&ctx.realm, &outcome.attempt);
                attempt.handle = begun.handle.map(|h| h.text().to_string());
                let response = problem::extended(&refusal, &BegunExtension { attempt: Some(attempt) });
                return Ok(with_cookie(&ctx, response, new_cookie.as_ref()));
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    if let Some(completed) = &outcome.completed {
        new_cookie = completed.cookie.clone().or(new_cookie);
    }
    let mut view = AttemptView::of_outcome(&ctx.realm, &outcome);
    view.handle = begun.handle.map(|h| h.text().to_string());
    Ok(answer(&ctx, StatusCode::CREATED, view, new_cookie.as_ref()))
}

fn answer(ctx: &Ctx, status: StatusCode, view: AttemptView, new: Option<&NewCookie>) -> Response {
    with_cookie(ctx, (status, axum::Json(view)).into_response(), new)
}

fn with_cookie(ctx: &Ctx, mut response: Response, new: Option<&NewCookie>) -> Response {
    if let Some(value) = new.and_then(|new| cookie::set(ctx.app.config(), new, ctx.realm.now())) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

fn step(ctx: &Ctx, outcome: &Outcome) -> Response {
    let view = AttemptView::of_outcome(&ctx.realm, outcome);
    answer(ctx, StatusCode::OK, view, outcome.completed.as_ref().and_then(|c| c.cookie.as_ref()))
}

/// Read an attempt. A completed one is readable for a day, and unable to act.
#[utoipa::path(get, path = "/api/v1/attempts/{id}", tag = "attempts", params(("id" = Uuid, Path)),
    responses((status = 200, body = AttemptView), (status = "4XX", body = Document)))]
pub async fn read(ctx: Ctx, id: Id) -> Result<Response, Problem> {
    let mut caller = ctx.caller().await?;
    if caller.browser.is_none() {
        // Reading changes nothing: the cookie is enough, wherever the request says it comes from.
        caller.browser = ctx.browser().await?;
    }
    let attempt = attempt::load(&ctx.realm, &caller, id.0).await?;
    Ok(axum::Json(AttemptView::of(&ctx.realm, &attempt)).into_response())
}

/// Give an attempt up.
#[utoipa::path(delete, path = "/api/v1/attempts/{id}", tag = "attempts", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Given up"), (status = "4XX", body = Document)))]
pub async fn cancel(ctx: Ctx, id: Id) -> Result<StatusCode, Problem> {
    attempt::begin::cancel(&ctx.realm, &ctx.caller().await?, id.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    /// Exactly as typed.
    pub password: String,
}

/// Prove by password.
#[utoipa::path(post, path = "/api/v1/attempts/{id}/password", tag = "attempts", params(("id" = Uuid, Path)),
    request_body = PasswordBody,
    responses((status = 200, body = AttemptView), (status = "4XX", body = Document)))]
pub async fn password(ctx: Ctx, id: Id, Json(body): Json<PasswordBody>) -> Result<Response, Problem> {
    let password = Password::new(body.password);
    let outcome = attempt::password::password(&ctx.realm, &ctx.caller().await?, id.0, password).await?;
    Ok(step(&ctx, &outcome))
}

/// Send a code and a link. The answer is the same whether or not the address has an account.
#[utoipa::path(post, path = "/api/v1/attempts/{id}/code/send", tag = "attempts", params(("id" = Uuid, Path)),
    responses((status = 202, description = "On its way, if there is somewhere to send it"),
              (status = "4XX", body = Document)))]
pub async fn send(ctx: Ctx, id: Id) -> Result<StatusCode, Problem> {
    attempt::code::send(&ctx.realm, &ctx.caller().await?, id.0).await?;
    Ok(StatusCode::ACCEPTED)
}

/// A code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeBody {
    /// Six digits; spaces and hyphens are ignored.
    pub code: String,
}

/// Prove by code.
#[utoipa::path(post, path = "/api/v1/attempts/{id}/code", tag = "attempts", params(("id" = Uuid, Path)),
    request_body = CodeBody,
    responses((status = 200, body = AttemptView), (status = "4XX", body = Document)))]
pub async fn code(ctx: Ctx, id: Id, Json(body): Json<CodeBody>) -> Result<Response, Problem> {
    let outcome = attempt::code::code(&ctx.realm, &ctx.caller().await?, id.0, &body.code).await?;
    Ok(step(&ctx, &outcome))
}

/// Set the password that the account has from now on.
#[utoipa::path(post, path = "/api/v1/attempts/{id}/new-password", tag = "attempts", params(("id" = Uuid, Path)),
    request_body = PasswordBody,
    responses((status = 200, body = AttemptView), (status = "4XX", body = Document)))]
pub async fn new_password(ctx: Ctx, id: Id, Json(body): Json<PasswordBody>) -> Result<Response, Problem> {
    let password = Password::new(body.password);
    let outcome =
        attempt::new_password::new_password(&ctx.realm, &ctx.caller().await?, id.0, password).await?;
    Ok(step(&ctx, &outcome))
}

/// The id of an attempt in the path. Anything that is none is an attempt that does not exist.
pub struct Id(AttemptId);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut http::request::Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) =
            Path::<Uuid>::from_request_parts(parts, state).await.map_err(|_| Kind::AttemptUnknown)?;
        Ok(Self(AttemptId(id)))
    }
}
