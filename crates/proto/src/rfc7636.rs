//! Proof Key for Code Exchange (RFC 7636): a code is good only for whoever began.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Section 4.1: "a minimum length of 43 characters and a maximum length of 128 characters", of unreserved characters.
pub fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

/// Section 4.2: the challenge of a verifier has the same form, whatever the method.
pub fn is_challenge(text: &str) -> bool {
    is_verifier(text)
}

/// Section 4.6, method `S256`.
pub fn s256(challenge: &str, verifier: &str) -> bool {
    is_verifier(verifier) && same(challenge, &B64.encode(Sha256::digest(verifier.as_bytes())))
}

/// Section 4.6, method `plain`.
pub fn plain(challenge: &str, verifier: &str) -> bool {
    is_verifier(verifier) && same(challenge, verifier)
}

fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appendix_b() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert!(s256(challenge, verifier) && is_challenge(challenge));
        assert!(!s256(verifier, verifier) && !plain(challenge, verifier) && plain(verifier, verifier));
    }

    #[test]
    fn what_is_too_short_or_has_other_characters_is_no_verifier() {
        for bad in ["", "short", &"a".repeat(42), &"a".repeat(129), &"ä".repeat(43), &"a+".repeat(30)] {
            assert!(!is_verifier(bad) && !plain(bad, bad), "{bad}");
        }
    }
}
