//! “This was not me”: what the link in a notice does, by the press of a button. It says that the account is in other
//! hands, or may be; so everything of it ends, its password opens nothing any more, and a new one is set by whoever
//! reads the mail of the address that the notice went to. That address is the account's again, if it is no more: a
//! thief changes it first of all. Nobody is signed in by it.
//!
//! Whoever holds the link reads that mail, and could set a new password anyway; so ending more than the notice told of
//! gives them nothing. An address that was replaced has a say for seven days, and over nothing that was told to an
//! older one: see [`crate::notice`].

use crate::{
    attempt::credentials::Changed,
    audit::{self, Actor, Entry, Source},
    clock::Micros,
    credential,
    ended::Ending,
    id::{IdentifierId, UserId},
    identifier::{self, Identifier, IdentifierKind},
    limit::Rule,
    mail::{self, How, Letter, Says, What, language_of},
    notice::{self, Body, NOT_ME},
    outbox,
    realm::Realm,
    refusal::{Fault, Kind, Result},
    secret::{Hashed, Keyed},
    ticket::{self, Ticket},
    user,
};
use latchstring_db::Tx;

/// What a link is about, to be shown before it is used.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What was told, as a stable word.
    pub what: String,
    /// The address that it was told to.
    pub address: String,
    /// When.
    pub at: Micros,
    /// Whether the account has another address now.
    pub moved: bool,
}

/// What becomes of the address that the notice went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// It is the account's, as before.
    Stays,
    /// It is the account's again.
    PutBack,
    /// It belongs to another account by now, and stays there.
    Taken,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Done {
    /// Whose account it is.
    pub user: UserId,
    /// The address that the notice went to.
    pub identifier: Identifier,
    /// What became of it.
    pub address: Address,
}

fn hash(token: &str) -> Result<Hashed> {
    Ok(Keyed::parse(token).ok_or(Kind::LinkUnusable)?.hashed())
}

fn read(ticket: &Ticket) -> Result<(UserId, Body)> {
    let user = ticket.user.ok_or(Fault::bug("a link of a notice is nobody's"))?;
    Ok((user, serde_json::from_value(ticket.body.clone())?))
}

/// Looks at a link without using it.
pub async fn look(realm: &Realm, source: &Source, token: &str) -> Result<Looked> {
    realm.limit_address(Rule::CodesByAddress, source).await?;
    let (hash, now) = (hash(token)?, realm.now());
    realm
        .db()
        .read(async |tx| -> Result<Looked> {
            let ticket = ticket::store::find(tx, &hash.0, NOT_ME, now).await?.ok_or(Kind::LinkUnusable)?;
            let (user, Body { what, typed, normal }) = read(&ticket)?;
            let all = identifier::store::of_user(tx, user).await?;
            let moved = !all.iter().any(|i| i.kind == IdentifierKind::Email && i.normal == normal);
            Ok(Looked { what, address: typed, at: ticket.created_at, moved })
        })
        .await
}

