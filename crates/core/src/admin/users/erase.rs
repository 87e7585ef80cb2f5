//! Erasing: of a user nothing stays but the id and when the account was made, for apps that refer to it.

use crate::{
    annotation,
    audit::{self, Actor, Entry, Source},
    clock::SECOND,
    ended::Ending,
    id::UserId,
    realm::Realm,
    refusal::{Kind, Result},
    session,
    user::{self, Full, UserKind},
};

/// Deletes everything that a user is and has, but keeps the id, so that nobody else gets it. They are kept out for good;
/// their address and username are free.
pub async fn erase(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    id: UserId,
    note: Option<annotation::Note>,
) -> Result<Full> {
    let ground = realm.ground().clone();
    let now = ground.now();
    let keep = realm.longest_token();
    let entry = Entry::new(ground.audit_id(), now, "user.erased", actor).on("user", id.0).from(source);
    let (full, endings) = realm
        .db()
        .write(async move |tx| -> Result<(Full, Vec<Ending>)> {
            user::store::lock(tx, id, now).await?.ok_or(Kind::NotFound)?;
            let user = user::store::find(tx, id).await?.ok_or(Kind::NotFound)?;
            let endings = session::end_everything(tx, &ground, id, "user_deleted", now, keep).await?;
            // What hangs off the row goes with it.
            user::store::delete(tx, id).await?;
            user::store::insert(tx, id, UserKind::Person, user.created_at).await?;
            user::store::lock(tx, id, now).await?;
            user::store::set_status(tx, id, true, None, Some("erased")).await?;
            user::store::set_valid_after(tx, id, now - now % SECOND).await?;
            if let Some(note) = &note {
                annotation::merge(tx, id.0, note).await?;
            }
            audit::write(tx, entry.clone()).await?;
            Ok((user::store::full(tx, id).await?.ok_or(Kind::NotFound)?, endings))
        })
        .await?;
    realm.apply(&endings);
    Ok(full)
}
