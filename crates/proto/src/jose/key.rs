//! Keys, parsed once and pinned to one algorithm.

use super::jws::Signer;
use super::{Alg, Curve, JoseError, Jwk, PublicKey};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The shortest HMAC secret. RFC 7518 3.2: "A key of the same size as the hash output (for instance, 256 bits for
/// 'HS256') or larger MUST be used".
pub const MIN_SECRET: usize = 32;

/// A private key (or shared secret) with its one algorithm. Cheap to clone.
#[derive(Clone)]
pub struct SigningKey {
    pub(super) inner: Arc<Private>,
    alg: Alg,
    kid: Option<String>,
    public: Option<PublicKey>,
}

pub(super) enum Private {
    Ed25519(Ed25519KeyPair),
    Ec(EcdsaKeyPair),
    Rsa { pair: RsaKeyPair, pss: bool },
    Hmac { key: Box<hmac::Key>, secret: Zeroizing<Vec<u8>> },
}

impl SigningKey {
    /// Makes a new key; its `kid` is its thumbprint. RSA keys have 2048 bits. For HS256 see
    /// [`Self::hs256`].
    pub fn generate(alg: Alg) -> Result<Self, JoseError> {
        let crypto = |_| JoseError::Crypto;
        match alg {
            Alg::EdDSA => Self::from_ed25519(Ed25519KeyPair::generate().map_err(crypto)?),
            Alg::Es256 | Alg::Es384 | Alg::Es512 => {
                let (curve, ecdsa) = ecdsa(alg).ok_or(JoseError::Key)?;
                Self::from_ec(alg, curve, EcdsaKeyPair::generate(ecdsa).map_err(crypto)?)
            }
            Alg::Rs256 | Alg::Ps256 => {
                Self::from_rsa(alg, RsaKeyPair::generate(KeySize::Rsa2048).map_err(crypto)?)
            }
            // A secret is bytes, and bytes are the caller's to draw.
            Alg::Hs256 => Err(JoseError::Key),
        }
    }

