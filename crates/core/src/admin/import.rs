//! Users from elsewhere, many at once: an import hands over plain values, and what holds for every user is checked here.
//!
//! A user comes whole or not at all, with identities and annotation, in one transaction. So an import that was broken off
//! is run again: whoever is here already is left as they are.

use crate::{
    annotation,
    audit::{self, Actor, Entry},
    clock::Micros,
    connection, credential,
    id::{ConnectionId, CredentialId, IdentifierId, IdentityId, UserId},
    identifier::{self, Identifier},
    identity,
    realm::Realm,
    refusal::{Kind, Refusal, Result},
    secret::Hidden,
    user::{self, META_BYTES, UserKind},
};
use latchstring_db::{Engine, Tx};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;

/// How many users one transaction takes: a server beside us waits so long for its turn.
pub const BATCH: usize = 400;
/// Most identities of one user.
pub const IDENTITIES: usize = 50;

/// One import.
#[derive(Debug, Clone)]
pub struct Run {
    /// Who runs it.
    pub actor: Actor,
    /// Where the users come from, such as `supabase`: addresses are asserted by `import:supabase`, and annotations are of
    /// this kind.
    pub from: String,
    /// Only look what would be taken.
    pub dry: bool,
    /// Batches that were written.
    batches: Arc<AtomicU32>,
}

impl Run {
    /// An import by `actor` of users from `from`.
    pub fn new(actor: Actor, from: &str, dry: bool) -> Self {
        Self { actor, from: from.to_owned(), dry, batches: Arc::default() }
    }
}

/// An e-mail address from elsewhere.
#[derive(Debug, Clone)]
pub struct Address {
    /// As it stands there.
    pub typed: String,
    /// Since when it counts as theirs there. An assertion: we saw no proof.
    pub confirmed_at: Option<Micros>,
    /// Since when they have it.
    pub created_at: Micros,
}

/// Who somebody is at an upstream.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its id, to be kept if it is free.
    pub id: Option<Uuid>,
    /// The name of the upstream.
    pub connection: String,
    /// Who they are there.
    pub subject: String,
    /// What was said of them there.
    pub claims: serde_json::Value,
    /// Whether the upstream vouches for their address.
    pub vouched: bool,
    /// When it was linked.
    pub created_at: Micros,
    /// When they last came by it.
    pub used_at: Option<Micros>,
}

/// A user from elsewhere.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The id, which is kept.
    pub id: UserId,
    /// A guest has no address, no password and no identity.
    pub kind: UserKind,
    /// The address.
    pub email: Option<Address>,
    /// Whether something other than the address that identifies them was confirmed there.
    pub confirmed_otherwise: bool,
    /// The password's hash.
    pub secret: Option<Hidden>,
    /// Metadata that all may read and admins write.
    pub meta_public: serde_json::Value,
    /// Metadata of the user's own.
    pub meta_own: serde_json::Value,
    /// Banned, and until when: `Some(None)` is until it is lifted.
    pub banned: Option<Option<Micros>>,
    /// When the account was made there.
    pub created_at: Micros,
    /// When it last changed there.
    pub updated_at: Micros,
    /// When they last signed in there.
    pub signed_in_at: Option<Micros>,
    /// Who they are at upstreams.
    pub identities: Vec<Upstream>,
    /// What only a face of the same kind has to know.
    pub annotation: Option<serde_json::Value>,
}

/// Why something is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// The id stands for nobody.
    IdInvalid,
    /// Another account has the id.
    IdTaken,
    /// Not an address that we know how to write to.
    EmailInvalid,
    /// Another account has the address.
    EmailTaken,
    /// A guest with an address, a password or an identity is none.
    NoGuest,
    /// The metadata is no JSON object.
    MetadataInvalid,
    /// The metadata is larger than we keep.
    MetadataTooLarge,
    /// What a face has to know is larger than we keep.
    AnnotationTooLarge,
    /// A time is before the year 1 or after the year 9998.
    TimeInvalid,
    /// The hash can't be verified here.
    HashUnusable,
    /// The name of the upstream, the subject or the claims can't be kept.
    IdentityInvalid,
    /// Somebody has this identity.
    IdentityTaken,
    /// There are more identities than one user can have.
    TooManyIdentities,
}

