//! An account that is to be deleted: what its owner sees once they have signed in to it again, wherever they were going,
//! and what they see who have just deleted theirs.

use super::{
    door::{HOME, acts, fails},
    forms::{Guard, Sent, encoded, go},
    message::Failure,
    templates::Page,
    visit::Visit,
};
use axum::{
    Router,
    extract::{Query, rejection::QueryRejection},
    response::Response,
    routing::get,
};
use http::StatusCode;
use latchstring_core::{account, attempt::Caller, clock::date, realm::Realm, user::DELETION_PENDING};
use latchstring_look::Say;
use latchstring_web::{App, cookie};
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/account/keep", get(show).post(keep))
        .route("/account/kept", get(kept))
        .route("/account/deleted", get(deleted))
}

/// Keep it, or sign out.
#[derive(Serialize)]
pub(super) struct Leaving {
    pub form: String,
    pub name: String,
    /// The day and the minute.
    pub until: Say,
    pub return_to: String,
}

impl Page for Leaving {
    const TEMPLATE: &'static str = "leaving/choose.html";
}

/// It stays.
#[derive(Serialize)]
pub(super) struct Kept {
    pub name: String,
    pub way_on: String,
}

impl Page for Kept {
    const TEMPLATE: &'static str = "leaving/kept.html";
}

/// It is gone, or will be.
#[derive(Serialize)]
pub(super) struct Deleted {
    /// For how long it can still be kept; `None`: it is gone.
    pub grace: Option<Say>,
}

impl Page for Deleted {
    const TEMPLATE: &'static str = "leaving/deleted.html";
}

/// Where somebody was going.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    form: String,
    return_to: String,
}

type AskedQuery = Result<Query<Asked>, QueryRejection>;

/// What the form is bound to, beside the browser.
const KEEP: &str = "keep";

/// Whether this browser's current session waits for its account to be kept.
pub(super) fn is_leaving(caller: &Caller) -> bool {
    let signed = caller.browser.as_ref().and_then(|known| known.signed.as_ref());
    signed.is_some_and(|signed| signed.tasks.iter().any(|task| task == DELETION_PENDING))
}

/// Where such a session is led, on its way to `to`.
pub(super) fn place(to: &str) -> String {
    format!("/account/keep?return_to={}", encoded(to))
}

fn way_on(visit: &Visit, to: &str) -> String {
    visit.ctx.realm.may_return_to(to).unwrap_or_else(|| HOME.to_owned())
}

async fn show(visit: Visit, query: AskedQuery) -> Result<Response, Failure> {
    let asked = query.map(|Query(asked)| asked).unwrap_or_default();
    page(&visit, StatusCode::OK, &asked.return_to).await
}

async fn page(visit: &Visit, status: StatusCode, to: &str) -> Result<Response, Failure> {
    let caller = visit.looks().await?;
    let return_to = way_on(visit, to);
    let full = visit.signed_in(&caller).await?.filter(|_| is_leaving(&caller));
    let Some((full, at)) = full.and_then(|full| full.user.delete_after.map(|at| (full, at))) else {
        // Kept meanwhile, or nobody who has anything to keep.
        return Ok(go(&return_to, &[]));
    };
    let form = Guard::of(visit).form(KEEP);
    let page = Leaving { form, name: visit.name_of(&full), until: date(at), return_to };
    visit.page(status, &page)
}

async fn keep(visit: Visit, Sent(sent): Sent<Asked>) -> Result<Response, Failure> {
    let caller = acts(&visit).await?;
    if !Guard::of(&visit).sent(KEEP, &sent.form) {
        return page(&visit, StatusCode::CONFLICT, &sent.return_to).await;
    }
    let to = way_on(&visit, &sent.return_to);
    let Some(me) = visit.me_with_tasks(&caller) else { return Ok(go("/sign-in", &[])) };
    let realm = &visit.ctx.realm;
    let (_, new) = account::keep(realm, &me, &caller).await.map_err(|e| fails(&visit, e))?;
    let own = new.and_then(|new| cookie::set(visit.ctx.app.config(), &new, realm.now()));
    Ok(go(&format!("/account/kept?return_to={}", encoded(&to)), &[own]))
}

async fn kept(visit: Visit, query: AskedQuery) -> Result<Response, Failure> {
    let asked = query.map(|Query(asked)| asked).unwrap_or_default();
    let caller = visit.looks().await?;
    if is_leaving(&caller) {
        return Ok(go(&place(&asked.return_to), &[]));
    }
    let Some(full) = visit.signed_in(&caller).await? else { return Ok(go("/sign-in", &[])) };
    let page = Kept { name: visit.name_of(&full), way_on: way_on(&visit, &asked.return_to) };
    visit.page(StatusCode::OK, &page)
}

async fn deleted(visit: Visit) -> Result<Response, Failure> {
    let caller = visit.looks().await?;
    if visit.signed_in(&caller).await?.is_some() {
        return Ok(go(HOME, &[]));
    }
    let grace = Grace::of(&visit.ctx.realm);
    visit.page(StatusCode::OK, &Deleted { grace: grace.map(Grace::after) })
}

/// For how long a deleted account can be kept, in the largest unit that fits.
#[derive(Clone, Copy)]
pub(super) enum Grace {
    Days(i64),
    Hours(i64),
}

impl Grace {
    /// `None`: it goes at once.
    pub(super) fn of(realm: &Realm) -> Option<Self> {
        Self::seconds(realm.settings().1.account.deletion_grace_seconds)
    }

    pub(super) fn seconds(seconds: i64) -> Option<Self> {
        match seconds {
            0 => None,
            s if s < 86_400 => Some(Self::Hours((s + 3_599) / 3_600)),
            s => Some(Self::Days(s / 86_400)),
        }
    }

    /// Said before.
    pub(super) fn before(self) -> Say {
        match self {
            Self::Days(n) => Say::new("delete-grace-days").with("days", n),
            Self::Hours(n) => Say::new("delete-grace-hours").with("hours", n),
        }
    }

    /// Said afterwards.
    pub(super) fn after(self) -> Say {
        match self {
            Self::Days(n) => Say::new("deleted-later-days").with("days", n),
            Self::Hours(n) => Say::new("deleted-later-hours").with("hours", n),
        }
    }
}
