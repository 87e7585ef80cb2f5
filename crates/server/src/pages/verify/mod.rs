//! `/verify`: the pages behind a mailed link. A GET never spends what travelled by mail (invariant 7): it moves the
//! token out of the address, then shows what the link is for, with a button. Pressed in the browser that began the
//! attempt it goes on with it; pressed anywhere else it signs in there, and nowhere else.

mod cookie;
pub(super) mod not_me;
pub(super) mod show;

use super::{
    door::HOME,
    forms::{Sent, go, put},
    leaving,
    message::Failure,
    visit::Visit,
};
use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use cookie::{Carried, Did};
use http::StatusCode;
use latchstring_core::{
    Class, Error, Kind, Refusal,
    attempt::{
        self, Attempt, AttemptKind, Caller, Outcome, Sink, Step,
        begin::{self, Begin},
        link, new_password, password_at_sign_up,
    },
    browser::NewCookie,
    invitation,
    limit::Rule,
    secret::Password,
};
use latchstring_look::Say;
use latchstring_web::problem;
use serde::Deserialize;
use show::{Done, Elsewhere, Invitation, Link, Policy, SetPassword};

/// What a mailed address has.
#[derive(Deserialize)]
pub(super) struct Mailed {
    token: Option<String>,
    invitation: Option<String>,
    not_me: Option<String>,
}

/// The page behind a link. What it shows depends on what the browser carries.
pub(super) async fn show(
    visit: Visit,
    query: Result<Query<Mailed>, QueryRejection>,
) -> Result<Response, Failure> {
    // An address that says something twice (A030) says nothing.
    let Ok(Query(mailed)) = query else { return Err(visit.fails(Kind::LinkUnusable)) };
    let carried = match (mailed.token, mailed.invitation, mailed.not_me) {
        (None, None, None) => return page(&visit, false).await,
        (Some(token), None, None) => Carried::link(&token),
        (None, Some(secret), None) => Carried::invitation(&secret),
        (None, None, Some(token)) => Carried::not_me(&token),
        _ => return Err(visit.fails(Kind::LinkUnusable)),
    };
    Ok(go("/verify", &[carried.set(visit.ctx.app.config())]))
}

/// `changed`: a form came that belongs to another page than this one.
async fn page(visit: &Visit, changed: bool) -> Result<Response, Failure> {
    visit.shows("/verify");
    let realm = &visit.ctx.realm;
    let caller = visit.looks().await?;
    let status = if changed { StatusCode::CONFLICT } else { StatusCode::OK };
    let Some(carried) = Carried::of(visit) else {
        return visit.page(StatusCode::OK, &show::no_link());
    };
    match &carried {
        Carried::Link(token) => {
            let looked = link::look(realm, &caller, token).await.map_err(|e| visit.fails(e))?;
            if !looked.usable_here {
                return visit.page(status, &Elsewhere { address: looked.address });
            }
            let other = other(visit, &caller, &looked.address).await?;
            let ends_at = looked.ends_at.clone();
            visit.page_to(status, &Link::of(looked, carried.form(visit), other, changed), ends_at.as_deref())
        }
        Carried::Invitation(secret) => {
            realm.limit_address(Rule::CodesByAddress, &caller.source).await.map_err(|e| visit.fails(e))?;
            let invited = invitation::look(realm, secret).await.map_err(|e| visit.fails(e))?;
            let address = invited.address.typed;
            let other = other(visit, &caller, &address).await?;
            let form = carried.form(visit);
            let policy = Policy::of(realm);
            visit.page(status, &Invitation { form, address, other, changed, policy, ..Invitation::default() })
        }
        Carried::NotMe(token) => not_me::page(visit, &caller, &carried, token, changed).await,
        Carried::Attempt(id) => {
            let attempt = attempt::load(realm, &caller, *id).await.map_err(|e| visit.fails(e))?;
            if attempt.session.is_some() {
                return Ok(go("/verify/done", &[]));
            }
            if attempt.offers(password_at_sign_up(realm)).contains(&Step::Factor) {
                return visit.page(status, &show::second_step());
            }
            let page = set_password(visit, &attempt, carried.form(visit))?;
            visit.page_to(status, &page, ends_at(&attempt))
        }
        Carried::Done(..) => Ok(go("/verify/done", &[])),
    }
}

