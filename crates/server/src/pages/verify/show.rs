//! What the pages behind a mailed link show.

use crate::pages::{
    message::{Message, TO_SIGN_IN},
    templates::Page,
};
use latchstring_core::{attempt::link::Looked, challenge::Purpose, realm::Realm};
use latchstring_look::Say;
use serde::Serialize;

/// A link that can be used here.
#[derive(Serialize)]
pub(in crate::pages) struct Link {
    pub form: String,
    pub heading: &'static str,
    pub lead: &'static str,
    /// Where the mail went.
    pub address: String,
    pub button: &'static str,
    /// Whether this browser began it.
    pub here: bool,
    /// Who is signed in here, if it is somebody else.
    pub other: Option<String>,
    /// Whether a form came that belongs to another page.
    pub changed: bool,
    /// The app that it leads back to.
    pub app: Option<String>,
    /// The account that is to have the address.
    pub account: Option<String>,
}

impl Page for Link {
    const TEMPLATE: &'static str = "verify/link.html";
}

impl Link {
    pub(in crate::pages) fn of(looked: Looked, form: String, other: Option<String>, changed: bool) -> Self {
        let Looked { purpose, address, here, ends_at, account, .. } = looked;
        let app = ends_at.as_deref().map(host_of);
        // That the address has an account is not said here, and for signing up not even known: whoever has one is
        // signed in to it.
        let (heading, lead, button) = match purpose {
            // Whoever recovers in an app sets the new password there.
            Purpose::Recover if app.is_some() => ("link-recover-app", "link-recover-app-lead", "go-on"),
            Purpose::SignIn if here => ("sign-in", "link-sign-in-lead", "sign-in"),
            Purpose::SignIn => ("link-sign-in-here", "link-sign-in-here-lead", "link-sign-in-here"),
            Purpose::SignUp if here => ("link-sign-up", "link-sign-up-lead", "link-sign-up-button"),
            Purpose::SignUp => ("link-sign-up", "link-sign-up-here-lead", "link-sign-up-here-button"),
            Purpose::Recover => ("set-password", "link-recover-lead", "go-on"),
            Purpose::StepUp => ("link-step-up", "link-step-up-lead", "link-step-up-button"),
            Purpose::Verify if account.is_some() => {
                ("link-verify", "link-verify-account-lead", "code-confirm")
            }
            Purpose::Verify => ("link-verify", "link-verify-lead", "code-confirm"),
            Purpose::VerifyCurrent => {
                ("link-verify-current", "link-verify-current-lead", "link-verify-current-button")
            }
            Purpose::Factor => ("code-factor", "link-factor-lead", "sign-in"),
        };
        // A proof within a session goes on with that session; it switches to no other.
        // Nor does what leads back to an app.
        let switches =
            matches!(purpose, Purpose::SignIn | Purpose::SignUp | Purpose::Recover) && app.is_none();
        let other = other.filter(|_| switches);
        Self { form, heading, lead, address, button, here, other, changed, app, account }
    }
}

/// What people know an address by.
fn host_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default().to_owned()
}

/// A link that is good only where it was asked for.
#[derive(Serialize)]
pub(in crate::pages) struct Elsewhere {
    pub address: String,
}

impl Page for Elsewhere {
    const TEMPLATE: &'static str = "verify/elsewhere.html";
}

/// What is asked of a new password.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Policy {
    pub least: u32,
    /// Whether a new account can do without.
    pub optional: bool,
}

impl Policy {
    pub(in crate::pages) fn of(realm: &Realm) -> Self {
        let settings = realm.settings();
        let p = &settings.1.password;
        Self { least: p.min_chars, optional: !p.required }
    }
}

/// A form for the new password.
#[derive(Default, Serialize)]
pub(in crate::pages) struct SetPassword {
    pub form: String,
    /// Where the form goes.
    pub action: String,
    /// Whether there is an account that had another one.
    pub recover: bool,
    pub address: String,
    pub policy: Policy,
    /// What is wrong with what was typed.
    pub wrong: Option<Say>,
    /// What else stood in the way.
    pub trouble: Option<Say>,
}

impl Page for SetPassword {
    const TEMPLATE: &'static str = "verify/password.html";
}

/// A form to accept an invitation.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Invitation {
    pub form: String,
    pub address: String,
    pub name: String,
    pub policy: Policy,
    pub wrong: Option<Say>,
    pub wrong_name: Option<Say>,
    pub trouble: Option<Say>,
    pub other: Option<String>,
    pub changed: bool,
}

impl Page for Invitation {
    const TEMPLATE: &'static str = "verify/invitation.html";
}

/// The end.
#[derive(Serialize)]
pub(in crate::pages) struct Done {
    pub heading: &'static str,
    /// The account, if it has an address.
    pub address: Option<String>,
    /// Where it was begun for.
    pub way_on: Option<String>,
}

impl Page for Done {
    const TEMPLATE: &'static str = "verify/done.html";
}

/// Somebody came without a link, or with a browser that keeps no cookies.
pub(in crate::pages) fn no_link() -> Message {
    Message { heading: "no-link".into(), says: "no-link-says".into(), way_on: TO_SIGN_IN }
}

/// A second factor is outstanding. No page takes it yet, and no face lets anybody have one.
pub(in crate::pages) fn second_step() -> Message {
    Message { heading: "second-step".into(), says: "second-step-says".into(), way_on: TO_SIGN_IN }
}
