//! Compact JWTs: whatever comes, only what our key signed under our key's algorithm is believed, and `none` is nothing.

use crate::{changed, text};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use jsonwebtoken as oracle;
use latchstring_proto::jose::{
    Alg, JoseError, MAX_HEADER, MAX_KID, MAX_TOKEN, SigningKey, Unverified, VerifyingKey,
};
use serde_json::Value;
use std::sync::LazyLock;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

static OURS: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::hs256(SECRET).expect("long enough"));

/// One key of each algorithm, none of which has signed anything. (RSA takes a second to make, so there is one.)
static STRANGERS: LazyLock<Vec<VerifyingKey>> = LazyLock::new(|| {
    let mut keys: Vec<VerifyingKey> = [Alg::EdDSA, Alg::Es256, Alg::Es384, Alg::Es512, Alg::Rs256]
        .iter()
        .map(|&alg| SigningKey::generate(alg).expect("a key").verifying_key().expect("its public part"))
        .collect();
    keys.push(VerifyingKey::hs256(b"another secret, also 32 bytes in").expect("long enough"));
    keys
});

/// The input is a token, a header, and a payload, in turn.
pub fn check(data: &[u8]) {
    if let Some(text) = text(data) {
        token(text);
        header(text);
    }
    payload(data);
}

fn token(token: &str) {
    let parsed = Unverified::parse(token);
    assert_eq!(
        Unverified::parse_capped(token, token.len().saturating_sub(1)).err(),
        Some(JoseError::TooLong).filter(|_| !token.is_empty()).or(parsed.as_ref().err().copied())
    );
    let Ok(parsed) = parsed else { return };
    assert!(token.len() <= MAX_TOKEN && token.matches('.').count() == 2);
    let header64 = token.split('.').next().expect("a part");
    assert!(header64.len() <= MAX_HEADER);
    let json = B64.decode(header64).expect("it was decoded before");
    assert_eq!(B64.encode(&json), header64, "a header has one spelling");
    agrees(&parsed, &json, token);
    let _ = parsed.untrusted_claims::<Value>();
    let _ = parsed.dpop_jwk();
    for key in STRANGERS.iter() {
        let refused = parsed.verify(key).expect_err("a stranger's key verified a token");
        assert_eq!(refused == JoseError::AlgMismatch, parsed.header().alg != key.alg());
    }
}

/// What we read in a header is what others read.
fn agrees(parsed: &Unverified<'_>, json: &[u8], token: &str) {
    let header = parsed.header();
    assert!(header.kid.as_ref().is_none_or(|kid| kid.len() <= MAX_KID && !kid.contains(char::is_control)));
    // Numbers beyond all bounds and deep nests are read over by us and refused by this one.
    if let Ok(value) = serde_json::from_slice::<Value>(json) {
        assert!(value.is_object());
        assert_eq!(value["alg"], header.alg.as_str());
        assert_eq!(value["kid"].as_str(), header.kid.as_deref());
        assert_eq!(value["typ"].as_str(), header.typ.as_deref());
        assert!(["crit", "b64", "zip"].iter().all(|name| value.get(name).is_none()));
    }
    if let Ok(theirs) = oracle::decode_header(token) {
        assert_eq!(
            format!("{:?}", theirs.alg).to_ascii_uppercase(),
            header.alg.as_str().to_ascii_uppercase()
        );
        assert_eq!(
            (theirs.kid.as_deref(), theirs.typ.as_deref()),
            (header.kid.as_deref(), header.typ.as_deref())
        );
    }
}

/// Any header at all under a signature that is right.
fn header(header: &str) {
    let signed = format!("{}.e30", B64.encode(header));
    let key = oracle::EncodingKey::from_secret(SECRET);
    let signature = oracle::crypto::sign(signed.as_bytes(), &key, oracle::Algorithm::HS256).expect("signs");
    let whole = format!("{signed}.{signature}");
    token(&whole);
    let verified = Unverified::parse(&whole).and_then(|parsed| parsed.verify(&OURS.verifying_key()?));
    let alg = serde_json::from_str::<Value>(header)
        .ok()
        .and_then(|value| Some(value.get("alg")?.as_str()?.to_owned()));
    match verified {
        Ok(verified) => {
            assert_eq!(verified.payload(), b"{}");
            assert_eq!(verified.header().alg, Alg::Hs256);
            assert!(alg.is_none_or(|alg| alg == "HS256"));
        }
        Err(JoseError::Signature) => panic!("a right signature was called wrong"),
        Err(_) => {}
    }
}

fn payload(payload: &[u8]) {
    let signer = OURS.signer("JWT");
    let token = signer.sign_bytes(payload).expect("signs");
    let key = OURS.verifying_key().expect("a key");
    match Unverified::parse(&token) {
        Ok(parsed) => assert_eq!(parsed.verify(&key).expect("ours").payload(), payload),
        Err(error) => assert!(error == JoseError::TooLong && token.len() > MAX_TOKEN),
    }
    let changed = changed(&token, payload);
    assert!(
        Unverified::parse(&changed).and_then(|parsed| parsed.verify(&key)).is_err(),
        "a change went unseen"
    );
}
