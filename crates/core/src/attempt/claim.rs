//! A sign-up with a password before the address is proven, as some vendors' clients do it. The account is made at once
//! and waits; whoever proves the address gets it, and the password stays only if the proof is shown where it was typed
//! and nobody else has signed up with the address (invariants 7 and 9).

use super::{
    Attempt, AttemptKind, Binding, Body, Caller, Draw, Outcome, Redirect, Sink, Step,
    code::{self, Sending, limit_target},
    complete,
    mailed::Ask,
    store,
};
use crate::{
    audit::{self, Actor, Entry},
    clock::Micros,
    credential::{self, SetBy},
    id::UserId,
    identifier::{self, Identifier, SELF_ASSERTED},
    limit::Rule,
    realm::Realm,
    refusal::{Kind, Result},
    seal::MacPurpose,
    secret::Password,
    settings::SignUp,
    user::{self, ProfileChange, UserKind},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};

/// Who signs up.
#[derive(Clone)]
pub struct Claim {
    /// With which address.
    pub address: Identifier,
    /// With which password.
    pub password: Password,
    /// Metadata of the account's own.
    pub data: serde_json::Value,
    /// Where the link of the mail leads.
    pub redirect: Redirect,
}

/// What came of it.
pub enum Claimed {
    /// The address is to be proven.
    Waits(Waiting),
    /// No proof is asked for, and they are signed in.
    In(Box<Outcome>),
    /// No proof is asked for, and the address has an account.
    Exists,
}

/// An account that waits for its address to be proven; or none, if the address has one already. Its owner is told so by
/// mail, and nobody else.
#[derive(Debug, Clone, Copy)]
pub struct Waiting {
    /// Its id. It tells whether there is an account: it stays the same for as long as one waits.
    pub user: UserId,
    /// What a face shows in place of the id that must not tell: the same for an address, whoever has it.
    pub stand_in: UserId,
    /// When it was made.
    pub at: Micros,
    /// Whether it is none. Only a face that may tell looks at it.
    pub taken: bool,
}

/// Signs up. Costs one hash and one transaction, whether or not the address has an account.
pub async fn claim(realm: &Realm, caller: &Caller, claim: Claim) -> Result<Claimed> {
    match once(realm, caller, claim.clone()).await {
        // Somebody was faster with the same address, and the account waits now: most likely one button, pressed twice.
        Err(e) if e.kind() == Some(Kind::RevChanged) => once(realm, caller, claim).await,
        done => done,
    }
}

async fn once(realm: &Realm, caller: &Caller, claim: Claim) -> Result<Claimed> {
    let settings = realm.settings();
    if settings.1.sign_up != SignUp::Open {
        return Err(Kind::SignUpClosed.into());
    }
    realm.limit_address(Rule::SignUpsByAddress, &caller.source).await?;
    realm.limit_address(Rule::PasswordsByAddress, &caller.source).await?;
    credential::check_length(realm, &claim.password)?;
    let profile = ProfileChange { meta_own: Some(claim.data.clone()), ..ProfileChange::default() };
    profile.check()?;
    credential::check_policy(realm, &claim.password, &[&claim.address.typed]).await?;
    let now = realm.now();
    let (kind, normal) = (claim.address.kind, claim.address.normal.clone());
    let found = realm.db().read(async |tx| user::store::for_sign_in(tx, kind, &normal, now).await).await?;
    let draw = Draw::new(realm);
    if !settings.1.confirm_sign_up {
        // The hash comes first, so that who has an account shows in the answer alone.
        let phc = realm.hash().hash(claim.password.clone(), realm.hash_params()).await?;
        return match found {
            Some(_) => Ok(Claimed::Exists),
            None => sign_in(realm, caller, draw, claim, phc).await,
        };
    }
    realm.limit_address(Rule::SendsByAddress, &caller.source).await?;
    let ask = Ask {
        kind: AttemptKind::SignUp,
        address: claim.address.clone(),
        or_sign_up: false,
        data: None,
        vouched: false,
        redirect: claim.redirect,
    };
    let attempt = ask.attempt(&draw);
    let mut target = code::target(realm, &attempt, Step::Code).await?;
    limit_target(realm, &attempt, Step::Code, &mut target).await?;
    // One hash in any case.
    let waiting = found.as_ref().filter(|found| !found.good);
    let (mut phc, mut same) = (None, false);
    match waiting.and_then(|found| found.phc.clone()) {
        Some(stored) => {
            let verified = realm.hash().verify(claim.password, Some(stored), realm.hash_params()).await?;
            same = verified.matches;
        }
        None => phc = Some(realm.hash().hash(claim.password, realm.hash_params()).await?),
    }
    let new = found.is_none();
    let shown = Waiting {
        user: waiting.map_or(draw.user, |found| found.user),
        stand_in: stand_in(realm, caller, &claim.address),
        at: draw.now,
        taken: found.as_ref().is_some_and(|found| found.good),
    };
    if new {
        target.user = Some(draw.user);
        target.auth_rev = Some(1);
    }
    let contested = waiting.filter(|_| !same).map(|found| found.user);
    let sending = Sending::prepare(realm, &caller.source, target, code::purpose(&attempt, Step::Code))?;
    let mount = caller.mount_id(realm);
    let entry = entry(&draw, caller);
    let address = claim.address;
    let whence = whence(realm, caller);
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            match (&phc, contested) {
                (Some(phc), None) if new => {
                    make(tx, &draw, &address, &profile, (phc, SetBy::Claim), None).await?;
                    credential::store::claimed_from(tx, draw.user, &whence).await?;
                    audit::write(tx, entry.clone()).await?;
                }
                (_, Some(user)) => {
                    // Whose password is right can't be told: neither counts.
                    user::store::lock(tx, user, draw.now).await?;
                    credential::store::contest(tx, user).await?;
                }
                _ => audit::store::nothing(tx).await?,
            }
            store::insert(tx, &attempt, mount).await?;
            sending.put(tx, attempt.id).await
        })
        .await?;
    Ok(Claimed::Waits(shown))
}

