//! A visitor: the request's context, and the cookies that forms are bound to.

use super::{
    forms::put,
    language::{self, Spoken},
    message::Failure,
    templates::{self, Frame, Page},
};
use axum::{extract::FromRequestParts, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts};
use latchstring_core::{
    Error,
    account::{self, Me},
    attempt::Caller,
    audit::Source,
    browser::{self, Known},
    cache::Signed,
    user::Full,
};
use latchstring_look::{Language, Say, Words};
use latchstring_proto::return_to::form_target;
use latchstring_web::{App, Ctx, Problem};
use std::sync::OnceLock;

/// A request for a page.
pub(super) struct Visit {
    pub(super) ctx: Ctx,
    headers: HeaderMap,
    uri: Uri,
    /// Where the page is that is shown, if the request went to another address.
    here: OnceLock<Uri>,
    spoken: Spoken,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let spoken = language::of(app, &parts.headers, &parts.uri);
        match Ctx::from_request_parts(parts, app).await {
            Ok(ctx) => Ok(Self {
                ctx,
                headers: parts.headers.clone(),
                uri: parts.uri.clone(),
                here: OnceLock::new(),
                spoken,
            }),
            Err(Problem(error)) => Err(Failure::new(app, spoken.language, error)),
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

    /// Whether the browser keeps cookies, as far as this request shows.
    pub(super) fn has_cookies(&self) -> bool {
        self.headers.contains_key(header::COOKIE)
    }

    /// Who looks. Looking changes nothing, so the cookie is enough, wherever the request says it comes from: a link in
    /// a mail comes from another site.
    pub(super) async fn looks(&self) -> Result<Caller, Failure> {
        let browser = self.browser().await?;
        let language = self.spoken.asked.then_some(self.spoken.language);
        let source = Source { language, ..(*self.ctx.source).clone() };
        Ok(Caller { browser, source, ..Caller::default() })
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
        match account::read(&self.ctx.realm, &me(known, signed)).await {
            Ok(full) => Ok(Some(full)),
            // Deleted a moment ago.
            Err(Error::Refused(_)) => Ok(None),
            Err(e) => Err(self.fails(e)),
        }
    }

    /// Who is signed in, for what is theirs: a session that waits for something is not let in.
    pub(super) fn me(&self, caller: &Caller) -> Result<Option<Me>, Failure> {
        let Some(known) = &caller.browser else { return Ok(None) };
        let Some(signed) = &known.signed else { return Ok(None) };
        browser::usable(signed).map_err(|e| self.fails(e).at_door())?;
        Ok(Some(me(known, signed)))
    }

    /// [`Visit::me`] for a page that serves what the session waits for.
    pub(super) fn me_with_tasks(&self, caller: &Caller) -> Option<Me> {
        let known = caller.browser.as_ref()?;
        Some(me(known, known.signed.as_ref()?))
    }

    /// The language of this visitor.
    pub(super) fn language(&self) -> Language {
        self.spoken.language
    }

    /// How an account is called on pages: by its address, else by what it has.
    pub(super) fn name_of(&self, full: &Full) -> String {
        let typed = full.email().or_else(|| full.username()).map(|i| i.typed.clone());
        let guest = || self.ctx.realm.brand().words.say(self.language(), &Say::new("guest"));
        typed.or_else(|| full.user.name.clone()).unwrap_or_else(guest)
    }

    /// Says at which address of ours the page is that the answer shows: a form's answer stays where the form was.
    pub(super) fn shows(&self, here: &str) {
        if let Ok(uri) = here.parse() {
            let _ = self.here.set(uri);
        }
    }

    /// The cookie that remembers a language, if one was chosen just now.
    pub(super) fn chosen(&self) -> Option<HeaderValue> {
        let config = self.ctx.app.config();
        self.spoken.chosen.and_then(|long| language::remember(config, Some(self.language()), long))
    }

    /// Where a page of the realm's stands.
    pub(super) fn frame(&self) -> Frame {
        let frame = Frame::of(&self.ctx.app, self.language());
        Frame { languages: language::others(&self.ctx.app, self.here.get().unwrap_or(&self.uri)), ..frame }
    }

    /// Where a page for developers stands. Those speak English.
    pub(super) fn product(&self, here: &'static str) -> Frame {
        let dev = self.ctx.app.config().dev;
        Frame { here, ..Frame::new("Latchstring".into(), Language::English, &Words::default(), dev) }
    }

    /// A page of the realm's.
    pub(super) fn page<P: Page>(&self, status: StatusCode, page: &P) -> Result<Response, Failure> {
        self.framed(&self.frame(), status, page)
    }

    fn framed<P: Page>(&self, frame: &Frame, status: StatusCode, page: &P) -> Result<Response, Failure> {
        let mut response = templates::page(status, frame, page).map_err(|e| self.fails(e))?;
        put(&mut response, &[self.chosen()]);
        Ok(response)
    }

    /// A page with a form at whose end is an address of another origin: browsers hold a form's policy against where it
    /// is redirected to, so the policy names that origin and no other.
    pub(super) fn page_to<P: Page>(
        &self,
        status: StatusCode,
        page: &P,
        return_to: Option<&str>,
    ) -> Result<Response, Failure> {
        let mut response = self.page(status, page)?;
        if let Some(policy) = return_to.and_then(form_target).as_deref().and_then(templates::policy_for) {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        Ok(response)
    }

    /// A page of the house: at its place in the menu.
    pub(super) fn page_at<P: Page>(
        &self,
        here: &'static str,
        status: StatusCode,
        page: &P,
    ) -> Result<Response, Failure> {
        let frame = Frame { here, ..self.frame() };
        self.framed(&frame, status, page)
    }

    /// What the visitor sees instead of the page.
    pub(super) fn fails(&self, error: impl Into<Error>) -> Failure {
        Failure::new(&self.ctx.app, self.language(), error.into())
    }
}

pub(in crate::pages) fn me(known: &Known, signed: &Signed) -> Me {
    Me { user: signed.user, session: signed.session, browser: Some(known.id), auth_at: signed.auth_at }
}
