//! The door: `/sign-in`, `/sign-up`, `/recover`, `/sign-out`, and choosing among the accounts of a browser. Views of
//! attempts: the first form begins one, bound to this browser, and [`steps`] goes on with it.
//!
//! What is shown never depends on whether an account exists: neither does what `core` answers.

pub(super) mod show;
pub(super) mod steps;

use super::{
    forms::{Errors, Guard, Sent, again, encoded, go, put},
    leaving,
    message::{Failure, field, wait, words},
    visit::{Visit, me},
};
use axum::{
    Router,
    extract::{Query, rejection::QueryRejection},
    response::Response,
    routing::get,
};
use http::StatusCode;
use latchstring_core::{
    Class, Kind, Refusal, account,
    attempt::{
        self, AttemptKind, Caller, Sink,
        begin::{Begin, Begun},
    },
    browser::NewCookie,
    id::SessionId,
    identifier::Identifier,
    secret::Password,
    session::Which,
    settings::SignUp,
};
use latchstring_look::Say;
use latchstring_web::{App, cookie, problem};
use serde::Deserialize;
use show::{Account, Choose, Recover, SignIn, SignOut, SignUpPage, SignedOut};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(show_sign_in).post(sign_in))
        .route("/sign-in/switch", get(to_sign_in).post(switch))
        .route("/sign-up", get(show_sign_up).post(sign_up))
        .route("/recover", get(show_recover).post(recover))
        .route("/sign-out", get(show_sign_out).post(sign_out))
        .route("/sign-out/done", get(signed_out))
        .merge(steps::routes())
}

/// What an address of these pages has.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    return_to: Option<String>,
    /// Use another account than those that are signed in.
    another: Option<String>,
}

type AskedQuery = Result<Query<Asked>, QueryRejection>;

/// An address that says something twice (A030) says nothing.
fn asked(query: AskedQuery) -> Asked {
    query.map(|Query(asked)| asked).unwrap_or_default()
}

/// What an entry page's form sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    form: String,
    return_to: String,
    identifier: String,
    password: String,
    /// `code`, to have one mailed.
    by: String,
    session: String,
}

/// What happened on the way in, in words for there.
pub(super) fn fails(visit: &Visit, error: impl Into<latchstring_core::Error>) -> Failure {
    visit.fails(error).at_door()
}

/// Who acts, from a page of ours and no other.
pub(super) async fn acts(visit: &Visit) -> Result<Caller, Failure> {
    visit.acts().await.map_err(Failure::at_door)
}

/// A refusal as an error of a form's field, or of the whole.
pub(super) fn errors(refusal: &Refusal, name: &'static str) -> Errors {
    let says = match refusal.kind {
        Kind::CredentialsWrong => Say::new("credentials-wrong"),
        Kind::CodeWrong => Say::new("code-wrong"),
        Kind::Throttled if refusal.detail.retry_after.is_none() => {
            return Errors::whole("throttled-closed");
        }
        Kind::Throttled => return Errors::whole(Say::new("throttled").with("wait", wait(refusal))),
        Kind::IdentifierTaken => Say::new("taken"),
        Kind::LastOne => Say::new("last-one"),
        _ if refusal.kind.class() == Class::Invalid => field(refusal),
        _ => return Errors::whole(words(refusal).1),
    };
    Errors::at(name, says)
}

/// What is said to a form that is not this browser's.
pub(super) fn changed(visit: &Visit) -> Errors {
    Errors::whole(if visit.has_cookies() { "form-changed" } else { "form-cookies" })
}

/// An entry page, in the state that it is in.
struct Entrance {
    kind: AttemptKind,
    return_to: Option<String>,
    identifier: String,
    errors: Errors,
    status: StatusCode,
}

impl Entrance {
    fn new(visit: &Visit, kind: AttemptKind, return_to: Option<&str>) -> Self {
        // Checked here for what the page shows; the attempt checks again what comes back.
        let return_to = return_to.and_then(|text| visit.ctx.realm.may_return_to(text));
        Self { kind, return_to, identifier: String::new(), errors: Errors::default(), status: StatusCode::OK }
    }

