//! What a signed-in user does with their own account.

pub mod checkup;
mod deletion;
pub mod not_me;
mod password;

pub use deletion::{delete, delete_mine, finish, keep};
pub use password::{PasswordProof, change_password};

use crate::{
    annotation,
    audit::{self, Actor, Entry, Source},
    browser,
    clock::Micros,
    ended,
    id::{BrowserId, IdentifierId, SessionId, UserId},
    identifier::{self, Identifier, IdentifierKind},
    mail::{What, language_of},
    notice::{By, Teller},
    realm::Realm,
    refusal::{Kind, Result},
    session::{self, Which},
    user::{self, Full, ProfileChange},
};
use serde_json::{Map, Value};

/// A signed-in user, by cookie or by access token.
#[derive(Debug, Clone)]
pub struct Me {
    /// Who.
    pub user: UserId,
    /// By which session.
    pub session: SessionId,
    /// The browser that holds it, if one does.
    pub browser: Option<BrowserId>,
    /// When a proof was last given.
    pub auth_at: Micros,
}

impl Me {
    /// Refuses when the last proof is too old for what follows (ASVS V7.5.1).
    pub fn must_be_fresh(&self, realm: &Realm) -> Result<()> {
        let fresh = Realm::micros(realm.settings().1.session.fresh_seconds);
        if realm.now() - self.auth_at > fresh {
            return Err(Kind::ReauthRequired.into());
        }
        Ok(())
    }
}

/// The account, with identifiers.
pub async fn read(realm: &Realm, me: &Me) -> Result<Full> {
    realm
        .db()
        .read(async |tx| user::store::full(tx, me.user).await)
        .await?
        .ok_or_else(|| Kind::NotSignedIn.into())
}

/// Changes the profile. What only admins may write is refused, not ignored.
pub async fn change(realm: &Realm, me: &Me, source: &Source, change: ProfileChange) -> Result<Full> {
    if change.meta_public.is_some() || change.meta_private.is_some() {
        return Err(Kind::InputInvalid
            .param("metadata")
            .says("Only metadata.own can be changed here.")
            .into());
    }
    change.check()?;
    write(realm, me, source, Wanted::Profile(change)).await
}

/// What metadata of the account's own become with these members in place of those that are there; `null` takes one away.
fn own_with(user: &user::User, members: &Map<String, Value>) -> Result<ProfileChange> {
    let mut own = user.meta_own.clone();
    if let Value::Object(own) = &mut own {
        annotation::members(own, members);
    }
    let change = ProfileChange { meta_own: Some(own), ..ProfileChange::default() };
    change.check()?;
    Ok(change)
}

/// Refuses what [`change_own`] would.
pub fn check_own(user: &user::User, members: &Map<String, Value>) -> Result<()> {
    own_with(user, members).map(|_| ())
}

/// Changes metadata of the account's own by the member: two changes at once of two members both hold.
pub async fn change_own(
    realm: &Realm,
    me: &Me,
    source: &Source,
    members: Map<String, Value>,
) -> Result<Full> {
    write(realm, me, source, Wanted::Members(members)).await
}

enum Wanted {
    Profile(ProfileChange),
    Members(Map<String, Value>),
}

async fn write(realm: &Realm, me: &Me, source: &Source, wanted: Wanted) -> Result<Full> {
    let now = realm.now();
    let entry = Entry::new(realm.ground().audit_id(), now, "profile.changed", Actor::User(me.user.0))
        .on("user", me.user.0)
        .from(source);
    let id = me.user;
    realm
        .db()
        .write(async move |tx| -> Result<Full> {
            user::store::lock(tx, id, now).await?.ok_or(Kind::NotSignedIn)?;
            match &wanted {
                Wanted::Profile(change) => user::store::change(tx, id, change).await?,
                Wanted::Members(members) => {
                    let user = user::store::find(tx, id).await?.ok_or(Kind::NotSignedIn)?;
                    user::store::change(tx, id, &own_with(&user, members)?).await?;
                }
            }
            audit::write(tx, entry.clone()).await?;
            user::store::full(tx, id).await?.ok_or_else(|| Kind::NotSignedIn.into())
        })
        .await
}

