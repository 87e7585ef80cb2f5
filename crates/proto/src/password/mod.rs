//! Password hashes: ours (Argon2id) and those that people bring from elsewhere.
//!
//! A hash is parsed before it is believed. [`PasswordHash::parse`] bounds what verifying may cost, so that an imported
//! hash cannot stall a login, and it does so again each time the hash is used, whatever the import let through.
//!
//! What is hashed is exactly what was typed, byte for byte, to its whole length. The exceptions are other people's:
//! bcrypt reads 72 bytes and no more, so an imported bcrypt hash is satisfied by anything that begins with the right 72;
//! it must be, or its owner could not sign in. [`PasswordHash::needs_upgrade`] then says to replace it. C implementations
//! of bcrypt also stop at a NUL byte, which this one, like those of Go and Java, doesn't: a password with a NUL that PHP
//! hashed will not verify here.

mod parse;
#[cfg(test)]
mod tests;

use aes::cipher::{KeyIvInit as _, StreamCipher as _};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use std::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The longest text that is parsed as a hash.
pub const MAX_TEXT: usize = 1024;
/// Argon2: memory, in KiB (256 MiB).
pub const MAX_ARGON2_M: u32 = 256 * 1024;
/// Argon2: passes.
pub const MAX_ARGON2_T: u32 = 10;
/// Argon2: lanes, which run one after another here.
pub const MAX_ARGON2_P: u32 = 4;
/// Argon2: memory times passes, in KiB (1 GiB written in all, about a second).
pub const MAX_ARGON2_WORK: u64 = 1024 * 1024;
/// bcrypt: the exponent (14 is about a second).
pub const MAX_BCRYPT_COST: u32 = 14;
/// scrypt: `128 * N * r`, in bytes (128 MiB).
pub const MAX_SCRYPT_MEMORY: u64 = 128 * 1024 * 1024;
/// scrypt: `128 * N * r * p`, in bytes. Four rounds at the most memory, or the 8 MiB times 10 that OWASP lists.
pub const MAX_SCRYPT_WORK: u64 = 4 * MAX_SCRYPT_MEMORY;
/// scrypt: lanes.
pub const MAX_SCRYPT_P: u32 = 16;
/// PBKDF2: rounds, times the digests that the output is long.
pub const MAX_PBKDF2_ROUNDS: u32 = 2_000_000;
/// A salt is at least this long. Foreign ones are as their makers liked them; ours have 16 bytes.
pub const MIN_SALT: usize = 4;
/// And at most this long, as is a signer key or a hash.
pub const MAX_BYTES: usize = 128;
/// A shorter hash could be met by chance or search.
pub const MIN_HASH: usize = 16;

/// Why a hash was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// A format that is known, but not what it says.
    #[error("the password hash is malformed")]
    Malformed,
    /// Verifying would take more time or memory than the limits allow.
    #[error("the password hash asks for too much work")]
    TooCostly,
    /// A format, version or option that we don't verify.
    #[error("the password hash has an unsupported format")]
    Unsupported,
}

/// What an Argon2 hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// Memory in KiB.
    pub m_kib: u32,
    /// Passes over it.
    pub t: u32,
    /// Lanes.
    pub p: u32,
}

impl Default for Params {
    /// The first choice of OWASP's password storage cheat sheet for 19 MiB: about 16 ms of one core.
    fn default() -> Self {
        Self { m_kib: 19 * 1024, t: 2, p: 1 }
    }
}

impl Params {
    fn check(&self) -> Result<(), HashError> {
        if self.t == 0 || self.p == 0 || self.m_kib < 8 * self.p.min(MAX_ARGON2_P) {
            return Err(HashError::Malformed);
        }
        let work = u64::from(self.m_kib) * u64::from(self.t);
        if self.m_kib > MAX_ARGON2_M
            || self.t > MAX_ARGON2_T
            || self.p > MAX_ARGON2_P
            || work > MAX_ARGON2_WORK
        {
            return Err(HashError::TooCostly);
        }
        Ok(())
    }
}

/// Argon2's memory, kept between calls: clearing 19 MiB anew each time costs up to half as much again.
///
/// One for each hashing thread. It holds values derived from the last password and is not cleared between calls.
#[derive(Default)]
pub struct Scratch {
    blocks: Vec<argon2::Block>,
}

