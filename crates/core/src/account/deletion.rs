//! The end of an account. Its owner has time to think better of it: until then nobody uses the account, what it is
//! called by stays taken, and whoever signs in decides whether it is kept. Guests, who could never sign in again, go at
//! once, and so does whom an operator deletes.

use super::Me;
use crate::{
    attempt::{Caller, credentials::Changed},
    audit::{self, Actor, Entry, Source},
    browser::{self, NewCookie},
    clock::{Micros, SECOND},
    ended::{self, Ending},
    family::{self, Claims},
    id::{SessionId, UserId},
    mail::{What, language_of},
    notice::{self, By, Teller},
    realm::Realm,
    refusal::{Kind, Refusal, Result},
    secret::Keyed,
    session::{self, Which},
    user::{self, Full, UserKind},
};

/// Deletes one's own account: everything of it ends at once, and it is gone for good when its time is over. Gives that
/// time; `None`: it is gone now. Needs a fresh proof.
pub async fn delete_mine(realm: &Realm, me: &Me, source: &Source) -> Result<Option<Micros>> {
    me.must_be_fresh(realm)?;
    let full = super::read(realm, me).await?;
    let settings = realm.settings();
    let grace = Realm::micros(settings.1.account.deletion_grace_seconds);
    if grace == 0 || full.user.kind == UserKind::Guest {
        gone(realm, me.user, Actor::User(me.user.0), source, Because::Own(me.session)).await?;
        return Ok(None);
    }
    let ground = realm.ground().clone();
    let now = ground.now();
    let keep = realm.longest_token();
    let delete_after = now + grace;
    let teller = Teller::of(realm);
    let what = What::DeletionBegun { until: delete_after, sign_in: format!("{}/sign-in", realm.issuer()) };
    let source = source.clone();
    let entry = Entry::new(ground.audit_id(), now, "user.deletion_begun", Actor::User(me.user.0))
        .on("user", me.user.0)
        .detail(serde_json::json!({ "delete_after": delete_after }))
        .from(&source);
    let me = me.clone();
    let endings = realm
        .db()
        .write(async move |tx| -> Result<Vec<Ending>> {
            user::store::lock(tx, me.user, now).await?.ok_or(Kind::NotSignedIn)?;
            // Of two at once the second finds its session ended: the first one's time counts.
            session::store::lock(tx, me.session, me.user, now).await?.ok_or(Kind::NotSignedIn)?;
            user::store::set_delete_after(tx, me.user, Some(delete_after)).await?;
            // To the address that it has now, and not to one that it had when somebody asked.
            let full = user::store::full(tx, me.user).await?.ok_or(Kind::NotSignedIn)?;
            if let Some(email) = full.email() {
                let language = language_of(full.user.locale.as_ref());
                let by = By::held(&source, me.browser.is_some());
                teller.tell(tx, email, language, what.clone(), by).await?;
            }
            notice::wait(tx, me.user, delete_after).await?;
            // The revision of the credentials moves too: a sign-in that was checked before, and would know nothing of
            // the deletion, does not come through.
            let (_, endings) = Changed::all(me.user, "deletion_begun", keep).apply(tx, &ground, now).await?;
            audit::write(tx, entry.clone()).await?;
            Ok(endings)
        })
        .await?;
    realm.apply(&endings);
    Ok(Some(delete_after))
}

