//! The browser's cookie.

use crate::app::Config;
use http::{HeaderMap, HeaderValue, header};
use latchstring_core::{browser::NewCookie, clock::Micros};

/// The value of our cookie.
pub fn value<'a>(headers: &'a HeaderMap, config: &Config) -> Option<&'a str> {
    named(headers, &config.cookie)
}

/// The value of the cookie `name`. Two of the same name mean that somebody planted one (`__Host-` makes that impossible
/// in browsers): none is taken. Cookies of others on the same host may hold any bytes; they are passed over, or one of a
/// neighbour's would sign everybody out.
pub fn named<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = None;
    for header in headers.get_all(header::COOKIE) {
        for pair in header.as_bytes().split(|byte| *byte == b';') {
            let Ok(pair) = std::str::from_utf8(pair) else { continue };
            if let Some((n, value)) = pair.trim().split_once('=')
                && n == name
                && found.replace(value).is_some()
            {
                return None;
            }
        }
    }
    found
}

/// `Set-Cookie` for a new secret.
pub fn set(config: &Config, cookie: &NewCookie, now: Micros) -> Option<HeaderValue> {
    let seconds = ((cookie.expires_at - now) / latchstring_core::clock::SECOND).max(0);
    let secure = if config.secure { "; Secure" } else { "" };
    let text = format!(
        "{}={}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
        config.cookie,
        *cookie.secret.text()
    );
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `Set-Cookie` that takes the cookie away.
pub fn clear(config: &Config) -> Option<HeaderValue> {
    let secure = if config.secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}", config.cookie))
        .ok()
}