fn stand_in(realm: &Realm, caller: &Caller, address: &Identifier) -> UserId {
    let mount = caller.mount_id(realm);
    let mac = realm
        .ground()
        .keys
        .mac(MacPurpose::StandIn, &[b"user", mount.0.as_bytes(), address.normal.as_bytes()]);
    let mut id = [0; 16];
    id.copy_from_slice(&mac[..16]);
    UserId(uuid::Builder::from_random_bytes(id).into_uuid())
}

/// From where somebody has signed up, so that no address of the net stands in clear.
pub(super) fn whence(realm: &Realm, caller: &Caller) -> String {
    let bucket = caller.source.bucket().unwrap_or_default();
    B64.encode(realm.ground().keys.mac(MacPurpose::StandIn, &[b"whence", bucket.as_bytes()]))
}

fn entry(draw: &Draw, caller: &Caller) -> Entry {
    Entry::new(draw.audits[0], draw.now, "user.signed_up", Actor::User(draw.user.0))
        .on("user", draw.user.0)
        .from(&caller.source)
}

/// Makes the account. Somebody may have been faster with the same address: then nothing is made.
async fn make(
    tx: &mut latchstring_db::Tx,
    draw: &Draw,
    address: &Identifier,
    profile: &ProfileChange,
    (phc, set_by): (&str, SetBy),
    asserted_by: Option<&str>,
) -> Result<()> {
    user::store::insert(tx, draw.user, UserKind::Person, draw.now).await?;
    let new = identifier::store::New {
        id: draw.identifier,
        user: draw.user,
        identifier: address,
        proven_at: None,
        asserted_by,
        is_primary: true,
    };
    if !identifier::store::insert(tx, new, draw.now).await? {
        return Err(Kind::RevChanged.into());
    }
    user::store::change(tx, draw.user, profile).await?;
    credential::store::set_password(tx, draw.credential, draw.user, phc, set_by, false, draw.now).await
}

/// Where no proof is asked for. The address counts as its owner's own word: whoever proves it later evicts what was set
/// before.
async fn sign_in(realm: &Realm, caller: &Caller, draw: Draw, claim: Claim, phc: String) -> Result<Claimed> {
    let kit = complete::Kit::new(realm, caller);
    let mount = caller.mount_id(realm);
    let entry = entry(&draw, caller);
    let profile = ProfileChange { meta_own: Some(claim.data), ..ProfileChange::default() };
    let address = claim.address;
    let mut attempt = Attempt {
        user: Some(draw.user),
        identifier: Some(address.clone()),
        body: Body { no_tasks: true, ..Body::default() },
        ..Attempt::new(&draw, AttemptKind::SignIn, Binding::Bearer, None, Sink::Tokens)
    };
    attempt.prove("pwd", draw.now, false);
    let done = realm
        .db()
        .write(async move |tx| -> Result<(Attempt, complete::Finished)> {
            kit.start();
            let mut attempt = attempt.clone();
            make(tx, &draw, &address, &profile, (&phc, SetBy::User), Some(SELF_ASSERTED)).await?;
            audit::write(tx, entry.clone()).await?;
            attempt.auth_rev = Some(1);
            store::insert(tx, &attempt, mount).await?;
            let finished = complete::finish(tx, &kit, &draw, &mut attempt).await?;
            Ok((attempt, finished))
        })
        .await;
    match done {
        Ok((attempt, finished)) => Ok(Claimed::In(Box::new(finished.hand_out(realm, attempt)?))),
        // Somebody was faster.
        Err(e) if e.kind() == Some(Kind::RevChanged) => Ok(Claimed::Exists),
        Err(e) => Err(e),
    }
}
