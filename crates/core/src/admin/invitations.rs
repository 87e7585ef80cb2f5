//! Invitations, as operators manage them.

use crate::{
    audit::{self, Actor, Entry, Source},
    clock::DAY,
    id::InvitationId,
    identifier::{Identifier, IdentifierKind},
    invitation::{Invitation, store},
    mail::{self, Letter, Says},
    outbox, page,
    realm::Realm,
    refusal::{Fault, Kind, Result},
    secret::Keyed,
};

/// Invites an address: the link goes by mail, and to nobody else.
pub async fn create(realm: &Realm, actor: Actor, source: &Source, address: Identifier) -> Result<Invitation> {
    if address.kind != IdentifierKind::Email {
        return Err(Kind::EmailInvalid.param("email").into());
    }
    let ground = realm.ground();
    let now = ground.now();
    let settings = realm.settings();
    let life = Realm::micros(settings.1.code.invitation_seconds);
    let id = InvitationId::new(now, ground.random());
    let secret = Keyed::new(id.0, ground.random());
    let link = format!("{}/verify?invitation={}", realm.issuer(), *secret.text());
    let says = Says::Invitation { link: link.as_str().into(), days: (life / DAY).max(1) };
    let letter = Letter::new(&address.typed, None, says);
    let job = outbox::prepare(ground, mail::JOB, &letter)?;
    let by = actor.id().unwrap_or_else(|| actor.kind().to_owned());
    let entry = Entry::new(ground.audit_id(), now, "invitation.created", actor)
        // Which address stands in the invitation, and goes with it or with the account that comes of it.
        .on("invitation", id.0)
        .from(source);
    let hash = secret.hashed().0;
    realm
        .db()
        .write(async move |tx| -> Result<Invitation> {
            store::insert(tx, id, &hash, &address, &by, now, now + life).await?;
            outbox::put(tx, &job).await?;
            audit::write(tx, entry.clone()).await?;
            Ok(store::find(tx, id).await?.ok_or(Fault::bug("a new invitation is gone"))?)
        })
        .await
}

/// A page, newest first, and the cursor of the next one.
pub async fn list(
    realm: &Realm,
    before: Option<InvitationId>,
    limit: i64,
) -> Result<(Vec<Invitation>, Option<InvitationId>)> {
    let limit = page::limit(limit);
    let mut list = realm.db().read_slow(async move |tx| store::page(tx, before, limit + 1).await).await?;
    let next = page::cut(&mut list, limit).map(|last| last.id);
    Ok((list, next))
}

/// Takes an invitation back.
pub async fn revoke(realm: &Realm, actor: Actor, source: &Source, id: InvitationId) -> Result<()> {
    let now = realm.now();
    let entry = Entry::new(realm.ground().audit_id(), now, "invitation.revoked", actor)
        .on("invitation", id.0)
        .from(source);
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            if !store::revoke(tx, id, now).await? {
                return Err(Kind::NotFound.into());
            }
            audit::write(tx, entry.clone()).await
        })
        .await
}
