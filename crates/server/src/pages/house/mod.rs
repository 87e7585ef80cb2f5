//! The house: `/account`, where somebody looks after their own. What matters asks for a proof that is fresh (a step-up
//! attempt), and leads back to where it was asked for.

pub(super) mod checkup;
pub(super) mod show;

use super::{
    door::{acts, changed, errors, fails},
    forms::{Errors, Guard, Sent, again, encoded, go},
    language::Remember,
    leaving,
    message::Failure,
    visit::Visit,
};
use crate::api::show::{SessionView, UserView, time};
use axum::{
    Router,
    extract::Query,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, header};
use latchstring_core::{
    Kind,
    account::{self, Me},
    attempt::{
        self, AttemptKind, Caller, Sink,
        begin::{Begin, Within},
    },
    id::SessionId,
    identifier::Identifier,
    mail::language_of,
    secret::Password,
    session::Which,
    user::{Full, ProfileChange, UserKind},
};
use latchstring_look::Language;
use latchstring_web::{App, cookie, problem};
use serde::Deserialize;
use show::{Choice, Data, Delete, Profile, Security, Sessions, device};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/account", get(profile))
        .route("/account/name", get(back).post(name))
        .route("/account/email", get(back).post(email))
        .route("/account/username", get(back).post(username))
        .route("/account/language", get(back).post(language))
        .route("/account/security", get(security).post(password))
        .route("/account/sessions", get(sessions).post(end_sessions))
        .route("/account/data", get(data).post(download))
        .route("/account/delete", get(confirm_delete).post(delete))
        .route("/account/confirm", get(back).post(confirm))
}

/// The token of all forms of the house is bound to this, and to the browser.
const HOUSE: &str = "account";
/// Most sessions on the page.
const SHOWN: usize = 50;

/// Who is at home.
struct Home {
    caller: Caller,
    me: Me,
    full: Full,
    /// Whether the last proof is young enough for what matters.
    fresh: bool,
    form: String,
}

/// Who is at home, or the way to the door.
async fn home(visit: &Visit, caller: Caller, here: &str) -> Result<Result<Home, Response>, Failure> {
    let door = || go(&format!("/sign-in?return_to={}", encoded(here)), &[visit.chosen()]);
    if leaving::is_leaving(&caller) {
        return Ok(Err(go(&leaving::place(here), &[visit.chosen()])));
    }
    let Some(me) = visit.me(&caller)? else { return Ok(Err(door())) };
    let Some(full) = visit.signed_in(&caller).await? else { return Ok(Err(door())) };
    let fresh = me.must_be_fresh(&visit.ctx.realm).is_ok();
    Ok(Ok(Home { caller, me, full, fresh, form: Guard::of(visit).form(HOUSE) }))
}

/// [`home`] for somebody who looks.
macro_rules! at_home {
    ($visit:expr, $here:expr) => {
        match home(&$visit, $visit.looks().await?, $here).await? {
            Ok(home) => home,
            Err(door) => return Ok(door),
        }
    };
}

/// [`home`] for somebody who acts, from a page of ours.
macro_rules! acts_at_home {
    ($visit:expr, $here:expr) => {
        match home(&$visit, acts(&$visit).await?, $here).await? {
            Ok(home) => home,
            Err(door) => return Ok(door),
        }
    };
}

/// What the forms of the house send.
#[derive(Default, Deserialize)]
#[serde(default)]
struct HouseForm {
    form: String,
    name: String,
    email: String,
    username: String,
    /// A language tag, or nothing to follow the browser.
    language: String,
    current_password: String,
    password: String,
    /// A session, or `others` or `all`.
    session: String,
    /// The page that a proof is asked for.
    to: String,
}

impl HouseForm {
    fn is_of(&self, visit: &Visit) -> bool {
        Guard::of(visit).sent(HOUSE, &self.form)
    }
}

/// What was just done, in the address of the page behind it. Only a word of ours says anything.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    done: String,
}

type AskedQuery = Result<Query<Asked>, axum::extract::rejection::QueryRejection>;

fn done(query: AskedQuery) -> Option<&'static str> {
    let asked = query.map(|Query(asked)| asked).unwrap_or_default();
    Some(match asked.done.as_str() {
        "name" => "profile-done-name",
        "email" => "profile-done-email",
        "username" => "profile-done-username",
        "language" => "profile-done-language",
        "password" => "password-done",
        "session" => "devices-done-session",
        "others" => "devices-done-others",
        _ => return None,
    })
}

/// The address of a form, opened by hand.
async fn back(visit: Visit) -> Response {
    go("/account", &[visit.chosen()])
}