    fn again(visit: &Visit, kind: AttemptKind, entry: &Entry) -> Self {
        Self { identifier: entry.identifier.clone(), ..Self::new(visit, kind, Some(&entry.return_to)) }
    }

    fn with(mut self, status: StatusCode, errors: Errors) -> Self {
        (self.status, self.errors) = (status, errors);
        self
    }

    fn refused(self, refusal: &Refusal, field: &'static str) -> Self {
        let errors = errors(refusal, field);
        self.with(problem::status(refusal.kind), errors)
    }

    fn page(self, visit: &Visit, new: Option<&NewCookie>) -> Result<Response, Failure> {
        let guard = Guard::of(visit).with(new);
        let form = guard.form(self.kind.word());
        let query =
            self.return_to.as_deref().map_or_else(String::new, |to| format!("?return_to={}", encoded(to)));
        let back = self.return_to.as_deref();
        visit.shows(&format!("/{}{query}", self.kind.word().replace('_', "-")));
        let return_to = self.return_to.clone().unwrap_or_default();
        let (identifier, errors, status) = (self.identifier, self.errors, self.status);
        let sign_up = visit.ctx.realm.settings().1.sign_up;
        let open = sign_up == SignUp::Open;
        let mut response = match self.kind {
            AttemptKind::SignUp => {
                let invite = sign_up == SignUp::Invite;
                let page = SignUpPage { form, return_to, query, identifier, errors, open, invite };
                visit.page_to(status, &page, back)
            }
            AttemptKind::Recover => {
                let page = Recover { form, return_to, query, identifier, errors };
                visit.page_to(status, &page, back)
            }
            _ => {
                let page = SignIn { form, return_to, query, identifier, errors, open };
                visit.page_to(status, &page, back)
            }
        }?;
        let own = new.and_then(|new| cookie::set(visit.ctx.app.config(), new, visit.ctx.realm.now()));
        put(&mut response, &[guard.cookie(), own]);
        Ok(response)
    }
}

/// `/sign-in`: the form, or the accounts that are signed in here already.
async fn show_sign_in(visit: Visit, query: AskedQuery) -> Result<Response, Failure> {
    let asked = asked(query);
    let caller = visit.looks().await?;
    let entrance = Entrance::new(&visit, AttemptKind::SignIn, asked.return_to.as_deref());
    if asked.another.is_none() {
        // An app that refuses the session sends people here: they must not go round in circles.
        if leaving::is_leaving(&caller) {
            return Ok(go(&leaving::place(entrance.return_to.as_deref().unwrap_or(HOME)), &[]));
        }
        let accounts = accounts(&visit, &caller).await?;
        if !accounts.is_empty() {
            return choose(&visit, accounts, entrance.return_to);
        }
    }
    entrance.page(&visit, None)
}

async fn to_sign_in() -> Response {
    go("/sign-in", &[])
}

/// The accounts of this browser, the current one first.
async fn accounts(visit: &Visit, caller: &Caller) -> Result<Vec<Account>, Failure> {
    let Some(known) = &caller.browser else { return Ok(Vec::new()) };
    let current = known.signed.as_ref().map(|signed| signed.session);
    let found = account::of_browser(&visit.ctx.realm, known.id).await.map_err(|e| fails(visit, e))?;
    let mut accounts: Vec<Account> = found
        .into_iter()
        .map(|(session, full)| Account {
            session: session.id.to_string(),
            name: visit.name_of(&full),
            current: current == Some(session.id),
        })
        .collect();
    accounts.sort_by_key(|account| !account.current);
    Ok(accounts)
}

fn choose(visit: &Visit, accounts: Vec<Account>, return_to: Option<String>) -> Result<Response, Failure> {
    let guard = Guard::of(visit);
    let here = return_to.clone().unwrap_or_else(|| HOME.to_owned());
    let page = Choose {
        form: guard.form("switch"),
        query: encoded(&here),
        current: accounts.first().is_some_and(|account| account.current),
        accounts,
        return_to: here,
    };
    let mut response = visit.page_to(StatusCode::OK, &page, return_to.as_deref())?;
    put(&mut response, &[guard.cookie()]);
    Ok(response)
}

