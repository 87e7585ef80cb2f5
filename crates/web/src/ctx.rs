//! Who calls: extracted once a request, asked by handlers.

use crate::{app::App, cookie, problem::Problem};
use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderValue, header, request::Parts};
use latchstring_core::{
    Kind, Refusal,
    account::Me,
    api_key::{self, ApiKey},
    attempt::Caller,
    audit::Source,
    browser::{self, Known},
    clock::SECOND,
    realm::Realm,
    secret::Keyed,
    token::check,
};
use latchstring_look::Language;
use std::sync::Arc;

/// What the edge has found out about a request.
#[derive(Debug, Clone, Default)]
pub struct Arrived {
    /// Where it came from.
    pub source: Arc<Source>,
    /// Whether the browser says that it came from our own pages or from a listed origin: what may act by cookie.
    pub may_act: bool,
}

/// A request's context: the realm, where the request came from, and what it shows.
#[derive(Clone)]
pub struct Ctx {
    /// The process.
    pub app: App,
    /// The realm.
    pub realm: Realm,
    /// Where the request came from.
    pub source: Arc<Source>,
    accept_language: Option<HeaderValue>,
    may_act: bool,
    cookie: Option<String>,
    bearer: Option<Result<String, ()>>,
    handle: Option<String>,
}

/// The header that carries the handle of an attempt bound to its bearer.
pub const HANDLE: &str = "latchstring-attempt";

impl FromRequestParts<App> for Ctx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let realm = app
            .realm()
            .cloned()
            .ok_or_else(|| Refusal::new(Kind::DatabaseAway).retry_after_micros(2 * SECOND))?;
        let arrived = parts.extensions.get::<Arrived>().cloned().unwrap_or_default();
        Ok(Self {
            cookie: cookie::value(&parts.headers, app.config()).map(ToOwned::to_owned),
            bearer: bearer(&parts.headers).map(|token| token.map(ToOwned::to_owned)),
            handle: parts.headers.get(HANDLE).and_then(|v| v.to_str().ok()).map(ToOwned::to_owned),
            // Of several headers the first is as good as any.
            accept_language: parts.headers.get(header::ACCEPT_LANGUAGE).cloned(),
            app: app.clone(),
            realm,
            source: arrived.source,
            may_act: arrived.may_act,
        })
    }
}

/// The bearer token of a request; `Some(Err)` when there is an Authorization header that is not exactly one.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<Result<&str, ()>> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let first = all.next()?;
    if all.next().is_some() {
        return Some(Err(()));
    }
    Some(latchstring_proto::rfc6750::bearer(first.as_bytes()).map_err(|_| ()))
}

impl Ctx {
    /// The browser whose cookie came, whatever the request is for. What it finds must not act without
    /// [`Ctx::must_act`].
    pub async fn browser(&self) -> Result<Option<Known>, Problem> {
        match &self.cookie {
            Some(value) => Ok(browser::check(&self.realm, value).await?),
            None => Ok(None),
        }
    }

    /// Refuses a request that acts by cookie and does not come from our pages or a listed origin.
    pub fn must_act(&self) -> Result<(), Problem> {
        if self.may_act { Ok(()) } else { Err(Kind::OriginRefused.into()) }
    }

    /// Whoever goes on with an attempt: the browser (which must act from our own pages), or the bearer of a handle.
    pub async fn caller(&self) -> Result<Caller, Problem> {
        let browser = match self.browser().await? {
            // Without the guard a foreign page could go on with an attempt by the person's cookie: then there is none.
            Some(known) if self.may_act => Some(known),
            _ => None,
        };
        let handle = self.handle.as_deref().and_then(Keyed::parse);
        let accepted = self.accept_language.as_ref().and_then(|value| value.to_str().ok());
        let language = accepted.and_then(|text| Language::accepted(text, self.realm.brand().languages()));
        let source = Source { language, ..(*self.source).clone() };
        Ok(Caller { browser, handle, source, ..Caller::default() })
    }

    /// The bearer token, if there is a usable Authorization header.
    pub fn bearer_token(&self) -> Result<Option<&str>, Problem> {
        match &self.bearer {
            None => Ok(None),
            Some(Ok(token)) => Ok(Some(token)),
            Some(Err(())) => Err(Kind::TokenUnusable.into()),
        }
    }

    /// The signed-in user, by access token or by cookie. `acts`: the request changes something, so a cookie needs the
    /// guard. `tasks`: the face serves outstanding tasks.
    pub async fn me(&self, acts: bool) -> Result<Me, Problem> {
        self.me_with_tasks(acts, false).await
    }

    /// [`Ctx::me`], also for sessions that wait for something this face serves.
    pub async fn me_with_tasks(&self, acts: bool, tasks: bool) -> Result<Me, Problem> {
        if let Some(token) = self.bearer_token()? {
            if api_key::looks_like(token) {
                return Err(Kind::TokenUnusable.into());
            }
            let checked = match tasks {
                true => check::access_with_tasks(&self.realm, token).await?,
                false => check::access(&self.realm, token).await?,
            };
            let session = checked.sid.ok_or(Kind::TokenUnusable)?;
            return Ok(Me { user: checked.sub, session, browser: None, auth_at: checked.auth_time * SECOND });
        }
        let known = self.browser().await?.ok_or(Kind::NotSignedIn)?;
        let signed = known.signed.clone().ok_or(Kind::NotSignedIn)?;
        if acts {
            self.must_act()?;
        }
        if !tasks {
            browser::usable(&signed)?;
        }
        Ok(Me {
            user: signed.user,
            session: signed.session,
            browser: Some(known.id),
            auth_at: signed.auth_at,
        })
    }

    /// The API key of a backend, with a permission.
    pub async fn key(&self, permission: &'static str) -> Result<ApiKey, Problem> {
        self.key_with(&[permission]).await
    }

    /// The API key of a backend, with several permissions.
    pub async fn key_with(&self, permissions: &[&'static str]) -> Result<ApiKey, Problem> {
        let text = match &self.bearer {
            Some(Ok(text)) => text.as_str(),
            _ => "",
        };
        let key = api_key::check_text(&self.realm, &self.source, text).await?;
        for permission in permissions {
            api_key::must(&self.realm, &key, &self.source, permission).await?;
        }
        Ok(key)
    }
}
