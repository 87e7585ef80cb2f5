//! What `/verify` remembers between its pages: a cookie of its own, for ten minutes, sent nowhere else. It holds the
//! mailed token, so that no address, history or Referer does (A111), and later the attempt that it began.

use crate::pages::{forms::matches, visit::Visit};
use http::HeaderValue;
use latchstring_core::{
    id::AttemptId,
    secret::{Hashed, Keyed},
};
use latchstring_web::Config;
use std::fmt::Write;

/// What the cookie says. Secrets in it: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Carried {
    /// The token of a link.
    Link(String),
    /// The secret of an invitation.
    Invitation(String),
    /// The ticket of whoever did not do what a notice told of.
    NotMe(String),
    /// An attempt of this browser's that wants a new password.
    Attempt(AttemptId),
    /// It is done, by this attempt.
    Done(Did, AttemptId),
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Did {
    SignIn,
    SignUp,
    Recover,
    Confirm,
}

impl Did {
    const ALL: [(Self, &'static str); 4] = [
        (Self::SignIn, "sign_in"),
        (Self::SignUp, "sign_up"),
        (Self::Recover, "recover"),
        (Self::Confirm, "confirm"),
    ];
}

impl Carried {
    /// From an address: the secret as it stands there, or one that is no secret if it can't be one.
    pub(super) fn link(token: &str) -> Self {
        Self::Link(secret(token))
    }

    /// [`Carried::link`] for an invitation.
    pub(super) fn invitation(token: &str) -> Self {
        Self::Invitation(secret(token))
    }

    /// [`Carried::link`] for the link of a notice.
    pub(super) fn not_me(token: &str) -> Self {
        Self::NotMe(secret(token))
    }

    fn text(&self) -> String {
        match self {
            Self::Link(token) => format!("link.{token}"),
            Self::Invitation(token) => format!("invitation.{token}"),
            Self::NotMe(token) => format!("not_me.{token}"),
            Self::Attempt(id) => format!("attempt.{id}"),
            Self::Done(did, id) => {
                let word = Did::ALL.iter().find(|(d, _)| d == did).map_or("", |(_, word)| word);
                format!("done.{word}.{id}")
            }
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('.')?;
        match kind {
            "link" => Some(Self::link(rest)),
            "invitation" => Some(Self::invitation(rest)),
            "not_me" => Some(Self::not_me(rest)),
            "attempt" => Some(Self::Attempt(AttemptId(rest.parse().ok()?))),
            "done" => {
                let (word, id) = rest.split_once('.')?;
                let (did, _) = Did::ALL.iter().find(|(_, w)| *w == word)?;
                Some(Self::Done(*did, AttemptId(id.parse().ok()?)))
            }
            _ => None,
        }
    }

    /// What this visitor carries.
    pub(super) fn of(visit: &Visit) -> Option<Self> {
        Self::parse(visit.cookie(&name(visit.ctx.app.config()))?)
    }

    /// `Set-Cookie`.
    pub(super) fn set(&self, config: &Config) -> Option<HeaderValue> {
        header(config, &self.text(), 600)
    }

    /// `Set-Cookie` for a browser that has nothing to carry any more.
    pub(super) fn unset(config: &Config) -> Option<HeaderValue> {
        header(config, "", 0)
    }

    /// What a form on a page of this visitor's carries: only this browser, with this very link or attempt, can know it.
    pub(super) fn form(&self, visit: &Visit) -> String {
        self.form_for(visit.own_cookie().unwrap_or_default())
    }

    /// [`Carried::form`] for a browser that gets its cookie along with the page.
    pub(super) fn form_for(&self, own_cookie: &str) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.form_bytes(own_cookie).0 {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Whether a form came from such a page.
    pub(super) fn sent(&self, visit: &Visit, form: &str) -> bool {
        let own = visit.own_cookie().unwrap_or_default();
        matches(&self.form_bytes(own), form)
    }

    /// A hash over secrets of 256 bits that no script and no other site reads. It begins with a text of its own, so
    /// that it is never what is stored of either.
    fn form_bytes(&self, own_cookie: &str) -> Hashed {
        Hashed::of(format!("latchstring form 1\n{}\n{own_cookie}", self.text()).as_bytes())
    }
}

fn header(config: &Config, text: &str, seconds: u32) -> Option<HeaderValue> {
    // `__Host-` asks for the path `/`, which would send the token along with every request.
    let secure = if config.secure { "; Secure" } else { "" };
    let name = name(config);
    let text = format!("{name}={text}; Path=/verify; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Only what has the form of a secret comes into a header or a page.
fn secret(token: &str) -> String {
    if Keyed::parse(token).is_some() { token.to_owned() } else { "unreadable".to_owned() }
}

/// `latchstring-link`, with the port where the browser's cookie has it.
fn name(config: &Config) -> String {
    // `__Host-` would ask for the path `/`.
    config.cookie_named("link").replace("__Host-", "__Secure-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_survives_its_cookie() {
        let token = "A".repeat(64);
        let id = AttemptId("0192f0c1-2345-7abc-8def-0123456789ab".parse().expect("a UUID"));
        let mut all = vec![Carried::link(&token), Carried::invitation(&token), Carried::Attempt(id)];
        all.push(Carried::not_me(&token));
        all.extend(Did::ALL.map(|(did, _)| Carried::Done(did, id)));
        for carried in all {
            assert!(Carried::parse(&carried.text()) == Some(carried));
        }
        for bad in ["", "link", "attempt.x", "done.", "done.later", "done.sign_in", "done.sign_in.x", "x.y"] {
            assert!(Carried::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn attack_a111_nothing_but_a_secret_comes_into_the_cookie() {
        for bad in ["", "x", "a; Path=/", "a\r\nSet-Cookie: b=c", &"ä".repeat(32)] {
            assert_eq!(Carried::link(bad).text(), "link.unreadable");
        }
    }

    #[test]
    fn the_cookie_is_for_these_pages_alone() {
        let set = |origin: &str| {
            let set = Carried::link("x").set(&Config::new(origin, false, Vec::new())).expect("a header");
            set.to_str().expect("ASCII").to_owned()
        };
        assert_eq!(
            set("https://id.example"),
            "__Secure-latchstring-link=link.unreadable; Path=/verify; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            set("http://localhost:8080"),
            "latchstring-link-8080=link.unreadable; Path=/verify; Max-Age=600; HttpOnly; SameSite=Lax"
        );
    }
}