/// Where a sign-in leads that was begun for nothing else.
pub(super) const HOME: &str = "/account";

/// Begins an attempt of these pages.
async fn begin(
    visit: &Visit,
    caller: &Caller,
    kind: AttemptKind,
    identifier: Identifier,
    return_to: String,
) -> Result<(Begun, Caller), latchstring_core::Error> {
    let mut begin = Begin::new(kind, Some(identifier), Sink::Cookie);
    begin.return_to = Some(return_to);
    let begun = attempt::begin::begin(&visit.ctx.realm, caller, begin).await?;
    let caller = Caller { browser: begun.browser.clone(), ..caller.clone() };
    Ok((begun, caller))
}

/// The form of `/sign-in`: by password, or by a code that is mailed.
async fn sign_in(visit: Visit, Sent(entry): Sent<Entry>) -> Result<Response, Failure> {
    let caller = acts(&visit).await?;
    let entrance = Entrance::again(&visit, AttemptKind::SignIn, &entry);
    if !Guard::of(&visit).sent(AttemptKind::SignIn.word(), &entry.form) {
        return entrance.with(StatusCode::CONFLICT, changed(&visit)).page(&visit, None);
    }
    let by_code = entry.by == "code";
    let typed = entry.identifier.trim();
    let identifier = match Identifier::any(typed) {
        _ if typed.is_empty() => Err(Errors::at("identifier", "sign-in-missing-identifier")),
        Err(error) => Err(errors(&again(error).map_err(|e| fails(&visit, e))?, "identifier")),
        Ok(_) if !by_code && entry.password.is_empty() => {
            Err(Errors::at("password", "sign-in-missing-password"))
        }
        Ok(identifier) => Ok(identifier),
    };
    let identifier = match identifier {
        Ok(identifier) => identifier,
        Err(errors) => return entrance.with(StatusCode::BAD_REQUEST, errors).page(&visit, None),
    };
    let (begun, caller) = match begin(&visit, &caller, AttemptKind::SignIn, identifier, entry.return_to).await
    {
        Ok(begun) => begun,
        Err(error) => {
            let refusal = again(error).map_err(|e| fails(&visit, e))?;
            return entrance.refused(&refusal, "identifier").page(&visit, None);
        }
    };
    let id = begun.outcome.attempt.id;
    let realm = &visit.ctx.realm;
    let done = if by_code {
        attempt::code::send(realm, &caller, id).await.map(|()| begun.outcome)
    } else {
        attempt::password::password(realm, &caller, id, Password::new(entry.password)).await
    };
    match done {
        Ok(outcome) => steps::on(&visit, &caller, &outcome, begun.cookie).await,
        Err(error) => {
            let refusal = again(error).map_err(|e| fails(&visit, e))?;
            entrance.refused(&refusal, "password").page(&visit, begun.cookie.as_ref())
        }
    }
}

/// `/sign-up`.
async fn show_sign_up(visit: Visit, query: AskedQuery) -> Result<Response, Failure> {
    Entrance::new(&visit, AttemptKind::SignUp, asked(query).return_to.as_deref()).page(&visit, None)
}

/// The form of `/sign-up`.
async fn sign_up(visit: Visit, sent: Sent<Entry>) -> Result<Response, Failure> {
    by_mail(visit, AttemptKind::SignUp, sent).await
}

/// `/recover`.
async fn show_recover(visit: Visit, query: AskedQuery) -> Result<Response, Failure> {
    Entrance::new(&visit, AttemptKind::Recover, asked(query).return_to.as_deref()).page(&visit, None)
}

/// The form of `/recover`.
async fn recover(visit: Visit, sent: Sent<Entry>) -> Result<Response, Failure> {
    by_mail(visit, AttemptKind::Recover, sent).await
}

