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
    id::UserId,
    mail::{What, language_of},
    notice::{By, Teller},
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
        delete(realm, me.user, Actor::User(me.user.0), source).await?;
        return Ok(None);
    }
    let ground = realm.ground().clone();
    let now = ground.now();
    let keep = realm.longest_token();
    let delete_after = now + grace;
    let notice = match full.email() {
        Some(email) => {
            let what =
                What::DeletionBegun { until: delete_after, sign_in: format!("{}/sign-in", realm.issuer()) };
            let language = language_of(full.user.locale.as_ref());
            let by = By::held(source, me.browser.is_some());
            Some(Teller::of(realm).prepare(email, language, what, by)?)
        }
        None => None,
    };
    let entry = Entry::new(ground.audit_id(), now, "user.deletion_begun", Actor::User(me.user.0))
        .on("user", me.user.0)
        .detail(serde_json::json!({ "delete_after": delete_after }))
        .from(source);
    let me = me.clone();
    let endings = realm
        .db()
        .write(async move |tx| -> Result<Vec<Ending>> {
            user::store::lock(tx, me.user, now).await?.ok_or(Kind::NotSignedIn)?;
            // Of two at once the second finds its session ended: the first one's time counts.
            session::store::lock(tx, me.session, me.user, now).await?.ok_or(Kind::NotSignedIn)?;
            user::store::set_delete_after(tx, me.user, Some(delete_after)).await?;
            // The revision of the credentials moves too: a sign-in that was checked before, and would know nothing of
            // the deletion, does not come through.
            let (_, endings) = Changed::all(me.user, "deletion_begun", keep)
                .telling(notice.as_ref())
                .apply(tx, &ground, now)
                .await?;
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
    let full = super::read(realm, me).await?;
    let notice = match full.email() {
        Some(email) => {
            let by = By::held(&caller.source, me.browser.is_some());
            Some(Teller::of(realm).prepare(
                email,
                language_of(full.user.locale.as_ref()),
                What::DeletionKept,
                by,
            )?)
        }
        None => None,
    };
    let secret = Keyed::new(uuid::Uuid::nil(), ground.random());
    let expires_at = now + Realm::micros(settings.1.session.absolute_seconds);
    let entry = Entry::new(ground.audit_id(), now, "user.deletion_kept", Actor::User(me.user.0))
        .on("user", me.user.0)
        .from(&caller.source);
    let (me, known) = (me.clone(), caller.browser.clone());
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
            if user::store::set_delete_after(tx, me.user, None).await? {
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
                if let Some(notice) = &notice {
                    notice.put(tx).await?;
                }
            }
            let full = user::store::full(tx, me.user).await?.ok_or(Kind::NotSignedIn)?;
            Ok((full, cookie, endings))
        })
        .await?;
    realm.apply(&endings);
    Ok((full, cookie))
}

/// Deletes an account with everything that hangs off it, at once, for whoever manages the realm: nothing is asked of
/// them here. What stays is the audit trail, without a name.
pub async fn delete(realm: &Realm, user: UserId, actor: Actor, source: &Source) -> Result<()> {
    gone(realm, user, actor, source, false).await?.then_some(()).ok_or_else(|| Kind::NotFound.into())
}

/// Deletes an account whose time to be kept is over; `false` when it was kept or deleted meanwhile.
pub async fn finish(realm: &Realm, user: UserId) -> Result<bool> {
    gone(realm, user, Actor::Server, &Source::default(), true).await
}

async fn gone(realm: &Realm, user: UserId, actor: Actor, source: &Source, due: bool) -> Result<bool> {
    let ground = realm.ground().clone();
    let now = ground.now();
    let keep = realm.longest_token();
    let entry = Entry::new(ground.audit_id(), now, "user.deleted", actor).on("user", user.0).from(source);
    let endings = realm
        .db()
        .write(async move |tx| -> Result<Option<Vec<Ending>>> {
            let taken = match due {
                true => user::store::lock_due(tx, user, now).await?,
                false => user::store::lock(tx, user, now).await?.is_some(),
            };
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
