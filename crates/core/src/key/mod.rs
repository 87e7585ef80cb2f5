//! Key rings: the signing keys of one token kind of one mount. A key is published before it signs, signs until its
//! successor does, stays published until the longest token it signed is over, and then loses its private part.
//! The kid alone decides which ring, and so which kind of token, a signature belongs to.

mod import;
pub mod store;

pub use import::{Imported, MOST_IMPORTED, check_import, import};

use crate::{
    audit::{self, Actor, Entry, Source},
    clock::{MINUTE, Micros},
    ground::Ground,
    id::{KeyId, MountId, RingId},
    refusal::{Fault, Kind, Result},
};
use bytes::Bytes;
use latchstring_proto::jose::{Alg, Jwk, JwkSet, Signer, SigningKey, VerifyingKey};
use std::{collections::HashMap, sync::Arc};

/// What a ring signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Native access tokens and identity headers: EdDSA.
    Native,
    /// Tokens of `/token`, by algorithm: one ring each.
    TokenEndpoint(Alg),
    /// Access tokens of a dialect's mount: ES256 where we make the key, and what an imported key is for.
    Access,
}

impl Purpose {
    /// Every purpose that this binary knows.
    pub const ALL: [Purpose; 5] = [
        Purpose::Native,
        Purpose::Access,
        Purpose::TokenEndpoint(Alg::Rs256),
        Purpose::TokenEndpoint(Alg::Es256),
        Purpose::TokenEndpoint(Alg::EdDSA),
    ];

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.word() == word)
    }

    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Purpose::Native => "native",
            Purpose::Access => "access",
            Purpose::TokenEndpoint(Alg::Es256) => "token_endpoint_es256",
            Purpose::TokenEndpoint(Alg::EdDSA) => "token_endpoint_eddsa",
            Purpose::TokenEndpoint(_) => "token_endpoint_rs256",
        }
    }

    /// The algorithm of the keys that are made for it.
    pub fn alg(self) -> Alg {
        match self {
            Purpose::Native => Alg::EdDSA,
            Purpose::Access => Alg::Es256,
            Purpose::TokenEndpoint(alg) => alg,
        }
    }
}

/// How long a key is published before it signs: readers that cache the key set for five minutes know it by then.
pub const PUBLISH_AHEAD: Micros = 10 * MINUTE;

/// A key in memory.
pub struct LiveKey {
    /// Its row.
    pub id: KeyId,
    /// Its name in tokens.
    pub kid: String,
    /// Whether it was made elsewhere: others may hold it too.
    pub imported: bool,
    /// From when it signs.
    pub active_at: Micros,
    /// Until when it signs, once it has a successor.
    pub retired_at: Option<Micros>,
    /// Verifies.
    pub verifying: VerifyingKey,
    jwk: Option<Jwk>,
    /// One for each `typ`, with its header encoded once.
    signers: Vec<(&'static str, Signer)>,
}

/// The `typ` of each kind of token that our rings sign.
pub const TYPS: &[&str] = &["at+jwt", "identity+jwt", "JWT"];

impl LiveKey {
    /// Its algorithm.
    pub fn alg(&self) -> Alg {
        self.verifying.alg()
    }
}

/// A ring in memory, with the key that signs now.
pub struct Ring {
    /// Its keys, youngest first.
    pub keys: Vec<LiveKey>,
    by_kid: HashMap<String, usize>,
    jwks: Bytes,
}

impl Ring {
    fn of(keys: Vec<LiveKey>) -> Result<Self> {
        let by_kid = keys.iter().enumerate().map(|(i, k)| (k.kid.clone(), i)).collect();
        let mut set = JwkSet::default();
        for key in &keys {
            set.keys.extend(key.jwk.clone());
        }
        let jwks = serde_json::to_vec(&set)?.into();
        Ok(Self { keys, by_kid, jwks })
    }

    /// Signs claims as a token of kind `typ`, by the youngest key that is active at `now`.
    pub fn sign(&self, now: Micros, typ: &str, claims: &impl serde::Serialize) -> Result<String> {
        let key = self
            .keys
            .iter()
            // One that was replaced before its time came never signs.
            .find(|k| k.active_at <= now && k.retired_at.is_none_or(|at| at > now))
            // A ring's first key may have been made a moment ago by a node whose clock is ahead.
            .or(self.keys.last())
            .ok_or(Fault::bug("the key ring has no key that may sign"))?;
        let signer =
            key.signers.iter().find(|(t, _)| *t == typ).ok_or(Fault::bug("no such kind of token"))?;
        signer.1.sign(claims).map_err(|e| Fault::new("a token could not be signed", e).into())
    }

    /// The key named `kid`, if it was imported.
    pub fn imported(&self, kid: &str) -> Option<KeyId> {
        self.by_kid.get(kid).map(|i| &self.keys[*i]).filter(|key| key.imported).map(|key| key.id)
    }

    /// The key named `kid`.
    pub fn verifying(&self, kid: &str) -> Option<&VerifyingKey> {
        self.by_kid.get(kid).map(|i| &self.keys[*i].verifying)
    }

