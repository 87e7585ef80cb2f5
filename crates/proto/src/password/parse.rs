//! The text forms of password hashes. Strict where leniency would give one hash two spellings or a cost two readings.

use super::*;
use base64::alphabet;
use base64::engine::general_purpose::{
    GeneralPurpose, GeneralPurposeConfig, NO_PAD, STANDARD_NO_PAD_INDIFFERENT,
};

/// bcrypt's own alphabet. 22 characters hold four bits more than a salt, and several systems fill them at random.
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, LAX_BITS);
const LAX_BITS: GeneralPurposeConfig = NO_PAD.with_decode_allow_trailing_bits(true);

pub(super) fn parse(text: &str) -> Result<Scheme, HashError> {
    if text.len() > MAX_TEXT || !text.is_ascii() {
        return Err(HashError::Malformed);
    }
    let Some(rest) = text.strip_prefix('$') else { return django(text) };
    let (name, rest) = rest.split_once('$').ok_or(HashError::Malformed)?;
    match name {
        "argon2id" => argon2(argon2::Algorithm::Argon2id, rest),
        "argon2i" => argon2(argon2::Algorithm::Argon2i, rest),
        "argon2d" => argon2(argon2::Algorithm::Argon2d, rest),
        "2a" | "2b" | "2y" => bcrypt(rest),
        "scrypt" => scrypt(rest),
        "fbscrypt" => firebase(rest),
        // passlib calls SHA-1's plain `pbkdf2`.
        "pbkdf2" | "pbkdf2-sha1" => pbkdf2(Digest::Sha1, rest),
        "pbkdf2-sha256" => pbkdf2(Digest::Sha256, rest),
        "pbkdf2-sha512" => pbkdf2(Digest::Sha512, rest),
        _ => Err(HashError::Unsupported),
    }
}

fn argon2(algorithm: argon2::Algorithm, rest: &str) -> Result<Scheme, HashError> {
    let (version, rest) = match rest.strip_prefix("v=") {
        // The version came with 1.3; what is without one is older.
        None => (argon2::Version::V0x10, rest),
        Some(rest) => match rest.split_once('$').ok_or(HashError::Malformed)? {
            ("19", rest) => (argon2::Version::V0x13, rest),
            ("16", rest) => (argon2::Version::V0x10, rest),
            _ => return Err(HashError::Unsupported),
        },
    };
    let [costs, salt, hash] = fields(rest)?;
    // `keyid` and `data` mean secrets that did not come along.
    let [m_kib, t, p] = named(costs, ["m", "t", "p"])?;
    let params = Params { m_kib: number(m_kib)?, t: number(t)?, p: number(p)? };
    params.check()?;
    let salt = salt_of(salt)?;
    // RFC 9106 3.1 lets a salt be shorter; the reference implementation and ours do not.
    if salt.len() < argon2::MIN_SALT_LEN {
        return Err(HashError::Malformed);
    }
    Ok(Scheme::Argon2 { algorithm, version, params, salt, hash: hash_of(hash)? })
}

fn bcrypt(rest: &str) -> Result<Scheme, HashError> {
    let (cost, rest) = rest.split_once('$').ok_or(HashError::Malformed)?;
    if cost.len() != 2 || !cost.bytes().all(|b| b.is_ascii_digit()) || rest.len() != 53 {
        return Err(HashError::Malformed);
    }
    let cost = cost.parse().map_err(|_| HashError::Malformed)?;
    if cost < 4 {
        return Err(HashError::Malformed);
    }
    if cost > MAX_BCRYPT_COST {
        return Err(HashError::TooCostly);
    }
    let (salt, hash) = rest.split_at(22);
    let bytes = |text: &str| BCRYPT.decode(text).map_err(|_| HashError::Malformed);
    let salt = bytes(salt)?.try_into().map_err(|_| HashError::Malformed)?;
    let hash = bytes(hash)?.try_into().map_err(|_| HashError::Malformed)?;
    Ok(Scheme::Bcrypt { cost, salt, hash })
}

fn scrypt(rest: &str) -> Result<Scheme, HashError> {
    let [costs, salt, hash] = fields(rest)?;
    let [log_n, r, p] = named(costs, ["ln", "r", "p"])?;
    Ok(Scheme::Scrypt { cost: scrypt_cost(log_n, r, p)?, salt: salt_of(salt)?, hash: hash_of(hash)? })
}

fn firebase(rest: &str) -> Result<Scheme, HashError> {
    let [costs, salt, hash] = fields(rest)?;
    let (costs, signer) = costs.split_once(",sk=").ok_or(HashError::Malformed)?;
    // A project may have no separator.
    let (costs, separator) = costs.split_once(",ss=").unwrap_or((costs, ""));
    let [version, log_n, r, p] = named(costs, ["v", "n", "r", "p"])?;
    if version != "1" {
        return Err(HashError::Unsupported);
    }
    let cost = scrypt_cost(log_n, r, p)?;
    let mut salt = salt_of(salt)?;
    salt.extend(bytes_of(separator)?);
    let (signer, hash) = (hash_of(signer)?, hash_of(hash)?);
    // It is the signer key encrypted in counter mode, so as long as it is.
    if signer.len() != hash.len() || salt.len() > MAX_BYTES {
        return Err(HashError::Malformed);
    }
    Ok(Scheme::Firebase { cost, salt, signer, hash })
}