impl Why {
    /// The stable name, for machines.
    pub fn code(self) -> &'static str {
        match self {
            Why::IdInvalid => "id_invalid",
            Why::IdTaken => "id_taken",
            Why::EmailInvalid => "email_invalid",
            Why::EmailTaken => "email_taken",
            Why::NoGuest => "guest_with_identifier",
            Why::MetadataInvalid => "metadata_invalid",
            Why::MetadataTooLarge => "metadata_too_large",
            Why::AnnotationTooLarge => "annotation_too_large",
            Why::TimeInvalid => "time_invalid",
            Why::HashUnusable => "hash_unusable",
            Why::IdentityInvalid => "identity_invalid",
            Why::IdentityTaken => "identity_taken",
            Why::TooManyIdentities => "too_many_identities",
        }
    }

    /// The reason for people.
    pub fn says(self) -> &'static str {
        match self {
            Why::IdInvalid => "this id stands for nobody",
            Why::IdTaken => "another account has this id",
            Why::EmailInvalid => "the address is not one that mail can be sent to",
            Why::EmailTaken => "another account has this address",
            Why::NoGuest => "a guest has no address, password or identity",
            Why::MetadataInvalid => "the metadata is not a JSON object",
            Why::MetadataTooLarge => "the metadata is larger than 16 KiB",
            Why::AnnotationTooLarge => "what belongs to this account only there is larger than 4 KiB",
            Why::TimeInvalid => "a time is out of range",
            Why::HashUnusable => "the password hash can't be verified here; they set a new one by mail",
            Why::IdentityInvalid => "the provider, the subject or the claims of the identity can't be kept",
            Why::IdentityTaken => "another account has this identity",
            Why::TooManyIdentities => "at most 50 identities of one account are kept",
        }
    }
}

/// A part of a user that is not taken, while the rest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The password.
    Password,
    /// The identity at this place.
    Identity(usize),
}

/// What became of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Taken, but for these parts.
    Taken(Vec<(Part, Why)>),
    /// Is here already, from an earlier run.
    Here,
    /// Not taken.
    Not(Why),
}

/// A user that passed what can be checked without the database, as it is written.
struct Ready {
    place: usize,
    user: Incoming,
    email: Option<Identifier>,
    secret: Option<Hidden>,
    meta_public: String,
    meta_own: String,
    annotation: Option<String>,
    claims: Vec<String>,
    left: Vec<(Part, Why)>,
    /// Ids in case that none came along, or that the one that did is not free.
    fresh: Fresh,
}

struct Fresh {
    identifier: IdentifierId,
    credential: CredentialId,
    identities: Vec<IdentityId>,
}

/// Takes users, at most [`BATCH`], and gives the fate of each. All of them, or none, if it fails.
pub async fn take(realm: &Realm, run: &Run, users: Vec<Incoming>) -> Result<Vec<Fate>> {
    let count = users.len();
    if count > BATCH {
        return Err(Kind::InputInvalid.param("users").says("Too many at once.").into());
    }
    let mut fates = vec![None; count];
    let mut ready = Vec::with_capacity(count);
    for (place, user) in users.into_iter().enumerate() {
        match check(realm, place, user) {
            Ok(user) => ready.push(user),
            Err(why) => fates[place] = Some(Fate::Not(why)),
        }
    }
    let ready = Arc::new(ready);
    let found = if run.dry {
        let ready = ready.clone();
        realm
            .db()
            .read_slow(async move |tx| -> Result<Vec<Fate>> { Ok(look(tx, &ready).await?.fates) })
            .await?
    } else {
        write(realm, run, &ready).await?
    };
    for (user, fate) in ready.iter().zip(found) {
        fates[user.place] = Some(fate);
    }
    Ok(fates.into_iter().map(|fate| fate.unwrap_or(Fate::Not(Why::IdInvalid))).collect())
}

/// How often a batch is looked at again because somebody took a name of it meanwhile.
const TRIES: usize = 10;