/// What a [`Scratch`] keeps at most. A foreign hash of 256 MiB doesn't leave its memory behind.
const KEEP_BLOCKS: usize = 64 * 1024;
/// Room that is asked for at least, of which only what is used becomes resident. An allocation above 32 MiB is always a
/// mapping of its own in glibc. A smaller one is so only until the first of its size was freed; from then on it comes
/// from a heap, which keeps it.
const ROOM_BLOCKS: usize = 33 * 1024;

impl Scratch {
    /// Without memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the memory back, for when no sign-in has come for a while.
    pub fn release(&mut self) {
        self.blocks = Vec::new();
    }

    /// How many bytes it holds in memory.
    pub fn held(&self) -> usize {
        self.blocks.len() * argon2::Block::SIZE
    }

    fn blocks(&mut self, count: usize) -> &mut [argon2::Block] {
        if self.blocks.capacity() < count {
            // Without copying the old blocks, which nobody reads.
            self.release();
            self.blocks.reserve_exact(count.max(ROOM_BLOCKS));
        }
        if self.blocks.len() < count {
            self.blocks.resize(count, argon2::Block::new());
        }
        &mut self.blocks[..count]
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").field("held", &self.held()).finish()
    }
}

/// Hashes with Argon2id and returns a PHC string. The salt is random, and the caller's to draw.
pub fn argon2id(
    params: &Params,
    password: &[u8],
    salt: &[u8; 16],
    scratch: &mut Scratch,
) -> Result<String, HashError> {
    params.check()?;
    let mut hash = Zeroizing::new([0; 32]);
    let version = argon2::Version::V0x13;
    run_argon2(argon2::Algorithm::Argon2id, version, params, password, salt, hash.as_mut_slice(), scratch)?;
    let (salt, hash) = (BASE64_STANDARD_NO_PAD.encode(salt), BASE64_STANDARD_NO_PAD.encode(hash.as_slice()));
    let Params { m_kib, t, p } = params;
    Ok(format!("$argon2id$v=19$m={m_kib},t={t},p={p}${salt}${hash}"))
}

fn run_argon2(
    algorithm: argon2::Algorithm,
    version: argon2::Version,
    params: &Params,
    password: &[u8],
    salt: &[u8],
    out: &mut [u8],
    scratch: &mut Scratch,
) -> Result<(), HashError> {
    let malformed = |_| HashError::Malformed;
    let params = argon2::Params::new(params.m_kib, params.t, params.p, Some(out.len())).map_err(malformed)?;
    let blocks = params.block_count();
    let argon2 = argon2::Argon2::new(algorithm, version, params);
    let result = argon2.hash_password_into_with_memory(password, salt, out, scratch.blocks(blocks));
    if blocks > KEEP_BLOCKS {
        scratch.release();
    }
    result.map_err(malformed)
}

/// A parsed hash within the limits.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    scheme: Scheme,
}

