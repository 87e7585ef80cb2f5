//! Whether somebody signs in with what they have not signed in with before. A thief's device is one; so the owner is told.

use crate::{
    audit::{self, Actor, Entry, Source},
    browser,
    clock::Micros,
    id::UserId,
    mail::{What, language_of},
    notice::{By, Teller},
    refusal::Result,
    session,
    user::{self, store::SignedIn},
};
use latchstring_db::Tx;
use latchstring_proto::user_agent;

/// Tells the owner of a sign-in with a new browser or app, in its transaction and before the browser is known. Whoever
/// has made the account here knows the device by which they did; of one that was imported, even the first sign-in is told.
/// Browsers that were forgotten, after a password was changed or everything was ended, are new again.
pub(crate) async fn tell(
    tx: &mut Tx,
    teller: &Teller,
    user: UserId,
    signed: &SignedIn,
    new: &session::New,
    source: &Source,
    now: Micros,
) -> Result<()> {
    let known = match new.browser {
        Some(browser) => browser::store::knows(tx, browser, user).await?,
        None => {
            // An app has no secret that outlives its session: it is known by what it says that it is, and for whom.
            let mine = new.user_agent.as_deref().unwrap_or_default();
            let apps = session::store::apps_of_user(tx, user, new.id, signed.valid_after).await?;
            // The last of its kind says whether it is one that its owner has thrown out.
            let last = apps.iter().find(|app| {
                app.client == new.client
                    && user_agent::is_same(app.user_agent.as_deref().unwrap_or_default(), mine)
            });
            last.is_some_and(|app| !app.thrown_out)
        }
    };
    if known {
        return Ok(());
    }
    let entry = Entry::new(teller.audit_id(), now, "device.new", Actor::User(user.0))
        .on("user", user.0)
        .detail(serde_json::json!({ "session": new.id }))
        .from(source);
    audit::write(tx, entry).await?;
    let Some(full) = user::store::full(tx, user).await? else { return Ok(()) };
    if let Some(email) = full.email().filter(|email| email.is_good()) {
        // In its owner's language: the device may be somebody else's.
        let language = language_of(full.user.locale.as_ref());
        teller.tell(tx, email, language, What::NewDevice, By::held(source, new.browser.is_some())).await?;
    }
    Ok(())
}