async fn write(realm: &Realm, run: &Run, ready: &Arc<Vec<Ready>>) -> Result<Vec<Fate>> {
    let mut tried = 0;
    loop {
        tried += 1;
        let ground = realm.ground();
        let now = ground.now();
        let slugs: HashSet<&str> = ready
            .iter()
            .flat_map(|user| user.user.identities.iter().map(|identity| identity.connection.as_str()))
            .collect();
        let slugs: Vec<(String, ConnectionId)> = slugs
            .into_iter()
            .map(|slug| (slug.to_owned(), ConnectionId::new(now, ground.random())))
            .collect();
        let entry = Entry::new(ground.audit_id(), now, "users.imported", run.actor.clone());
        let (ready, from) = (ready.clone(), run.from.clone());
        let done = realm
            .db()
            .write(async move |tx| -> Result<Vec<Fate>> {
                let looked = look(tx, &ready).await?;
                insert(tx, &ready, &looked, &slugs, &from, now).await?;
                let users = looked.fates.iter().filter(|fate| matches!(fate, Fate::Taken(_))).count();
                if users > 0 {
                    let detail = serde_json::json!({ "from": from, "users": users });
                    audit::write(tx, entry.clone().detail(detail)).await?;
                }
                Ok(looked.fates)
            })
            .await;
        match done {
            // Somebody signed up between our look and our insert. The next look sees them.
            Err(error) if error.kind() == Some(Kind::IdentifierTaken) && tried < TRIES => {}
            done => {
                give_way(realm, now).await;
                if done.is_ok() {
                    learn(realm, run).await?;
                }
                return done;
            }
        }
    }
}

/// SQLite has one writer, and whoever waits for it looks only now and then. A server beside us would hardly find a moment
/// between two batches if none were left.
async fn give_way(realm: &Realm, since: Micros) {
    if realm.db().engine() == Engine::Sqlite {
        let took = u64::try_from(realm.now() - since).unwrap_or(0);
        tokio::time::sleep(Duration::from_micros(took / 4).min(Duration::from_millis(50))).await;
    }
}

/// PostgreSQL keeps a plan from when tables were empty, by which each look at them reads all of it: it is told that they
/// have grown, each time that they are four times as large. (Its own housekeeping would, a minute later.)
async fn learn(realm: &Realm, run: &Run) -> Result<()> {
    let batch = run.batches.fetch_add(1, Ordering::Relaxed) + 1;
    if realm.db().engine() == Engine::Postgres
        && batch.is_power_of_two()
        && batch.trailing_zeros().is_multiple_of(2)
    {
        realm.db().write(async |tx| -> Result<()> { user::store::analyze(tx).await }).await?;
    }
    Ok(())
}

fn check(realm: &Realm, place: usize, mut user: Incoming) -> Result<Ready, Why> {
    // Lists begin after the lowest id and end before the highest.
    if user.id.0.is_nil() || user.id.0.is_max() {
        return Err(Why::IdInvalid);
    }
    let times = [Some(user.created_at), Some(user.updated_at), user.signed_in_at, user.banned.flatten()];
    let of_email = user.email.as_ref().map(|email| [Some(email.created_at), email.confirmed_at]);
    if !times.into_iter().chain(of_email.into_iter().flatten()).flatten().all(is_time) {
        return Err(Why::TimeInvalid);
    }
    let with_name = user.email.is_some() || user.secret.is_some() || !user.identities.is_empty();
    if user.kind == UserKind::Guest && with_name {
        return Err(Why::NoGuest);
    }
    let email = user
        .email
        .as_ref()
        .map(|email| Identifier::email(&email.typed).map_err(|_| Why::EmailInvalid))
        .transpose()?;
    let bag = |value: &serde_json::Value| {
        let text = if value.is_object() { value.to_string() } else { return Err(Why::MetadataInvalid) };
        if text.len() > META_BYTES { Err(Why::MetadataTooLarge) } else { Ok(text) }
    };
    let (meta_public, meta_own) = (bag(&user.meta_public)?, bag(&user.meta_own)?);
    let annotation = user.annotation.as_ref().map(ToString::to_string);
    if annotation.as_ref().is_some_and(|body| body.len() > annotation::MOST) {
        return Err(Why::AnnotationTooLarge);
    }
    let mut left = Vec::new();
    let secret = user.secret.take().filter(|phc| {
        let good = credential::check_import(phc).is_ok();
        if !good {
            left.push((Part::Password, Why::HashUnusable));
        }
        good
    });
    let mut claims = Vec::with_capacity(user.identities.len());
    for (n, identity) in user.identities.iter().enumerate() {
        let text = identity.claims.to_string();
        if n >= IDENTITIES {
            left.push((Part::Identity(n), Why::TooManyIdentities));
        } else if !is_identity(identity, &text) {
            left.push((Part::Identity(n), Why::IdentityInvalid));
        }
        claims.push(text);
    }
    let (ground, now) = (realm.ground(), realm.now());
    let fresh = Fresh {
        identifier: IdentifierId::new(now, ground.random()),
        credential: CredentialId::new(now, ground.random()),
        identities: user.identities.iter().map(|_| IdentityId::new(now, ground.random())).collect(),
    };
    Ok(Ready { place, user, email, secret, meta_public, meta_own, annotation, claims, left, fresh })
}

