//! Changes of a user, as many as wanted at once: all of them happen or none.

use super::{NewSecret, prepare, read};
use crate::{
    annotation,
    attempt::credentials::Changed,
    audit::{self, Actor, Entry, Source},
    challenge,
    clock::Micros,
    credential,
    ended::Ending,
    id::{CredentialId, IdentifierId, UserId},
    identifier::{self, Identifier, IdentifierKind, Stored},
    mail::{What, language_of},
    notice::{self, By, Teller},
    realm::Realm,
    refusal::{Kind, Result},
    user::{self, Full, ProfileChange, User, UserKind},
};
use latchstring_db::Tx;
use serde_json::{Map, Value};

/// Whether somebody is kept out.
#[derive(Debug, Clone)]
pub enum Ban {
    /// They are, and everything of theirs ends at once.
    Until {
        /// Until when; `None`: until it is lifted.
        until: Option<Micros>,
        /// Why; for admins.
        reason: Option<String>,
    },
    /// No more.
    Lift,
}

impl Ban {
    /// Refuses a ban that has no end in the future, and a reason that is no line of text.
    pub(super) fn check(&self, now: Micros) -> Result<()> {
        let Ban::Until { until, reason } = self else { return Ok(()) };
        if let Some(reason) = reason {
            latchstring_proto::text::clean_line(reason, 500)
                .map_err(|e| Kind::InputInvalid.param("reason").says(e.to_string()))?;
        }
        if until.is_some_and(|until| until <= now) {
            return Err(Kind::InputInvalid
                .param("until")
                .says("The end of a ban must be in the future.")
                .into());
        }
        Ok(())
    }

    /// The caller has taken the user's row, and ends what is to end.
    pub(super) async fn apply(&self, tx: &mut Tx, id: UserId) -> Result<()> {
        match self {
            Ban::Until { until, reason } => {
                user::store::set_status(tx, id, true, *until, reason.as_deref()).await
            }
            Ban::Lift => user::store::set_status(tx, id, false, None, None).await,
        }
    }
}

/// Members of metadata to put in place of those that are there; `null` takes one away.
#[derive(Debug, Clone, Default)]
pub struct Merge {
    /// Of the user's own.
    pub own: Option<Map<String, Value>>,
    /// Of what all may read and admins write.
    pub public: Option<Map<String, Value>>,
}

/// What to change.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// The address, in place of the one before.
    pub email: Option<Identifier>,
    /// Whether the operator vouches for the address: for the new one, or else for the one that is there.
    pub email_asserted: bool,
    /// The password.
    pub secret: Option<NewSecret>,
    /// The profile.
    pub profile: ProfileChange,
    /// Metadata by the member.
    pub merge: Merge,
    /// Whether they are kept out.
    pub ban: Option<Ban>,
    /// What a kind of mount notes about them.
    pub note: Option<annotation::Note>,
    /// Only if the user has not changed since this revision.
    pub seen: Option<i64>,
}

impl Update {
    fn changes_profile(&self) -> bool {
        self.profile != ProfileChange::default()
            || self.merge.own.is_some()
            || self.merge.public.is_some()
            || self.note.is_some()
    }

    /// The profile's change, with the metadata as they shall be.
    fn profile(&self, user: &User) -> Result<ProfileChange> {
        let mut profile = self.profile.clone();
        for (members, whole, before) in [
            (&self.merge.own, &mut profile.meta_own, &user.meta_own),
            (&self.merge.public, &mut profile.meta_public, &user.meta_public),
        ] {
            let Some(members) = members else { continue };
            let mut bag = whole.take().unwrap_or_else(|| before.clone());
            if let Value::Object(bag) = &mut bag {
                annotation::members(bag, members);
            }
            *whole = Some(bag);
        }
        profile.check()?;
        Ok(profile)
    }
}

/// What the transaction needs, drawn before it.
struct Draw {
    now: Micros,
    identifier: IdentifierId,
    by: String,
    language: Option<latchstring_look::Language>,
}

