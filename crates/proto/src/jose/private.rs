//! Private JSON Web Keys (RFC 7518 6.2.2, 6.3.2): how another system hands a signing key over. Read, and never written.

use super::jwk::{Curve, Jwk, PublicKey};
use super::{Alg, JoseError, MAX_KID, SigningKey};
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Longer text is no key: an RSA key of 8192 bits takes less than seven thousand characters.
pub const MAX_PRIVATE_JWK: usize = 16 * 1024;

/// A number that only its owner knows.
struct Secret(Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        // What is wrong with it is nobody's to read in a log.
        let bytes = B64.decode(text.as_bytes()).map_err(|_| serde::de::Error::custom("bad base64url"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

impl AsRef<[u8]> for Secret {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[derive(Deserialize)]
struct Wire {
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<Secret>,
    p: Option<Secret>,
    q: Option<Secret>,
    dp: Option<Secret>,
    dq: Option<Secret>,
    qi: Option<Secret>,
    // RFC 7518 6.3.2.7: a consumer that does not support keys of more than two primes MUST NOT use them.
    oth: Option<IgnoredAny>,
}

impl SigningKey {
    /// Reads a private JWK: RSA for RS256, with all its numbers, or P-256 for ES256. What it says about itself has to fit
    /// that, and its public part has to meet what is asked of public keys. Its `kid` is kept; without one it is the
    /// thumbprint.
    pub fn from_jwk(json: &str) -> Result<Self, JoseError> {
        if json.len() > MAX_PRIVATE_JWK {
            return Err(JoseError::TooLong);
        }
        let wire: Wire = serde_json::from_str(json).map_err(|_| JoseError::Key)?;
        let kid = wire.kid.clone();
        let signs = wire.usage.as_deref().is_none_or(|usage| usage == "sig")
            && wire.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "sign"));
        // Names are shown to people and stand in headers.
        let named = kid
            .as_deref()
            .is_none_or(|kid| !kid.is_empty() && kid.len() <= MAX_KID && !kid.chars().any(char::is_control));
        if !signs || !named || wire.oth.is_some() {
            return Err(JoseError::Key);
        }
        let key = match wire.kty.as_str() {
            "EC" => wire.ec(),
            "RSA" => wire.rsa(),
            _ => None,
        };
        let key = key.ok_or(JoseError::Key)?;
        Ok(match kid {
            Some(kid) => key.with_kid(kid),
            None => key,
        })
    }
}

impl Wire {
    fn is_for(&self, alg: Alg) -> bool {
        self.alg.as_deref().is_none_or(|declared| declared == alg.as_str())
    }

    fn ec(&self) -> Option<SigningKey> {
        if !self.is_for(Alg::Es256) || self.crv.as_deref() != Some("P-256") {
            return None;
        }
        let public = PublicKey::Ec { curve: Curve::P256, x: number(&self.x)?, y: number(&self.y)? };
        Jwk::new(public.clone()).ok()?;
        let PublicKey::Ec { x, y, .. } = public else { return None };
        // SEC 1 2.3.3. The library compares the point with the one that the private number gives.
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        let d = self.d.as_ref()?.as_ref();
        // RFC 7518 6.2.2.1: "The length of this octet string MUST be ceiling(log-base-2(n)/8) octets".
        if d.len() != 32 {
            return None;
        }
        let pair = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, d, &point);
        SigningKey::from_ec(Alg::Es256, Curve::P256, pair.ok()?).ok()
    }

    fn rsa(&self) -> Option<SigningKey> {
        if !self.is_for(Alg::Rs256) || self.crv.is_some() {
            return None;
        }
        let (n, e) = (number(&self.n)?, number(&self.e)?);
        // Size and exponent first: checking a key of any size takes as long as it likes.
        Jwk::new(PublicKey::Rsa { n: n.clone(), e: e.clone() }).ok()?;
        let parts = [&self.d, &self.p, &self.q, &self.dp, &self.dq, &self.qi];
        let parts = parts.map(|part| part.as_ref().map(Secret::as_ref).filter(|part| part.len() <= n.len()));
        let [Some(d), Some(p), Some(q), Some(dp), Some(dq), Some(qi)] = parts else { return None };
        let public_key = PublicKeyComponents { n: n.as_slice(), e: e.as_slice() };
        // The library checks that the numbers belong together.
        let numbers = KeyPairComponents { public_key, d, p, q, dP: dp, dQ: dq, qInv: qi };
        let pair = RsaKeyPair::from_components(&numbers);
        SigningKey::from_rsa(Alg::Rs256, pair.ok()?).ok()
    }
}

fn number(text: &Option<String>) -> Option<Vec<u8>> {
    B64.decode(text.as_deref()?).ok()
}
