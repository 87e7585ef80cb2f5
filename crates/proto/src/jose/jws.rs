//! Compact JWS (RFC 7515 7.1): building, strict parsing, verification.

use super::key::raw_sign;
use super::{Alg, JoseError, Jwk, SigningKey, VerifyingKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::fmt;

/// The longest token that is looked at.
pub const MAX_TOKEN: usize = 16 * 1024;
/// The longest header, as base64url.
pub const MAX_HEADER: usize = 4 * 1024;
/// The longest `kid`, in bytes.
pub const MAX_KID: usize = 256;

const MAX_TYP: usize = 128;
const MAX_MEMBERS: usize = 32;

/// A key with one encoded header.
#[derive(Clone, Debug)]
pub struct Signer {
    key: SigningKey,
    /// The base64url header and its dot.
    prefix: String,
}

impl Signer {
    pub(super) fn new(key: SigningKey, typ: Option<&str>) -> Self {
        // Built by hand because it cannot fail so; `Value` escapes what a key's name may hold.
        let mut header = format!(r#"{{"alg":"{}""#, key.alg().as_str());
        for (name, value) in [("kid", key.kid()), ("typ", typ)] {
            if let Some(value) = value {
                header.push_str(&format!(r#","{name}":{}"#, serde_json::Value::from(value)));
            }
        }
        header.push('}');
        let mut prefix = B64.encode(header);
        prefix.push('.');
        Self { key, prefix }
    }

    /// The key that signs.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// RFC 7515 5.1: the signature is over `BASE64URL(UTF8(header)) || '.' || BASE64URL(payload)`.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, JoseError> {
        let json = serde_json::to_vec(claims).map_err(|_| JoseError::Claims)?;
        self.sign_bytes(&json)
    }

    /// Signs a payload that is already text.
    pub fn sign_bytes(&self, payload: &[u8]) -> Result<String, JoseError> {
        // Room for an RS256 signature; the others fit too, and the string never grows.
        let mut token = String::with_capacity(self.prefix.len() + payload.len() * 4 / 3 + 352);
        token.push_str(&self.prefix);
        B64.encode_string(payload, &mut token);
        let signature = raw_sign(&self.key.inner, token.as_bytes())?;
        token.push('.');
        B64.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }
}

/// The members of a header that mean anything to us. `jku`, `x5u` and `x5c` are not among them: RFC 8725 3.10 warns of
/// following the addresses, and our keys come from configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm that the token claims; compared with the key's, never used to choose it.
    pub alg: Alg,
    /// Which key it claims.
    pub kid: Option<String>,
    /// What kind of token it claims to be.
    pub typ: Option<String>,
}

/// A well-formed compact JWS, about which nothing is known yet.
pub struct Unverified<'a> {
    header: Header,
    jwk: Option<Box<RawValue>>,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Parses with the default limit of [`MAX_TOKEN`] bytes.
    pub fn parse(token: &'a str) -> Result<Self, JoseError> {
        Self::parse_capped(token, MAX_TOKEN)
    }

    /// Parses a token of at most `max` bytes.
    pub fn parse_capped(token: &'a str, max: usize) -> Result<Self, JoseError> {
        if token.len() > max {
            return Err(JoseError::TooLong);
        }
        // RFC 7515 5.2 and 7.1: exactly three parts. Looking for three dots costs no allocation, however many there are
        // (CVE-2025-30204, CVE-2025-22868); five parts are a JWE (CVE-2023-51774), none a JSON serialisation.
        let (header64, rest) = token.split_once('.').ok_or(JoseError::NotCompact)?;
        let (payload, signature64) = rest.split_once('.').ok_or(JoseError::NotCompact)?;
        if signature64.contains('.') {
            return Err(JoseError::NotCompact);
        }
        if header64.len() > MAX_HEADER {
            return Err(JoseError::TooLong);
        }
        // RFC 7515 2: base64url "with all trailing '=' characters omitted ... and without the inclusion of any line
        // breaks, whitespace, or other additional characters". The engine also refuses stray trailing bits, so that a
        // token has one spelling.
        let json = B64.decode(header64).map_err(|_| JoseError::Base64)?;
        let raw: RawHeader = serde_json::from_slice(&json).map_err(|_| JoseError::Header)?;
        if raw.extension {
            return Err(JoseError::Extension);
        }
        let alg = Alg::parse(&raw.alg.ok_or(JoseError::Header)?).ok_or(JoseError::UnsupportedAlg)?;
        let signature = B64.decode(signature64).map_err(|_| JoseError::Base64)?;
        Ok(Self {
            header: Header { alg, kid: raw.kid, typ: raw.typ },
            jwk: raw.jwk,
            signed: &token[..header64.len() + 1 + payload.len()],
            payload,
            signature,
        })
    }

    /// The header, to find a key by.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Claims that nobody vouches for, to find the client or issuer whose key then decides. Nothing else may be read
    /// from them.
    pub fn untrusted_claims<T: DeserializeOwned>(&self) -> Result<T, JoseError> {
        let json = B64.decode(self.payload).map_err(|_| JoseError::Base64)?;
        serde_json::from_slice(&json).map_err(|_| JoseError::Claims)
    }

    /// The public key that a DPoP proof carries (RFC 9449 4.2), which proves possession and no more: what it signs is
    /// only worth something once its thumbprint equals a bound one. For every other token, a key in the header is an
    /// attacker's (RFC 7515 10.3: the origin of a key has to be authenticated).
    pub fn dpop_jwk(&self) -> Result<Jwk, JoseError> {
        Jwk::from_json(self.jwk.as_ref().ok_or(JoseError::Key)?.get())
    }

    /// Checks the signature.
    ///
    /// RFC 8725 3.1: "Libraries MUST enable the caller to specify a supported set of algorithms and MUST NOT use any
    /// other algorithms"; here the set is the key's one.
    pub fn verify(&self, key: &VerifyingKey) -> Result<Verified, JoseError> {
        if self.header.alg != key.alg() {
            return Err(JoseError::AlgMismatch);
        }
        key.raw_verify(self.signed.as_bytes(), &self.signature)?;
        let payload = B64.decode(self.payload).map_err(|_| JoseError::Base64)?;
        Ok(Verified { header: self.header.clone(), payload })
    }
}

impl fmt::Debug for Unverified<'_> {
    // A bearer token must not reach a log by way of its parser.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified").field("header", &self.header).finish_non_exhaustive()
    }
}