/// Begins a step-up that leads to `to`.
async fn prove_again(visit: &Visit, home: &Home, to: &str) -> Result<Response, Failure> {
    let mut begin = Begin::new(AttemptKind::StepUp, None, Sink::Cookie);
    begin.within = Some(Within { session: home.me.session, user: home.me.user });
    begin.return_to = Some(to.to_owned());
    let begun =
        attempt::begin::begin(&visit.ctx.realm, &home.caller, begin).await.map_err(|e| fails(visit, e))?;
    let own = begun.cookie.and_then(|new| cookie::set(visit.ctx.app.config(), &new, visit.ctx.realm.now()));
    Ok(go(&format!("/account/confirm/{}", begun.outcome.attempt.id), &[own]))
}

/// The button of a page that asks for a proof first.
async fn confirm(visit: Visit, Sent(sent): Sent<HouseForm>) -> Result<Response, Failure> {
    // Only to pages of the house.
    let pages = ["/account", "/account/security", "/account/data", "/account/delete"];
    let to = pages.into_iter().find(|page| *page == sent.to).unwrap_or("/account");
    let home = acts_at_home!(visit, to);
    if !sent.is_of(&visit) {
        return Ok(go(to, &[]));
    }
    prove_again(&visit, &home, to).await
}

// Profile

/// The languages to choose from, if there is more than one.
fn languages(visit: &Visit, locale: Option<&String>) -> Vec<Choice> {
    let own = language_of(locale);
    let brand = visit.ctx.realm.brand();
    let all = brand.languages();
    let choice = |l: &Language| Choice { tag: l.tag(), name: l.name(), chosen: own == Some(*l) };
    if all.len() > 1 { all.iter().map(choice).collect() } else { Vec::new() }
}

async fn profile_page(
    visit: &Visit,
    home: Home,
    done: Option<&'static str>,
    errors: Errors,
    typed: HouseForm,
) -> Result<Profile, Failure> {
    let realm = &visit.ctx.realm;
    let checkup = match home.full.user.kind {
        UserKind::Guest => None,
        UserKind::Person => {
            let looked = account::checkup::look(realm, &home.me, &home.full).await;
            Some(checkup::Card::of(looked.map_err(|e| fails(visit, e))?, realm.now()))
        }
    };
    let Home { full, fresh, form, .. } = home;
    let email = full.email();
    let or = |typed: String, stored: Option<&String>| {
        if typed.is_empty() { stored.cloned().unwrap_or_default() } else { typed }
    };
    Ok(Profile {
        form,
        fresh,
        done,
        name: or(typed.name, full.user.name.as_ref()),
        email: email.map(|e| e.typed.clone()),
        proven: email.is_some_and(|e| e.is_good()),
        username: full.username().map(|u| u.typed.clone()),
        languages: languages(visit, full.user.locale.as_ref()),
        new_email: typed.email,
        new_username: or(typed.username, full.username().map(|u| &u.typed)),
        checkup,
        errors,
    })
}

async fn profile(visit: Visit, query: AskedQuery) -> Result<Response, Failure> {
    let home = at_home!(visit, "/account");
    let page = profile_page(&visit, home, done(query), Errors::default(), HouseForm::default()).await?;
    visit.page_at("profile", StatusCode::OK, &page)
}

async fn profile_again(
    visit: &Visit,
    home: Home,
    status: StatusCode,
    errors: Errors,
    typed: HouseForm,
) -> Result<Response, Failure> {
    let page = profile_page(visit, home, None, errors, typed).await?;
    visit.shows("/account");
    visit.page_at("profile", status, &page)
}

async fn name(visit: Visit, Sent(sent): Sent<HouseForm>) -> Result<Response, Failure> {
    let home = acts_at_home!(visit, "/account");
    if !sent.is_of(&visit) {
        return profile_again(&visit, home, StatusCode::CONFLICT, changed(&visit), sent).await;
    }
    let name = Some(sent.name.trim().to_owned()).filter(|name| !name.is_empty());
    let change = ProfileChange { name: Some(name), ..ProfileChange::default() };
    match account::change(&visit.ctx.realm, &home.me, &home.caller.source, change).await {
        Ok(_) => Ok(go("/account?done=name", &[])),
        Err(error) => {
            let refusal = again(error).map_err(|e| fails(&visit, e))?;
            let errors = errors(&refusal, "name");
            profile_again(&visit, home, problem::status(refusal.kind), errors, sent).await
        }
    }
}

