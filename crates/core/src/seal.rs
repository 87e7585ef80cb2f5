//! The root secret and what is derived from it: sealing (AES-256-GCM-SIV) and MACs (HMAC-SHA-256) under keys of their
//! own, by HKDF-SHA-256 (RFC 5869). A sealed value says which root secret it was sealed under.

use crate::{
    random::{Random, bytes},
    refusal::Fault,
};
use aws_lc_rs::{aead, hkdf, hmac};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The first byte of each sealed value.
const VERSION: u8 = 1;

/// Why a root secret is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SecretError {
    /// Not base64url or hex.
    #[error("the secret is neither base64url nor hex")]
    Encoding,
    /// Under 256 bits.
    #[error("the secret has {0} bytes; at least 32 random bytes are needed")]
    Short(usize),
    /// Obviously not random.
    #[error("the secret does not look random (it repeats itself, or is an example)")]
    Weak,
}

/// Keys derived from the root secret (`LATCHSTRING_SECRET`).
pub struct Keys {
    seal: aead::RandomizedNonceKey,
    raw_seal: aead::LessSafeKey,
    code: hmac::Key,
    refresh: hmac::Key,
    limit: hmac::Key,
    stand_in: hmac::Key,
    key_id: [u8; 4],
}

/// What a MAC is for: each purpose has a key of its own.
#[derive(Debug, Clone, Copy)]
pub enum MacPurpose {
    /// Short codes at rest.
    Code,
    /// Refresh tokens.
    Refresh,
    /// Keys of limits, so that no address or identifier stands in clear in them.
    Limit,
    /// What is shown or kept in place of something that nobody may know.
    StandIn,
}

struct Length(usize);
impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive(prk: &hkdf::Prk, label: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    let info = [label];
    #[expect(clippy::expect_used, reason = "32 bytes are far below HKDF's limit; it can't fail")]
    prk.expand(&info, Length(32)).and_then(|okm| okm.fill(out.as_mut_slice())).expect("HKDF of 32 bytes");
    out
}

