//! After a backup was put back. It remembers nothing of what has ended since it was taken: sessions that were signed
//! out, refresh tokens and codes that were used, browsers that were forgotten are all alive in it. So nothing of the
//! kind is believed: who had signed in signs in again.

use crate::{
    attempt,
    audit::{self, Actor, Entry},
    browser, challenge,
    clock::{DAY, SECOND},
    ended::{self, Ending},
    family,
    realm::Realm,
    refusal::Result,
    session, ticket, user,
};

/// Ends every session, refresh token and access token from before now, and voids what is under way. What people and
/// operators have set (passwords, bans, API keys, invitations) is as it was in the backup: nobody can tell otherwise.
/// Accounts that wait to be deleted wait anew: their owners may have kept them since.
pub async fn end_all(realm: &Realm) -> Result<()> {
    let ground = realm.ground().clone();
    let now = ground.now();
    let keep = realm.longest_token();
    let grace = match realm.settings().1.account.deletion_grace_seconds {
        0 => 7 * DAY,
        seconds => Realm::micros(seconds),
    };
    let entry = Entry::new(ground.audit_id(), now, "realm.restored", Actor::Operator);
    let ending = realm
        .db()
        .write(async move |tx| -> Result<Ending> {
            session::store::end_of_realm(tx, now, "restored").await?;
            family::store::end_of_realm(tx, now, "restored").await?;
            attempt::store::cancel_all(tx).await?;
            challenge::store::void_all(tx, now).await?;
            browser::store::forget_all(tx).await?;
            ticket::store::clear_all(tx).await?;
            user::store::put_off_deletions(tx, now + grace).await?;
            // Access tokens that were given out after the backup have no session in it: they die by their age.
            let ending = Ending::realm(&ground, now - now % SECOND, keep);
            ended::write(tx, &ending).await?;
            audit::write(tx, entry.clone()).await?;
            Ok(ending)
        })
        .await?;
    realm.apply(&[ending]);
    Ok(())
}
