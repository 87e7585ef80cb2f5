//! What the RFCs print, what other libraries say, what published vectors demand, and the attacks by id.

mod attacks;
mod oracle;
mod private;
mod props;
mod rfc;
mod vectors;

use super::*;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use serde_json::{Value, json};

fn verify(token: &str, key: &VerifyingKey) -> Result<Verified, JoseError> {
    Unverified::parse(token)?.verify(key)
}

fn parse_error(token: &str) -> JoseError {
    Unverified::parse(token).expect_err("must be refused")
}

/// A token with this header text and payload whose signature is right.
fn forge(key: &SigningKey, header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", B64.encode(header), B64.encode(payload));
    let signature = super::key::raw_sign(&key.inner, signed.as_bytes()).expect("signs");
    format!("{signed}.{}", B64.encode(signature))
}

fn hs256() -> SigningKey {
    SigningKey::hs256(b"0123456789abcdef0123456789abcdef").expect("long enough")
}

/// A new key, whatever the algorithm.
fn any_key(alg: Alg) -> SigningKey {
    if alg == Alg::Hs256 { hs256() } else { SigningKey::generate(alg).expect("key") }
}