/// From the first of January of the year 1 to the end of the year 9998: what can be shown, in any place on Earth.
fn is_time(at: Micros) -> bool {
    (-62_135_596_800_000_000..253_370_764_800_000_000).contains(&at)
}

fn is_identity(identity: &Upstream, claims: &str) -> bool {
    let subject = &identity.subject;
    connection::is_slug(&identity.connection)
        && !subject.is_empty()
        && subject.len() <= identity::SUBJECT_BYTES
        && !subject.chars().any(char::is_control)
        && identity.claims.is_object()
        && claims.len() <= identity::CLAIMS_BYTES
        && [Some(identity.created_at), identity.used_at].into_iter().flatten().all(is_time)
}

/// What the database says of a batch.
struct Looked {
    fates: Vec<Fate>,
    /// Ids of identities from elsewhere that another identity has.
    used: HashSet<IdentityId>,
}

/// Finds whose id, address or identity is here already, in a number of statements that does not depend on the answer.
async fn look(tx: &mut Tx, ready: &[Ready]) -> Result<Looked> {
    let ids: Vec<UserId> = ready.iter().map(|user| user.user.id).collect();
    let known: HashMap<UserId, Micros> = user::store::known(tx, &ids).await?.into_iter().collect();
    let normals: Vec<&str> =
        ready.iter().filter_map(|user| user.email.as_ref().map(|email| email.normal.as_str())).collect();
    let mut emails: HashSet<String> = identifier::store::taken(tx, &normals).await?.into_iter().collect();
    let mut subjects: HashMap<&str, Vec<&str>> = HashMap::new();
    for identity in ready.iter().flat_map(|user| &user.user.identities) {
        subjects.entry(&identity.connection).or_default().push(&identity.subject);
    }
    let mut linked: HashSet<(String, String)> = HashSet::new();
    for (slug, subjects) in subjects {
        let Some(connection) = connection::store::find(tx, slug).await? else { continue };
        let taken = identity::store::taken(tx, connection, &subjects).await?;
        linked.extend(taken.into_iter().map(|subject| (slug.to_owned(), subject)));
    }
    let mut here: HashSet<UserId> = HashSet::new();
    let mut fates = Vec::with_capacity(ready.len());
    for user in ready {
        fates.push(match known.get(&user.user.id) {
            // What an import took keeps the time at which it was made.
            Some(created_at) if *created_at == user.user.created_at => Fate::Here,
            Some(_) => Fate::Not(Why::IdTaken),
            None if !here.insert(user.user.id) => Fate::Not(Why::IdTaken),
            None if user.email.as_ref().is_some_and(|email| !emails.insert(email.normal.clone())) => {
                Fate::Not(Why::EmailTaken)
            }
            None => {
                let mut left = user.left.clone();
                for (n, identity) in user.user.identities.iter().enumerate() {
                    let other = left.iter().any(|(part, _)| *part == Part::Identity(n));
                    let key = (identity.connection.clone(), identity.subject.clone());
                    if !other && !linked.insert(key) {
                        left.push((Part::Identity(n), Why::IdentityTaken));
                    }
                }
                Fate::Taken(left)
            }
        });
    }
    let own: Vec<IdentityId> = ready
        .iter()
        .flat_map(|user| user.user.identities.iter().filter_map(|identity| identity.id.map(IdentityId)))
        .collect();
    let used = identity::store::known(tx, &own).await?.into_iter().collect();
    Ok(Looked { fates, used })
}

