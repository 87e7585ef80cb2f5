//! The certificate that the server gets from a certificate authority by ACME (RFC 8555): when one is due, which node gets it,
//! and what all of them know of it. The conversation with the authority is the binary's.

pub mod store;

use crate::{
    clock::{HOUR, MINUTE, Micros},
    lease,
    realm::Realm,
    refusal::Result,
};
use uuid::Uuid;
use zeroize::Zeroizing;

/// How long one order may take: whoever has begun it keeps others from it for so long.
const ORDER: Micros = 10 * MINUTE;
/// Waiting after the first failure, and at most. Authorities count failures by the hour.
const FIRST: Micros = MINUTE;
const LONGEST: Micros = 12 * HOUR;
/// Waiting after a success.
const PAUSE: Micros = 10 * MINUTE;
/// The lease of whoever orders.
const LEASE: &str = "certificate";
/// How long an answer to the authority stands.
const PROOF: Micros = HOUR;
/// Longer tokens are none (RFC 8555, 8.3: base64url, of 128 bits and more).
const TOKEN: usize = 200;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The authority's directory.
    pub directory: String,
    /// The hosts, in order.
    pub hosts: Vec<String>,
}

impl Wanted {
    /// In one text, which differs where anything does.
    fn joined(&self) -> String {
        format!("{} {}", self.directory, self.hosts.join(" "))
    }
}

/// A certificate that is kept.
pub struct Kept {
    /// The chain, as PEM.
    pub chain: String,
    /// Its private key, as PEM.
    pub key: Zeroizing<String>,
    /// From when it is good.
    pub begins_at: Micros,
    /// Until when.
    pub ends_at: Micros,
    /// What it was got for.
    wanted: String,
    /// Moves with each certificate.
    pub rev: i64,
}

impl Kept {
    /// Whether another one is to be got: the last third of its time has begun, or it is for other hosts or from another
    /// authority.
    pub fn is_due(&self, wanted: &Wanted, now: Micros) -> bool {
        is_due((self.begins_at, self.ends_at), &self.wanted, &wanted.joined(), now)
    }
}

fn is_due((begins_at, ends_at): (Micros, Micros), had: &str, wanted: &str, now: Micros) -> bool {
    had != wanted || now >= ends_at - (ends_at - begins_at) / 3
}

/// Where sealed values stand.
const ACCOUNT: &str = "certificates/account";
const PRIVATE: &str = "certificates/private";

/// The certificate that is kept, if it has changed since `rev`.
pub async fn newer(realm: &Realm, rev: i64) -> Result<Option<Kept>> {
    let found = realm.db().read(async |tx| store::newer(tx, rev).await).await?;
    let Some(row) = found else { return Ok(None) };
    let key = realm.ground().keys.open(PRIVATE, &row.private)?;
    let key =
        String::from_utf8(key.to_vec()).map_err(|e| crate::refusal::Fault::new("a key is no text", e))?;
    Ok(Some(Kept {
        chain: row.chain,
        key: Zeroizing::new(key),
        begins_at: row.begins_at,
        ends_at: row.ends_at,
        wanted: row.wanted,
        rev: row.rev,
    }))
}

/// Begins an order, unless another node has begun one or the last failure was a moment ago. Gives the account at that
/// directory, if there is one.
pub async fn begin(realm: &Realm, wanted: &Wanted, holder: Uuid) -> Result<Option<Account>> {
    let now = realm.now();
    let (directory, joined) = (wanted.directory.clone(), wanted.joined());
    let ours = realm
        .db()
        .write(async move |tx| -> Result<Option<Option<Vec<u8>>>> {
            // Before anything is changed: whoever orders just now goes on as it was.
            if !lease::store::take(tx, LEASE, holder, now, now + ORDER).await? {
                return Ok(None);
            }
            // Another node may have got it since this one looked.
            let due = store::newer(tx, -1)
                .await?
                .is_none_or(|row| is_due((row.begins_at, row.ends_at), &row.wanted, &joined, now));
            let account = if due { store::row(tx, &directory, now).await? } else { None };
            if account.is_none() {
                lease::store::take(tx, LEASE, holder, now, now).await?;
            }
            Ok(account)
        })
        .await?;
    match ours {
        None => Ok(None),
        Some(None) => Ok(Some(Account(None))),
        Some(Some(sealed)) => Ok(Some(Account(Some(realm.ground().keys.open(ACCOUNT, &sealed)?)))),
    }
}

/// An account at an authority, as the client that speaks with it has written it down; or none yet.
pub struct Account(pub Option<Zeroizing<Vec<u8>>>);

/// Keeps an account: it is made once.
pub async fn keep_account(realm: &Realm, directory: &str, account: &[u8]) -> Result<()> {
    let sealed = realm.ground().keys.seal(ACCOUNT, account)?;
    let directory = directory.to_owned();
    realm
        .db()
        .write(async move |tx| -> Result<()> { store::set_account(tx, &directory, &sealed).await })
        .await
}

/// What came of an order.
pub struct Got {
    /// The chain, as PEM.
    pub chain: String,
    /// Its private key, as PEM.
    pub key: Zeroizing<String>,
    /// From when it is good.
    pub begins_at: Micros,
    /// Until when.
    pub ends_at: Micros,
}

/// Keeps a certificate for all nodes; the order is over.
pub async fn keep(realm: &Realm, wanted: &Wanted, got: Got, holder: Uuid) -> Result<()> {
    let sealed = realm.ground().keys.seal(PRIVATE, got.key.as_bytes())?;
    let (wanted, now) = (wanted.joined(), realm.now());
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            // Nodes that want different things, as while an address is changed, must not order in turn without a pause.
            let next_at = now + PAUSE.min((got.ends_at - got.begins_at) / 3);
            store::set(tx, &wanted, &got, &sealed, next_at).await?;
            store::clear_proofs(tx).await?;
            lease::store::take(tx, LEASE, holder, now, now).await?;
            Ok(())
        })
        .await
}

/// The order came to nothing: the next one waits, the longer the more of them failed. Gives until when.
pub async fn failed(realm: &Realm, holder: Uuid) -> Result<Micros> {
    let now = realm.now();
    realm
        .db()
        .write(async move |tx| -> Result<Micros> {
            let failures = store::failures(tx).await?;
            let wait = FIRST.saturating_mul(1 << (2 * failures).clamp(0, 20)).min(LONGEST);
            store::fail(tx, now + wait).await?;
            store::clear_proofs(tx).await?;
            lease::store::take(tx, LEASE, holder, now, now).await?;
            Ok(now + wait)
        })
        .await
}

/// Answers for every node what the authority is about to ask of a host.
pub async fn put_proof(realm: &Realm, token: &str, host: &str, answer: &str) -> Result<()> {
    let expires_at = realm.now() + PROOF;
    let (token, host, answer) = (token.to_owned(), host.to_owned(), answer.to_owned());
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            store::put_proof(tx, &token, &host, &answer, expires_at).await
        })
        .await
}

/// The answer to a token, if one is asked for (RFC 8555, 8.3).
pub async fn proof(realm: &Realm, token: &str) -> Result<Option<String>> {
    let well_formed = !token.is_empty()
        && token.len() <= TOKEN
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !well_formed {
        return Ok(None);
    }
    let now = realm.now();
    realm.db().read(async |tx| store::proof(tx, token, now).await).await
}

/// All answers that are asked for just now, by host.
pub async fn proofs(realm: &Realm) -> Result<Vec<(String, String)>> {
    let now = realm.now();
    realm.db().read(async |tx| store::proofs(tx, now).await).await
}