/// Another address: an attempt that proves it.
async fn email(visit: Visit, Sent(sent): Sent<HouseForm>) -> Result<Response, Failure> {
    let home = acts_at_home!(visit, "/account");
    if !sent.is_of(&visit) {
        return profile_again(&visit, home, StatusCode::CONFLICT, changed(&visit), sent).await;
    }
    let Ok(identifier) = Identifier::email(sent.email.trim()) else {
        let errors = Errors::at("email", "email-invalid");
        return profile_again(&visit, home, StatusCode::BAD_REQUEST, errors, sent).await;
    };
    let mut begin = Begin::new(AttemptKind::Verify, Some(identifier), Sink::Cookie);
    begin.within = Some(Within { session: home.me.session, user: home.me.user });
    begin.return_to = Some("/account?done=email".into());
    let realm = &visit.ctx.realm;
    let begun = match attempt::begin::begin(realm, &home.caller, begin).await {
        Ok(begun) => begun,
        Err(error) if error.kind() == Some(Kind::ReauthRequired) => {
            return prove_again(&visit, &home, "/account").await;
        }
        Err(error) => {
            let refusal = again(error).map_err(|e| fails(&visit, e))?;
            let errors = errors(&refusal, "email");
            return profile_again(&visit, home, problem::status(refusal.kind), errors, sent).await;
        }
    };
    let id = begun.outcome.attempt.id;
    let own = begun.cookie.and_then(|new| cookie::set(visit.ctx.app.config(), &new, realm.now()));
    match attempt::code::send(realm, &home.caller, id).await {
        Ok(()) => Ok(go(&format!("/account/email/{id}?by=code"), &[own])),
        Err(error) => {
            let refusal = again(error).map_err(|e| fails(&visit, e))?;
            let errors = errors(&refusal, "email");
            profile_again(&visit, home, problem::status(refusal.kind), errors, sent).await
        }
    }
}

async fn username(visit: Visit, Sent(sent): Sent<HouseForm>) -> Result<Response, Failure> {
    let home = acts_at_home!(visit, "/account");
    if !sent.is_of(&visit) {
        return profile_again(&visit, home, StatusCode::CONFLICT, changed(&visit), sent).await;
    }
    let new = Some(sent.username.trim()).filter(|name| !name.is_empty());
    match account::set_username(&visit.ctx.realm, &home.me, &home.caller.source, new).await {
        Ok(_) => Ok(go("/account?done=username", &[])),
        Err(error) if error.kind() == Some(Kind::ReauthRequired) => {
            prove_again(&visit, &home, "/account").await
        }
        Err(error) => {
            let refusal = again(error).map_err(|e| fails(&visit, e))?;
            let errors = errors(&refusal, "username");
            profile_again(&visit, home, problem::status(refusal.kind), errors, sent).await
        }
    }
}

/// The language of mails, and of pages in this browser.
async fn language(visit: Visit, Sent(sent): Sent<HouseForm>) -> Result<Response, Failure> {
    let home = acts_at_home!(visit, "/account");
    if !sent.is_of(&visit) {
        return profile_again(&visit, home, StatusCode::CONFLICT, changed(&visit), sent).await;
    }
    let realm = &visit.ctx.realm;
    let chosen = Language::of_tag(&sent.language).filter(|l| realm.brand().languages().contains(l));
    // A language that is not on offer here, set elsewhere, is no choice of this form's to take away.
    let foreign = home.full.user.locale.is_some() && language_of(home.full.user.locale.as_ref()).is_none();
    if chosen.is_some() || !foreign {
        let locale = Some(chosen.map(|language| language.tag().to_owned()));
        let change = ProfileChange { locale, ..ProfileChange::default() };
        account::change(realm, &home.me, &home.caller.source, change).await.map_err(|e| fails(&visit, e))?;
    }
    Ok(go(
        "/account?done=language",
        &[super::language::remember(visit.ctx.app.config(), chosen, Remember::Long)],
    ))
}

// Password

fn security_page(visit: &Visit, home: Home, done: Option<&'static str>, errors: Errors) -> Security {
    let policy = super::verify::show::Policy::of(&visit.ctx.realm);
    Security {
        form: home.form,
        fresh: home.fresh,
        done,
        has_password: home.full.has_password,
        name: visit.name_of(&home.full),
        policy,
        errors,
    }
}

async fn security(visit: Visit, query: AskedQuery) -> Result<Response, Failure> {
    let home = at_home!(visit, "/account/security");
    let page = security_page(&visit, home, done(query), Errors::default());
    visit.page_at("security", StatusCode::OK, &page)
}

async fn password(visit: Visit, Sent(sent): Sent<HouseForm>) -> Result<Response, Failure> {
    let home = acts_at_home!(visit, "/account/security");
    if !sent.is_of(&visit) {
        let page = security_page(&visit, home, None, changed(&visit));
        return visit.page_at("security", StatusCode::CONFLICT, &page);
    }
    let old = home.full.has_password.then(|| Password::new(sent.current_password));
    let new = Password::new(sent.password);
    match account::change_password(&visit.ctx.realm, &home.me, &home.caller, old, new).await {
        Ok(()) => Ok(go("/account/security?done=password", &[])),
        Err(error) if error.kind() == Some(Kind::ReauthRequired) => {
            prove_again(&visit, &home, "/account/security").await
        }
        Err(error) => {
            let refusal = again(error).map_err(|e| fails(&visit, e))?;
            let errors = match refusal.kind {
                Kind::CredentialsWrong => Errors::at("current_password", "password-not-it"),
                _ => errors(&refusal, "password"),
            };
            let page = security_page(&visit, home, None, errors);
            visit.page_at("security", problem::status(refusal.kind), &page)
        }
    }
}