/// Keeps an account that was to be deleted, for whoever has signed in to it since. Their session waits no more: one of
/// a browser gets a new cookie, one of tokens says so from the next refresh on. Others that wait for the same end. Where
/// nothing was to be deleted, nothing happens.
pub async fn keep(realm: &Realm, me: &Me, caller: &Caller) -> Result<(Full, Option<NewCookie>)> {
    let ground = realm.ground().clone();
    let now = ground.now();
    let longest = realm.longest_token();
    let settings = realm.settings();
    let teller = Teller::of(realm);
    let secret = Keyed::new(uuid::Uuid::nil(), ground.random());
    let expires_at = now + Realm::micros(settings.1.session.absolute_seconds);
    let entry = Entry::new(ground.audit_id(), now, "user.deletion_kept", Actor::User(me.user.0))
        .on("user", me.user.0)
        .from(&caller.source);
    let (me, known, source) = (me.clone(), caller.browser.clone(), caller.source.clone());
    let (full, cookie, endings) = realm
        .db()
        .write(async move |tx| -> Result<(Full, Option<NewCookie>, Vec<Ending>)> {
            user::store::lock(tx, me.user, now).await?.ok_or(Kind::NotSignedIn)?;
            let session =
                session::store::lock(tx, me.session, me.user, now).await?.ok_or(Kind::NotSignedIn)?;
            if session.browser != me.browser {
                return Err(Kind::NotSignedIn.into());
            }
            // What comes before it comes before it: who has not given the second factor decides nothing.
            let first: Vec<&String> = session.tasks.iter().filter(|t| *t != user::DELETION_PENDING).collect();
            if !first.is_empty() {
                let refusal = Refusal::new(Kind::TaskOutstanding);
                return Err(first.into_iter().cloned().fold(refusal, Refusal::reason).into());
            }
            let mut endings = Vec::new();
            let mut cookie = None;
            let kept = user::store::set_delete_after(tx, me.user, None).await?;
            if kept {
                let others = Which::Others(me.session);
                endings = session::end(tx, &ground, me.user, others, "deletion_kept", now, longest).await?;
                session::store::set_tasks(tx, me.session, &[]).await?;
                let claims = Claims {
                    auth_time: session.auth_at / SECOND,
                    amr: session.methods.clone(),
                    assurance: session.assurance,
                    tasks: Vec::new(),
                };
                family::store::set_claims(tx, me.session, &serde_json::to_string(&claims)?).await?;
                if let Some(id) = session.browser {
                    // The cookie is how other nodes learn that a session which they remember waits no more.
                    let known = known.as_ref().filter(|known| known.id == id).ok_or(Kind::NotSignedIn)?;
                    let secret = secret.with_id(id.0);
                    let (hash, current) = (secret.hashed().0, Some(me.session));
                    let next = browser::store::rotate(tx, id, known.generation, &hash, current, expires_at);
                    let ending = Ending::browser(&ground, id, next.await?.ok_or(Kind::NotSignedIn)?);
                    ended::write(tx, &ending).await?;
                    endings.push(ending);
                    cookie = Some(NewCookie { secret, expires_at });
                }
                audit::write(tx, entry.clone()).await?;
            }
            let full = user::store::full(tx, me.user).await?.ok_or(Kind::NotSignedIn)?;
            if kept && let Some(email) = full.email() {
                let language = language_of(full.user.locale.as_ref());
                let by = By::held(&source, me.browser.is_some());
                teller.tell(tx, email, language, What::DeletionKept, by).await?;
            }
            Ok((full, cookie, endings))
        })
        .await?;
    realm.apply(&endings);
    Ok((full, cookie))
}

/// Deletes an account with everything that hangs off it, at once, for whoever manages the realm: nothing is asked of
/// them here. What stays is the audit trail, without a name.
pub async fn delete(realm: &Realm, user: UserId, actor: Actor, source: &Source) -> Result<()> {
    gone(realm, user, actor, source, Because::Asked).await?.then_some(()).ok_or_else(|| Kind::NotFound.into())
}

/// Deletes an account whose time to be kept is over; `false` when it was kept or deleted meanwhile.
pub async fn finish(realm: &Realm, user: UserId) -> Result<bool> {
    gone(realm, user, Actor::Server, &Source::default(), Because::Due).await
}

/// Why an account goes.
#[derive(Clone, Copy)]
enum Because {
    /// Its owner says so, in this session.
    Own(SessionId),
    /// Whoever manages the realm says so.
    Asked,
    /// Its time is over.
    Due,
}

async fn gone(realm: &Realm, user: UserId, actor: Actor, source: &Source, because: Because) -> Result<bool> {
    let ground = realm.ground().clone();
    let now = ground.now();
    let keep = realm.longest_token();
    let entry = Entry::new(ground.audit_id(), now, "user.deleted", actor).on("user", user.0).from(source);
    let endings = realm
        .db()
        .write(async move |tx| -> Result<Option<Vec<Ending>>> {
            let taken = match because {
                Because::Due => user::store::lock_due(tx, user, now).await?,
                Because::Asked | Because::Own(_) => user::store::lock(tx, user, now).await?.is_some(),
            };
            // What was ended while this waited decides nothing.
            if let Because::Own(session) = because {
                session::store::lock(tx, session, user, now).await?.ok_or(Kind::NotSignedIn)?;
            }
            if !taken {
                return Ok(None);
            }
            let endings = session::end_everything(tx, &ground, user, "user_deleted", now, keep).await?;
            user::store::delete(tx, user).await?;
            audit::write(tx, entry.clone()).await?;
            Ok(Some(endings))
        })
        .await?;
    realm.apply(endings.as_deref().unwrap_or_default());
    Ok(endings.is_some())
}
