//! Pages that say why there is no other page: what happened and what to do next, in the words of the person who reads.

use super::{
    language,
    templates::{self, Frame, Page},
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, Uri, header};
use latchstring_core::{Class, Error, Kind, Refusal};
use latchstring_look::{Language, Say};
use latchstring_web::{App, Problem, problem};
use serde::Serialize;

/// A heading, and a sentence or two.
#[derive(Debug, Serialize)]
pub(super) struct Message {
    pub heading: Say,
    pub says: Say,
    /// Where to go from here: an address of ours, and the words of its link.
    pub way_on: Way,
}

/// An address of ours, and the message that says what is there.
pub(super) type Way = (&'static str, &'static str);

/// Where everybody can begin.
pub(super) const TO_START: Way = ("/", "to-start");
/// To the door.
pub(super) const TO_SIGN_IN: Way = ("/sign-in", "sign-in");

impl Page for Message {
    const TEMPLATE: &'static str = "message.html";
}

/// A refusal or fault on its way to a person.
pub(super) struct Failure {
    app: App,
    language: Language,
    error: Error,
    /// Whether it happened on the way in, and not behind a mailed link.
    door: bool,
}

impl Failure {
    pub(super) fn new(app: &App, language: Language, error: Error) -> Self {
        Self { app: app.clone(), language, error, door: false }
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
                let way_on = match refusal.kind.class() {
                    _ if self.door => ("/sign-in", "begin-again"),
                    Class::Unauthenticated | Class::StepUp => TO_SIGN_IN,
                    _ => TO_START,
                };
                let message = Message { heading, says, way_on };
                let mut response = show(app, self.language, problem::status(refusal.kind), message);
                problem::come_again(
                    response.headers_mut(),
                    refusal.detail.retry_after,
                    refusal.detail.limit(),
                );
                // For the metric and the log line of the edge.
                response.extensions_mut().insert(refusal.kind);
                response
            }
            Error::Fault(fault) => {
                // Logged there, once; only its words are for programs.
                let status = problem::fault(&fault).status();
                let (heading, says) = both("fault", "fault.says");
                show(app, self.language, status, Message { heading, says, way_on: TO_START })
            }
        }
    }
}

fn show(app: &App, language: Language, status: StatusCode, message: Message) -> Response {
    let frame = Frame::of(app, language);
    match templates::page(status, &frame, &message) {
        Ok(response) => response,
        Err(fault) => problem::fault(&fault),
    }
}

/// What is said where nothing is: a page to people, a problem document to programs.
pub(crate) async fn nothing_here(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    if is_person(&uri, &headers) {
        let language = language::of(&app, &headers, &uri).language;
        Failure::new(&app, language, Kind::NotFound.into()).into_response()
    } else {
        Problem(Kind::NotFound.into()).into_response()
    }
}

/// What is said to a method that a path does not take, likewise.
pub(crate) async fn not_that_method(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let problem = &problem::METHOD_NOT_ALLOWED;
    if is_person(&uri, &headers) {
        let language = language::of(&app, &headers, &uri).language;
        show(&app, language, problem.status, not_that_way())
    } else {
        problem::answer(&problem.document())
    }
}

/// To whoever opens what is only sent to, or the other way round.
pub(super) fn not_that_way() -> Message {
    let (heading, says) = both("not-that-way", "not-that-way.says");
    Message { heading, says, way_on: TO_START }
}

fn is_person(uri: &Uri, headers: &HeaderMap) -> bool {
    !uri.path().starts_with("/api/")
        && headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"))
}

fn both(heading: &'static str, says: &'static str) -> (Say, Say) {
    (Say::new(heading), Say::new(says))
}

/// What is said otherwise on the way in than behind a mailed link.
fn door_words(refusal: &Refusal) -> Option<(Say, Say)> {
    Some(match refusal.kind.class() {
        _ if refusal.kind == Kind::OriginRefused => both("door-changed", "door-changed.says"),
        Class::NotFound | Class::Gone | Class::Conflict | Class::GrantUnusable => {
            both("door-over", "door-over.says")
        }
        Class::Unauthenticated | Class::StepUp => both("door-not-signed-in", "door-not-signed-in.says"),
        _ => return None,
    })
}