#[derive(Clone, PartialEq, Eq)]
enum Scheme {
    Argon2 {
        algorithm: argon2::Algorithm,
        version: argon2::Version,
        params: Params,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
    Bcrypt {
        cost: u32,
        salt: [u8; 16],
        hash: [u8; 23],
    },
    Scrypt {
        cost: ScryptCost,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
    /// Firebase's: scrypt makes a key, and the project's signer key encrypted with it is the hash.
    Firebase {
        cost: ScryptCost,
        salt: Vec<u8>,
        signer: Vec<u8>,
        hash: Vec<u8>,
    },
    Pbkdf2 {
        digest: Digest,
        rounds: u32,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScryptCost {
    log_n: u8,
    r: u32,
    p: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl PasswordHash {
    /// Reads a hash in one of these forms:
    ///
    /// - `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, also `argon2i` and `argon2d`, also version 16;
    /// - `$2b$12$...`, also `2a` and `2y` (not `2x`, which marks a bug's results);
    /// - `$scrypt$ln=16,r=8,p=1$salt$hash`;
    /// - `$fbscrypt$v=1,n=14,r=8,p=1,ss=...,sk=...$salt$hash`, Firebase's hashes as Supabase writes them;
    /// - `$pbkdf2-sha256$29000$salt$hash` (passlib), `$pbkdf2-sha256$i=600000$salt$hash` (PHC) and
    ///   `pbkdf2_sha256$600000$salt$hash` (Django); also with SHA-1 and SHA-512.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        parse::parse(text).map(|scheme| Self { scheme })
    }

    /// Whether the password is the one. Time depends on the stored hash and the password's length, not on how much of it
    /// is right.
    #[must_use]
    pub fn verify(&self, password: &[u8], scratch: &mut Scratch) -> bool {
        match &self.scheme {
            Scheme::Argon2 { algorithm, version, params, salt, hash } => {
                let mut out = Zeroizing::new(vec![0; hash.len()]);
                run_argon2(*algorithm, *version, params, password, salt, &mut out, scratch).is_ok()
                    && equal(&out, hash)
            }
            Scheme::Bcrypt { cost, salt, hash } => {
                // The password and its NUL, or the first 72 bytes.
                let mut key = Zeroizing::new([0; 72]);
                let len = password.len().min(72);
                key[..len].copy_from_slice(&password[..len]);
                let out = Zeroizing::new(bcrypt::bcrypt(*cost, *salt, &key[..(len + 1).min(72)]));
                equal(&out[..hash.len()], hash)
            }
            Scheme::Scrypt { cost, salt, hash } => {
                let mut out = Zeroizing::new(vec![0; hash.len()]);
                cost.run(password, salt, &mut out) && equal(&out, hash)
            }
            Scheme::Firebase { cost, salt, signer, hash } => {
                let mut key = Zeroizing::new([0; 32]);
                if !cost.run(password, salt, key.as_mut_slice()) {
                    return false;
                }
                let mut out = Zeroizing::new(signer.clone());
                // A zero IV is sound here: each key encrypts one text, and the text is no secret of the user's.
                ctr::Ctr128BE::<aes::Aes256>::new((&*key).into(), &[0; 16].into()).apply_keystream(&mut out);
                equal(&out, hash)
            }
            Scheme::Pbkdf2 { digest, rounds, salt, hash } => {
                let mut out = Zeroizing::new(vec![0; hash.len()]);
                match digest {
                    Digest::Sha1 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>(password, salt, *rounds, &mut out),
                    Digest::Sha256 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, salt, *rounds, &mut out),
                    Digest::Sha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>(password, salt, *rounds, &mut out),
                }
                equal(&out, hash)
            }
        }
    }

    /// Whether to hash the password anew, now that it is at hand: another scheme than Argon2id, or weaker than `params`
    /// in any number. A stronger one is left alone.
    pub fn needs_upgrade(&self, params: &Params) -> bool {
        match &self.scheme {
            Scheme::Argon2 { algorithm, version, params: have, salt, hash } => {
                *algorithm != argon2::Algorithm::Argon2id
                    || *version != argon2::Version::V0x13
                    || have.m_kib < params.m_kib
                    || have.t < params.t
                    || salt.len() < 16
                    || hash.len() < 32
            }
            _ => true,
        }
    }

    /// The scheme's name, for reports of an import and for metrics.
    pub fn scheme(&self) -> &'static str {
        match &self.scheme {
            Scheme::Argon2 { algorithm, .. } => algorithm.as_str(),
            Scheme::Bcrypt { .. } => "bcrypt",
            Scheme::Scrypt { .. } => "scrypt",
            Scheme::Firebase { .. } => "fbscrypt",
            Scheme::Pbkdf2 { digest: Digest::Sha1, .. } => "pbkdf2-sha1",
            Scheme::Pbkdf2 { digest: Digest::Sha256, .. } => "pbkdf2-sha256",
            Scheme::Pbkdf2 { digest: Digest::Sha512, .. } => "pbkdf2-sha512",
        }
    }
}

impl fmt::Debug for PasswordHash {
    // A hash in a log is a hash to be guessed at.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordHash").field("scheme", &self.scheme()).finish_non_exhaustive()
    }
}

impl ScryptCost {
    fn check(self) -> Result<(), HashError> {
        let Self { log_n, r, p } = self;
        if log_n == 0 || r == 0 || p == 0 {
            return Err(HashError::Malformed);
        }
        // Each is bounded first, so that the products below fit.
        if log_n > 24 || r > 64 || p > MAX_SCRYPT_P {
            return Err(HashError::TooCostly);
        }
        let memory = (128 * u64::from(r)) << log_n;
        if memory > MAX_SCRYPT_MEMORY || memory * u64::from(p) > MAX_SCRYPT_WORK {
            return Err(HashError::TooCostly);
        }
        Ok(())
    }

    fn run(self, password: &[u8], salt: &[u8], out: &mut [u8]) -> bool {
        scrypt::Params::new(self.log_n, self.r, self.p)
            .is_ok_and(|params| scrypt::scrypt(password, salt, &params, out).is_ok())
    }
}

fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
