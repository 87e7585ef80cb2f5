//! What every form of ours comes with: a token that only a page of ours, in this very browser and for this very thing,
//! can have had. It stands beside the guard on where the request comes from, for browsers that don't say.

use super::{language, message::Failure, visit::Visit};
use axum::{
    extract::{FromRequest, Request},
    response::Response,
};
use http::{HeaderValue, StatusCode, header};
use latchstring_core::{
    Class, Error, Kind, Refusal,
    browser::NewCookie,
    secret::{Hashed, Keyed},
};
use latchstring_look::Say;
use latchstring_web::{App, Problem, body};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, fmt::Write};

/// The body of a form.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Sent<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let language = language::of(app, request.headers(), request.uri()).language;
        let fails = |Problem(error)| Failure::new(app, language, error);
        body::form(request).await.map(Self).map_err(fails)
    }
}

/// What a browser alone knows: its own cookie, or before it has one, a secret of its own for these pages.
pub(super) struct Guard {
    secret: String,
    fresh: Option<HeaderValue>,
}

impl Guard {
    /// The guard of this visitor's forms. One who has no cookie yet gets one along with the page: nothing is stored
    /// for somebody who only looks.
    pub(super) fn of(visit: &Visit) -> Self {
        let config = visit.ctx.app.config();
        let held = visit.own_cookie().or_else(|| visit.cookie(&config.cookie_named("door")));
        if let Some(held) = held.filter(|held| Keyed::parse(held).is_some()) {
            return Self { secret: held.to_owned(), fresh: None };
        }
        let (secret, fresh) = fresh(visit);
        Self { secret, fresh }
    }

    /// For an answer that signs somebody out here: a new secret. Chromium keeps whole pages for the way back, `no-store`
    /// or not, and lets go of them when a cookie changes that no script can read (A149).
    pub(super) fn parting(visit: &Visit) -> Option<HeaderValue> {
        fresh(visit).1
    }

    /// The guard of a browser that gets its cookie along with the answer.
    pub(super) fn with(self, cookie: Option<&NewCookie>) -> Self {
        match cookie {
            Some(new) => Self { secret: new.secret.text().to_string(), fresh: None },
            None => self,
        }
    }

    /// What a form for `what` carries.
    pub(super) fn form(&self, what: &str) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.bytes(what).0 {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Whether a form for `what` came from such a page.
    pub(super) fn sent(&self, what: &str, form: &str) -> bool {
        matches(&self.bytes(what), form)
    }

    /// The cookie that goes along with the page, if this browser had none.
    pub(super) fn cookie(&self) -> Option<HeaderValue> {
        self.fresh.clone()
    }

    /// A hash over 256 bits that no script and no other site reads. It begins with a text of its own, so that it is
    /// never what is stored of a cookie.
    fn bytes(&self, what: &str) -> Hashed {
        Hashed::of(format!("latchstring form 2\n{what}\n{}", self.secret).as_bytes())
    }
}

/// A secret for a browser that has none of its own, and the cookie that gives it.
fn fresh(visit: &Visit) -> (String, Option<HeaderValue>) {
    let config = visit.ctx.app.config();
    let secret = Keyed::new(uuid::Uuid::nil(), visit.ctx.realm.ground().random()).text().to_string();
    let secure = if config.secure { "; Secure" } else { "" };
    let text = format!(
        "{}={secret}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax{secure}",
        config.cookie_named("door")
    );
    let mut cookie = HeaderValue::from_str(&text).ok();
    if let Some(value) = &mut cookie {
        value.set_sensitive(true);
    }
    (secret, cookie)
}

/// Compares a form's token, in constant time.
pub(super) fn matches(bytes: &Hashed, form: &str) -> bool {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let sent: Option<Vec<u8>> = match form.len() {
        64 => form.as_bytes().chunks(2).map(|p| Some(digit(p[0])? << 4 | digit(p[1])?)).collect(),
        _ => None,
    };
    sent.is_some_and(|sent| bytes.matches(&sent))
}

/// What is wrong with a form: with its fields by name, or with the whole.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Errors {
    pub(super) trouble: Option<Say>,
    pub(super) fields: BTreeMap<&'static str, Say>,
}

impl Errors {
    /// Something is wrong with one field.
    pub(super) fn at(field: &'static str, says: impl Into<Say>) -> Self {
        Self { trouble: None, fields: [(field, says.into())].into() }
    }

    /// Something else stood in the way.
    pub(super) fn whole(says: impl Into<Say>) -> Self {
        Self { trouble: Some(says.into()), fields: BTreeMap::new() }
    }
}

/// Refusals after which the same form may be sent again. All others end there.
pub(super) fn again(error: Error) -> Result<Refusal, Error> {
    match error {
        Error::Refused(refusal)
            if matches!(
                refusal.kind.class(),
                Class::Invalid | Class::ProofWrong | Class::Limited | Class::Unavailable | Class::Off
            ) || matches!(
                refusal.kind,
                Kind::UserBanned | Kind::IdentifierTaken | Kind::NotForGuests | Kind::LastOne
            ) =>
        {
            Ok(refusal)
        }
        error => Err(error),
    }
}

/// 303 to a page of ours, or to where `core` has said that one may be sent back to.
pub(super) fn go(to: &str, cookies: &[Option<HeaderValue>]) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, to);
    put(&mut response, cookies);
    response
}

/// Sends cookies along.
pub(super) fn put(response: &mut Response, cookies: &[Option<HeaderValue>]) {
    for cookie in cookies.iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
}

/// A value as it stands in an address.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_an_address_is_one_value() {
        assert_eq!(encoded("https://a.example/b?c=d&e=f#g"), "https%3A//a.example/b%3Fc%3Dd%26e%3Df%23g");
    }
}