    /// Reads an unencrypted PKCS#8 key that must be of the type and curve of `alg`.
    pub fn from_pkcs8(alg: Alg, der: &[u8]) -> Result<Self, JoseError> {
        let key = |_| JoseError::Key;
        match alg {
            Alg::EdDSA => Self::from_ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(key)?),
            Alg::Es256 | Alg::Es384 | Alg::Es512 => {
                let (curve, ecdsa) = ecdsa(alg).ok_or(JoseError::Key)?;
                Self::from_ec(alg, curve, EcdsaKeyPair::from_pkcs8(ecdsa, der).map_err(key)?)
            }
            Alg::Rs256 | Alg::Ps256 => Self::from_rsa(alg, RsaKeyPair::from_pkcs8(der).map_err(key)?),
            // RFC 8725 3.5: "Human-memorizable passwords MUST NOT be directly used as the key to a keyed-MAC"; and a
            // private key is not one either.
            Alg::Hs256 => Err(JoseError::Key),
        }
    }

    /// A shared secret of at least [`MIN_SECRET`] bytes. It has no `kid` unless one is given, since the thumbprint of a
    /// secret would let anyone who reads a token test guesses.
    pub fn hs256(secret: &[u8]) -> Result<Self, JoseError> {
        let key = hmac_key(secret)?;
        let inner = Private::Hmac { key, secret: Zeroizing::new(secret.to_vec()) };
        Ok(Self { inner: Arc::new(inner), alg: Alg::Hs256, kid: None, public: None })
    }

    /// The same key under another name.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// Its one algorithm.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// Its name in headers.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The private key as PKCS#8, or the shared secret as it is. What [`Self::from_pkcs8`] or [`Self::hs256`] reads.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, JoseError> {
        // The library's documents clear themselves when dropped.
        let crypto = |_| JoseError::Crypto;
        Ok(Zeroizing::new(match &*self.inner {
            Private::Ed25519(pair) => pair.to_pkcs8v1().map_err(crypto)?.as_ref().to_vec(),
            Private::Ec(pair) => pair.to_pkcs8v1().map_err(crypto)?.as_ref().to_vec(),
            Private::Rsa { pair, .. } => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(crypto)?;
                der.as_ref().to_vec()
            }
            Private::Hmac { secret, .. } => secret.to_vec(),
        }))
    }

    /// What may be published, with `kid`, `alg` and `use`; nothing for a shared secret.
    pub fn public_jwk(&self) -> Option<Jwk> {
        let mut jwk = Jwk::new(self.public.clone()?).ok()?;
        jwk.kid.clone_from(&self.kid);
        jwk.alg = Some(self.alg.as_str().to_owned());
        jwk.usage = Some("sig".to_owned());
        Some(jwk)
    }

    /// The RFC 7638 thumbprint of the public key; nothing for a shared secret.
    pub fn thumbprint(&self) -> Option<String> {
        Some(Jwk::new(self.public.clone()?).ok()?.thumbprint())
    }

    /// The key that checks what this one signs.
    pub fn verifying_key(&self) -> Result<VerifyingKey, JoseError> {
        match &*self.inner {
            Private::Hmac { key, .. } => {
                let inner = Public::Hmac(key.clone());
                Ok(VerifyingKey { inner: Arc::new(inner), alg: self.alg, kid: self.kid.clone() })
            }
            _ => VerifyingKey::from_jwk(&self.public_jwk().ok_or(JoseError::Key)?),
        }
    }

    /// Prepares a header: the hot path then serialises, encodes and signs, no more.
    pub fn signer<'a>(&self, typ: impl Into<Option<&'a str>>) -> Signer {
        Signer::new(self.clone(), typ.into())
    }

    /// Signs once. Use [`Self::signer`] where tokens of one kind are made again and again.
    pub fn sign(&self, typ: Option<&str>, claims: &impl Serialize) -> Result<String, JoseError> {
        self.signer(typ).sign(claims)
    }

    fn from_ed25519(pair: Ed25519KeyPair) -> Result<Self, JoseError> {
        let x = pair.public_key().as_ref().try_into().map_err(|_| JoseError::Key)?;
        Self::asymmetric(Alg::EdDSA, Private::Ed25519(pair), PublicKey::Ed25519 { x })
    }

    pub(super) fn from_ec(alg: Alg, curve: Curve, pair: EcdsaKeyPair) -> Result<Self, JoseError> {
        // SEC 1 2.3.3: an uncompressed point is 04, x, y.
        let point = pair.public_key().as_ref();
        let (x, y) = match point.split_first() {
            Some((4, xy)) => xy.split_at(xy.len() / 2),
            _ => return Err(JoseError::Key),
        };
        let public = PublicKey::Ec { curve, x: x.to_vec(), y: y.to_vec() };
        Self::asymmetric(alg, Private::Ec(pair), public)
    }

    pub(super) fn from_rsa(alg: Alg, pair: RsaKeyPair) -> Result<Self, JoseError> {
        let (n, e) = rsa_numbers(pair.public_key().as_ref()).ok_or(JoseError::Key)?;
        let public = PublicKey::Rsa { n: n.to_vec(), e: e.to_vec() };
        Self::asymmetric(alg, Private::Rsa { pair, pss: alg == Alg::Ps256 }, public)
    }

    fn asymmetric(alg: Alg, inner: Private, public: PublicKey) -> Result<Self, JoseError> {
        let kid = Jwk::new(public.clone())?.thumbprint();
        Ok(Self { inner: Arc::new(inner), alg, kid: Some(kid), public: Some(public) })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("alg", &self.alg).field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The signature over `message` in the form of RFC 7518 3.
pub(super) fn raw_sign(key: &Private, message: &[u8]) -> Result<RawSignature, JoseError> {
    let crypto = |_| JoseError::Crypto;
    Ok(match key {
        Private::Ed25519(pair) => RawSignature::Asymmetric(pair.try_sign(message).map_err(crypto)?),
        Private::Ec(pair) => {
            RawSignature::Asymmetric(pair.sign(&SystemRandom::new(), message).map_err(crypto)?)
        }
        Private::Rsa { pair, pss } => {
            let padding: &'static dyn signature::RsaEncoding =
                if *pss { &signature::RSA_PSS_SHA256 } else { &signature::RSA_PKCS1_SHA256 };
            let mut out = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &SystemRandom::new(), message, &mut out).map_err(crypto)?;
            RawSignature::Rsa(out)
        }
        Private::Hmac { key, .. } => RawSignature::Hmac(hmac::sign(key, message)),
    })
}

/// The library's own buffers, so that nothing is copied before it is encoded.
#[allow(
    clippy::large_enum_variant,
    reason = "lives for one call on the stack; boxing would cost an allocation a token"
)]
pub(super) enum RawSignature {
    Asymmetric(signature::Signature),
    Rsa(Vec<u8>),
    Hmac(hmac::Tag),
}