/// Changes a user. What changed is an audit row each; a refusal leaves everything as it was.
pub async fn update(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    id: UserId,
    update: Update,
) -> Result<Full> {
    update.profile.check()?;
    if let Some(ban) = &update.ban {
        ban.check(realm.now())?;
    }
    let prepared = match &update.secret {
        None => None,
        Some(secret) => {
            // What they are called now and what they shall be called: neither is a password.
            let full = read(realm, id).await?;
            let names = full.identifiers.iter().map(|i| i.typed.as_str());
            let words: Vec<&str> = names.chain(update.email.iter().map(|e| e.typed.as_str())).collect();
            prepare(realm, Some(secret.clone()), &words).await?
        }
    };
    let ground = realm.ground().clone();
    let now = ground.now();
    let keep = realm.longest_token();
    let credential = CredentialId::new(now, ground.random());
    let rows = [0, 1, 2, 3].map(|_| ground.audit_id());
    let draw = Draw {
        now,
        identifier: IdentifierId::new(now, ground.random()),
        by: actor.id().unwrap_or_else(|| actor.kind().to_owned()),
        language: None,
    };
    let teller = Teller::of(realm);
    let source = source.clone();
    let (full, endings) = realm
        .db()
        .write(async move |tx| -> Result<(Full, Vec<Ending>)> {
            let entry = |n: usize, action: &'static str| {
                Entry::new(rows[n], now, action, actor.clone()).on("user", id.0).from(&source)
            };
            match update.seen {
                Some(seen) if !user::store::lock_seen(tx, id, seen, now).await? => {
                    let there = user::store::find(tx, id).await?.is_some();
                    return Err(if there { Kind::RevChanged } else { Kind::NotFound }.into());
                }
                Some(_) => {}
                None => {
                    user::store::lock(tx, id, now).await?.ok_or(Kind::NotFound)?;
                }
            }
            let user = user::store::find(tx, id).await?.ok_or(Kind::NotFound)?;
            let language = language_of(user.locale.as_ref());
            let draw = Draw { language, by: draw.by.clone(), ..draw };

            // A guest becomes a person by an address that somebody vouches for, and by nothing less.
            let upgraded = user.kind == UserKind::Guest && update.email.is_some() && update.email_asserted;
            if upgraded {
                user::store::make_person(tx, id).await?;
            } else if update.email.is_some() || prepared.is_some() {
                user.must_be_person()?;
            }
            let moved = address(tx, &update, &teller, &draw, id).await?;
            match (upgraded, moved) {
                (true, _) => audit::write(tx, entry(0, "user.guest_upgraded")).await?,
                (_, Moved::Elsewhere) => audit::write(tx, entry(0, "email.changed")).await?,
                (_, Moved::Asserted) => audit::write(tx, entry(0, "email.asserted")).await?,
                (_, Moved::No) => {}
            }
            if let Some((phc, set_by)) = &prepared {
                // As at the beginning of an account: what came with an address that nobody vouches for goes when
                // somebody proves that it is theirs.
                let proven = identifier::store::all_vouched(tx, id).await?;
                credential::store::set_password(tx, credential, id, phc, *set_by, proven, now).await?;
                audit::write(tx, entry(1, "password.set")).await?;
            }
            if let Some(ban) = &update.ban {
                ban.apply(tx, id).await?;
                let row = match ban {
                    Ban::Until { until, reason } => entry(2, "user.banned")
                        .detail(serde_json::json!({ "reason": reason, "until": until })),
                    Ban::Lift => entry(2, "user.unbanned"),
                };
                audit::write(tx, row).await?;
            }
            let profile = update.profile(&user)?;
            user::store::change(tx, id, &profile).await?;
            if let Some(note) = &update.note {
                annotation::merge(tx, id.0, note).await?;
            }
            let nothing_else = moved == Moved::No && !upgraded && prepared.is_none() && update.ban.is_none();
            if update.changes_profile() || nothing_else {
                audit::write(tx, entry(3, "user.changed")).await?;
            }

            let full = user::store::full(tx, id).await?.ok_or(Kind::NotFound)?;
            let told = match full.email().filter(|_| prepared.is_some()) {
                Some(email) => {
                    Some(teller.prepare(email, language, What::PasswordByOperator, By::Operator)?)
                }
                None => None,
            };
            let changed = if matches!(update.ban, Some(Ban::Until { .. })) {
                Some(Changed::all(id, "user_banned", keep))
            } else if prepared.is_some() {
                Some(Changed::all(id, "password_set", keep))
            } else if upgraded {
                // Invariant 9: whoever else held the guest had proven nothing.
                Some(Changed::all(id, "guest_upgraded", keep))
            } else {
                None
            };
            let mut endings = Vec::new();
            match changed {
                Some(changed) => {
                    endings = changed.telling(told.as_ref()).apply(tx, &ground, now).await?.1;
                }
                // Another address ends no session, as when its owner changes it. But what was checked or sent before
                // is void.
                None if moved == Moved::Elsewhere => {
                    user::store::bump_auth(tx, id).await?;
                    challenge::store::void_of_user(tx, id, now).await?;
                }
                None => {}
            }
            Ok((full, endings))
        })
        .await?;
    realm.apply(&endings);
    Ok(full)
}

