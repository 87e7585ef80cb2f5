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
            // Only the blanks of RFC 6265 (4.2.1, with RFC 9110's tab). `str::trim` takes those of Unicode too, which browsers
            // let stand before a name, and so past the guard on the prefix.
            if let Some((n, value)) = pair.trim_matches([' ', '\t']).split_once('=')
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_behind_a_blank_of_unicode_is_another_name() {
        // A browser keeps a subdomain from setting `__Host-x`, but not a name with such a blank before it.
        for blank in ["\u{85}", "\u{a0}", "\u{2000}", "\u{2028}", "\u{3000}"] {
            let text = format!("a=b; {blank}__Host-x=planted");
            let planted = HeaderValue::from_bytes(text.as_bytes()).expect("a value");
            let headers = HeaderMap::from_iter([(header::COOKIE, planted)]);
            assert_eq!(named(&headers, "__Host-x"), None, "{blank:?}");
        }
        let ours = HeaderValue::from_static("a=b;  __Host-x=ours\t; c=d");
        assert_eq!(named(&HeaderMap::from_iter([(header::COOKIE, ours)]), "__Host-x"), Some("ours"));
    }
}