impl AsRef<[u8]> for RawSignature {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Asymmetric(signature) => signature.as_ref(),
            Self::Rsa(bytes) => bytes,
            Self::Hmac(tag) => tag.as_ref(),
        }
    }
}

/// A key that checks signatures of one algorithm and no other. Cheap to clone.
#[derive(Clone)]
pub struct VerifyingKey {
    inner: Arc<Public>,
    alg: Alg,
    kid: Option<String>,
}

enum Public {
    Asymmetric(ParsedPublicKey),
    Hmac(Box<hmac::Key>),
}

impl VerifyingKey {
    /// A published key under the algorithm that it declares or implies ([`Jwk::pinned_alg`]).
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, JoseError> {
        Self::from_jwk_for(jwk, jwk.pinned_alg()?)
    }

    /// A published key under an algorithm that the caller's configuration fixes (a client's `id_token` or assertion
    /// algorithm), never one taken from a token.
    pub fn from_jwk_for(jwk: &Jwk, alg: Alg) -> Result<Self, JoseError> {
        if !jwk.fits(alg) {
            return Err(JoseError::Key);
        }
        // RFC 8725 3.4 wants inputs validated before use: the library checks that points are on their curve.
        let parsed = match jwk.key() {
            PublicKey::Ed25519 { x } => ParsedPublicKey::new(&signature::ED25519, x),
            PublicKey::Ec { curve, x, y } => {
                let algorithm = match curve {
                    Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED,
                    Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED,
                    Curve::P521 => &signature::ECDSA_P521_SHA512_FIXED,
                };
                ParsedPublicKey::new(algorithm, [&[4], x.as_slice(), y].concat())
            }
            PublicKey::Rsa { n, e } => {
                let parameters = match alg {
                    Alg::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters)
            }
        };
        let parsed = parsed.map_err(|_| JoseError::Key)?;
        Ok(Self { inner: Arc::new(Public::Asymmetric(parsed)), alg, kid: jwk.kid.clone() })
    }

    /// A shared secret of at least [`MIN_SECRET`] bytes.
    pub fn hs256(secret: &[u8]) -> Result<Self, JoseError> {
        Ok(Self { inner: Arc::new(Public::Hmac(hmac_key(secret)?)), alg: Alg::Hs256, kid: None })
    }

    /// Its one algorithm.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// Its name, to be found by.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(super) fn raw_verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        match &*self.inner {
            Public::Asymmetric(key) => key.verify_sig(message, signature),
            Public::Hmac(key) => hmac::verify(key, message, signature),
        }
        .map_err(|_| JoseError::Signature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("alg", &self.alg).field("kid", &self.kid).finish_non_exhaustive()
    }
}

fn ecdsa(alg: Alg) -> Option<(Curve, &'static EcdsaSigningAlgorithm)> {
    match alg {
        Alg::Es256 => Some((Curve::P256, &signature::ECDSA_P256_SHA256_FIXED_SIGNING)),
        Alg::Es384 => Some((Curve::P384, &signature::ECDSA_P384_SHA384_FIXED_SIGNING)),
        Alg::Es512 => Some((Curve::P521, &signature::ECDSA_P521_SHA512_FIXED_SIGNING)),
        _ => None,
    }
}

fn hmac_key(secret: &[u8]) -> Result<Box<hmac::Key>, JoseError> {
    // CVE-2026-45363: an empty secret once verified anything.
    if secret.len() < MIN_SECRET {
        return Err(JoseError::Key);
    }
    Ok(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret)))
}

/// Modulus and exponent of the library's own DER `RSAPublicKey` (RFC 8017 A.1.1): a sequence of two positive integers.
fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (body, rest) = der_value(der, 0x30)?;
    let (n, after) = der_value(body, 0x02)?;
    let (e, end) = der_value(after, 0x02)?;
    let positive = |bytes: &'_ [u8]| bytes.iter().take_while(|b| **b == 0).count();
    (rest.is_empty() && end.is_empty()).then(|| (&n[positive(n)..], &e[positive(e)..]))
}

/// Splits one definite-length value with the given tag off the front.
fn der_value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk::<2>()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => rest.split_first().map(|(len, rest)| (usize::from(*len), rest))?,
        0x82 => {
            rest.split_first_chunk::<2>().map(|(len, rest)| (usize::from(u16::from_be_bytes(*len)), rest))?
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(len))?
}
