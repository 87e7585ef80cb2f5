//! Users, as operators manage them.

mod erase;
mod list;
mod update;

pub use erase::erase;
pub use list::{DEEPEST, Numbered, NumberedPage, PER_PAGE, Page, list, numbered};
pub use update::{Ban, Merge, Update, update};

use crate::{
    annotation,
    audit::{self, Actor, Entry, Source},
    clock::Micros,
    credential::{self, SetBy},
    id::{CredentialId, IdentifierId, UserId},
    identifier::{self, Identifier, IdentifierKind},
    realm::Realm,
    refusal::{Kind, Result},
    secret::{Hidden, Password},
    user::{self, Full, ProfileChange, UserKind},
};

/// A password to set: in clear, or a hash from elsewhere.
#[derive(Debug, Clone)]
pub enum NewSecret {
    /// A password, checked against the policy.
    Password(Password),
    /// A hash in one of the forms that can be verified here.
    Hash(Hidden),
}

/// A user to create.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// The id, where it comes from elsewhere.
    pub id: Option<UserId>,
    /// The address.
    pub email: Option<Identifier>,
    /// Whether the operator vouches for the address.
    pub email_asserted: bool,
    /// The username.
    pub username: Option<Identifier>,
    /// The password.
    pub secret: Option<NewSecret>,
    /// The profile.
    pub profile: ProfileChange,
    /// Whether they are kept out from the beginning.
    pub ban: Option<Ban>,
    /// What a kind of mount notes about them.
    pub note: Option<annotation::Note>,
}

/// Creates a user.
pub async fn create(realm: &Realm, actor: Actor, source: &Source, new: NewUser) -> Result<Full> {
    if new.email.is_none() && new.username.is_none() {
        return Err(Kind::InputInvalid
            .param("email")
            .says("An e-mail address or username is needed.")
            .into());
    }
    // Lists begin after the lowest id and end before the highest.
    if new.id.is_some_and(|id| id.0.is_nil() || id.0.is_max()) {
        return Err(Kind::InputInvalid.param("id").says("This id stands for nobody.").into());
    }
    new.profile.check()?;
    if let Some(ban) = &new.ban {
        ban.check(realm.now())?;
    }
    let words: Vec<&str> =
        [&new.email, &new.username].into_iter().flatten().map(|i| i.typed.as_str()).collect();
    let prepared = prepare(realm, new.secret.clone(), &words).await?;
    let ground = realm.ground();
    let now = ground.now();
    let id = new.id.unwrap_or_else(|| UserId::new(now, ground.random()));
    let rows = [0, 1].map(|i| IdentifierId::new(now + i, ground.random()));
    let credential = CredentialId::new(now, ground.random());
    let by = actor.id().unwrap_or_else(|| actor.kind().to_owned());
    // A backend that signs people up hands on what a stranger typed, address and password alike. Unless it vouches for
    // the address, the password goes when somebody proves that it is theirs.
    let set_proven = new.email.is_none() || new.email_asserted;
    let entry = Entry::new(ground.audit_id(), now, "user.created", actor).on("user", id.0).from(source);
    realm
        .db()
        .write(async move |tx| -> Result<Full> {
            if !user::store::insert(tx, id, UserKind::Person, now).await? {
                return Err(Kind::Exists.param("id").into());
            }
            for (identifier, row) in [&new.email, &new.username].into_iter().zip(rows) {
                let Some(identifier) = identifier else { continue };
                let username = identifier.kind == IdentifierKind::Username;
                let new_row = identifier::store::New {
                    id: row,
                    user: id,
                    identifier,
                    proven_at: username.then_some(now),
                    asserted_by: (new.email_asserted && !username).then_some(by.as_str()),
                    is_primary: true,
                };
                if !identifier::store::insert(tx, new_row, now).await? {
                    return Err(Kind::IdentifierTaken.param(identifier.kind.word()).into());
                }
            }
            user::store::change(tx, id, &new.profile).await?;
            if let Some((phc, set_by)) = &prepared {
                credential::store::set_password(tx, credential, id, phc, *set_by, set_proven, now).await?;
            }
            if let Some(ban) = &new.ban {
                ban.apply(tx, id).await?;
            }
            if let Some(note) = &new.note {
                annotation::merge(tx, id.0, note).await?;
            }
            audit::write(tx, entry.clone()).await?;
            user::store::full(tx, id).await?.ok_or_else(|| Kind::NotFound.into())
        })
        .await
}

/// Checks and hashes a password, or checks a hash.
pub(super) async fn prepare(
    realm: &Realm,
    secret: Option<NewSecret>,
    words: &[&str],
) -> Result<Option<(String, SetBy)>> {
    match secret {
        None => Ok(None),
        Some(NewSecret::Password(password)) => {
            credential::check_length(realm, &password)?;
            credential::check_policy(realm, &password, words).await?;
            Ok(Some((realm.hash().hash(password, realm.hash_params()).await?, SetBy::Admin)))
        }
        Some(NewSecret::Hash(phc)) => {
            credential::check_import(&phc)?;
            Ok(Some((phc.to_string(), SetBy::Import)))
        }
    }
}

/// A user.
pub async fn read(realm: &Realm, id: UserId) -> Result<Full> {
    realm.db().read(async |tx| user::store::full(tx, id).await).await?.ok_or_else(|| Kind::NotFound.into())
}

/// Changes profile and metadata, only if the user has not changed since `seen`, where that is given.
pub async fn change(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    id: UserId,
    profile: ProfileChange,
    seen: Option<i64>,
) -> Result<Full> {
    update(realm, actor, source, id, Update { profile, seen, ..Update::default() }).await
}

/// Bans a user: everything of theirs ends at once.
pub async fn ban(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    id: UserId,
    until: Option<Micros>,
    reason: Option<String>,
) -> Result<Full> {
    let ban = Some(Ban::Until { until, reason });
    update(realm, actor, source, id, Update { ban, ..Update::default() }).await
}

/// Lifts a ban.
pub async fn unban(realm: &Realm, actor: Actor, source: &Source, id: UserId) -> Result<Full> {
    update(realm, actor, source, id, Update { ban: Some(Ban::Lift), ..Update::default() }).await
}

/// Sets a password or imports a hash. All sessions end, and the owner is told by mail.
pub async fn set_password(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    id: UserId,
    secret: NewSecret,
) -> Result<()> {
    let secret = Some(secret);
    update(realm, actor, source, id, Update { secret, ..Update::default() }).await.map(|_| ())
}
