//! What there is to look at, on the first page of the house.

use super::show::ago;
use crate::api::show::time;
use latchstring_core::{account::checkup::Checkup, clock::Micros};
use latchstring_look::Say;
use serde::Serialize;

/// What to mend, and what has changed.
#[derive(Default, Serialize)]
pub(in crate::pages) struct Card {
    pub unproven: bool,
    pub no_password: bool,
    pub unused: usize,
    pub changes: Vec<Change>,
    /// Whether nothing asks to be mended.
    pub in_order: bool,
}

/// Something that changed.
#[derive(Serialize)]
pub(in crate::pages) struct Change {
    pub what: &'static str,
    pub when: Say,
    /// The same, exactly.
    pub at: String,
    /// Where it is looked at, and the words for that.
    pub place: &'static str,
    pub button: &'static str,
}

impl Card {
    pub(super) fn of(checkup: Checkup, now: Micros) -> Self {
        let in_order = checkup.is_in_order();
        let Checkup { unproven, no_password, unused, changes } = checkup;
        let changes = changes.into_iter().map(|row| Change::of(&row.action, ago(now - row.at), time(row.at)));
        Self { unproven, no_password, unused, changes: changes.collect(), in_order }
    }
}

impl Change {
    /// By what the audit trail calls it.
    pub(in crate::pages) fn of(action: &str, when: Say, at: String) -> Self {
        let (what, place, button) = match action {
            "password.set" => ("changed-password-by-operator", "/account/security", "checkup-change"),
            "password.changed" | "password.reset" => {
                ("changed-password", "/account/security", "checkup-change")
            }
            "email.changed" => ("changed-email", "#ways-title", "checkup-look"),
            "email.put_back" => ("changed-email-back", "#ways-title", "checkup-look"),
            "username.changed" => ("changed-username", "#ways-title", "checkup-look"),
            "email.lost" => ("changed-email-lost", "#ways-title", "checkup-look"),
            "user.deletion_begun" => ("changed-deletion-begun", "/account/sessions", "checkup-devices"),
            "user.deletion_kept" => ("changed-deletion-kept", "/account/sessions", "checkup-devices"),
            "device.new" => ("changed-device", "/account/sessions", "checkup-devices"),
            _ => ("changed-not-me", "/account/sessions", "checkup-devices"),
        };
        Self { what, when, at, place, button }
    }
}
