//! The signature algorithms that we speak (RFC 7518 3.1, RFC 8037 3.1).

use std::fmt;

/// A signature algorithm. There is no `none`: it cannot be named, so it cannot be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alg {
    /// Ed25519 under the name that RFC 8037 gave it.
    EdDSA,
    /// ECDSA, P-256, SHA-256.
    Es256,
    /// ECDSA, P-384, SHA-384.
    Es384,
    /// ECDSA, P-521, SHA-512.
    Es512,
    /// RSASSA-PKCS1-v1_5, SHA-256.
    Rs256,
    /// RSASSA-PSS, SHA-256, MGF1 with SHA-256, salt as long as the digest.
    Ps256,
    /// HMAC, SHA-256; for compatibility modes alone.
    Hs256,
}

impl Alg {
    /// All of them, for metadata documents and tests.
    pub const ALL: &'static [Self] =
        &[Self::EdDSA, Self::Es256, Self::Es384, Self::Es512, Self::Rs256, Self::Ps256, Self::Hs256];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDSA => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Hs256 => "HS256",
        }
    }

    /// RFC 7515 4.1.1: "The 'alg' value is a case-sensitive ASCII string". `nOnE` is as unknown as `none`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|alg| alg.as_str() == name)
    }

    /// Whether both sides hold the same secret.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256)
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