/// Who is signed in here, if it is somebody else than `address`.
async fn other(visit: &Visit, caller: &Caller, address: &str) -> Result<Option<String>, Failure> {
    let full = visit.signed_in(caller).await?;
    let own = full.as_ref().and_then(|f| f.email()).map(|e| e.typed.clone());
    Ok(own.filter(|own| !own.eq_ignore_ascii_case(address)))
}

/// The page for the new password, if that is what leads on.
fn set_password(visit: &Visit, attempt: &Attempt, form: String) -> Result<SetPassword, Failure> {
    let realm = &visit.ctx.realm;
    if !attempt.offers(password_at_sign_up(realm)).contains(&Step::NewPassword) {
        return Err(visit.fails(Kind::AttemptClosed));
    }
    let address = attempt.identifier.as_ref().map(|i| i.typed.clone()).unwrap_or_default();
    Ok(SetPassword {
        recover: attempt.kind == AttemptKind::Recover,
        address,
        form,
        action: "/verify/password".into(),
        policy: Policy::of(realm),
        ..SetPassword::default()
    })
}

/// The button was pressed.
pub(super) async fn follow(visit: Visit, Sent(form): Sent<Form>) -> Result<Response, Failure> {
    let caller = visit.acts().await?;
    let Some(carried @ Carried::Link(token)) = &Carried::of(&visit) else {
        return Ok(go("/verify", &[]));
    };
    if !carried.sent(&visit, &form.form) {
        return page(&visit, true).await;
    }
    let (outcome, cookie) =
        link::follow(&visit.ctx.realm, &caller, token).await.map_err(|e| visit.fails(e))?;
    Ok(step(&visit, &outcome, cookie))
}

/// The new password was sent.
pub(super) async fn password(visit: Visit, Sent(form): Sent<Form>) -> Result<Response, Failure> {
    visit.shows("/verify");
    let caller = visit.acts().await?;
    let Some(carried @ Carried::Attempt(id)) = Carried::of(&visit) else {
        return Ok(go("/verify", &[]));
    };
    if !carried.sent(&visit, &form.form) {
        return page(&visit, true).await;
    }
    let realm = &visit.ctx.realm;
    let error = match new_password::new_password(realm, &caller, id, Password::new(form.password)).await {
        Ok(outcome) => return Ok(step(&visit, &outcome, None)),
        Err(error) => error,
    };
    let refusal = again(&visit, error)?;
    let attempt = attempt::load(realm, &caller, id).await.map_err(|e| visit.fails(e))?;
    let mut page = set_password(&visit, &attempt, carried.form(&visit))?;
    (page.wrong, page.trouble) = split(&refusal);
    visit.page_to(problem::status(refusal.kind), &page, ends_at(&attempt))
}

/// The app that an attempt leads back to: its form may end there.
fn ends_at(attempt: &Attempt) -> Option<&str> {
    attempt.body.redirect.as_ref().map(|redirect| redirect.ends_at.as_str())
}

/// The invitation was accepted: an attempt that its secret proves, and its last step at once.
pub(super) async fn accept(visit: Visit, Sent(form): Sent<Form>) -> Result<Response, Failure> {
    visit.shows("/verify");
    let mut caller = visit.acts().await?;
    let Some(carried @ Carried::Invitation(secret)) = &Carried::of(&visit) else {
        return Ok(go("/verify", &[]));
    };
    if !carried.sent(&visit, &form.form) {
        return page(&visit, true).await;
    }
    let realm = &visit.ctx.realm;
    let mut begin = Begin::new(AttemptKind::SignUp, None, Sink::Cookie);
    begin.invitation = Some(secret.as_str().into());
    begin.name = Some(form.name.trim().to_owned()).filter(|name| !name.is_empty());
    let begun = match begin::begin(realm, &caller, begin).await {
        Ok(begun) => begun,
        Err(error) => {
            let refusal = again(&visit, error)?;
            let invited = invitation::look(realm, secret).await.map_err(|e| visit.fails(e))?;
            let mut page = Invitation {
                form: carried.form(&visit),
                address: invited.address.typed,
                name: form.name,
                policy: Policy::of(realm),
                ..Invitation::default()
            };
            (page.wrong_name, page.trouble) = split(&refusal);
            return visit.page(problem::status(refusal.kind), &page);
        }
    };
    if begun.outcome.completed.is_some() {
        // No password is asked for here.
        return Ok(step(&visit, &begun.outcome, begun.cookie));
    }
    caller.browser = begun.browser;
    let id = begun.outcome.attempt.id;
    let error = match new_password::new_password(realm, &caller, id, Password::new(form.password)).await {
        Ok(outcome) => return Ok(step(&visit, &outcome, begun.cookie)),
        Err(error) => error,
    };
    if error.kind() == Some(Kind::AttemptClosed) {
        // The address has an account already, which its owner may be told.
        return Err(visit.fails(Kind::InvitationUnusable));
    }
    // From here on it is the attempt that goes on; it remembers the name. Its form is bound to it, and to the cookie
    // that this browser may get only now.
    let refusal = again(&visit, error)?;
    let next = Carried::Attempt(id);
    let form = match &begun.cookie {
        Some(new) => next.form_for(&new.secret.text()),
        None => next.form(&visit),
    };
    let mut page = set_password(&visit, &begun.outcome.attempt, form)?;
    (page.wrong, page.trouble) = split(&refusal);
    let mut response = visit.page(problem::status(refusal.kind), &page)?;
    let config = visit.ctx.app.config();
    let own = begun.cookie.and_then(|new| latchstring_web::cookie::set(config, &new, realm.now()));
    put(&mut response, &[own, next.set(config)]);
    Ok(response)
}

