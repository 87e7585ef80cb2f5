//! Users for elsewhere, with all that a vendor's format may hold: hashes too. A page at a time.

use crate::{
    annotation,
    clock::Micros,
    credential, factor,
    id::{IdentifierId, UserId},
    identifier,
    identity::{self, Identity},
    realm::Realm,
    refusal::Result,
    secret::Hidden,
    user::{self, Full},
};
use std::collections::{HashMap, HashSet};

/// A user.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The user and their identifiers.
    pub full: Full,
    /// When each identifier was made.
    pub made_at: HashMap<IdentifierId, Micros>,
    /// The password's hash.
    pub secret: Option<Hidden>,
    /// Who they are at upstreams, oldest first.
    pub identities: Vec<Identity>,
    /// The annotation of the kind that was asked for: JSON.
    pub annotation: Option<String>,
    /// Whether they have a second factor.
    pub has_factor: bool,
}

/// Users in the order of ids after `after`, at most `limit`, as they were at one moment, with annotations of one kind.
pub async fn page(realm: &Realm, after: Option<UserId>, limit: i64, kind: &str) -> Result<Vec<Outgoing>> {
    let kind = kind.to_owned();
    realm
        .db()
        .read_slow(async move |tx| -> Result<Vec<Outgoing>> {
            let users = user::store::page(tx, after, limit).await?;
            let Some(last) = users.last().map(|full| full.user.id) else { return Ok(Vec::new()) };
            let after = after.unwrap_or(UserId(uuid::Uuid::nil()));
            let mut made = identifier::store::made_at(tx, after, last).await?;
            made.sort_unstable();
            let mut secrets: HashMap<UserId, Hidden> =
                credential::store::passwords(tx, after, last).await?.into_iter().collect();
            let mut identities: HashMap<UserId, Vec<Identity>> = HashMap::new();
            for identity in identity::store::of_users(tx, after, last).await? {
                identities.entry(identity.user).or_default().push(identity);
            }
            let mut notes: HashMap<UserId, String> =
                annotation::store::of_users(tx, &kind, after, last).await?.into_iter().collect();
            let factors: HashSet<UserId> =
                factor::store::holders(tx, after, last).await?.into_iter().collect();
            let made_at = |id: IdentifierId| {
                made.binary_search_by_key(&id, |row| row.0).ok().map(|at| (id, made[at].1))
            };
            let outgoing = users.into_iter().map(|full| {
                let id = full.user.id;
                Outgoing {
                    made_at: full.identifiers.iter().filter_map(|i| made_at(i.id)).collect(),
                    secret: secrets.remove(&id),
                    identities: identities.remove(&id).unwrap_or_default(),
                    annotation: notes.remove(&id),
                    has_factor: factors.contains(&id),
                    full,
                }
            });
            Ok(outgoing.collect())
        })
        .await
}
