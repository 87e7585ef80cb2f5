//! What the pages behind a mailed link show.

use crate::pages::{message::Message, templates::Page};
use latchstring_core::{attempt::link::Looked, challenge::Purpose, realm::Realm};
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
}

impl Page for Link {
    const TEMPLATE: &'static str = "verify/link.html";
}

impl Link {
    pub(in crate::pages) fn of(looked: Looked, form: String, other: Option<String>, changed: bool) -> Self {
        let Looked { purpose, address, here, .. } = looked;
        // That the address has an account is not said here, and for signing up not even known: whoever has one is
        // signed in to it.
        let (heading, lead, button) = match purpose {
            Purpose::SignIn if here => {
                ("Sign in", "Your link is good. Press the button, and you are in.", "Sign in")
            }
            Purpose::SignIn => {
                ("Sign in here", "This link signs you in here, in this browser.", "Sign in here")
            }
            Purpose::SignUp if here => (
                "Confirm your address",
                "Confirm that this address is yours, and go on.",
                "Confirm and go on",
            ),
            Purpose::SignUp => (
                "Confirm your address",
                "Confirm that this address is yours, and go on here, in this browser.",
                "Confirm and go on here",
            ),
            Purpose::Recover => ("Set a new password", "You choose it on the next page.", "Go on"),
            Purpose::StepUp => {
                ("Is it you?", "Somebody, hopefully you, is about to change this account.", "Yes, it is me")
            }
            Purpose::Verify => ("Confirm this address", "It becomes the address of your account.", "Confirm"),
            Purpose::Factor => ("One more step", "Confirm that it is you who is signing in.", "Sign in"),
        };
        // A proof within a session goes on with that session; it switches to no other.
        let other = other.filter(|_| matches!(purpose, Purpose::SignIn | Purpose::SignUp | Purpose::Recover));
        Self { form, heading, lead, address, button, here, other, changed }
    }
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
    pub most: u32,
    /// Whether a new account can do without.
    pub optional: bool,
}

impl Policy {
    pub(in crate::pages) fn of(realm: &Realm) -> Self {
        let settings = realm.settings();
        let p = &settings.1.password;
        Self { least: p.min_chars, most: p.max_chars, optional: !p.required }
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
    pub wrong: Option<String>,
    /// What else stood in the way.
    pub trouble: Option<String>,
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
    pub wrong: Option<String>,
    pub wrong_name: Option<String>,
    pub trouble: Option<String>,
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
    Message {
        heading: "Open the link from your mail".into(),
        says: "This page shows what a mailed link is for. If you have just opened one, let your browser keep cookies \
               of this site and open it again."
            .into(),
        way_on: None,
    }
}

/// A second factor is outstanding. No page takes it yet, and no face lets anybody have one.
pub(in crate::pages) fn second_step() -> Message {
    Message {
        heading: "One more step".into(),
        says:
            "Your account asks for a second step, which this page does not take yet. Go on where you started."
                .into(),
        way_on: None,
    }
}