impl Keys {
    /// Reads a root secret as base64url or hex and derives all keys. Refuses what is short or plainly not random.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let hex = text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
        let raw: Zeroizing<Vec<u8>> = if hex {
            let nibble = |b: u8| (b as char).to_digit(16).unwrap_or(0) as u8;
            Zeroizing::new(text.as_bytes().chunks(2).map(|p| nibble(p[0]) << 4 | nibble(p[1])).collect())
        } else {
            Zeroizing::new(B64.decode(text.trim_end_matches('=')).map_err(|_| SecretError::Encoding)?)
        };
        if raw.len() < 32 {
            return Err(SecretError::Short(raw.len()));
        }
        let mut seen = [false; 256];
        raw.iter().for_each(|b| seen[*b as usize] = true);
        // 32 random bytes have about 30 distinct values; fewer than 16 has a chance below 2^-60.
        if seen.iter().filter(|s| **s).count() < 16 || Self::is_text(&raw) {
            return Err(SecretError::Weak);
        }
        Ok(Self::from_bytes(&raw))
    }

    /// Words in base64 are no secret: 32 random bytes are all printable with a chance below 2^-45.
    fn is_text(raw: &[u8]) -> bool {
        raw.iter().all(|b| b.is_ascii_graphic() || *b == b' ')
    }

    /// A fresh root secret, as it is written to a file.
    pub fn generate(random: &dyn Random) -> Zeroizing<String> {
        Zeroizing::new(B64.encode(bytes::<32>(random)))
    }

    #[expect(clippy::expect_used, reason = "key lengths are fixed here; they can't be refused")]
    fn from_bytes(root: &[u8]) -> Self {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"latchstring root 1").extract(root);
        let seal = derive(&prk, b"seal");
        let id = derive(&prk, b"key id");
        Self {
            seal: aead::RandomizedNonceKey::new(&aead::AES_256_GCM_SIV, seal.as_slice()).expect("32 bytes"),
            raw_seal: aead::LessSafeKey::new(
                aead::UnboundKey::new(&aead::AES_256_GCM_SIV, seal.as_slice()).expect("32 bytes"),
            ),
            code: hmac::Key::new(hmac::HMAC_SHA256, derive(&prk, b"code").as_slice()),
            refresh: hmac::Key::new(hmac::HMAC_SHA256, derive(&prk, b"refresh").as_slice()),
            limit: hmac::Key::new(hmac::HMAC_SHA256, derive(&prk, b"limit").as_slice()),
            stand_in: hmac::Key::new(hmac::HMAC_SHA256, derive(&prk, b"stand-in").as_slice()),
            key_id: [id[0], id[1], id[2], id[3]],
        }
    }

    /// Seals `plain` for one place (`table/column/row`), so that a sealed value can't be moved to another.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut body = plain.to_vec();
        let nonce = self
            .seal
            .seal_in_place_append_tag(aead::Aad::from(place.as_bytes()), &mut body)
            .map_err(|e| Fault::new("a value could not be sealed", e.to_string()))?;
        let mut out = Vec::with_capacity(1 + 4 + 12 + body.len());
        out.push(VERSION);
        out.extend_from_slice(&self.key_id);
        out.extend_from_slice(nonce.as_ref());
        out.extend_from_slice(&body);
        Ok(out)
    }

    /// Opens what [`Keys::seal`] made for the same place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let wrong = || Fault::bug("a sealed value was made under another secret, or is damaged");
        if sealed.len() < 17 + 16 || sealed[0] != VERSION || sealed[1..5] != self.key_id {
            return Err(wrong());
        }
        let nonce = aead::Nonce::try_assume_unique_for_key(&sealed[5..17]).map_err(|_| wrong())?;
        let mut body = Zeroizing::new(sealed[17..].to_vec());
        let aad = aead::Aad::from(place.as_bytes());
        let n = self.raw_seal.open_in_place(nonce, aad, &mut body).map_err(|_| wrong())?.len();
        body.truncate(n);
        Ok(body)
    }

    /// HMAC-SHA-256 of `parts`, each preceded by its length so that no two lists give the same text.
    pub fn mac(&self, purpose: MacPurpose, parts: &[&[u8]]) -> [u8; 32] {
        let key = match purpose {
            MacPurpose::Code => &self.code,
            MacPurpose::Refresh => &self.refresh,
            MacPurpose::Limit => &self.limit,
            MacPurpose::StandIn => &self.stand_in,
        };
        let mut context = hmac::Context::with_key(key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }

    /// Compares a MAC in constant time.
    pub fn mac_matches(&self, purpose: MacPurpose, parts: &[&[u8]], stored: &[u8]) -> bool {
        self.mac(purpose, parts).ct_eq(stored).into()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn keys() -> Keys {
        Keys::parse(&Keys::generate(&SystemRandom::default())).expect("a generated secret is good")
    }

    #[test]
    fn a_sealed_value_opens_in_its_place_only() {
        let keys = keys();
        let sealed = keys.seal("jobs/sealed/1", b"hello").expect("seal");
        assert_eq!(keys.open("jobs/sealed/1", &sealed).expect("open").as_slice(), b"hello");
        assert!(keys.open("jobs/sealed/2", &sealed).is_err());
        assert!(
            super::tests::keys().open("jobs/sealed/1", &sealed).is_err(),
            "another secret must not open it"
        );
        for i in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[i] ^= 1;
            assert!(keys.open("jobs/sealed/1", &bad).is_err(), "byte {i} was changed unseen");
        }
    }

    #[test]
    fn attack_a159_weak_secrets_are_refused() {
        for weak in [
            "changeme",
            "",
            &"00".repeat(32),
            &"ab".repeat(40),
            &B64.encode("change-me-change-me-change-me-now!!"),
        ] {
            assert!(Keys::parse(weak).is_err(), "{weak} must be refused");
        }
        assert_eq!(Keys::parse("AQID").err(), Some(SecretError::Short(3)));
    }

    #[test]
    fn mac_parts_can_not_be_shifted() {
        let keys = keys();
        assert_ne!(keys.mac(MacPurpose::Code, &[b"ab", b"c"]), keys.mac(MacPurpose::Code, &[b"a", b"bc"]));
        assert_ne!(keys.mac(MacPurpose::Code, &[b"a"]), keys.mac(MacPurpose::Limit, &[b"a"]));
    }
}
