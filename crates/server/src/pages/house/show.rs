//! What the pages of the house show.

use super::checkup::Card;
use crate::{
    api::show::time,
    pages::{forms::Errors, templates::Page, verify::show::Policy},
};
use latchstring_core::{
    clock::{DAY, HOUR, MINUTE, Micros},
    id::SessionId,
    mail::{self, Held},
    realm::Realm,
    session::Shown,
};
use latchstring_look::Say;
use serde::Serialize;

/// Name, address, username.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Profile {
    pub form: String,
    pub fresh: bool,
    pub done: Option<&'static str>,
    pub name: String,
    pub email: Option<String>,
    /// Whether the address is known to be theirs.
    pub proven: bool,
    pub username: Option<String>,
    /// To choose from.
    pub languages: Vec<Choice>,
    pub new_email: String,
    pub new_username: String,
    /// What there is to look at; guests have nothing to look after.
    pub checkup: Option<Card>,
    pub errors: Errors,
}

impl Page for Profile {
    const TEMPLATE: &'static str = "house/profile.html";
}

/// A language to choose.
#[derive(Serialize)]
pub(in crate::pages) struct Choice {
    pub tag: &'static str,
    pub name: &'static str,
    pub chosen: bool,
}

/// The password.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Security {
    pub form: String,
    pub fresh: bool,
    pub done: Option<&'static str>,
    pub has_password: bool,
    /// For password managers.
    pub name: String,
    pub policy: Policy,
    pub errors: Errors,
}

impl Page for Security {
    const TEMPLATE: &'static str = "house/security.html";
}

/// A session, as its owner knows it.
#[derive(Serialize)]
pub(in crate::pages) struct Device {
    pub session: String,
    pub name: Say,
    pub current: bool,
    /// When it was last used, as one says it.
    pub used: Say,
    /// The same, exactly.
    pub used_at: String,
    pub began: Say,
    pub began_at: String,
    /// Where it was, if that is known; else its address says more than nothing.
    pub place: Option<String>,
    pub address: Option<String>,
}

/// Where one is signed in.
#[derive(Serialize)]
pub(in crate::pages) struct Sessions {
    pub form: String,
    pub done: Option<&'static str>,
    pub errors: Errors,
    pub devices: Vec<Device>,
    pub more: usize,
}

impl Page for Sessions {
    const TEMPLATE: &'static str = "house/sessions.html";
}

/// What is kept, and how to take it along or have it gone.
#[derive(Serialize)]
pub(in crate::pages) struct Data {
    pub form: String,
    pub fresh: bool,
}

impl Page for Data {
    const TEMPLATE: &'static str = "house/data.html";
}

/// Asks again, in words of what is lost.
#[derive(Serialize)]
pub(in crate::pages) struct Delete {
    pub form: String,
    pub fresh: bool,
    pub name: String,
    /// For how long it can still be kept.
    pub grace: Option<Say>,
}

impl Page for Delete {
    const TEMPLATE: &'static str = "house/delete.html";
}

pub(super) fn device(realm: &Realm, session: &Shown, current: SessionId, now: Micros) -> Device {
    let is_current = session.id == current;
    let held = if session.browser.is_some() { Held::Browser } else { Held::App };
    Device {
        session: session.id.to_string(),
        name: mail::device(session.user_agent.as_deref(), held),
        current: is_current,
        // Last uses are written once a minute; this one is being used.
        used: if is_current { "ago-this".into() } else { ago(now - session.active_at) },
        used_at: time(session.active_at),
        began: ago(now - session.created_at),
        began_at: time(session.created_at),
        place: realm.places().zip(session.address.as_deref()).and_then(|(p, a)| p.of(a.parse().ok()?)),
        address: session.address.clone(),
    }
}

/// How long ago, in the largest unit that fits.
pub(super) fn ago(micros: Micros) -> Say {
    let (id, n) = match micros {
        m if m < 2 * MINUTE => return Say::new("ago-now"),
        m if m < 2 * HOUR => ("ago-minutes", m / MINUTE),
        m if m < 2 * DAY => ("ago-hours", m / HOUR),
        m => ("ago-days", m / DAY),
    };
    Say::new(id).with("n", n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchstring_look::{Language, Words};

    #[test]
    fn times_are_said_as_people_do() {
        let said = |micros| Words::default().say(Language::English, &ago(micros));
        assert_eq!(said(0), "just now");
        assert_eq!(said(-5), "just now");
        assert_eq!(said(5 * MINUTE), "5 minutes ago");
        assert_eq!(said(119 * MINUTE), "119 minutes ago");
        assert_eq!(said(3 * HOUR), "3 hours ago");
        assert_eq!(said(40 * DAY), "40 days ago");
    }
}
