//! What the pages of the door show.

use crate::pages::{forms::Errors, templates::Page};
use serde::Serialize;

/// Identifier and password on one page.
#[derive(Default, Serialize)]
pub(in crate::pages) struct SignIn {
    pub form: String,
    /// Where it leads at the end; empty where it was begun for nothing else.
    pub return_to: String,
    /// The same, for links to the pages beside this one.
    pub query: String,
    pub identifier: String,
    pub errors: Errors,
    /// Whether anybody may make an account.
    pub open: bool,
}

impl Page for SignIn {
    const TEMPLATE: &'static str = "door/sign_in.html";
}

/// An address for a new account, or why there is none to be had.
#[derive(Default, Serialize)]
pub(in crate::pages) struct SignUpPage {
    pub form: String,
    pub return_to: String,
    pub query: String,
    pub identifier: String,
    pub errors: Errors,
    pub open: bool,
    /// Whether invitations open it.
    pub invite: bool,
}

impl Page for SignUpPage {
    const TEMPLATE: &'static str = "door/sign_up.html";
}

/// An address to mail to.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Recover {
    pub form: String,
    pub return_to: String,
    pub query: String,
    pub identifier: String,
    pub errors: Errors,
}

impl Page for Recover {
    const TEMPLATE: &'static str = "door/recover.html";
}

/// A code was mailed, if there is somewhere to mail it to.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Code {
    pub form: String,
    pub action: String,
    /// The message that is its heading.
    pub heading: &'static str,
    /// What was typed.
    pub identifier: String,
    /// Whether it may be that nobody has it.
    pub maybe: bool,
    pub button: &'static str,
    /// Whether another one was just sent.
    pub sent: bool,
    /// How long a code is good.
    pub minutes: i64,
    /// Whether everything of the account has just been ended.
    pub ended: bool,
    pub errors: Errors,
    /// Where to begin again with another address.
    pub start: &'static str,
}

impl Page for Code {
    const TEMPLATE: &'static str = "door/code.html";
}

/// The password again, or a code, within a session.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Confirm {
    pub form: String,
    pub action: String,
    pub name: String,
    pub has_password: bool,
    pub has_email: bool,
    pub errors: Errors,
    /// Where it was asked for.
    pub back: String,
}

impl Page for Confirm {
    const TEMPLATE: &'static str = "door/confirm.html";
}

/// An account that is signed in in this browser.
#[derive(Serialize)]
pub(in crate::pages) struct Account {
    pub session: String,
    pub name: String,
    pub current: bool,
}

/// The accounts of this browser.
#[derive(Serialize)]
pub(in crate::pages) struct Choose {
    pub form: String,
    pub accounts: Vec<Account>,
    /// Whether the first one is current.
    pub current: bool,
    pub return_to: String,
    pub query: String,
}

impl Page for Choose {
    const TEMPLATE: &'static str = "door/choose.html";
}

/// The button that signs out.
#[derive(Serialize)]
pub(in crate::pages) struct SignOut {
    pub form: String,
    pub name: String,
}

impl Page for SignOut {
    const TEMPLATE: &'static str = "door/sign_out.html";
}

/// The end.
#[derive(Serialize)]
pub(in crate::pages) struct SignedOut {
    /// How many other accounts this browser still holds.
    pub others: usize,
}

impl Page for SignedOut {
    const TEMPLATE: &'static str = "door/signed_out.html";
}