// Sessions

async fn sessions_page(
    visit: &Visit,
    home: Home,
    done: Option<&'static str>,
    errors: Errors,
    status: StatusCode,
) -> Result<Response, Failure> {
    let realm = &visit.ctx.realm;
    let mut all = account::sessions(realm, home.me.user).await.map_err(|e| fails(visit, e))?;
    all.sort_by_key(|s| (s.id != home.me.session, std::cmp::Reverse(s.active_at)));
    let more = all.len().saturating_sub(SHOWN);
    let now = realm.now();
    let devices = all.iter().take(SHOWN).map(|s| device(realm, s, home.me.session, now)).collect();
    let page = Sessions { form: home.form, done, errors, devices, more };
    visit.page_at("sessions", status, &page)
}

async fn sessions(visit: Visit, query: AskedQuery) -> Result<Response, Failure> {
    let home = at_home!(visit, "/account/sessions");
    sessions_page(&visit, home, done(query), Errors::default(), StatusCode::OK).await
}

async fn end_sessions(visit: Visit, Sent(sent): Sent<HouseForm>) -> Result<Response, Failure> {
    let home = acts_at_home!(visit, "/account/sessions");
    if !sent.is_of(&visit) {
        let errors = changed(&visit);
        return sessions_page(&visit, home, None, errors, StatusCode::CONFLICT).await;
    }
    let (which, to) = match sent.session.as_str() {
        "all" => (Which::All, "/sign-out/done"),
        "others" => (Which::Others(home.me.session), "/account/sessions?done=others"),
        id => match id.parse::<SessionId>() {
            Ok(id) if id == home.me.session => (Which::One(id), "/sign-out/done"),
            Ok(id) => (Which::One(id), "/account/sessions?done=session"),
            Err(_) => return Ok(go("/account/sessions", &[])),
        },
    };
    account::end_mine(&visit.ctx.realm, &home.me, &home.caller.source, which)
        .await
        .map_err(|e| fails(&visit, e))?;
    let parting = if to == "/sign-out/done" { Guard::parting(&visit) } else { None };
    Ok(go(to, &[parting]))
}

// Data

async fn data(visit: Visit) -> Result<Response, Failure> {
    let home = at_home!(visit, "/account/data");
    let page = Data { form: home.form, fresh: home.fresh };
    visit.page_at("data", StatusCode::OK, &page)
}

/// Everything that is kept about the person, for them and for programs.
async fn download(visit: Visit, Sent(sent): Sent<HouseForm>) -> Result<Response, Failure> {
    let home = acts_at_home!(visit, "/account/data");
    if !sent.is_of(&visit) {
        return Ok(go("/account/data", &[]));
    }
    if !home.fresh {
        return prove_again(&visit, &home, "/account/data").await;
    }
    let realm = &visit.ctx.realm;
    let now = realm.now();
    let sessions = account::sessions(realm, home.me.user).await.map_err(|e| fails(&visit, e))?;
    let sessions: Vec<SessionView> =
        sessions.iter().map(|s| SessionView::of(s, Some(home.me.session))).collect();
    let whole = serde_json::json!({
        "made_at": time(now),
        "account": UserView::of(&home.full, now, false),
        "sessions": sessions,
    });
    let text = serde_json::to_string_pretty(&whole).unwrap_or_default();
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let name = HeaderValue::from_static("attachment; filename=\"account.json\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

async fn confirm_delete(visit: Visit) -> Result<Response, Failure> {
    let home = at_home!(visit, "/account/delete");
    let name = visit.name_of(&home.full);
    let grace = leaving::Grace::of(&visit.ctx.realm).map(leaving::Grace::before);
    let page = Delete { form: home.form, fresh: home.fresh, name, grace };
    visit.page_at("data", StatusCode::OK, &page)
}

async fn delete(visit: Visit, Sent(sent): Sent<HouseForm>) -> Result<Response, Failure> {
    let home = acts_at_home!(visit, "/account/delete");
    if !sent.is_of(&visit) {
        return Ok(go("/account/delete", &[]));
    }
    if !home.fresh {
        return prove_again(&visit, &home, "/account/delete").await;
    }
    account::delete_mine(&visit.ctx.realm, &home.me, &home.caller.source)
        .await
        .map_err(|e| fails(&visit, e))?;
    Ok(go("/account/deleted", &[Guard::parting(&visit)]))
}
