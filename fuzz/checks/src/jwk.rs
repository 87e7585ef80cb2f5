//! Published keys: what is read is written again the same, and nothing private ever is.

use crate::text;
use latchstring_proto::jose::{
    Alg, Jwk, JwkSet, MAX_KEYS, MAX_KID, MAX_PRIVATE_JWK, SigningKey, Unverified, VerifyingKey,
};
use serde_json::Value;

/// The input is a key, a private one, and a set of keys.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(jwk) = Jwk::from_json(text) {
        key(&jwk);
    }
    if let Ok(key) = SigningKey::from_jwk(text) {
        private(text, &key);
    }
    if let Ok(set) = JwkSet::from_json(text) {
        assert!(set.keys.len() <= MAX_KEYS);
        set.keys.iter().for_each(key);
        let written = serde_json::to_string(&set).expect("a set is JSON");
        assert_eq!(JwkSet::from_json(&written).expect("our own text"), set);
        for alg in Alg::ALL {
            for kid in set.keys.iter().map(|key| key.kid.as_deref()).chain([None, Some("?")]) {
                let Some(found) = set.select(kid, *alg) else { continue };
                assert!(found.fits(*alg) && (kid.is_none() || found.kid.as_deref() == kid));
                let fitting = |key: &&Jwk| key.fits(*alg) && (kid.is_none() || key.kid.as_deref() == kid);
                assert_eq!(set.keys.iter().filter(fitting).count(), 1, "one of several was chosen");
            }
        }
    }
}

/// What may sign is whole, survives storage, and is never taken for a public key.
fn private(text: &str, key: &SigningKey) {
    assert!(text.len() <= MAX_PRIVATE_JWK && Jwk::from_json(text).is_err());
    assert!(matches!(key.alg(), Alg::Rs256 | Alg::Es256));
    assert!(key.kid().is_some_and(|kid| !kid.is_empty() && kid.len() <= MAX_KID));
    let token = key.sign(Some("JWT"), &serde_json::json!({})).expect("signs");
    let stored = SigningKey::from_pkcs8(key.alg(), &key.to_pkcs8().expect("DER")).expect("our own DER");
    assert_eq!(stored.thumbprint(), key.thumbprint());
    let verifying = stored.verifying_key().expect("its public part");
    assert!(Unverified::parse(&token).expect("our own token").verify(&verifying).is_ok());
}

fn key(jwk: &Jwk) {
    let written = serde_json::to_string(jwk).expect("a key is JSON");
    let again = Jwk::from_json(&written).expect("our own text");
    assert_eq!(&again, jwk);
    assert_eq!(again.thumbprint(), jwk.thumbprint());
    assert!(jwk.kid.as_ref().is_none_or(|kid| kid.len() <= MAX_KID));
    let value: Value = serde_json::from_str(&written).expect("JSON");
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert!(value.get(private).is_none(), "{private} was written");
    }
    // One algorithm at the most, and never a shared secret's.
    let pinned = jwk.pinned_alg().ok();
    assert!(pinned.is_none_or(|alg| jwk.fits(alg) && !alg.is_symmetric()) || !usable(jwk));
    assert!(!jwk.fits(Alg::Hs256));
    if let Ok(key) = VerifyingKey::from_jwk(jwk) {
        assert_eq!(Some(key.alg()), pinned);
        assert_eq!(key.kid(), jwk.kid.as_deref());
    }
}

/// A key that is for something else than signatures has an algorithm all the same.
fn usable(jwk: &Jwk) -> bool {
    Alg::ALL.iter().any(|alg| jwk.fits(*alg))
}