    /// The ring's JWK Set (RFC 7517, 5), rendered once.
    pub fn jwks(&self) -> Bytes {
        self.jwks.clone()
    }
}

/// All rings of a realm, as loaded at one moment.
pub struct Rings {
    native: MountId,
    rings: HashMap<(MountId, &'static str), Arc<Ring>>,
    /// Moves when any key changes.
    pub rev: i64,
}

impl Rings {
    /// The native mount's ring for `purpose`, if it has been made.
    pub fn get(&self, purpose: Purpose) -> Option<&Arc<Ring>> {
        self.of(self.native, purpose)
    }

    /// A mount's ring for `purpose`, if it has been made.
    pub fn of(&self, mount: MountId, purpose: Purpose) -> Option<&Arc<Ring>> {
        self.rings.get(&(mount, purpose.word()))
    }
}

/// Loads every ring of a realm whose native mount is `native`.
pub async fn load(db: &latchstring_db::Db, ground: &Ground, native: MountId) -> Result<Rings> {
    let now = ground.now();
    let (rev, rows) = db
        .read(async |tx| Ok::<_, crate::Error>((store::rev(tx).await?, store::live(tx, now).await?)))
        .await?;
    let mut rings: HashMap<(MountId, &'static str), Vec<LiveKey>> = HashMap::new();
    for row in rows {
        // A ring that a newer binary made, and this one does not know.
        let Some(purpose) = Purpose::parse(&row.purpose) else { continue };
        let Some(sealed) = row.sealed else { continue };
        // So is an algorithm.
        let Some(alg) = Alg::parse(&row.alg) else { continue };
        let private = ground.keys.open(&place(row.id), &sealed)?;
        let unreadable = |e| Fault::new("a stored signing key can't be read", e);
        let signing = SigningKey::from_pkcs8(alg, &private).map_err(unreadable)?.with_kid(&row.kid);
        let verifying = signing.verifying_key().map_err(unreadable)?;
        rings.entry((row.mount, purpose.word())).or_default().push(LiveKey {
            id: row.id,
            kid: row.kid,
            imported: row.imported,
            active_at: row.active_at,
            retired_at: row.retired_at,
            verifying,
            jwk: signing.public_jwk(),
            signers: TYPS.iter().map(|typ| (*typ, signing.signer(*typ))).collect(),
        });
    }
    let rings =
        rings.into_iter().map(|(w, keys)| Ok((w, Arc::new(Ring::of(keys)?)))).collect::<Result<_>>()?;
    Ok(Rings { native, rings, rev })
}

/// Makes the ring for `purpose` with a first key that signs at once, unless it is there. Two nodes may try together:
/// one ring results.
pub async fn ensure(
    db: &latchstring_db::Db,
    ground: &Ground,
    mount: MountId,
    purpose: Purpose,
) -> Result<bool> {
    if db.read(async |tx| store::ring(tx, mount, purpose.word()).await).await?.is_some() {
        return Ok(false);
    }
    let now = ground.now();
    let ring = RingId::new(now, ground.random());
    let key = Fresh::make(ground, purpose, now).await?;
    db.write(async move |tx| -> Result<bool> {
        let Some(ring) =
            store::insert_ring(tx, ring, mount, purpose.word(), purpose.alg().as_str(), now).await?
        else {
            return Ok(false);
        };
        store::insert(tx, ring, &key).await?;
        store::bump(tx).await?;
        Ok(true)
    })
    .await
}

/// Adds a key to the ring: published now, signing after `ahead`, when the key before it retires. That one stays
/// published for as long as `longest_token` after.
#[expect(clippy::too_many_arguments, reason = "what stands on the ground is handed each thing that it uses")]
pub async fn rotate(
    db: &latchstring_db::Db,
    ground: &Ground,
    mount: MountId,
    purpose: Purpose,
    ahead: Micros,
    longest_token: Micros,
    actor: Actor,
    source: &Source,
) -> Result<String> {
    let now = ground.now();
    let key = Fresh::make(ground, purpose, now + ahead).await?;
    let kid = key.kid.clone();
    let entry = Entry::new(ground.audit_id(), now, "key.rotated", actor)
        .on("key", key.id.0)
        .detail(serde_json::json!({ "ring": purpose.word(), "kid": key.kid, "signs_at": key.active_at }))
        .from(source);
    db.write(async move |tx| -> Result<()> {
        let ring = store::lock_ring(tx, mount, purpose.word()).await?.ok_or(Kind::NotFound.param("ring"))?;
        store::retire_all(tx, ring, now + ahead, now + ahead + longest_token).await?;
        store::insert(tx, ring, &key).await?;
        store::bump(tx).await?;
        audit::write(tx, entry.clone()).await
    })
    .await?;
    Ok(kid)
}

/// Takes a key back at once: nothing that it signed verifies from now on. The one that signs can't be taken back
/// before it has a successor that does. Keys that were made here have names of their own; the same imported one may stand
/// in the rings of several mounts, and then it has to be said of which.
pub async fn revoke(
    db: &latchstring_db::Db,
    ground: &Ground,
    mount: Option<MountId>,
    kid: &str,
    actor: Actor,
    source: &Source,
) -> Result<()> {
    let now = ground.now();
    let kid = kid.to_owned();
    let entry = Entry::new(ground.audit_id(), now, "key.revoked", actor).from(source);
    db.write(async move |tx| -> Result<()> {
        let ours = async |tx: &mut latchstring_db::Tx| -> Result<Vec<store::Row>> {
            let live = store::live(tx, now).await?.into_iter();
            Ok(live.filter(|key| mount.is_none_or(|mount| key.mount == mount)).collect())
        };
        let mut named = ours(tx).await?.into_iter().filter(|key| key.kid == kid);
        let key = named.next().ok_or(Kind::NotFound)?;
        if named.any(|other| other.mount != key.mount) {
            return Err(Kind::InputInvalid
                .param("mount")
                .says("Several mounts have a key of this name. Say whose is meant.")
                .into());
        }
        // The rings' rows of one purpose change one after the other.
        store::lock_ring(tx, key.mount, &key.purpose).await?;
        let signs = ours(tx).await?.into_iter().find(|other| {
            other.mount == key.mount
                && other.purpose == key.purpose
                && other.active_at <= now
                && other.retired_at.is_none_or(|at| at > now)
        });
        if signs.is_none_or(|other| other.id == key.id) {
            return Err(Kind::LastOne
                .param("kid")
                .says("This key signs. Rotate its ring with “now”, then revoke it.")
                .into());
        }
        if !store::drop_now(tx, key.id, now).await? {
            return Err(Kind::NotFound.into());
        }
        store::bump(tx).await?;
        let detail = serde_json::json!({ "ring": key.purpose, "kid": key.kid });
        audit::write(tx, entry.clone().on("key", key.id.0).detail(detail)).await
    })
    .await
}

/// A key as admins see it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The ring's mount.
    pub mount: MountId,
    /// The ring's purpose.
    pub purpose: String,
    /// Whether it was made elsewhere.
    pub imported: bool,
    /// The key's name in tokens.
    pub kid: String,
    /// Its algorithm.
    pub alg: String,
    /// `next`, `active`, `retiring`, or `verify_only` for an imported one that signs nothing and stays.
    pub state: &'static str,
    /// When it was made.
    pub created_at: Micros,
    /// From when it signs.
    pub active_at: Micros,
    /// Until when it is published; `None` while it has no successor.
    pub drop_at: Option<Micros>,
}

/// Every key of every mount that is still published.
pub async fn list(db: &latchstring_db::Db, now: Micros) -> Result<Vec<Shown>> {
    let rows = db.read(async |tx| store::live(tx, now).await).await?;
    Ok(rows
        .into_iter()
        .map(|row| Shown {
            state: if row.active_at > now {
                "next"
            } else if row.retired_at.is_none_or(|at| at > now) {
                "active"
            } else if row.drop_at.is_some() {
                "retiring"
            } else {
                "verify_only"
            },
            mount: row.mount,
            imported: row.imported,
            purpose: row.purpose,
            kid: row.kid,
            alg: row.alg,
            created_at: row.created_at,
            active_at: row.active_at,
            drop_at: row.drop_at,
        })
        .collect())
}

/// A key made before the transaction.
pub struct Fresh {
    id: KeyId,
    kid: String,
    alg: Alg,
    public: Option<String>,
    sealed: Vec<u8>,
    created_at: Micros,
    active_at: Micros,
    retired_at: Option<Micros>,
    imported: bool,
}

impl Fresh {
    async fn make(ground: &Ground, purpose: Purpose, active_at: Micros) -> Result<Self> {
        let alg = purpose.alg();
        // RSA takes a tenth of a second or more: not on a worker that answers requests.
        let signing = tokio::task::spawn_blocking(move || SigningKey::generate(alg))
            .await
            .map_err(|e| Fault::new("making a key failed", e))?
            .map_err(|e| Fault::new("making a key failed", e))?;
        Self::of(ground, &signing, active_at, false)
    }

    /// A key from elsewhere.
    fn imported(ground: &Ground, signing: &SigningKey) -> Result<Self> {
        Self::of(ground, signing, ground.now(), true)
    }

    fn of(ground: &Ground, signing: &SigningKey, active_at: Micros, imported: bool) -> Result<Self> {
        let alg = signing.alg();
        let created_at = ground.now();
        let id = KeyId::new(created_at, ground.random());
        let private = signing.to_pkcs8().map_err(|e| Fault::new("making a key failed", e))?;
        let sealed = ground.keys.seal(&place(id), &private)?;
        let kid = signing.kid().ok_or(Fault::bug("a new key has no name"))?.to_owned();
        let public = signing.public_jwk().map(|jwk| serde_json::to_string(&jwk)).transpose()?;
        Ok(Self { id, kid, alg, public, sealed, created_at, active_at, retired_at: None, imported })
    }
}

fn place(id: KeyId) -> String {
    format!("keys/sealed/{id}")
}
