//! `/api/v1/forward-auth`: for nginx, Caddy and Traefik in front of an app that knows nothing of sign-in.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use latchstring_core::{
    Kind, browser,
    token::mint::{self, Subject},
};
use latchstring_web::{Ctx, Problem, problem::Document};

/// Is the person at the proxy signed in? 200 with `X-Latchstring-User`, `-Session` and `-Claims` (a signed JWT of a
/// kind of its own), else 401 (302 to the sign-in page where the original request asks for HTML by GET and comes by a
/// proxy that names it).
#[utoipa::path(get, path = "/api/v1/forward-auth", tag = "session", security(("cookie" = []), ("access_token" = [])),
    responses((status = 200, description = "Signed in; see the headers"), (status = 401, body = Document)))]
pub async fn check(ctx: Ctx) -> Result<Response, Problem> {
    let mut response = StatusCode::OK.into_response();
    if let Some(token) = ctx.bearer_token()? {
        let checked = latchstring_core::token::check::access(&ctx.realm, token).await?;
        let subject = Subject {
            user: checked.sub,
            session: checked.sid,
            auth_time: checked.auth_time,
            amr: &checked.amr,
            assurance: if checked.acr == mint::acr(2) { 2 } else { 1 },
        };
        fill(&ctx, response.headers_mut(), &subject)?;
        return Ok(response);
    }
    let known = ctx.browser().await?.ok_or(Kind::NotSignedIn)?;
    let signed = known.signed.ok_or(Kind::NotSignedIn)?;
    browser::usable(&signed)?;
    fill(&ctx, response.headers_mut(), &Subject::of_session(&signed))?;
    Ok(response)
}

fn fill(ctx: &Ctx, headers: &mut HeaderMap, subject: &Subject<'_>) -> Result<(), Problem> {
    let claims = mint::identity(&ctx.realm, subject, ctx.realm.issuer())?;
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put("x-latchstring-user", &subject.user.to_string());
    if let Some(session) = subject.session {
        put("x-latchstring-session", &session.to_string());
    }
    put("x-latchstring-claims", &claims);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(())
}
