//! JSON Object Signing: compact JWS and the JWTs in them, on aws-lc-rs alone.
//!
//! What it deliberately is not: there is no JWE, no JSON serialisation, no `none`, no key that a token brought along
//! and no algorithm that a token chose. A key is parsed once, knows its one algorithm and is compared with the header.
//!
//! ```
//! use latchstring_proto::jose::{Alg, SigningKey, Unverified};
//! let key = SigningKey::generate(Alg::EdDSA)?;
//! let signer = key.signer("at+jwt"); // the header is encoded once
//! let token = signer.sign(&serde_json::json!({"sub": "ada"}))?;
//! let verified = Unverified::parse(&token)?.verify(&key.verifying_key()?)?;
//! assert!(verified.typ_is("at+jwt"));
//! # Ok::<(), latchstring_proto::jose::JoseError>(())
//! ```

mod alg;
pub mod claims;
mod jwk;
mod jws;
mod key;
mod private;

#[cfg(test)]
mod tests;

pub use self::alg::Alg;
pub use self::claims as rfc7519;
pub use self::claims::{Audience, NumericDate, TimeError, TimeRules, Times};
pub use self::jwk::{Curve, Jwk, JwkSet, MAX_KEYS, PublicKey};
pub use self::jws::{Header, MAX_HEADER, MAX_KID, MAX_TOKEN, Signer, Unverified, Verified};
pub use self::key::{MIN_SECRET, SigningKey, VerifyingKey};
pub use self::private::MAX_PRIVATE_JWK;

/// Why a key or token was refused. None of them carries input, so all can be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoseError {
    /// The token or its header is longer than the limit.
    #[error("token is too long")]
    TooLong,
    /// Not three parts: a JWE, a JSON serialisation, or no token at all.
    #[error("not a compact JWS")]
    NotCompact,
    /// A part is not canonical base64url without padding.
    #[error("bad base64url")]
    Base64,
    /// The header is not a JSON object, or a member is missing, doubled or of the wrong type.
    #[error("bad header")]
    Header,
    /// `crit`, `b64` or `zip` stands in the header.
    #[error("header demands an extension")]
    Extension,
    /// The header's `alg` is `none` or one that we do not speak.
    #[error("unsupported algorithm")]
    UnsupportedAlg,
    /// The header's `alg` is not the key's.
    #[error("algorithm is not the key's")]
    AlgMismatch,
    /// The signature does not verify.
    #[error("bad signature")]
    Signature,
    /// The payload is not the JSON that was asked for.
    #[error("bad claims")]
    Claims,
    /// The key is malformed, too weak, private where it must be public, or not for this algorithm.
    #[error("key refused")]
    Key,
    /// The cryptographic library failed.
    #[error("cryptographic failure")]
    Crypto,
}
