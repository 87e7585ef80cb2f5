//! Secrets that people and machines carry: cookies, links, handles, API keys. At rest only their SHA-256 is kept
//! (each has at least 128 random bits, so that a plain hash is enough).

use crate::random::{Random, bytes};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

/// SHA-256 of a secret: what is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hashed(pub [u8; 32]);

impl Hashed {
    /// Hashes `secret`.
    pub fn of(secret: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret);
        let mut out = [0; 32];
        out.copy_from_slice(digest.as_ref());
        Self(out)
    }

    /// Compares in constant time with what was stored.
    pub fn matches(&self, stored: &[u8]) -> bool {
        self.0.ct_eq(stored).into()
    }
}

impl std::fmt::Debug for Hashed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hashed(…)")
    }
}

/// 256 random bits that travel beside a row's id: `base64url(id ‖ secret)`. The id in clear makes the row's key
/// time-ordered and found at once; the secret proves.
#[derive(Clone)]
pub struct Keyed {
    /// The row's id.
    pub id: Uuid,
    secret: Zeroizing<[u8; 32]>,
}

impl Keyed {
    /// A fresh secret for the row `id`.
    pub fn new(id: Uuid, random: &dyn Random) -> Self {
        Self { id, secret: Zeroizing::new(bytes(random)) }
    }

    /// The same secret for another row. For secrets drawn before it was known which row they are for.
    #[must_use]
    pub fn with_id(&self, id: Uuid) -> Self {
        Self { id, secret: self.secret.clone() }
    }

    /// Reads what [`Keyed::text`] wrote; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        // 48 bytes are 64 characters: the length is checked before anything is decoded.
        if text.len() != 64 {
            return None;
        }
        let mut raw = Zeroizing::new([0u8; 48]);
        let n = B64.decode_slice(text, raw.as_mut_slice()).ok()?;
        if n != 48 {
            return None;
        }
        let (id, rest) = raw.split_at(16);
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(rest);
        Some(Self { id: Uuid::from_slice(id).ok()?, secret })
    }

    /// What is stored.
    pub fn hashed(&self) -> Hashed {
        Hashed::of(self.secret.as_slice())
    }

    /// What its holder carries: 64 characters of base64url.
    pub fn text(&self) -> Zeroizing<String> {
        let mut raw = Zeroizing::new([0u8; 48]);
        raw[..16].copy_from_slice(self.id.as_bytes());
        raw[16..].copy_from_slice(self.secret.as_slice());
        Zeroizing::new(B64.encode(raw.as_slice()))
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyed({}, …)", self.id)
    }
}

/// A password as typed, wiped after use, never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes what was typed, unchanged (no trimming, no case change).
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for hashing and checking.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A text that whoever holds may use: a token, a key, a hash to import. Read as a text, wiped after use, never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Hidden(Zeroizing<String>);

impl Serialize for Hidden {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl std::ops::Deref for Hidden {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_keyed_secret_survives_its_text_and_nothing_else_does() {
        let random = SystemRandom::default();
        let key = Keyed::new(Uuid::from_u128(7), &random);
        let text = key.text();
        let back = Keyed::parse(&text).expect("own text");
        assert_eq!(back.id, key.id);
        assert!(back.hashed().matches(&key.hashed().0));
        for bad in ["", "x", &text[1..], &format!("{}A", *text), &"=".repeat(64), &"ä".repeat(32)] {
            assert!(Keyed::parse(bad).is_none(), "{bad:?} must not parse");
        }
    }

    #[test]
    fn secrets_are_not_shown_by_debug() {
        let hidden = Hidden::from("hunter2");
        let shown = format!("{:?} {:?} {hidden:?}", Password::new("hunter2".into()), Hashed::of(b"hunter2"));
        assert!(!shown.contains("hunter2"));
    }
}
