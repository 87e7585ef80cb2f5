//! Pages that say why there is no other page: what happened and what to do next, in the words of the person who reads.

use super::templates::{self, Frame, Page};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use latchstring_core::{Class, Error, Kind, Refusal};
use latchstring_web::{App, Problem, problem};
use serde::Serialize;

/// A heading, and a sentence or two.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    pub heading: String,
    pub says: String,
    /// Where to go from here, if not back: address and words.
    pub way_on: Option<(String, &'static str)>,
}

impl Page for Message {
    const TEMPLATE: &'static str = "message.html";
}

/// A refusal or fault on its way to a person.
pub(super) struct Failure {
    app: App,
    error: Error,
    /// Whether it happened on the way in, and not behind a mailed link.
    door: bool,
}

impl Failure {
    pub(super) fn new(app: &App, error: Error) -> Self {
        Self { app: app.clone(), error, door: false }
    }

    /// On the way in: begin again, rather than open a link again.
    pub(super) fn at_door(mut self) -> Self {
        self.door = true;
        self
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let app = &self.app;
        match self.error {
            Error::Refused(refusal) => {
                let door = if self.door { door_words(&refusal) } else { None };
                let (heading, says) = door.unwrap_or_else(|| words(&refusal));
                let way_on = self.door.then(|| ("/sign-in".to_owned(), "Begin again"));
                let message = Message { heading, says, way_on };
                let mut response = show(app, problem::status(refusal.kind), message);
                if let Some(seconds) = refusal.detail.retry_after {
                    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                }
                // For the metric and the log line of the edge.
                response.extensions_mut().insert(refusal.kind);
                response
            }
            Error::Fault(fault) => {
                // Logged there, once; only its words are for programs.
                let status = problem::fault(&fault).status();
                let says = "Something went wrong on our side, and it has been noted. Try again in a moment.";
                show(
                    app,
                    status,
                    Message { heading: "That did not work".into(), says: says.into(), way_on: None },
                )
            }
        }
    }
}

fn show(app: &App, status: StatusCode, message: Message) -> Response {
    let brand = app.realm().map_or_else(|| "Latchstring".into(), |realm| realm.settings().1.name.clone());
    let frame = Frame { brand, dev: app.config().dev, here: "" };
    match templates::page(status, &frame, &message) {
        Ok(response) => response,
        Err(fault) => problem::fault(&fault),
    }
}

/// What is said where nothing is: a page to people, a problem document to programs.
pub(crate) async fn nothing_here(
    State(app): State<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let person = matches!(method, Method::GET | Method::HEAD)
        && !uri.path().starts_with("/api/")
        && headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"));
    if person {
        Failure::new(&app, Kind::NotFound.into()).into_response()
    } else {
        Problem(Kind::NotFound.into()).into_response()
    }
}

/// What is said otherwise on the way in than behind a mailed link.
fn door_words(refusal: &Refusal) -> Option<(String, String)> {
    let (heading, says) = match refusal.kind.class() {
        _ if refusal.kind == Kind::OriginRefused => (
            "Open the page again",
            "This request did not come from the page that it belongs to. Nothing has happened.",
        ),
        Class::NotFound | Class::Gone | Class::Conflict | Class::GrantUnusable => (
            "This step is over",
            "It was finished, took too long, or belongs to another browser. Nothing is lost: begin again.",
        ),
        Class::Unauthenticated | Class::StepUp => {
            ("You are not signed in any more", "Sign in again, then go on where you were.")
        }
        _ => return None,
    };
    Some((heading.to_owned(), says.to_owned()))
}

/// A refusal as a person reads it. Exceptions by kind, then every class.
pub(super) fn words(refusal: &Refusal) -> (String, String) {
    let (title, sentence) = problem::words(refusal.kind);
    let own = refusal.detail.says.as_deref();
    let (heading, says) = match refusal.kind {
        Kind::InvitationUnusable => (
            "This invitation can’t be used",
            "It was used, taken back, or is too old. If you have made your account, sign in with it. Otherwise ask \
             whoever invited you for a new one.",
        ),
        Kind::OriginRefused => (
            "Open the link again",
            "This request did not come from the page that it belongs to. Open the link from your mail again, and \
             press the button there.",
        ),
        Kind::NotFound => (
            "Nothing is here",
            "There is no page at this address. Check it, or go back to where you came from.",
        ),
        kind => match kind.class() {
            // The steps behind a link are all good once: whatever has become of them, a new mail leads on.
            Class::ProofWrong | Class::Gone | Class::GrantUnusable | Class::Conflict => (
                "This link can’t be used any more",
                "It was used already, replaced by a newer one, or is too old. Go back to where you started and ask \
                 for a new mail.",
            ),
            Class::NotFound => (
                "This link can’t be used here",
                "What it began is over, or belongs to another browser. Go back to where you started and ask for a \
                 new mail.",
            ),
            Class::Limited => {
                return ("Too many tries".into(), format!("Wait {}, then try again.", wait(refusal)));
            }
            Class::Unavailable => ("Not just now", "The server is busy. Try again in a moment."),
            Class::Invalid => (title, own.unwrap_or(sentence)),
            Class::Unauthenticated | Class::Forbidden | Class::StepUp | Class::Off => (title, sentence),
        },
    };
    (heading.to_owned(), says.to_owned())
}

/// How long to wait, in words.
pub(super) fn wait(refusal: &Refusal) -> String {
    match refusal.detail.retry_after.unwrap_or(60) {
        0..=60 => "a minute".into(),
        seconds if seconds <= 3_540 => format!("{} minutes", seconds.div_ceil(60)),
        seconds if seconds <= 5_400 => "an hour".into(),
        seconds => format!("{} hours", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_words_for_people() {
        for kind in Kind::ALL {
            let (heading, says) = words(&Refusal::new(*kind));
            assert!(!heading.is_empty() && says.ends_with('.'), "{kind:?}: {says}");
            assert!(!heading.contains('!') && !says.contains('!'), "{kind:?}: no exclamation marks");
        }
    }

    #[test]
    fn waiting_is_said_in_round_words() {
        let said = |seconds: u64| {
            wait(&Refusal::new(Kind::RateLimited).retry_after_micros(seconds as i64 * 1_000_000))
        };
        assert_eq!(said(3), "a minute");
        assert_eq!(said(61), "2 minutes");
        assert_eq!(said(600), "10 minutes");
        assert_eq!(said(3_600), "an hour");
        assert_eq!(said(7_200), "2 hours");
    }
}