/// After a step: on to the next page, with the cookies that belong to it.
fn step(visit: &Visit, outcome: &Outcome, fresh: Option<NewCookie>) -> Response {
    let config = visit.ctx.app.config();
    let now = visit.ctx.realm.now();
    let completed = outcome.completed.as_ref();
    // The one that a completed attempt gives replaces the one that it began with.
    let own = completed.and_then(|c| c.cookie.clone()).or(fresh);
    let own = own.and_then(|new| latchstring_web::cookie::set(config, &new, now));
    if let Some(to) = &outcome.redirect {
        // Back to the app. What was carried is spent.
        return go(to, &[own, Carried::unset(config)]);
    }
    let (next, to) = match completed {
        Some(_) => {
            let did = match outcome.attempt.kind {
                AttemptKind::SignIn => Did::SignIn,
                AttemptKind::SignUp => Did::SignUp,
                AttemptKind::Recover => Did::Recover,
                AttemptKind::StepUp | AttemptKind::Verify => Did::Confirm,
            };
            (Carried::Done(did, outcome.attempt.id), "/verify/done")
        }
        None => (Carried::Attempt(outcome.attempt.id), "/verify"),
    };
    go(to, &[own, next.set(config)])
}

/// It is done. Says so to whom it is true for.
pub(super) async fn done(visit: Visit) -> Result<Response, Failure> {
    let caller = visit.looks().await?;
    let Some(full) = visit.signed_in(&caller).await? else { return Ok(go("/", &[])) };
    let leaving = leaving::is_leaving(&caller);
    let (did, way_on) = match Carried::of(&visit) {
        Some(Carried::Done(did, id)) => {
            let attempt = attempt::load(&visit.ctx.realm, &caller, id).await.ok();
            let way_on = attempt.and_then(|attempt| attempt.body.return_to);
            (did, way_on.and_then(|to| visit.ctx.realm.may_return_to(&to)))
        }
        _ => (Did::SignIn, None),
    };
    if leaving {
        return Ok(go(&leaving::place(way_on.as_deref().unwrap_or(HOME)), &[]));
    }
    let heading = match did {
        Did::SignIn => "done-sign-in",
        Did::SignUp => "done-sign-up",
        Did::Recover => "done-recover",
        Did::Confirm => "done-confirm",
    };
    visit.page(StatusCode::OK, &Done { heading, address: full.email().map(|e| e.typed.clone()), way_on })
}

/// The address of a form, opened by hand.
pub(super) async fn back(visit: Visit) -> Response {
    go("/verify", &[visit.chosen()])
}

/// Refusals after which the same form may be sent again. All others end here.
fn again(visit: &Visit, error: Error) -> Result<Refusal, Failure> {
    match error {
        Error::Refused(refusal)
            if matches!(refusal.kind.class(), Class::Invalid | Class::Limited | Class::Unavailable) =>
        {
            Ok(refusal)
        }
        error => Err(visit.fails(error)),
    }
}

/// What is wrong with a field, or else with the whole.
fn split(refusal: &Refusal) -> (Option<Say>, Option<Say>) {
    match refusal.kind.class() {
        Class::Invalid => (Some(super::message::field(refusal)), None),
        _ => (None, Some(super::message::words(refusal).1)),
    }
}

/// A form of these pages.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Form {
    form: String,
    name: String,
    password: String,
}