/// A JWS whose signature was checked. What its claims say about time, audience and issuer was not.
#[derive(Clone)]
pub struct Verified {
    header: Header,
    payload: Vec<u8>,
}

impl Verified {
    /// The header, now vouched for.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The `typ` as it was written.
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// Whether the token is of this explicit type (RFC 8725 3.11). RFC 7515 4.1.9: media types, so case does not count,
    /// and "application/" may be left out.
    pub fn typ_is(&self, typ: &str) -> bool {
        let Some(found) = self.typ() else { return false };
        let prefix = "application/";
        let short = match found.get(..prefix.len()) {
            Some(start) if start.eq_ignore_ascii_case(prefix) => &found[prefix.len()..],
            _ => found,
        };
        short.eq_ignore_ascii_case(typ)
    }

    /// The payload as it was signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The claims. RFC 7519 7.2: a "completely valid JSON object conforming to RFC 7159"; UTF-8 alone (RFC 8725 3.7).
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, JoseError> {
        serde_json::from_slice(&self.payload).map_err(|_| JoseError::Claims)
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("header", &self.header).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct RawHeader {
    alg: Option<String>,
    kid: Option<String>,
    typ: Option<String>,
    jwk: Option<Box<RawValue>>,
    extension: bool,
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = RawHeader;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JOSE header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader, A::Error> {
        use serde::de::Error as _;
        let mut header = RawHeader::default();
        // RFC 7515 4: "The Header Parameter names within the JOSE Header MUST be unique".
        let mut seen: Vec<String> = Vec::with_capacity(4);
        while let Some(name) = map.next_key::<String>()? {
            if seen.contains(&name) || seen.len() == MAX_MEMBERS {
                return Err(A::Error::custom("doubled member, or too many"));
            }
            match name.as_str() {
                "alg" => header.alg = Some(map.next_value()?),
                "kid" => header.kid = Some(text(map.next_value()?, MAX_KID)?),
                "typ" => header.typ = Some(text(map.next_value()?, MAX_TYP)?),
                "jwk" => header.jwk = Some(map.next_value()?),
                // RFC 7515 4.1.11: extensions in "crit" "MUST be understood and processed"; we understand none, an
                // empty list is forbidden, and RFC 7797's `b64` and RFC 7516's `zip` change what is signed or read.
                "crit" | "b64" | "zip" => {
                    header.extension = true;
                    map.next_value::<IgnoredAny>()?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            seen.push(name);
        }
        Ok(header)
    }
}

/// RFC 8725 3.10: received values such as `kid` go into look-ups and logs; no control characters, no novels.
fn text<E: serde::de::Error>(value: String, max: usize) -> Result<String, E> {
    if value.len() > max || value.chars().any(char::is_control) {
        return Err(E::custom("unacceptable text"));
    }
    Ok(value)
}
