//! Users, as operators manage them.

use crate::{
    attempt::credentials::Changed,
    audit::{self, Actor, Entry, Source},
    clock::Micros,
    credential::{self, SetBy},
    ended,
    id::{CredentialId, IdentifierId, UserId},
    identifier::{self, Identifier, IdentifierKind},
    mail::{What, language_of},
    notice::{By, Teller},
    page,
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
            audit::write(tx, entry.clone()).await?;
            user::store::full(tx, id).await?.ok_or_else(|| Kind::NotFound.into())
        })
        .await
}

async fn prepare(
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

/// A page of users and the cursor of the next one.
pub struct Page {
    /// The users.
    pub users: Vec<Full>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// Users, oldest first, or those one of whose identifiers begins with `query`, in the identifiers' order.
pub async fn list(realm: &Realm, query: Option<&str>, cursor: Option<&str>, limit: i64) -> Result<Page> {
    let limit = page::limit(limit);
    let bad = || Kind::InputInvalid.param("cursor").says("Use the cursor of the page before, unchanged.");
    if let Some(query) = query.filter(|q| !q.is_empty()) {
        for text in [query, cursor.unwrap_or_default()] {
            if text.len() > 254 || text.chars().any(char::is_control) {
                return Err(Kind::InputInvalid
                    .param("q")
                    .says("At most 254 bytes, without control characters.")
                    .into());
            }
        }
        // As addresses are folded, and as usernames are.
        let (address, name) = identifier::prefixes(query.trim());
        let after = cursor.unwrap_or_default().to_owned();
        let mut found = realm
            .db()
            .read_slow(async move |tx| {
                let mut found = user::store::search(tx, &address, &after, limit + 1).await?;
                if name != address {
                    found.extend(user::store::search(tx, &name, &after, limit + 1).await?);
                    found.sort_by(|(_, a), (_, b)| a.cmp(b));
                    found.dedup_by(|(a, x), (b, y)| a.user.id == b.user.id && x == y);
                }
                Ok::<_, crate::Error>(found)
            })
            .await?;
        let next = page::cut(&mut found, limit).map(|(_, normal)| normal);
        let mut users: Vec<Full> = Vec::with_capacity(found.len());
        for (full, _) in found {
            if users.iter().all(|u| u.user.id != full.user.id) {
                users.push(full);
            }
        }
        return Ok(Page { users, next });
    }
    let after = cursor.map(|c| c.parse::<UserId>().map_err(|_| bad())).transpose()?;
    let mut users =
        realm.db().read_slow(async move |tx| user::store::page(tx, after, limit + 1).await).await?;
    let next = page::cut(&mut users, limit).map(|last| last.user.id.to_string());
    Ok(Page { users, next })
}

/// Changes profile and metadata, only if the user has not changed since `seen`, where that is given.
pub async fn change(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    id: UserId,
    change: ProfileChange,
    seen: Option<i64>,
) -> Result<Full> {
    change.check()?;
    let now = realm.now();
    let entry =
        Entry::new(realm.ground().audit_id(), now, "user.changed", actor).on("user", id.0).from(source);
    realm
        .db()
        .write(async move |tx| -> Result<Full> {
            match seen {
                Some(seen) => {
                    if !user::store::lock_seen(tx, id, seen, now).await? {
                        let there = user::store::find(tx, id).await?.is_some();
                        return Err(if there { Kind::RevChanged } else { Kind::NotFound }.into());
                    }
                }
                None => {
                    user::store::lock(tx, id, now).await?.ok_or(Kind::NotFound)?;
                }
            }
            user::store::change(tx, id, &change).await?;
            audit::write(tx, entry.clone()).await?;
            user::store::full(tx, id).await?.ok_or_else(|| Kind::NotFound.into())
        })
        .await
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
    if let Some(reason) = &reason {
        latchstring_proto::text::clean_line(reason, 500)
            .map_err(|e| Kind::InputInvalid.param("reason").says(e.to_string()))?;
    }
    let ground = realm.ground().clone();
    let now = ground.now();
    if until.is_some_and(|until| until <= now) {
        return Err(Kind::InputInvalid.param("until").says("The end of a ban must be in the future.").into());
    }
    let keep = realm.longest_token();
    let entry = Entry::new(ground.audit_id(), now, "user.banned", actor)
        .on("user", id.0)
        .detail(serde_json::json!({ "reason": reason, "until": until }))
        .from(source);
    let (full, endings) = realm
        .db()
        .write(async move |tx| -> Result<(Full, Vec<ended::Ending>)> {
            user::store::lock(tx, id, now).await?.ok_or(Kind::NotFound)?;
            user::store::set_status(tx, id, true, until, reason.as_deref()).await?;
            let (_, endings) = Changed::all(id, "user_banned", keep).apply(tx, &ground, now).await?;
            audit::write(tx, entry.clone()).await?;
            Ok((user::store::full(tx, id).await?.ok_or(Kind::NotFound)?, endings))
        })
        .await?;
    realm.apply(&endings);
    Ok(full)
}

/// Lifts a ban.
pub async fn unban(realm: &Realm, actor: Actor, source: &Source, id: UserId) -> Result<Full> {
    let now = realm.now();
    let entry =
        Entry::new(realm.ground().audit_id(), now, "user.unbanned", actor).on("user", id.0).from(source);
    realm
        .db()
        .write(async move |tx| -> Result<Full> {
            user::store::lock(tx, id, now).await?.ok_or(Kind::NotFound)?;
            user::store::set_status(tx, id, false, None, None).await?;
            audit::write(tx, entry.clone()).await?;
            user::store::full(tx, id).await?.ok_or_else(|| Kind::NotFound.into())
        })
        .await
}

/// Sets a password or imports a hash. All sessions end, and the owner is told by mail.
pub async fn set_password(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    id: UserId,
    secret: NewSecret,
) -> Result<()> {
    let full = read(realm, id).await?;
    let words: Vec<&str> = full.identifiers.iter().map(|i| i.typed.as_str()).collect();
    let Some((phc, set_by)) = prepare(realm, Some(secret), &words).await? else { return Ok(()) };
    let ground = realm.ground().clone();
    let now = ground.now();
    let keep = realm.longest_token();
    let row = CredentialId::new(now, ground.random());
    let notice = match full.email() {
        Some(email) => {
            let language = language_of(full.user.locale.as_ref());
            Some(Teller::of(realm).prepare(email, language, What::PasswordByOperator, By::Operator)?)
        }
        None => None,
    };
    let entry = Entry::new(ground.audit_id(), now, "password.set", actor).on("user", id.0).from(source);
    let endings = realm
        .db()
        .write(async move |tx| -> Result<Vec<ended::Ending>> {
            user::store::lock(tx, id, now).await?.ok_or(Kind::NotFound)?;
            credential::store::set_password(tx, row, id, &phc, set_by, true, now).await?;
            let (_, endings) = Changed::all(id, "password_set", keep)
                .telling(notice.as_ref())
                .apply(tx, &ground, now)
                .await?;
            audit::write(tx, entry.clone()).await?;
            Ok(endings)
        })
        .await?;
    realm.apply(&endings);
    Ok(())
}
