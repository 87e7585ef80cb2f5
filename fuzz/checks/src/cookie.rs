//! The browser's cookie: one of its name or none, and what we set comes back.

use crate::bytes;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use http::{HeaderMap, HeaderValue, header::COOKIE};
use latchstring_core::browser::NewCookie;
use latchstring_core::secret::Keyed;
use latchstring_web::{Config, cookie};
use std::sync::LazyLock;

static CONFIG: LazyLock<Config> =
    LazyLock::new(|| Config::new("https://id.mycompany.test", false, Vec::new()));

/// Each line is a Cookie header.
pub fn check(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|b| *b == b'\n').take(16) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(COOKIE, value);
        }
    }
    let found = cookie::value(&headers, &CONFIG).map(ToOwned::to_owned);
    let name = CONFIG.cookie.as_str();
    if let Some(found) = &found {
        assert!(!found.contains(';'));
        // Counted otherwise: the pairs of all headers that begin with the name, behind blanks of ASCII alone. Others would
        // be a way around the guard that browsers have on the prefix.
        let pairs = headers.get_all(COOKIE).iter().flat_map(|header| header.as_bytes().split(|b| *b == b';'));
        let pairs = pairs.map(<[u8]>::trim_ascii).filter(|pair| std::str::from_utf8(pair).is_ok());
        let ours: Vec<&[u8]> = pairs.filter(|pair| pair.starts_with(format!("{name}=").as_bytes())).collect();
        assert_eq!(ours, [format!("{name}={found}").as_bytes()]);
        // RFC 6265bis lets HTTP/2 split the header; joined it is the same.
        let joined: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
        let joined = HeaderValue::from_bytes(&joined.join(&b"; "[..])).expect("a value");
        let one = HeaderMap::from_iter([(COOKIE, joined)]);
        assert_eq!(cookie::value(&one, &CONFIG), Some(found.as_str()));
    }
    // A second one, planted: none is taken.
    let mut two = headers.clone();
    two.append(COOKIE, HeaderValue::from_str(&format!("{name}=x")).expect("a value"));
    let now = cookie::value(&two, &CONFIG);
    assert!(now.is_none() || found.is_none(), "one of two was chosen");
    set(data, &headers, found.is_some());
}

fn set(data: &[u8], others: &HeaderMap, is_there: bool) {
    let secret = Keyed::parse(&B64.encode(bytes::<48>(data))).expect("48 bytes");
    let new = NewCookie { secret: secret.clone(), expires_at: data.len() as i64 * 1_000_000 };
    let value = cookie::set(&CONFIG, &new, 0).expect("a header");
    let text = value.to_str().expect("ASCII");
    let (pair, attributes) = text.split_once("; ").expect("attributes");
    for attribute in ["Path=/", "HttpOnly", "Secure", "SameSite=Lax"] {
        assert_eq!(attributes.split("; ").filter(|found| *found == attribute).count(), 1, "{text}");
    }
    let mut headers = others.clone();
    headers.append(COOKIE, HeaderValue::from_str(pair).expect("a value"));
    if let Some(back) = cookie::value(&headers, &CONFIG) {
        assert!(!is_there);
        assert!(Keyed::parse(back).expect("ours").hashed() == secret.hashed());
    }
}
