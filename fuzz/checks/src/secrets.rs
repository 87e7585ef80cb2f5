//! What people and machines carry: cookies and handles, refresh tokens, the root secret, sealed values.

use crate::{bytes, changed, text};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use latchstring_core::family::Token;
use latchstring_core::id::FamilyId;
use latchstring_core::seal::{Keys, MacPurpose};
use latchstring_core::secret::Keyed;
use std::sync::LazyLock;
use uuid::Uuid;

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    Keys::parse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").expect("a secret")
});

/// The input is each of these texts, and the bytes that they are made of.
pub fn check(data: &[u8]) {
    if let Some(text) = text(data) {
        if let Some(keyed) = Keyed::parse(text) {
            assert_eq!(*keyed.text(), text, "a secret has one spelling");
        }
        if let Some(token) = Token::parse(&KEYS, text) {
            assert_eq!(*token.text(&KEYS), text, "a token has one spelling");
        }
        if let Ok(keys) = Keys::parse(text) {
            assert_eq!(format!("{keys:?}"), "Keys(…)");
            let padded = Keys::parse(&format!(" {text}\n")).expect("white space does not count");
            assert_eq!(mac(&padded), mac(&keys));
        }
    }
    keyed(data);
    refresh_token(data);
    root(data);
    sealed(data);
}

fn keyed(data: &[u8]) {
    let text = B64.encode(bytes::<48>(data));
    let keyed = Keyed::parse(&text).expect("48 bytes");
    assert_eq!(*keyed.text(), text);
    let other = changed(&text, data);
    if let Some(other) = Keyed::parse(&other) {
        assert!(other.id != keyed.id || other.hashed() != keyed.hashed());
    }
    for bad in [&text[1..], &format!("{text}A"), &format!("{text}="), &format!(" {text}")] {
        assert!(Keyed::parse(bad).is_none());
    }
}

fn refresh_token(data: &[u8]) {
    let raw = bytes::<24>(data);
    let (family, counter) = raw.split_at(16);
    let token = Token {
        family: FamilyId(Uuid::from_slice(family).expect("16 bytes")),
        counter: i64::from_be_bytes(counter.try_into().expect("8 bytes")),
    };
    let text = token.text(&KEYS);
    assert_eq!(Token::parse(&KEYS, &text), Some(token));
    assert_eq!(Token::parse(&KEYS, &changed(&text, data)), None, "a change went unseen");
}

/// Hex and base64url are two spellings of one root secret.
fn root(data: &[u8]) {
    let hex: String = data.iter().map(|b| format!("{b:02x}")).collect();
    let base64 = B64.encode(data);
    // Base64url of hex digits alone is read as hex. 32 random bytes come out so with a chance far below 2^-60.
    if base64.bytes().all(|b| b.is_ascii_hexdigit()) {
        return;
    }
    let (one, other) = (Keys::parse(&hex), Keys::parse(&base64));
    assert_eq!(one.as_ref().err(), other.as_ref().err());
    if let (Ok(one), Ok(other)) = (one, other) {
        assert!(data.len() >= 32);
        assert_eq!(mac(&one), mac(&other));
        assert_eq!(mac(&Keys::parse(&hex.to_ascii_uppercase()).expect("the same")), mac(&one));
    }
}

fn mac(keys: &Keys) -> [u8; 32] {
    keys.mac(MacPurpose::Code, &[b"x"])
}

fn sealed(data: &[u8]) {
    assert!(KEYS.open("a/b/1", data).is_err(), "a value that we did not seal was opened");
    let sealed = KEYS.seal("a/b/1", data).expect("seals");
    assert_eq!(KEYS.open("a/b/1", &sealed).expect("opens").as_slice(), data);
    assert!(KEYS.open("a/b/2", &sealed).is_err());
    let mut bad = sealed;
    let at = crate::place(data, bad.len());
    bad[at] ^= 1;
    assert!(KEYS.open("a/b/1", &bad).is_err(), "a change went unseen");
}