/// What became of a user's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moved {
    No,
    /// It is the same, and somebody vouches for it now.
    Asserted,
    /// It is another one.
    Elsewhere,
}

async fn address(tx: &mut Tx, update: &Update, teller: &Teller, draw: &Draw, id: UserId) -> Result<Moved> {
    let before = identifier::store::of_user(tx, id).await?;
    let old = identifier::email(&before);
    let Some(new) = &update.email else {
        return match old.filter(|_| update.email_asserted) {
            Some(old) => vouch(tx, old, draw).await,
            None => Ok(Moved::No),
        };
    };
    let own = before.iter().find(|i| i.kind == IdentifierKind::Email && i.normal == new.normal);
    let mut moved = Moved::No;
    match own {
        Some(own) => {
            if own.typed != new.typed {
                identifier::store::spell(tx, own.id, &new.typed).await?;
            }
            if update.email_asserted {
                moved = vouch(tx, own, draw).await?;
            }
        }
        None => {
            let row = identifier::store::New {
                id: draw.identifier,
                user: id,
                identifier: new,
                proven_at: None,
                asserted_by: update.email_asserted.then_some(draw.by.as_str()),
                is_primary: true,
            };
            if !identifier::store::insert(tx, row, draw.now).await? {
                return Err(Kind::IdentifierTaken.param("email").into());
            }
            moved = Moved::Elsewhere;
        }
    }
    identifier::store::delete_others(tx, id, IdentifierKind::Email, &new.normal).await?;
    if moved == Moved::Elsewhere {
        if update.email_asserted {
            // The operator says whose account it is: links that went to other addresses have no say over that.
            notice::go_back(tx, id, &new.normal, 0).await?;
            credential::store::set_proven(tx, id).await?;
        } else {
            credential::store::unset_proven(tx, id).await?;
        }
    }
    if let Some(old) = old.filter(|old| old.normal != new.normal) {
        let what = What::email(&new.typed);
        let told = if update.email_asserted {
            teller.prepare_plain(old, draw.language, what, By::Operator)?
        } else {
            // It may be a stranger's word that a back end hands on: the owner can take the account back.
            teller.prepare(old, draw.language, what, By::Operator)?
        };
        told.put(tx).await?;
    }
    Ok(moved)
}

/// Notes that the operator vouches for an address.
async fn vouch(tx: &mut Tx, address: &Stored, draw: &Draw) -> Result<Moved> {
    if !identifier::store::assert(tx, address.id, &draw.by, draw.now).await? {
        return Ok(Moved::No);
    }
    // Several have signed up with it, each with a password: whose is right can't be told, so that none is.
    if credential::store::is_contested(tx, address.user).await? {
        credential::store::evict_unproven(tx, address.user).await?;
        user::store::bump_auth(tx, address.user).await?;
    } else {
        // A sign-up waits no more for its address to be proven, nor to be swept.
        credential::store::set_proven(tx, address.user).await?;
    }
    Ok(Moved::Asserted)
}