/// Uses a link, once.
pub async fn press(realm: &Realm, source: &Source, token: &str) -> Result<Done> {
    realm.limit_address(Rule::CodesByAddress, source).await?;
    let hash = hash(token)?;
    let ground = realm.ground().clone();
    let now = ground.now();
    let row = IdentifierId::new(now, ground.random());
    let entries = [0, 1, 2, 3].map(|_| ground.audit_id());
    let keep = realm.longest_token();
    let source = source.clone();
    let (done, endings) = realm
        .db()
        .write(async move |tx| -> Result<(Done, Vec<Ending>)> {
            // The user's row first, as whoever deletes the account takes them.
            let ticket = ticket::store::find(tx, &hash.0, NOT_ME, now).await?.ok_or(Kind::LinkUnusable)?;
            let (user, body) = read(&ticket)?;
            user::store::lock(tx, user, now).await?.ok_or(Kind::LinkUnusable)?;
            ticket::spend(tx, hash, NOT_ME, now).await?.ok_or(Kind::LinkUnusable)?;
            let entry = |n: usize, action: &'static str, user: UserId| {
                // Nobody is signed in: it is whoever reads the mail of that address.
                Entry::new(entries[n], now, action, Actor::Anonymous).on("user", user.0).from(&source)
            };
            let typed = body.typed.clone();
            let identifier = Identifier { kind: IdentifierKind::Email, typed, normal: body.normal.clone() };
            let before = identifier::store::of_user(tx, user).await?;
            let (address, loser) = put_back(tx, user, &identifier, &before, row, now).await?;
            if let Some(loser) = loser {
                let entry = Entry::new(entries[0], now, "email.lost", Actor::Anonymous)
                    .on("user", loser.0)
                    .detail(serde_json::json!({ "proven_by_another": true }));
                audit::write(tx, entry).await?;
            }
            let language =
                user::store::find(tx, user).await?.and_then(|user| language_of(user.locale.as_ref()));
            let emails = before.iter().filter(|i| i.kind == IdentifierKind::Email);
            let mut letters = Vec::new();
            if address == Address::PutBack {
                letters.extend(emails.clone().map(|old| (old.typed.clone(), Says::AddressPutBack)));
                audit::write(tx, entry(1, "email.put_back", user)).await?;
            }
            // The earliest link to that address counts, whichever was pressed: what went elsewhere since then went to
            // other hands.
            let since = notice::had(tx, user, &body.normal, now).await?.unwrap_or(ticket.created_at);
            notice::go_back(tx, user, &body.normal, since.min(ticket.created_at)).await?;
            notice::settle(tx, user, &body.normal).await?;
            credential::store::delete_password(tx, user).await?;
            // Whoever has the account now may be the one who wants it gone. Its owner can ask for it again, and is told.
            // Where the address is another account's, nothing was taken back, and so isn't this.
            let kept = address != Address::Taken && user::store::set_delete_after(tx, user, None).await?;
            let told = |event| Says::Happened {
                event,
                how: How { at: now, device: None, place: None },
                not_me: None,
            };
            if kept {
                let mut all: Vec<String> = emails.clone().map(|i| i.typed.clone()).collect();
                if !all.contains(&body.typed) {
                    all.push(body.typed.clone());
                }
                letters.extend(all.into_iter().map(|to| (to, told(What::DeletionKept))));
                audit::write(tx, entry(3, "user.deletion_kept", user)).await?;
            }
            if address == Address::Taken {
                letters.extend(emails.map(|i| (i.typed.clone(), told(What::SignedOut))));
            }
            for (to, says) in letters {
                let letter = Letter::new(&to, language.or(source.language), says);
                outbox::put(tx, &outbox::prepare(&ground, mail::JOB, &letter)?).await?;
            }
            let (_, endings) = Changed::all(user, "not_me", keep).apply(tx, &ground, now).await?;
            let detail = serde_json::json!({
                "told": body.what,
                "told_at": ticket.created_at,
                "address_put_back": address == Address::PutBack,
                "kept": kept,
            });
            audit::write(tx, entry(2, "user.not_me", user).detail(detail)).await?;
            Ok((Done { user, identifier, address }, endings))
        })
        .await?;
    realm.apply(&endings);
    Ok(done)
}

/// Makes the address the account's, in place of those that it has. Gives also who had claimed it without proof.
async fn put_back(
    tx: &mut Tx,
    user: UserId,
    identifier: &Identifier,
    before: &[identifier::Stored],
    row: IdentifierId,
    now: Micros,
) -> Result<(Address, Option<UserId>)> {
    let own = before.iter().find(|i| i.kind == IdentifierKind::Email && i.normal == identifier.normal);
    if let Some(own) = own {
        if own.proven_at.is_none() {
            // The link came to that mailbox, and so proves it.
            identifier::store::prove(tx, own.id, now).await?;
        }
        return Ok((Address::Stays, None));
    }
    let mut loser = None;
    if let Some(stored) = identifier::store::find(tx, IdentifierKind::Email, &identifier.normal).await? {
        loser = identifier::store::delete_claim(tx, stored.id).await?;
        match loser {
            // They are shown without it from now on.
            Some(loser) => drop(user::store::lock(tx, loser, now).await?),
            None => return Ok((Address::Taken, None)),
        }
    }
    let new = identifier::store::New {
        id: row,
        user,
        identifier,
        proven_at: Some(now),
        asserted_by: None,
        is_primary: true,
    };
    if !identifier::store::insert(tx, new, now).await? {
        return Ok((Address::Taken, loser));
    }
    identifier::store::delete_others(tx, user, IdentifierKind::Email, &identifier.normal).await?;
    Ok((Address::PutBack, loser))
}