fn scrypt_cost(log_n: &str, r: &str, p: &str) -> Result<ScryptCost, HashError> {
    let log_n = u8::try_from(number(log_n)?).map_err(|_| HashError::TooCostly)?;
    let cost = ScryptCost { log_n, r: number(r)?, p: number(p)? };
    cost.check()?;
    Ok(cost)
}

fn pbkdf2(digest: Digest, rest: &str) -> Result<Scheme, HashError> {
    let [costs, salt, hash] = fields(rest)?;
    // passlib's "adapted base64" has a dot for the plus.
    let (salt, hash) = (salt_of(&salt.replace('.', "+"))?, hash_of(&hash.replace('.', "+"))?);
    let rounds = match costs.split_once(",l=") {
        Some((rounds, len)) if usize::try_from(number(len)?) == Ok(hash.len()) => named(rounds, ["i"])?[0],
        Some(_) => return Err(HashError::Malformed),
        None => costs.strip_prefix("i=").unwrap_or(costs),
    };
    pbkdf2_of(digest, rounds, salt, hash)
}

/// Django: the salt is text and hashed as such.
fn django(text: &str) -> Result<Scheme, HashError> {
    let (name, rest) = text.split_once('$').ok_or(HashError::Unsupported)?;
    let digest = match name {
        "pbkdf2_sha1" => Digest::Sha1,
        "pbkdf2_sha256" => Digest::Sha256,
        "pbkdf2_sha512" => Digest::Sha512,
        _ => return Err(HashError::Unsupported),
    };
    let [rounds, salt, hash] = fields(rest)?;
    if !(MIN_SALT..=MAX_BYTES).contains(&salt.len()) {
        return Err(HashError::Malformed);
    }
    pbkdf2_of(digest, rounds, salt.as_bytes().to_vec(), hash_of(hash)?)
}

fn pbkdf2_of(digest: Digest, rounds: &str, salt: Vec<u8>, hash: Vec<u8>) -> Result<Scheme, HashError> {
    let rounds = number(rounds)?;
    let digest_len = match digest {
        Digest::Sha1 => 20,
        Digest::Sha256 => 32,
        Digest::Sha512 => 64,
    };
    // Each further digest of output takes all the rounds again.
    let blocks = hash.len().div_ceil(digest_len) as u64;
    if rounds == 0 {
        return Err(HashError::Malformed);
    }
    if u64::from(rounds) * blocks > u64::from(MAX_PBKDF2_ROUNDS) {
        return Err(HashError::TooCostly);
    }
    Ok(Scheme::Pbkdf2 { digest, rounds, salt, hash })
}

/// Three fields: costs, salt, hash.
fn fields(rest: &str) -> Result<[&str; 3], HashError> {
    let (costs, rest) = rest.split_once('$').ok_or(HashError::Malformed)?;
    let (salt, hash) = rest.split_once('$').ok_or(HashError::Malformed)?;
    if hash.contains('$') { Err(HashError::Malformed) } else { Ok([costs, salt, hash]) }
}

/// `a=1,b=2` with exactly these names, in this order, which every writer keeps to.
fn named<'a, const N: usize>(costs: &'a str, names: [&str; N]) -> Result<[&'a str; N], HashError> {
    let mut values = [""; N];
    let mut parts = costs.split(',');
    for (value, name) in values.iter_mut().zip(names) {
        let (found, text) = parts.next().and_then(|part| part.split_once('=')).ok_or(HashError::Malformed)?;
        if found != name {
            return Err(HashError::Malformed);
        }
        *value = text;
    }
    // What follows would change the result.
    if parts.next().is_some() { Err(HashError::Unsupported) } else { Ok(values) }
}

/// A decimal without sign or leading zeros. What does not fit is too much of whatever it counts.
fn number(text: &str) -> Result<u32, HashError> {
    let zeros = text.len() > 1 && text.starts_with('0');
    if text.is_empty() || zeros || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HashError::Malformed);
    }
    text.parse().map_err(|_| HashError::TooCostly)
}

fn bytes_of(base64: &str) -> Result<Vec<u8>, HashError> {
    STANDARD_NO_PAD_INDIFFERENT.decode(base64).map_err(|_| HashError::Malformed)
}

fn salt_of(base64: &str) -> Result<Vec<u8>, HashError> {
    let salt = bytes_of(base64)?;
    if (MIN_SALT..=MAX_BYTES).contains(&salt.len()) { Ok(salt) } else { Err(HashError::Malformed) }
}

fn hash_of(base64: &str) -> Result<Vec<u8>, HashError> {
    let hash = bytes_of(base64)?;
    if (MIN_HASH..=MAX_BYTES).contains(&hash.len()) { Ok(hash) } else { Err(HashError::Malformed) }
}