/// What begins with an address and a mail to it.
async fn by_mail(visit: Visit, kind: AttemptKind, Sent(entry): Sent<Entry>) -> Result<Response, Failure> {
    let caller = acts(&visit).await?;
    let entrance = Entrance::again(&visit, kind, &entry);
    if !Guard::of(&visit).sent(kind.word(), &entry.form) {
        return entrance.with(StatusCode::CONFLICT, changed(&visit)).page(&visit, None);
    }
    let identifier = match Identifier::email(entry.identifier.trim()) {
        Ok(identifier) => identifier,
        Err(error) => {
            let refusal = again(error).map_err(|e| fails(&visit, e))?;
            let errors = Errors::at("identifier", "email-invalid");
            return entrance.with(problem::status(refusal.kind), errors).page(&visit, None);
        }
    };
    let (begun, caller) = match begin(&visit, &caller, kind, identifier, entry.return_to).await {
        Ok(begun) => begun,
        Err(error) => {
            let refusal = again(error).map_err(|e| fails(&visit, e))?;
            return entrance.refused(&refusal, "identifier").page(&visit, None);
        }
    };
    match attempt::code::send(&visit.ctx.realm, &caller, begun.outcome.attempt.id).await {
        Ok(()) => steps::on(&visit, &caller, &begun.outcome, begun.cookie).await,
        Err(error) => {
            let refusal = again(error).map_err(|e| fails(&visit, e))?;
            entrance.refused(&refusal, "identifier").page(&visit, begun.cookie.as_ref())
        }
    }
}

/// Makes another account of this browser the current one.
async fn switch(visit: Visit, Sent(entry): Sent<Entry>) -> Result<Response, Failure> {
    let caller = acts(&visit).await?;
    let back = visit.ctx.realm.may_return_to(&entry.return_to).unwrap_or_else(|| HOME.to_owned());
    let retry = format!("/sign-in?return_to={}", encoded(&back));
    let (Some(known), Ok(session)) = (&caller.browser, entry.session.parse::<SessionId>()) else {
        return Ok(go(&retry, &[]));
    };
    if !Guard::of(&visit).sent("switch", &entry.form) {
        return Ok(go(&retry, &[]));
    }
    match account::switch(&visit.ctx.realm, known, session).await {
        Ok(new) => Ok(go(&back, &[cookie::set(visit.ctx.app.config(), &new, visit.ctx.realm.now())])),
        // It ended meanwhile, or is another browser's: the accounts as they are.
        Err(error) if matches!(error.kind(), Some(Kind::NotFound | Kind::NotSignedIn)) => Ok(go(&retry, &[])),
        Err(error) => Err(fails(&visit, error)),
    }
}

/// `/sign-out`: a button. Coming here, from wherever, ends nothing (A048).
async fn show_sign_out(visit: Visit) -> Result<Response, Failure> {
    let caller = visit.looks().await?;
    let Some(full) = visit.signed_in(&caller).await? else { return Ok(go("/sign-out/done", &[])) };
    let page = SignOut { form: Guard::of(&visit).form("sign_out"), name: visit.name_of(&full) };
    visit.page(StatusCode::OK, &page)
}

async fn sign_out(visit: Visit, Sent(entry): Sent<Entry>) -> Result<Response, Failure> {
    let caller = acts(&visit).await?;
    if !Guard::of(&visit).sent("sign_out", &entry.form) {
        return Ok(go("/sign-out", &[]));
    }
    // Also a session that waits for something can be left.
    if let Some(known) = &caller.browser
        && let Some(signed) = &known.signed
    {
        let which = Which::One(signed.session);
        account::end_mine(&visit.ctx.realm, &me(known, signed), &caller.source, which)
            .await
            .map_err(|e| fails(&visit, e))?;
    }
    Ok(go("/sign-out/done", &[Guard::parting(&visit)]))
}

async fn signed_out(visit: Visit) -> Result<Response, Failure> {
    let caller = visit.looks().await?;
    if visit.signed_in(&caller).await?.is_some() {
        return Ok(go(HOME, &[]));
    }
    let others = accounts(&visit, &caller).await?.len();
    visit.page(StatusCode::OK, &SignedOut { others })
}
