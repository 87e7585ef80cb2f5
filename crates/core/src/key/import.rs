//! Keys that were made elsewhere: an app's tokens then verify under the keys that its back ends know already.

use super::{Fresh, Purpose, store};
use crate::{
    audit::{self, Actor, Entry, Source},
    clock::Micros,
    ground::Ground,
    id::{MountId, RingId},
    refusal::{Fault, Kind, Result},
};
use latchstring_proto::jose::{Jwk, SigningKey};

/// More keys than this at once are somebody's mistake: each is tried on every token that names it, and published.
pub const MOST_IMPORTED: usize = 10;

/// What became of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its name in tokens.
    pub kid: String,
    /// Whether it signs from now on; else it verifies.
    pub signs: bool,
    /// Whether the ring had it before, and nothing changed.
    pub known: bool,
}

/// Takes keys into a ring, which must have been made. The first signs from now on, and what signed before retires as in a
/// rotation. The others verify until they are taken back: who made them knows how long their tokens live. Keys that the
/// ring has are left as they are.
#[expect(clippy::too_many_arguments, reason = "what stands on the ground is handed each thing that it uses")]
pub async fn import(
    db: &latchstring_db::Db,
    ground: &Ground,
    mount: MountId,
    purpose: Purpose,
    keys: &[SigningKey],
    longest_token: Micros,
    actor: Actor,
    source: &Source,
) -> Result<Vec<Imported>> {
    bounded(keys)?;
    let now = ground.now();
    let mut fresh = Vec::new();
    for (i, key) in keys.iter().enumerate() {
        let mut key = Fresh::imported(ground, key)?;
        let signs = i == 0;
        key.retired_at = (!signs).then_some(now);
        let entry = Entry::new(ground.audit_id(), now, "key.imported", actor.clone())
            .on("key", key.id.0)
            .detail(serde_json::json!({ "ring": purpose.word(), "kid": key.kid, "signs": signs }))
            .from(source);
        fresh.push((key, signs, entry));
    }
    db.write(async move |tx| -> Result<Vec<Imported>> {
        let ring = store::lock_ring(tx, mount, purpose.word()).await?.ok_or(Kind::NotFound.param("ring"))?;
        let mut done = Vec::new();
        for (key, signs, entry) in &fresh {
            let known = is_known(tx, ring, &key.kid, key.public.as_deref(), now).await?;
            if !known {
                if *signs {
                    store::retire_all(tx, ring, now, now + longest_token).await?;
                }
                store::insert(tx, ring, key).await?;
                audit::write(tx, entry.clone()).await?;
            }
            done.push(Imported { kid: key.kid.clone(), signs: false, known });
        }
        // One that was known may have been replaced since.
        let signing = store::signing(tx, ring).await?;
        for key in &mut done {
            key.signs = signing.as_deref() == Some(key.kid.as_str());
        }
        if done.iter().any(|key| !key.known) {
            store::bump(tx).await?;
        }
        Ok(done)
    })
    .await
}

/// Refuses what [`import`] would, before anything else is changed for it.
pub async fn check_import(
    db: &latchstring_db::Db,
    now: Micros,
    mount: MountId,
    purpose: Purpose,
    keys: &[SigningKey],
) -> Result<()> {
    bounded(keys)?;
    db.read(async |tx| {
        let Some(ring) = store::ring(tx, mount, purpose.word()).await? else { return Ok(()) };
        for key in keys {
            let public = key.public_jwk().map(|jwk| serde_json::to_string(&jwk)).transpose()?;
            is_known(tx, ring, key.kid().unwrap_or_default(), public.as_deref(), now).await?;
        }
        Ok(())
    })
    .await
}

fn bounded(keys: &[SigningKey]) -> Result<()> {
    let twice = |(i, key): (usize, &SigningKey)| keys[..i].iter().any(|before| before.kid() == key.kid());
    let says = if keys.is_empty() || keys.len() > MOST_IMPORTED {
        format!("Between one key and {MOST_IMPORTED}.")
    } else if keys.iter().enumerate().any(twice) {
        "Two keys have the same name.".to_owned()
    } else {
        return Ok(());
    };
    Err(Kind::InputInvalid.param("signing_keys").says(says).into())
}

/// Whether the ring has that very key. One that it had is gone for good, and another of that name is refused.
async fn is_known(
    tx: &mut latchstring_db::Tx,
    ring: RingId,
    kid: &str,
    public: Option<&str>,
    now: Micros,
) -> Result<bool> {
    match store::named(tx, ring, kid, now).await? {
        None => Ok(false),
        Some((_, false)) => Err(refused(kid, "was taken back or has run out here")),
        Some((known, true)) if !same(known.as_deref(), public)? => Err(refused(kid, "is another key here")),
        Some(_) => Ok(true),
    }
}

fn refused(kid: &str, why: &str) -> crate::Error {
    let kid: String = kid.chars().take(60).collect();
    Kind::InputInvalid.param("signing_keys").says(format!("The key “{kid}” {why}.")).into()
}

/// Whether two published keys are the same numbers.
fn same(one: Option<&str>, other: Option<&str>) -> Result<bool> {
    let thumbprint = |text: &str| {
        let jwk = Jwk::from_json(text).map_err(|e| Fault::new("a stored public key can't be read", e))?;
        Ok::<_, crate::Error>(jwk.thumbprint())
    };
    let (Some(one), Some(other)) = (one, other) else { return Ok(false) };
    Ok(thumbprint(one)? == thumbprint(other)?)
}
