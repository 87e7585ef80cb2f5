//! A visitor: the request's context, and the cookies that forms are bound to.

use super::{
    message::Failure,
    templates::{self, Frame, Page},
};
use axum::{extract::FromRequestParts, response::Response};
use http::{HeaderMap, StatusCode, request::Parts};
use latchstring_core::{
    Error,
    account::{self, Me},
    attempt::Caller,
    browser::Known,
    user::Full,
};
use latchstring_web::{App, Ctx, Problem};

/// A request for a page.
pub(super) struct Visit {
    pub(super) ctx: Ctx,
    headers: HeaderMap,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        match Ctx::from_request_parts(parts, app).await {
            Ok(ctx) => Ok(Self { ctx, headers: parts.headers.clone() }),
            Err(Problem(error)) => Err(Failure::new(app, error)),
        }
    }
}

impl Visit {
    /// The value of the cookie `name`, unless somebody planted a second one.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        latchstring_web::cookie::named(&self.headers, name)
    }

    /// The browser's own cookie.
    pub(super) fn own_cookie(&self) -> Option<&str> {
        self.cookie(&self.ctx.app.config().cookie)
    }

    /// Who looks. Looking changes nothing, so the cookie is enough, wherever the request says it comes from: a link in
    /// a mail comes from another site.
    pub(super) async fn looks(&self) -> Result<Caller, Failure> {
        let browser = self.browser().await?;
        Ok(Caller { browser, handle: None, client: None, source: (*self.ctx.source).clone() })
    }

    /// Who acts, from a page of ours and no other.
    pub(super) async fn acts(&self) -> Result<Caller, Failure> {
        self.ctx.must_act().map_err(|Problem(e)| self.fails(e))?;
        self.looks().await
    }

    async fn browser(&self) -> Result<Option<Known>, Failure> {
        self.ctx.browser().await.map_err(|Problem(e)| self.fails(e))
    }

    /// The account that this browser is signed in to, if it is.
    pub(super) async fn signed_in(&self, caller: &Caller) -> Result<Option<Full>, Failure> {
        let Some(known) = &caller.browser else { return Ok(None) };
        let Some(signed) = &known.signed else { return Ok(None) };
        let me = Me {
            user: signed.user,
            session: signed.session,
            browser: Some(known.id),
            auth_at: signed.auth_at,
        };
        match account::read(&self.ctx.realm, &me).await {
            Ok(full) => Ok(Some(full)),
            // Deleted a moment ago.
            Err(Error::Refused(_)) => Ok(None),
            Err(e) => Err(self.fails(e)),
        }
    }

    /// Where a page of the realm's stands.
    pub(super) fn frame(&self) -> Frame {
        let dev = self.ctx.app.config().dev;
        Frame { brand: self.ctx.realm.settings().1.name.clone(), dev, here: "" }
    }

    /// Where a page for developers stands.
    pub(super) fn product(&self, here: &'static str) -> Frame {
        Frame { brand: "Latchstring".into(), dev: self.ctx.app.config().dev, here }
    }

    /// A page of the realm's.
    pub(super) fn page<P: Page>(&self, status: StatusCode, page: &P) -> Result<Response, Failure> {
        templates::page(status, &self.frame(), page).map_err(|e| self.fails(e))
    }

    /// What the visitor sees instead of the page.
    pub(super) fn fails(&self, error: impl Into<Error>) -> Failure {
        Failure::new(&self.ctx.app, error.into())
    }
}