/// Sets, changes or (with `None`) takes away the username.
pub async fn set_username(realm: &Realm, me: &Me, source: &Source, username: Option<&str>) -> Result<Full> {
    me.must_be_fresh(realm)?;
    let new = username.map(Identifier::username).transpose()?;
    let now = realm.now();
    let row = IdentifierId::new(now, realm.ground().random());
    let entry = Entry::new(realm.ground().audit_id(), now, "username.changed", Actor::User(me.user.0))
        .on("user", me.user.0)
        .from(source);
    let (id, by_browser) = (me.user, me.browser.is_some());
    let (teller, source) = (Teller::of(realm), source.clone());
    realm
        .db()
        .write(async move |tx| -> Result<Full> {
            user::store::lock(tx, id, now).await?.ok_or(Kind::NotSignedIn)?;
            let user = user::store::find(tx, id).await?.ok_or(Kind::NotSignedIn)?;
            user.must_be_person()?;
            let language = language_of(user.locale.as_ref());
            let all = identifier::store::of_user(tx, id).await?;
            let before = all.iter().find(|i| i.kind == IdentifierKind::Username);
            if before.map(|b| b.typed.as_str()) == new.as_ref().map(|n| n.typed.as_str()) {
                // Nothing changes, and so nothing is told.
                return user::store::full(tx, id).await?.ok_or_else(|| Kind::NotSignedIn.into());
            }
            if new.is_none() && all.iter().all(|i| i.kind == IdentifierKind::Username) {
                // Nobody could sign in to the account any more.
                return Err(Kind::LastOne.param("username").into());
            }
            let keep = new.as_ref().map_or("", |n| n.normal.as_str());
            identifier::store::delete_others(tx, id, IdentifierKind::Username, keep).await?;
            if let Some(new) = &new {
                if let Some(mine) = before.filter(|b| b.normal == new.normal) {
                    identifier::store::spell(tx, mine.id, &new.typed).await?;
                } else {
                    let new = identifier::store::New {
                        id: row,
                        user: id,
                        identifier: new,
                        proven_at: Some(now),
                        asserted_by: None,
                        is_primary: true,
                    };
                    if !identifier::store::insert(tx, new, now).await? {
                        return Err(Kind::IdentifierTaken.param("username").into());
                    }
                }
            }
            audit::write(tx, entry.clone()).await?;
            if let Some(email) = identifier::email(&all) {
                let what = What::Username(new.as_ref().map(|n| n.typed.clone()));
                teller.tell(tx, email, language, what, By::held(&source, by_browser)).await?;
            }
            user::store::full(tx, id).await?.ok_or_else(|| Kind::NotSignedIn.into())
        })
        .await
}

/// The user's live sessions, newest first.
pub async fn sessions(realm: &Realm, user: UserId) -> Result<Vec<session::Shown>> {
    let now = realm.now();
    let sessions = realm.db().read(async |tx| session::store::of_user(tx, user, 1_000).await).await?;
    Ok(sessions.into_iter().filter(|s| s.lives(now)).collect())
}

/// Ends sessions of whoever asks: this one, another, the others, or all. Gives how many ended. Who throws a device out may
/// not know it: a browser whose session is ended from another is new again when somebody signs in with it.
pub async fn end_mine(realm: &Realm, me: &Me, source: &Source, which: Which) -> Result<usize> {
    end(realm, me.user, Actor::User(me.user.0), Some(me.session), source, which).await
}

/// Ends sessions of a user, for whoever manages the realm. Gives how many ended.
pub async fn end_sessions(
    realm: &Realm,
    user: UserId,
    actor: Actor,
    source: &Source,
    which: Which,
) -> Result<usize> {
    end(realm, user, actor, None, source, which).await
}

