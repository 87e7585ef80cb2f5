//! `/api/v1/forward-auth`: for nginx, Caddy and Traefik in front of an app that knows nothing of sign-in.

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderValue, Method};
use latchstring_core::{
    Error, Kind, browser,
    cache::Made,
    realm::Realm,
    token::{
        check,
        mint::{self, Subject},
    },
};
use latchstring_web::{
    Ctx, Problem,
    problem::Document,
    service::{AtOnce, Shown},
};
use uuid::Uuid;

/// Is the person at the proxy signed in? 200 with `X-Latchstring-User`, `-Session` (empty for a token that has
/// none) and `-Claims` (a signed JWT of a kind of its own), else 401, whatever the original request asks for: sending a person to sign in is the proxy's part.
#[utoipa::path(get, path = "/api/v1/forward-auth", tag = "session", security(("cookie" = []), ("access_token" = [])),
    responses((status = 200, description = "Signed in; see the headers"), (status = 401, body = Document)))]
pub async fn check(ctx: Ctx) -> Result<Response, Problem> {
    if let Some(token) = ctx.bearer_token()? {
        let checked = check::access(&ctx.realm, token).await?;
        return Ok(of(&ctx.realm, &Subject::of_token(&checked), &checked.made)?);
    }
    let known = ctx.browser().await?.ok_or(Kind::NotSignedIn)?;
    let signed = known.signed.ok_or(Kind::NotSignedIn)?;
    browser::usable(&signed)?;
    Ok(of(&ctx.realm, &Subject::of_session(&signed), &signed.made)?)
}

/// [`check`] by memory alone.
pub(crate) const CHECK: AtOnce = AtOnce {
    method: Method::GET,
    path: "/api/v1/forward-auth",
    answer: |look| match look.shown()? {
        Shown::Bearer(token) => {
            let checked = check::glance(look.realm, token)?;
            of(look.realm, &Subject::of_token(&checked), &checked.made).ok()
        }
        Shown::Cookie(value) => {
            let signed = browser::glance(look.realm, value)?.signed?;
            browser::usable(&signed).ok()?;
            of(look.realm, &Subject::of_session(&signed), &signed.made).ok()
        }
    },
};

fn of(realm: &Realm, subject: &Subject<'_>, made: &Made) -> Result<Response, Error> {
    let identity = mint::identity(realm, subject, made)?;
    let mut response = Response::new(Body::empty());
    let mut headers = HeaderMap::with_capacity(16);
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    let mut id = Uuid::encode_buffer();
    put("x-latchstring-user", subject.user.0.hyphenated().encode_lower(&mut id));
    // Always there, if empty: a proxy that only overwrites what it is given would pass the client's own header on.
    put(
        "x-latchstring-session",
        subject.session.map_or("", |session| session.0.hyphenated().encode_lower(&mut id)),
    );
    put("x-latchstring-claims", &identity.token);
    *response.headers_mut() = headers;
    Ok(response)
}
