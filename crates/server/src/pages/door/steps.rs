//! The steps of an attempt, one page each: the mailed code, the new password, the password again. Which one is shown
//! follows from what the attempt offers; the attempt's id in the address is no secret, since it is bound to the browser.

use super::{
    HOME, acts, changed, errors, fails,
    show::{Code, Confirm},
};
use crate::pages::{
    forms::{Errors, Guard, Sent, again, go, put},
    leaving,
    message::{Failure, wait},
    verify::show::{Policy, SetPassword},
    visit::Visit,
};
use axum::{
    Router,
    extract::{Path, Query, rejection::QueryRejection},
    response::Response,
    routing::get,
};
use http::StatusCode;
use latchstring_core::{
    Class, Kind,
    attempt::{
        self, Attempt, AttemptKind, Caller, Outcome, Step, code, new_password, password, password_at_sign_up,
    },
    browser::NewCookie,
    id::AttemptId,
    secret::Password,
    user::DELETION_PENDING,
};
use latchstring_look::Say;
use latchstring_web::{App, cookie, problem};
use serde::Deserialize;

pub(in crate::pages) fn routes() -> Router<App> {
    let kinds = [
        AttemptKind::SignIn,
        AttemptKind::SignUp,
        AttemptKind::Recover,
        AttemptKind::StepUp,
        AttemptKind::Verify,
    ];
    kinds.into_iter().fold(Router::new(), |router, kind| {
        router.route(&format!("{}/{{id}}", base(kind)), get(show).post(step))
    })
}

/// Where the steps of an attempt of `kind` have their addresses.
fn base(kind: AttemptKind) -> &'static str {
    match kind {
        AttemptKind::SignIn => "/sign-in",
        AttemptKind::SignUp => "/sign-up",
        AttemptKind::Recover => "/recover",
        AttemptKind::StepUp => "/account/confirm",
        AttemptKind::Verify => "/account/email",
    }
}

fn place(attempt: &Attempt) -> String {
    format!("{}/{}", base(attempt.kind), attempt.id)
}

/// Where it leads at the end, if that is still listed.
fn end(visit: &Visit, attempt: &Attempt) -> String {
    let asked = attempt.body.return_to.as_deref();
    asked.and_then(|to| visit.ctx.realm.may_return_to(to)).unwrap_or_else(|| HOME.to_owned())
}

/// What a form of an attempt is bound to, beside the browser.
fn bound(id: AttemptId) -> String {
    format!("attempt {id}")
}

/// What the address of a step has.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct Asked {
    /// `code`, where there is a choice.
    by: String,
    /// Another code was sent.
    sent: Option<String>,
    /// Everything of the account has just been ended.
    ended: Option<String>,
}

/// What a step sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::pages) struct StepForm {
    form: String,
    step: String,
    code: String,
    password: String,
}

/// How a step is shown.
#[derive(Default)]
struct View {
    by_code: bool,
    sent: bool,
    ended: bool,
    errors: Errors,
    status: StatusCode,
}

/// On to what follows, after a step or a beginning: to where it leads if that was all, else to the next page. Where
/// only a mailed code leads on, it is on its way.
pub(in crate::pages) async fn on(
    visit: &Visit,
    caller: &Caller,
    outcome: &Outcome,
    fresh: Option<NewCookie>,
) -> Result<Response, Failure> {
    let realm = &visit.ctx.realm;
    let attempt = &outcome.attempt;
    let set = |new: NewCookie| cookie::set(visit.ctx.app.config(), &new, realm.now());
    if let Some(completed) = &outcome.completed {
        // The one that a completed attempt gives replaces the one that it began with.
        let new = completed.cookie.clone().or(fresh);
        let end = end(visit, attempt);
        let leaving = completed.tasks.iter().any(|task| task == DELETION_PENDING);
        let to = if leaving { leaving::place(&end) } else { end };
        return Ok(go(&to, &[new.and_then(set)]));
    }
    let offers = attempt.offers(password_at_sign_up(realm));
    let proven = !attempt.proofs.is_empty();
    if proven && matches!(offers[..], [Step::Code] | [Step::Factor]) {
        match code::send(realm, caller, attempt.id).await {
            Ok(()) => {}
            // The page has a button to ask again, which says how long to wait.
            Err(error) => {
                let refusal = again(error).map_err(|e| fails(visit, e))?;
                tracing::debug!(code = refusal.kind.code(), "no code was sent yet");
            }
        }
    }
    let by = if offers.contains(&Step::NewPassword) { "" } else { "?by=code" };
    Ok(go(&format!("{}{by}", place(attempt)), &[fresh.and_then(set)]))
}

