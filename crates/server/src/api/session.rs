//! `/api/v1/session`: who is signed in.

use super::show::{SessionView, UserView, time};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{Method, StatusCode, header};
use latchstring_core::{
    Kind, account, browser,
    cache::{Made, Signed},
    clock::SECOND,
    id::SessionId,
    session::{self, Which},
    token::{
        check::{self, Checked},
        mint::{self, Subject, acr},
    },
};
use latchstring_web::{
    Ctx, Json, Problem, cookie,
    problem::Document,
    service::{self, AtOnce, Shown},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Who is signed in, and by which session.
#[derive(Debug, Serialize, ToSchema)]
pub struct CurrentView {
    /// The session.
    pub session: SessionView,
    /// The user.
    pub user: UserView,
    /// The other sessions of this browser (several accounts side by side).
    pub others: Vec<SessionView>,
}

/// The current session, by cookie or access token.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", security(("cookie" = []), ("access_token" = [])),
    responses((status = 200, body = CurrentView), (status = "4XX", body = Document)))]
pub async fn read(ctx: Ctx) -> Result<axum::Json<CurrentView>, Problem> {
    let me = ctx.me_with_tasks(false, true).await?;
    let full = account::read(&ctx.realm, &me).await?;
    let now = ctx.realm.now();
    let (session, others) = account::current(&ctx.realm, &me).await?;
    Ok(axum::Json(CurrentView {
        session: SessionView::of(&session, Some(me.session)),
        user: UserView::of(&full, now, false),
        others: others.iter().map(|s| SessionView::of(s, Some(me.session))).collect(),
    }))
}

/// Sign out: end the current session, with every token that came from it, at once.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", security(("cookie" = []), ("access_token" = [])),
    responses((status = 204, description = "Signed out"), (status = "4XX", body = Document)))]
pub async fn sign_out(ctx: Ctx) -> Result<Response, Problem> {
    let me = ctx.me_with_tasks(true, true).await?;
    let which = Which::One(me.session);
    account::end_mine(&ctx.realm, &me, &ctx.source, which).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// An access token.
#[derive(Serialize, ToSchema)]
pub struct TokenView {
    /// A JWT (RFC 9068).
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds that it lives.
    pub expires_in: i64,
}

/// A JWT from the cookie: for calls to services that check tokens. It dies with the session.
#[utoipa::path(post, path = "/api/v1/session/token", tag = "session", security(("cookie" = [])),
    responses((status = 200, body = TokenView), (status = "4XX", body = Document)))]
pub async fn token(ctx: Ctx) -> Result<axum::Json<TokenView>, Problem> {
    let known = ctx.browser().await?.ok_or(Kind::NotSignedIn)?;
    let signed = known.signed.ok_or(Kind::NotSignedIn)?;
    ctx.must_act()?;
    browser::usable(&signed)?;
    let access = mint::access(&ctx.realm, &Subject::of_session(&signed))?;
    Ok(axum::Json(TokenView {
        access_token: access.token.to_string(),
        token_type: "Bearer",
        expires_in: access.expires_in,
    }))
}

/// What a session check answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckView {
    /// Who.
    pub user_id: Uuid,
    /// By which session.
    pub session_id: Option<Uuid>,
    /// When a proof was last given, in Unix seconds.
    pub auth_time: i64,
    /// How.
    pub amr: Vec<String>,
    /// Level of assurance.
    pub acr: String,
    /// When the session ends in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
}

/// Is this cookie or access token good right now? For back ends; answered from memory, revocations included.
#[utoipa::path(post, path = "/api/v1/session/check", tag = "session",
    security(("cookie" = []), ("access_token" = [])),
    responses((status = 200, body = CheckView), (status = 401, body = Document)))]
pub async fn check(ctx: Ctx) -> Result<Response, Problem> {
    if let Some(token) = ctx.bearer_token()? {
        return Ok(of_token(&*check::access(&ctx.realm, token).await?));
    }
    let known = ctx.browser().await?.ok_or(Kind::NotSignedIn)?;
    let signed = known.signed.ok_or(Kind::NotSignedIn)?;
    browser::usable(&signed)?;
    Ok(of_session(&signed))
}

/// [`check`] by memory alone.
pub(crate) const CHECK: AtOnce = AtOnce {
    method: Method::POST,
    path: "/api/v1/session/check",
    answer: |look| match look.shown()? {
        Shown::Bearer(token) => Some(of_token(&*check::glance(look.realm, token)?)),
        Shown::Cookie(value) => {
            let signed = browser::glance(look.realm, value)?.signed?;
            browser::usable(&signed).ok()?;
            Some(of_session(&signed))
        }
    },
};

fn of_token(checked: &Checked) -> Response {
    let view = || CheckView {
        user_id: checked.sub.0,
        session_id: checked.sid.map(|s| s.0),
        auth_time: checked.auth_time,
        amr: checked.amr.to_vec(),
        acr: checked.acr.clone(),
        ends_at: None,
    };
    rendered(&checked.made, view)
}

fn of_session(signed: &Signed) -> Response {
    let view = || CheckView {
        user_id: signed.user.0,
        session_id: Some(signed.session.0),
        auth_time: signed.auth_at / SECOND,
        amr: signed.methods.to_vec(),
        acr: acr(signed.assurance).to_owned(),
        ends_at: signed.ends_at.map(time),
    };
    rendered(&signed.made, view)
}

/// The answer is the same for as long as memory holds the entry, so it is written once.
fn rendered(made: &Made, view: impl FnOnce() -> CheckView) -> Response {
    // Copied to its very length: thousands are kept.
    let body = || Bytes::copy_from_slice(&serde_json::to_vec(&view()).unwrap_or_default());
    let body = made.answer.get_or_init(body);
    service::ok("application/json", body.clone())
}

/// Which session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchBody {
    /// Another session of this browser.
    pub session_id: Uuid,
}

/// Make another session of this browser the current one.
#[utoipa::path(post, path = "/api/v1/session/switch", tag = "session", security(("cookie" = [])),
    request_body = SwitchBody,
    responses((status = 204, description = "Switched"), (status = "4XX", body = Document)))]
pub async fn switch(ctx: Ctx, Json(body): Json<SwitchBody>) -> Result<Response, Problem> {
    let known = ctx.browser().await?.ok_or(Kind::NotSignedIn)?;
    ctx.must_act()?;
    let new = account::switch(&ctx.realm, &known, SessionId(body.session_id)).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(value) = cookie::set(ctx.app.config(), &new, ctx.realm.now()) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

/// Lists are short enough to need no pages.
pub(crate) fn views(list: &[session::Shown], current: Option<SessionId>) -> Vec<SessionView> {
    list.iter().map(|s| SessionView::of(s, current)).collect()
}