/// Writes what [`look`] found to be free. What is not any more makes the whole batch be looked at again.
async fn insert(
    tx: &mut Tx,
    ready: &[Ready],
    looked: &Looked,
    slugs: &[(String, ConnectionId)],
    from: &str,
    now: Micros,
) -> Result<()> {
    let by = format!("import:{from}");
    // An id counts once, also within the batch.
    let mut used = looked.used.clone();
    let (mut users, mut emails, mut secrets, mut notes) = (vec![], vec![], vec![], vec![]);
    let mut identities = Vec::new();
    for (user, fate) in ready.iter().zip(&looked.fates) {
        let Fate::Taken(left) = fate else { continue };
        let (row, of) = (&user.user, user.user.id);
        users.push(user::store::Imported {
            id: of,
            kind: row.kind,
            banned: row.banned,
            meta_public: &user.meta_public,
            meta_own: &user.meta_own,
            created_at: row.created_at,
            updated_at: row.updated_at,
            signed_in_at: row.signed_in_at,
        });
        if let (Some(identifier), Some(address)) = (&user.email, &row.email) {
            emails.push(identifier::store::Imported {
                id: user.fresh.identifier,
                user: of,
                identifier,
                asserted: address.confirmed_at.map(|at| (by.as_str(), at)),
                created_at: address.created_at,
            });
        }
        if let Some(phc) = &user.secret {
            // Invariant 9: what was set while nobody vouched for the address goes when it is proven.
            let set_proven =
                row.email.as_ref().map_or(row.confirmed_otherwise, |email| email.confirmed_at.is_some());
            secrets.push(credential::store::Imported {
                id: user.fresh.credential,
                user: of,
                phc,
                set_proven,
            });
        }
        if let Some(body) = &user.annotation {
            notes.push(annotation::store::New { object: of.0, kind: from, body });
        }
        for (n, identity) in row.identities.iter().enumerate() {
            if !left.iter().any(|(part, _)| *part == Part::Identity(n)) {
                let own = identity.id.map(IdentityId).filter(|id| used.insert(*id));
                let id = own.unwrap_or(user.fresh.identities[n]);
                identities.push((of, identity, id, user.claims[n].as_str()));
            }
        }
    }
    let mut connections = HashMap::new();
    for (slug, fresh) in slugs {
        if !identities.iter().any(|(_, identity, ..)| identity.connection == *slug) {
            continue;
        }
        if connection::store::find(tx, slug).await?.is_none() {
            connection::store::insert_bare(tx, *fresh, slug, now).await?;
        }
        let id = connection::store::find(tx, slug).await?.ok_or(Kind::IdentifierTaken)?;
        connections.insert(slug.as_str(), id);
    }
    let links: Vec<identity::store::New<'_>> = identities
        .into_iter()
        .filter_map(|(of, identity, id, claims)| {
            Some(identity::store::New {
                id,
                user: of,
                connection: *connections.get(identity.connection.as_str())?,
                subject: &identity.subject,
                claims,
                set_proven: identity.vouched,
                created_at: identity.created_at,
                used_at: identity.used_at,
            })
        })
        .collect();
    all(user::store::insert_imported(tx, &users).await?, users.len())?;
    all(identifier::store::insert_imported(tx, &emails).await?, emails.len())?;
    all(credential::store::insert_imported(tx, &secrets, now).await?, secrets.len())?;
    all(identity::store::insert_many(tx, &links).await?, links.len())?;
    annotation::store::set(tx, &notes).await
}

/// That each row was inserted. If not, nothing is.
fn all(inserted: u64, wanted: usize) -> Result<()> {
    if inserted == wanted as u64 { Ok(()) } else { Err(Refusal::new(Kind::IdentifierTaken).into()) }
}