async fn show(
    visit: Visit,
    Path(id): Path<String>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Failure> {
    // What is no id is an attempt that does not exist.
    let Ok(id) = id.parse::<AttemptId>() else { return Err(fails(&visit, Kind::AttemptUnknown)) };
    let asked = query.map(|Query(asked)| asked).unwrap_or_default();
    let caller = visit.looks().await?;
    let (sent, ended) = (asked.sent.is_some(), asked.ended.is_some());
    let view = View { by_code: asked.by == "code", sent, ended, ..View::default() };
    page(&visit, &caller, id, view).await
}

async fn page(visit: &Visit, caller: &Caller, id: AttemptId, view: View) -> Result<Response, Failure> {
    let realm = &visit.ctx.realm;
    let attempt = attempt::load(realm, caller, id).await.map_err(|e| fails(visit, e))?;
    if attempt.session.is_some() {
        return Ok(go(&end(visit, &attempt), &[]));
    }
    let offers = attempt.offers(password_at_sign_up(realm));
    let guard = Guard::of(visit);
    let (form, action) = (guard.form(&bound(id)), place(&attempt));
    visit.shows(&format!("{action}{}", if view.by_code { "?by=code" } else { "" }));
    let identifier = attempt.identifier.as_ref().map(|i| i.typed.clone()).unwrap_or_default();
    let back = attempt.body.return_to.as_deref();
    let mut response = if offers.contains(&Step::NewPassword) {
        let mut errors = view.errors;
        let page = SetPassword {
            form,
            action,
            recover: attempt.kind == AttemptKind::Recover,
            address: identifier,
            policy: Policy::of(realm),
            wrong: errors.fields.remove("password"),
            trouble: errors.trouble,
        };
        visit.page_to(view.status, &page, back)
    } else if attempt.kind == AttemptKind::StepUp && offers.contains(&Step::Password) && !view.by_code {
        let full = visit.signed_in(caller).await?.ok_or_else(|| fails(visit, Kind::NotSignedIn))?;
        let page = Confirm {
            form,
            action,
            name: visit.name_of(&full),
            has_password: full.has_password,
            has_email: full.email().is_some(),
            errors: view.errors,
            back: end(visit, &attempt),
        };
        visit.page_to(view.status, &page, back)
    } else if offers == [Step::Factor] || offers.contains(&Step::Code) && (view.by_code || offers.len() == 1)
    {
        let (heading, button) = match attempt.kind {
            _ if offers == [Step::Factor] => ("code-factor", "go-on"),
            AttemptKind::SignIn => ("code", "sign-in"),
            AttemptKind::SignUp | AttemptKind::Verify => ("code", "code-confirm-address"),
            AttemptKind::Recover => ("code", "go-on"),
            AttemptKind::StepUp => ("code", "code-confirm"),
        };
        let page = Code {
            form,
            action,
            heading,
            identifier,
            maybe: matches!(attempt.kind, AttemptKind::SignIn | AttemptKind::Recover)
                && attempt.user.is_none()
                // A link from that mailbox began it, for an account that there is.
                && !view.ended,
            button,
            sent: view.sent,
            minutes: (realm.settings().1.code.seconds / 60).max(1),
            ended: view.ended && attempt.kind == AttemptKind::Recover,
            errors: view.errors,
            start: match attempt.kind {
                AttemptKind::StepUp | AttemptKind::Verify => HOME,
                kind => base(kind),
            },
        };
        visit.page_to(view.status, &page, back)
    } else if attempt.open {
        // Nothing was proven and nothing sent: the form is where it began.
        return Ok(go("/sign-in", &[]));
    } else {
        return Err(fails(visit, Kind::AttemptClosed));
    }?;
    put(&mut response, &[guard.cookie()]);
    Ok(response)
}

/// A step was sent.
async fn step(visit: Visit, Path(id): Path<String>, Sent(sent): Sent<StepForm>) -> Result<Response, Failure> {
    let caller = acts(&visit).await?;
    // What is no id is an attempt that does not exist.
    let Ok(id) = id.parse::<AttemptId>() else { return Err(fails(&visit, Kind::AttemptUnknown)) };
    let by_code = sent.step == "code" || sent.step == "send";
    if !Guard::of(&visit).sent(&bound(id), &sent.form) {
        let view = View { by_code, errors: changed(&visit), status: StatusCode::CONFLICT, ..View::default() };
        return page(&visit, &caller, id, view).await;
    }
    let realm = &visit.ctx.realm;
    let secret = Password::new(sent.password);
    let (done, field) = match sent.step.as_str() {
        "send" => {
            let sent = code::send(realm, &caller, id).await;
            if sent.is_ok() {
                let attempt = attempt::load(realm, &caller, id).await.map_err(|e| fails(&visit, e))?;
                return Ok(go(&format!("{}?by=code&sent=1", place(&attempt)), &[]));
            }
            (sent.map(|()| None), "code")
        }
        "code" => (code::code(realm, &caller, id, &sent.code).await.map(Some), "code"),
        "password" => (password::password(realm, &caller, id, secret).await.map(Some), "password"),
        "new_password" => {
            (new_password::new_password(realm, &caller, id, secret).await.map(Some), "password")
        }
        _ => return Err(fails(&visit, Kind::InputInvalid)),
    };
    match done {
        Ok(Some(outcome)) => on(&visit, &caller, &outcome, None).await,
        Ok(None) => Err(fails(&visit, Kind::AttemptClosed)),
        Err(error) => {
            let refusal = again(error).map_err(|e| fails(&visit, e))?;
            let mut errors = errors(&refusal, field);
            if refusal.kind.class() == Class::Limited && sent.step != "password" {
                errors = Errors::whole(Say::new("limited-often").with("wait", wait(&refusal)));
            }
            let view = View { by_code, errors, status: problem::status(refusal.kind), ..View::default() };
            page(&visit, &caller, id, view).await
        }
    }
}
