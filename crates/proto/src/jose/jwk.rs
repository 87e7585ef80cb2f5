//! JSON Web Keys (RFC 7517, RFC 7518 6, RFC 8037 2) and their thumbprints (RFC 7638).
//!
//! `Jwk` has no place for a private member, so none can be published by accident; one that arrives is refused.

use super::{Alg, JoseError};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use serde::de::{Error as _, IgnoredAny};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// More keys than this in a set are an error: a provider publishes a handful.
pub const MAX_KEYS: usize = 100;

/// The smallest RSA modulus. RFC 7518 3.3: "A key of size 2048 bits or larger MUST be used".
const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;

/// An elliptic curve of RFC 7518 6.2.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

impl Curve {
    const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|c| c.as_str() == name)
    }

    const fn coordinate_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    const fn alg(self) -> Alg {
        match self {
            Self::P256 => Alg::Es256,
            Self::P384 => Alg::Es384,
            Self::P521 => Alg::Es512,
        }
    }
}

/// The numbers of a public key, big-endian. Sizes are checked; that a point is on its curve is checked by
/// [`super::VerifyingKey`], which hands it to the library.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicKey {
    /// `kty` "EC".
    Ec {
        /// Which curve.
        curve: Curve,
        /// Exactly as long as the curve's field.
        x: Vec<u8>,
        /// Exactly as long as the curve's field.
        y: Vec<u8>,
    },
    /// `kty` "RSA".
    Rsa {
        /// Modulus without leading zeros.
        n: Vec<u8>,
        /// Exponent without leading zeros.
        e: Vec<u8>,
    },
    /// `kty` "OKP", `crv` "Ed25519".
    Ed25519 {
        /// The encoded point.
        x: [u8; 32],
    },
}

/// A public key with its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    key: PublicKey,
    /// Key id.
    pub kid: Option<String>,
    /// The algorithm that its owner declared, whether or not we speak it.
    pub alg: Option<String>,
    /// `use`: "sig" or "enc".
    pub usage: Option<String>,
    /// `key_ops`.
    pub key_ops: Option<Vec<String>>,
}

impl Jwk {
    /// Wraps a key whose sizes are in order.
    pub fn new(key: PublicKey) -> Result<Self, JoseError> {
        check(&key)?;
        Ok(Self { key, kid: None, alg: None, usage: None, key_ops: None })
    }

    /// The key itself.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Reads one JWK; members that we don't know are ignored (RFC 7517 4), private ones are an error.
    pub fn from_json(json: &str) -> Result<Self, JoseError> {
        serde_json::from_str(json).map_err(|_| JoseError::Key)
    }

    /// The one algorithm that this key may verify: the declared one, or the only one of its type. An RSA key that
    /// declares nothing means RS256, the default of OpenID Connect; PS256 has to be said.
    pub fn pinned_alg(&self) -> Result<Alg, JoseError> {
        let natural = match &self.key {
            PublicKey::Ec { curve, .. } => curve.alg(),
            PublicKey::Rsa { .. } => Alg::Rs256,
            PublicKey::Ed25519 { .. } => Alg::EdDSA,
        };
        match self.alg.as_deref() {
            None => Ok(natural),
            Some(name) => Alg::parse(name).filter(|alg| self.fits(*alg)).ok_or(JoseError::Key),
        }
    }

    /// Whether the key may check signatures of `alg`: its type and curve, and what it declares about itself.
    ///
    /// RFC 8725 3.1: "each key MUST be used with exactly one algorithm, and this MUST be checked when the
    /// cryptographic operation is performed".
    pub fn fits(&self, alg: Alg) -> bool {
        let by_type = match &self.key {
            PublicKey::Ec { curve, .. } => curve.alg() == alg,
            PublicKey::Rsa { .. } => matches!(alg, Alg::Rs256 | Alg::Ps256),
            PublicKey::Ed25519 { .. } => alg == Alg::EdDSA,
        };
        by_type
            && self.alg.as_deref().is_none_or(|declared| declared == alg.as_str())
            && self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"))
    }

    /// RFC 7638 3: the SHA-256 over the required members, ordered by name and without white space, base64url.
    pub fn thumbprint(&self) -> String {
        let json = match &self.key {
            PublicKey::Ec { curve, x, y } => format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                curve.as_str(),
                B64.encode(x),
                B64.encode(y)
            ),
            PublicKey::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, B64.encode(e), B64.encode(n))
            }
            // RFC 8037 2: "the three public key fields are included in the hash input in lexicographic order".
            PublicKey::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, B64.encode(x)),
        };
        B64.encode(digest::digest(&digest::SHA256, json.as_bytes()))
    }
}

fn check(key: &PublicKey) -> Result<(), JoseError> {
    let fine = match key {
        // RFC 7518 6.2.1.2: "The length of this octet string MUST be the full size of a coordinate for the curve".
        PublicKey::Ec { curve, x, y } => {
            x.len() == curve.coordinate_len() && y.len() == curve.coordinate_len()
        }
        PublicKey::Rsa { n, e } => {
            let bits = match n.first() {
                // RFC 7518 2: "The octet sequence MUST utilize the minimum number of octets".
                None | Some(0) => return Err(JoseError::Key),
                Some(first) => n.len() * 8 - first.leading_zeros() as usize,
            };
            let odd = |bytes: &[u8]| bytes.last().is_some_and(|b| b & 1 == 1);
            // A long exponent makes each verification slow; 1 makes every signature valid.
            let exponent = odd(e) && e.len() <= 4 && e[0] != 0 && e.as_slice() != [1];
            (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) && odd(n) && exponent && !is_roca(n)
        }
        PublicKey::Ed25519 { .. } => true,
    };
    if fine { Ok(()) } else { Err(JoseError::Key) }
}