/// `asks`: the session of the owner who asks.
async fn end(
    realm: &Realm,
    user: UserId,
    actor: Actor,
    asks: Option<SessionId>,
    source: &Source,
    which: Which,
) -> Result<usize> {
    let ground = realm.ground().clone();
    let now = ground.now();
    let keep = realm.longest_token();
    let thrown_out = asks.is_some_and(|asks| which != Which::One(asks));
    let action: &'static str = if asks.is_some() { "session.signed_out" } else { "session.ended" };
    let entry = Entry::new(ground.audit_id(), now, action, actor).on("user", user.0).from(source);
    let (teller, source) = (Teller::of(realm), source.clone());
    let endings = realm
        .db()
        .write(async move |tx| -> Result<Vec<ended::Ending>> {
            let reason = match asks {
                None => "ended_by_admin",
                Some(_) if thrown_out => "ended_by_owner",
                Some(_) => "signed_out",
            };
            // "All" holds for a sign-in too that is not committed yet: it has the user's row, and we wait for it.
            if !matches!(which, Which::One(_)) {
                user::store::lock(tx, user, now).await?;
            }
            let endings = match which {
                // Everywhere: grants and tokens without a session too.
                Which::All => session::end_everything(tx, &ground, user, reason, now, keep).await?,
                _ => session::end(tx, &ground, user, which, reason, now, keep).await?,
            };
            if !endings.is_empty() {
                let detail = serde_json::json!({ "sessions": session_ids(&endings) });
                audit::write(tx, entry.clone().detail(detail)).await?;
                // A mere sign-out is no news, and what an operator ends is theirs to tell.
                if let Some(asks) = asks.filter(|_| thrown_out) {
                    browser::store::forget_thrown_out(tx, user, asks, reason, now).await?;
                    let full = user::store::full(tx, user).await?;
                    if let Some(full) = full
                        && let Some(email) = full.email()
                    {
                        let language = language_of(full.user.locale.as_ref());
                        teller.tell(tx, email, language, What::SignedOut, By::Device(&source)).await?;
                    }
                }
            }
            Ok(endings)
        })
        .await?;
    realm.apply(&endings);
    Ok(session_ids(&endings).len())
}

fn session_ids(endings: &[ended::Ending]) -> Vec<String> {
    endings.iter().filter(|e| e.kind == ended::EndedKind::Session).map(|e| e.object.to_string()).collect()
}

/// Makes another session of the same browser current. The cookie changes.
pub async fn switch(realm: &Realm, known: &browser::Known, to: SessionId) -> Result<browser::NewCookie> {
    let ground = realm.ground().clone();
    let now = ground.now();
    let secret = crate::secret::Keyed::new(known.id.0, ground.random());
    let hash = secret.hashed().0;
    let expires_at = now + Realm::micros(realm.settings().1.session.absolute_seconds);
    let (id, generation) = (known.id, known.generation);
    let ending = realm
        .db()
        .write(async move |tx| -> Result<ended::Ending> {
            let session = session::store::find(tx, to).await?.ok_or(Kind::NotFound)?;
            if session.browser != Some(id) || !session.lives(now) {
                return Err(Kind::NotFound.into());
            }
            let next = browser::store::rotate(tx, id, generation, &hash, Some(to), expires_at)
                .await?
                .ok_or(Kind::NotSignedIn)?;
            let ending = ended::Ending::browser(&ground, id, next);
            ended::write(tx, &ending).await?;
            Ok(ending)
        })
        .await?;
    realm.apply(&[ending]);
    Ok(browser::NewCookie { secret, expires_at })
}

/// The session that asks, and the other live ones of its browser.
pub async fn current(realm: &Realm, me: &Me) -> Result<(session::Shown, Vec<session::Shown>)> {
    let now = realm.now();
    let me = me.clone();
    realm
        .db()
        .read(async |tx| -> Result<(session::Shown, Vec<session::Shown>)> {
            let session = session::store::find(tx, me.session).await?.ok_or(Kind::NotSignedIn)?;
            let mut others = match me.browser {
                Some(browser) => session::store::of_browser(tx, browser).await?,
                None => Vec::new(),
            };
            others.retain(|s| s.id != me.session && s.lives(now));
            Ok((session, others))
        })
        .await
}

/// The accounts that are signed in side by side in a browser, newest first, also where none of them is current.
pub async fn of_browser(realm: &Realm, browser: BrowserId) -> Result<Vec<(session::Shown, Full)>> {
    let now = realm.now();
    realm
        .db()
        .read(async |tx| -> Result<Vec<(session::Shown, Full)>> {
            let mut found = Vec::new();
            for session in session::store::of_browser(tx, browser).await? {
                if session.lives(now)
                    && let Some(full) = user::store::full(tx, session.user).await?
                {
                    found.push((session, full));
                }
            }
            Ok(found)
        })
        .await
}