/// A refusal as a person reads it, on a page of its own. Exceptions by kind, then every class.
pub(super) fn words(refusal: &Refusal) -> (Say, Say) {
    match refusal.kind {
        Kind::InvitationUnusable => both("invitation-unusable", "invitation-unusable.says"),
        Kind::OriginRefused => both("link-changed", "link-changed.says"),
        Kind::NotFound => both("not-found", "not-found.says"),
        Kind::SignUpClosed => both("sign-up-off", "sign-up-off.says"),
        Kind::GuestsOff => both("guests-off", "guests-off.says"),
        Kind::NotForGuests => both("not-for-guests", "not-for-guests.says"),
        Kind::UserBanned => both("banned", "banned.says"),
        Kind::TaskOutstanding => both("task-outstanding", "task-outstanding.says"),
        kind => match kind.class() {
            // The steps behind a link are all good once: whatever has become of them, a new mail leads on.
            Class::ProofWrong | Class::Gone | Class::GrantUnusable | Class::Conflict => {
                both("link-unusable", "link-unusable.says")
            }
            Class::NotFound => both("link-unusable-here", "link-unusable-here.says"),
            Class::Limited => (Say::new("limited"), Say::new("limited.says").with("wait", wait(refusal))),
            Class::Unavailable => both("busy", "busy.says"),
            Class::Invalid => (Say::new("fault"), field(refusal)),
            Class::Unauthenticated => both("not-signed-in", "not-signed-in.says"),
            Class::Forbidden => both("forbidden", "forbidden.says"),
            Class::StepUp => both("reauthentication", "reauthentication.says"),
            Class::Off => both("off", "off.says"),
        },
    }
}

/// What is wrong with what was typed into a field. The sentences that the refusal brings along are for programs.
pub(super) fn field(refusal: &Refusal) -> Say {
    let detail = &refusal.detail;
    match (refusal.kind, detail.param.as_deref()) {
        (Kind::EmailInvalid, _) => Say::new("email-invalid"),
        (Kind::UsernameInvalid, _) => Say::new("username-invalid"),
        (Kind::PasswordWeak, _) => {
            // One reason is enough to choose another.
            detail.reasons.iter().find_map(|reason| weak(reason)).unwrap_or(Say::new("weak"))
        }
        (Kind::InputInvalid, Some("code")) => Say::new("code-shape"),
        (Kind::InputInvalid, Some("name")) => Say::new("name-invalid"),
        (Kind::InputInvalid, Some("password" | "current_password")) => {
            let missing = !detail.reasons.iter().any(|reason| reason == "too_long");
            Say::new(if missing { "password-missing" } else { "weak-too-long" })
        }
        (Kind::InputInvalid, Some("identifier")) => Say::new("identifier-invalid"),
        _ => words_beside(refusal),
    }
}

fn words_beside(refusal: &Refusal) -> Say {
    match refusal.kind.class() {
        Class::Invalid => Say::new("input"),
        _ => words(refusal).1,
    }
}

/// Why a password is too weak.
fn weak(reason: &str) -> Option<Say> {
    Some(Say::new(match reason {
        "too_short" => "weak-too-short",
        "too_long" => "weak-too-long",
        "common" => "weak-common",
        "context_word" => "weak-context-word",
        "breached" => "weak-breached",
        "guessable" => "weak-guessable",
        "characters" => "weak-characters",
        _ => return None,
    }))
}

/// How long to wait, in words.
pub(super) fn wait(refusal: &Refusal) -> Say {
    let minutes = |n: u64| Say::new("wait").with("minutes", i64::try_from(n).unwrap_or(i64::MAX));
    let hours = |n: u64| Say::new("wait-hours").with("hours", i64::try_from(n).unwrap_or(i64::MAX));
    match refusal.detail.retry_after.unwrap_or(60) {
        seconds if seconds <= 3_540 => minutes(seconds.div_ceil(60).max(1)),
        seconds if seconds <= 5_400 => hours(1),
        seconds => hours(seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchstring_look::Words;

    #[test]
    fn every_refusal_has_words_for_people() {
        let words_of = Words::default();
        for kind in Kind::ALL {
            let (heading, says) = words(&Refusal::new(*kind));
            for language in Language::ALL {
                let (heading, says) = (words_of.say(language, &heading), words_of.say(language, &says));
                assert!(!heading.is_empty() && says.ends_with('.'), "{kind:?}: {says}");
                assert!(!heading.contains('!') && !says.contains('!'), "{kind:?}: no exclamation marks");
            }
        }
    }

    #[test]
    fn every_weakness_has_words_for_people() {
        for weakness in latchstring_proto::strength::Weakness::ALL {
            assert!(weak(weakness.code()).is_some(), "{weakness:?}");
        }
    }

    #[test]
    fn waiting_is_said_in_round_words() {
        let said = |seconds: u64| {
            let refusal = Refusal::new(Kind::RateLimited).retry_after_micros(seconds as i64 * 1_000_000);
            Words::default().say(Language::English, &wait(&refusal))
        };
        assert_eq!(said(3), "a minute");
        assert_eq!(said(61), "2 minutes");
        assert_eq!(said(600), "10 minutes");
        assert_eq!(said(3_600), "an hour");
        assert_eq!(said(7_200), "2 hours");
    }
}