/// CVE-2017-15361: a smart-card library made primes of the form k*M + 65537^a mod M, so the modulus is a power of 65537
/// modulo every small prime, which a sound one is with a chance far below one in a million. Such keys can be factored.
fn is_roca(n: &[u8]) -> bool {
    const PRIMES: [u32; 38] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101,
        103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    PRIMES.iter().all(|&p| {
        let residue = n.iter().fold(0u32, |acc, &b| (acc * 256 + u32::from(b)) % p);
        let generator = 65537 % p;
        let mut power = 1;
        (0..p).any(|_| {
            let hit = power == residue;
            power = power * generator % p;
            hit
        })
    })
}

#[derive(Deserialize)]
struct Wire {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    // RFC 9449 4.3: "the jwk JOSE Header Parameter does not contain a private key"; nor should any key sent to us.
    d: Option<IgnoredAny>,
    p: Option<IgnoredAny>,
    q: Option<IgnoredAny>,
    dp: Option<IgnoredAny>,
    dq: Option<IgnoredAny>,
    qi: Option<IgnoredAny>,
    oth: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
}

impl Wire {
    fn has_private(&self) -> bool {
        [&self.d, &self.p, &self.q, &self.dp, &self.dq, &self.qi, &self.oth, &self.k]
            .iter()
            .any(|member| member.is_some())
    }

    fn into_jwk(self) -> Option<Jwk> {
        let bytes = |text: &Option<String>| B64.decode(text.as_deref()?).ok();
        let key = match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some(crv)) => {
                PublicKey::Ec { curve: Curve::parse(crv)?, x: bytes(&self.x)?, y: bytes(&self.y)? }
            }
            ("RSA", _) => PublicKey::Rsa { n: bytes(&self.n)?, e: bytes(&self.e)? },
            ("OKP", Some("Ed25519")) => PublicKey::Ed25519 { x: bytes(&self.x)?.try_into().ok()? },
            _ => return None,
        };
        check(&key).ok()?;
        if self.kid.as_ref().is_some_and(|kid| kid.len() > super::MAX_KID) {
            return None;
        }
        Some(Jwk { key, kid: self.kid, alg: self.alg, usage: self.usage, key_ops: self.key_ops })
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        if wire.has_private() {
            return Err(D::Error::custom("private or symmetric key"));
        }
        wire.into_jwk().ok_or_else(|| D::Error::custom("unusable key"))
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.key {
            PublicKey::Ec { curve, x, y } => {
                map.serialize_entry("kty", "EC")?;
                map.serialize_entry("crv", curve.as_str())?;
                map.serialize_entry("x", &B64.encode(x))?;
                map.serialize_entry("y", &B64.encode(y))?;
            }
            PublicKey::Rsa { n, e } => {
                map.serialize_entry("kty", "RSA")?;
                map.serialize_entry("n", &B64.encode(n))?;
                map.serialize_entry("e", &B64.encode(e))?;
            }
            PublicKey::Ed25519 { x } => {
                map.serialize_entry("kty", "OKP")?;
                map.serialize_entry("crv", "Ed25519")?;
                map.serialize_entry("x", &B64.encode(x))?;
            }
        }
        if let Some(kid) = &self.kid {
            map.serialize_entry("kid", kid)?;
        }
        if let Some(alg) = &self.alg {
            map.serialize_entry("alg", alg)?;
        }
        if let Some(usage) = &self.usage {
            map.serialize_entry("use", usage)?;
        }
        if let Some(ops) = &self.key_ops {
            map.serialize_entry("key_ops", ops)?;
        }
        map.end()
    }
}

/// A set of public keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The usable ones.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// Reads a set; keys that cannot be used are left out.
    pub fn from_json(json: &str) -> Result<Self, JoseError> {
        serde_json::from_str(json).map_err(|_| JoseError::Key)
    }

    /// The key that a header means. RFC 7517 4.5: keys in a set SHOULD have distinct `kid` values, except for
    /// alternatives of different type; so more than one that fits is ambiguous and none is returned. A header without
    /// `kid` finds a key only if one alone fits.
    pub fn select(&self, kid: Option<&str>, alg: Alg) -> Option<&Jwk> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|jwk| kid.is_none_or(|kid| jwk.kid.as_deref() == Some(kid)) && jwk.fits(alg));
        let first = fitting.next();
        if fitting.next().is_some() { None } else { first }
    }
}

impl<'de> Deserialize<'de> for JwkSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Box<RawValue>>,
        }
        let set = Set::deserialize(deserializer)?;
        if set.keys.len() > MAX_KEYS {
            return Err(D::Error::custom("too many keys"));
        }
        // RFC 7517 5: "Implementations SHOULD ignore JWKs within a JWK Set that use 'kty' (key type) values that are not
        // understood by them, that are missing required members, or for which values are out of the supported ranges".
        let keys = set.keys.iter().filter_map(|raw| Jwk::from_json(raw.get()).ok()).collect();
        Ok(Self { keys })
    }
}
