//! “This was not me”: the page behind the link of a notice. Its button ends everything of the account and begins a
//! recovery in this browser, by the mail of the address that the notice went to; it signs nobody in.

use super::{Carried, Form, page as carried_page};
use crate::pages::{
    forms::{Sent, go},
    message::{Failure, Message},
    templates::Page,
    visit::Visit,
};
use axum::response::Response;
use http::StatusCode;
use latchstring_core::{
    Error, Kind,
    account::not_me::{self, Address, Looked},
    attempt::{
        self, AttemptKind, Caller, Sink,
        begin::{self, Begin},
    },
    clock::{Micros, date},
    identifier::Identifier,
};
use latchstring_look::Say;
use latchstring_web::cookie;
use serde::Serialize;

/// What was told, and what the button does.
#[derive(Serialize)]
pub(in crate::pages) struct NotMe {
    pub form: String,
    /// What was told, and when.
    pub what: Say,
    pub address: String,
    /// Whether the account has another address now.
    pub moved: bool,
    pub changed: bool,
}

impl Page for NotMe {
    const TEMPLATE: &'static str = "verify/not_me.html";
}

/// The address belongs to another account by now.
#[derive(Serialize)]
pub(in crate::pages) struct Taken {
    pub address: String,
}

impl Page for Taken {
    const TEMPLATE: &'static str = "verify/not_me_taken.html";
}

/// What a link that is used up leads to: the same can be had by a new password.
pub(in crate::pages) fn used_up() -> Message {
    Message {
        heading: "not-me-used".into(),
        says: "not-me-used-says".into(),
        way_on: ("/recover", "set-password"),
    }
}

/// What was told, as it is said on the page.
fn told(what: &str, at: Micros) -> Say {
    let id = match what {
        "new_device" => "not-me-new-device",
        "password" => "not-me-password",
        "email" => "not-me-email",
        "username" => "not-me-username",
        "signed_out" => "not-me-signed-out",
        "deletion_begun" => "not-me-deletion",
        "deletion_kept" => "not-me-kept",
        _ => "not-me-else",
    };
    Say::new(id).with("at", date(at))
}

impl NotMe {
    pub(in crate::pages) fn of(looked: Looked, form: String, changed: bool) -> Self {
        let Looked { what, address, at, moved } = looked;
        Self { form, what: told(&what, at), address, moved, changed }
    }
}

fn fails(visit: &Visit, error: Error) -> Result<Response, Failure> {
    match error.kind() {
        Some(Kind::LinkUnusable) => visit.page(StatusCode::GONE, &used_up()),
        _ => Err(visit.fails(error)),
    }
}

pub(super) async fn page(
    visit: &Visit,
    caller: &Caller,
    carried: &Carried,
    token: &str,
    changed: bool,
) -> Result<Response, Failure> {
    let looked = match not_me::look(&visit.ctx.realm, &caller.source, token).await {
        Ok(looked) => looked,
        Err(error) => return fails(visit, error),
    };
    let status = if changed { StatusCode::CONFLICT } else { StatusCode::OK };
    visit.page(status, &NotMe::of(looked, carried.form(visit), changed))
}

/// The button was pressed.
pub(in crate::pages) async fn press(visit: Visit, Sent(form): Sent<Form>) -> Result<Response, Failure> {
    let caller = visit.acts().await?;
    let Some(carried @ Carried::NotMe(token)) = &Carried::of(&visit) else {
        return Ok(go("/verify", &[]));
    };
    if !carried.sent(&visit, &form.form) {
        return carried_page(&visit, true).await;
    }
    let done = match not_me::press(&visit.ctx.realm, &caller.source, token).await {
        Ok(done) => done,
        Err(error) => return fails(&visit, error),
    };
    if done.address == Address::Taken {
        return visit.page(StatusCode::OK, &Taken { address: done.identifier.typed });
    }
    recover(&visit, &caller, done.identifier).await
}

/// Begins a recovery as `/recover` does. Should the limits not let a code be sent now, its page has a button for that.
async fn recover(visit: &Visit, caller: &Caller, address: Identifier) -> Result<Response, Failure> {
    let (realm, config) = (&visit.ctx.realm, visit.ctx.app.config());
    let begin = Begin::new(AttemptKind::Recover, Some(address), Sink::Cookie);
    let begun = match begin::begin(realm, caller, begin).await {
        Ok(begun) => begun,
        Err(Error::Refused(_)) => return Ok(go("/recover", &[Carried::unset(config)])),
        Err(error) => return Err(visit.fails(error)),
    };
    let caller = Caller { browser: begun.browser, ..caller.clone() };
    let id = begun.outcome.attempt.id;
    if let Err(error) = attempt::code::send(realm, &caller, id).await {
        tracing::debug!(error = %error, "no code was sent yet");
    }
    let own = begun.cookie.and_then(|new| cookie::set(config, &new, realm.now()));
    Ok(go(&format!("/recover/{id}?by=code&ended=1"), &[own, Carried::unset(config)]))
}
