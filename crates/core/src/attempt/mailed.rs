//! Attempts of clients that show nothing but an address and what was mailed there. The request that asks for the mail
//! begins the attempt; the code finds it again by its address, the link by itself. It ends in tokens where the client
//! shows the proof, or with a code that is carried to the app where a person followed the link.

use super::{
    Attempt, AttemptKind, Binding, Body, Both, Caller, Draw, Outcome, Redirect, Sink, Step,
    begin::{Within, living},
    claim,
    code::{self, Sending, Target, Tells, digits, limit_target},
    complete, prove, store,
};
use crate::{
    challenge::{self, Find, Purpose},
    credential,
    id::{AttemptId, UserId},
    identifier::{Identifier, IdentifierKind},
    limit::Rule,
    mail::For,
    realm::Realm,
    refusal::{Kind, Result},
    secret::Keyed,
    settings::SignUp,
    user::{self, UserKind},
};

/// What is to be mailed.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Sign in, sign up (which is to send what a sign-up sent once more), or recover.
    pub kind: AttemptKind,
    /// To whom.
    pub address: Identifier,
    /// Whether an unknown address gets an account.
    pub or_sign_up: bool,
    /// Metadata of that account's own.
    pub data: Option<serde_json::Value>,
    /// A back end asks, and sends what it gets by itself: to whom is for it to know.
    pub vouched: bool,
    /// Where the link leads.
    pub redirect: Redirect,
}

/// What asking has found. Only a face that may tell looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Whether the mail has a code in it: there is an account, or there will be.
    pub known: bool,
}

impl Ask {
    /// A mail to an address, and nothing else.
    pub fn new(kind: AttemptKind, address: Identifier, redirect: Redirect) -> Self {
        Self { kind, address, or_sign_up: false, data: None, vouched: false, redirect }
    }

    pub(super) fn attempt(&self, draw: &Draw) -> Attempt {
        // Whoever recovers is signed in; their app asks for the new password.
        let kind = if self.kind == AttemptKind::Recover { AttemptKind::SignIn } else { self.kind };
        Attempt {
            identifier: Some(self.address.clone()),
            body: Body {
                or_sign_up: self.or_sign_up,
                asks: (kind != self.kind).then_some(self.kind),
                data: self.data.clone(),
                redirect: Some(self.redirect.clone()),
                no_password: true,
                no_tasks: true,
                claimed: self.kind == AttemptKind::SignUp,
                vouched: self.vouched,
                ..Body::default()
            },
            ..Attempt::new(draw, kind, Binding::Bearer, None, Sink::Redirect)
        }
    }
}

/// Mails a code and a link. The answer, its cost and the limits are the same whether or not the address has an account.
pub async fn ask(realm: &Realm, caller: &Caller, ask: Ask) -> Result<Asked> {
    realm.limit_address(Rule::AttemptsByAddress, &caller.source).await?;
    realm.limit_address(Rule::SendsByAddress, &caller.source).await?;
    let draw = Draw::new(realm);
    let mut attempt = ask.attempt(&draw);
    attempt.body.or_sign_up &= realm.settings().1.sign_up == SignUp::Open;
    let mut target = code::target(realm, &attempt, Step::Code).await?;
    limit_target(realm, &attempt, Step::Code, &mut target).await?;
    let known = matches!(target.tells, Tells::Code(_));
    if attempt.body.claimed {
        // Whoever asks for the mail of a sign-up once more shows no password. That they typed the one which waits is taken
        // from where they are; else the proof is one without it.
        let user = target.user.unwrap_or(UserId(uuid::Uuid::nil()));
        let whence = claim::whence(realm, caller);
        attempt.body.claimed =
            realm.db().read(async |tx| credential::store::is_claimed_from(tx, user, &whence).await).await?;
    }
    let sending = Sending::prepare(realm, &caller.source, target, code::purpose(&attempt, Step::Code))?;
    put(realm, caller, attempt, vec![sending]).await?;
    Ok(Asked { known })
}

/// Whether others who have asked for the same address would have another account made of it. Who asks for no account has
/// said nothing of one.
pub(super) fn differ(rivals: &[Body], own: &Body) -> bool {
    rivals.iter().any(|rival| rival.or_sign_up && rival.data != own.data)
}

/// Stores an attempt with what is sent for it.
pub(super) async fn put(
    realm: &Realm,
    caller: &Caller,
    attempt: Attempt,
    sending: Vec<Sending>,
) -> Result<()> {
    let mount = caller.mount_id(realm);
    let now = attempt.created_at;
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            let mut attempt = attempt.clone();
            if let Some(address) = attempt.identifier.as_ref().filter(|_| attempt.body.data.is_some()) {
                let rivals = store::rivals(tx, &address.normal, now).await?;
                attempt.body.contested = differ(&rivals, &attempt.body);
            }
            // Who changes their address is shown with both from now on.
            if let Some(user) = attempt.user.filter(|_| attempt.kind == AttemptKind::Verify) {
                user::store::lock(tx, user, now).await?.ok_or(Kind::AttemptClosed)?;
                store::cancel_changes(tx, user, mount).await?;
            }
            store::insert(tx, &attempt, mount).await?;
            for sending in &sending {
                sending.put(tx, attempt.id).await?;
            }
            Ok(())
        })
        .await
}

/// A link and a code for a back end, which carries them by itself.
pub struct Drawn {
    /// What [`link`] and our own page take.
    pub link: zeroize::Zeroizing<String>,
    /// Six digits.
    pub code: zeroize::Zeroizing<String>,
}

/// Draws a code and a link without mailing them, for a back end that may write to users. They are good for `seconds`.
pub async fn draw(realm: &Realm, caller: &Caller, ask: Ask, seconds: i64) -> Result<Drawn> {
    let draw = Draw::new(realm);
    let mut attempt = ask.attempt(&draw);
    attempt.expires_at = attempt.expires_at.max(draw.now + Realm::micros(seconds));
    let target = code::target(realm, &attempt, Step::Code).await?;
    let sending = Sending::draw(realm, target, code::purpose(&attempt, Step::Code), seconds);
    let drawn = Drawn { link: sending.fresh.link.text(), code: sending.fresh.code.clone() };
    put(realm, caller, attempt, vec![sending]).await?;
    Ok(drawn)
}

/// Which of two mailboxes a change of address is confirmed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// That of the address before.
    Current,
    /// That of the new one.
    New,
}

/// [`draw`] for a change of somebody's address, which both mailboxes confirm if `both`: what is drawn for the one and for
/// the other belongs together.
pub async fn draw_change(
    realm: &Realm,
    caller: &Caller,
    of: &user::Full,
    address: Identifier,
    side: Side,
    both: bool,
    redirect: Redirect,
) -> Result<Drawn> {
    let (now, mount) = (realm.now(), caller.mount_id(realm));
    let id = of.user.id;
    let current = of.email().ok_or(Kind::NotFound.param("email"))?;
    let current =
        Identifier { kind: current.kind, typed: current.typed.clone(), normal: current.normal.clone() };
    if side == Side::Current && !both {
        return Err(Kind::InputInvalid.param("type").says("The address before is not asked.").into());
    }
    let (target, purpose) = match side {
        Side::Current => (current, Purpose::VerifyCurrent),
        Side::New => (address.clone(), Purpose::Verify),
    };
    let target = Target {
        address: target,
        user: Some(id),
        auth_rev: Some(of.user.auth_rev),
        tells: Tells::Nobody,
        language: None,
    };
    let sending = Sending::draw(realm, target, purpose, realm.settings().1.code.seconds);
    let drawn = Drawn { link: sending.fresh.link.text(), code: sending.fresh.code.clone() };
    let draw = Draw::new(realm);
    let fresh = Attempt {
        user: Some(id),
        auth_rev: Some(of.user.auth_rev),
        identifier: Some(address),
        body: Body {
            vouched: true,
            no_tasks: true,
            both: both.then(Both::default),
            redirect: Some(redirect),
            ..Body::default()
        },
        ..Attempt::new(&draw, AttemptKind::Verify, Binding::Bearer, None, Sink::Redirect)
    };
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            // Both halves may be drawn at once: the second finds what the first has begun.
            user::store::lock(tx, id, now).await?.ok_or(Kind::RevChanged)?;
            let open = store::change_of_email(tx, id, mount, true, now).await?;
            let goes_on = |open: &Attempt| {
                open.auth_rev == fresh.auth_rev
                    && open.identifier.as_ref().map(|i| &i.normal)
                        == fresh.identifier.as_ref().map(|i| &i.normal)
                    && open.body.both.is_some() == both
            };
            // As it is now: its other half may be confirmed at this moment.
            let open = match open.filter(goes_on) {
                Some(open) => store::lock_at(tx, open.id, mount, now).await?,
                None => None,
            };
            let of = match open {
                Some(mut open) => {
                    // The link that was drawn last says where both lead.
                    open.body.redirect.clone_from(&fresh.body.redirect);
                    store::save(tx, &open).await?;
                    open.id
                }
                None => {
                    store::cancel_changes(tx, id, mount).await?;
                    store::insert(tx, &fresh, mount).await?;
                    fresh.id
                }
            };
            sending.put(tx, of).await
        })
        .await?;
    Ok(drawn)
}

/// Mails a link that lets an invited user in, whose account a back end has made. It is good for as long as invitations
/// are.
pub async fn invite(realm: &Realm, caller: &Caller, ask: Ask) -> Result<()> {
    let seconds = realm.settings().1.code.invitation_seconds;
    let draw = Draw::new(realm);
    let mut attempt = ask.attempt(&draw);
    attempt.expires_at = attempt.expires_at.max(draw.now + Realm::micros(seconds));
    let target = code::target(realm, &attempt, Step::Code).await?;
    let sending =
        Sending::invite(realm, &caller.source, target, code::purpose(&attempt, Step::Code), seconds)?;
    put(realm, caller, attempt, vec![sending]).await
}

/// Begins to change the address of whoever is signed in, or to make a guest a person: mails the new address, and the one
/// before too if `both`.
pub async fn change_email(
    realm: &Realm,
    caller: &Caller,
    me: Within,
    address: Identifier,
    both: bool,
    redirect: Redirect,
) -> Result<()> {
    let (_, session) = living(realm, Some(me)).await?;
    let full = realm.db().read(async |tx| user::store::full(tx, me.user).await).await?;
    let full = full.ok_or(Kind::NotSignedIn)?;
    let guest = full.user.kind == UserKind::Guest;
    // ASVS V7.5.1, as in our own face.
    let fresh = Realm::micros(realm.settings().1.session.fresh_seconds);
    if !guest && realm.now() - session.auth_at > fresh {
        return Err(Kind::ReauthRequired.into());
    }
    realm.limit_address(Rule::AttemptsByAddress, &caller.source).await?;
    realm.limit_address(Rule::SendsByAddress, &caller.source).await?;
    if guest {
        if realm.settings().1.sign_up != SignUp::Open {
            return Err(Kind::SignUpClosed.into());
        }
        realm.limit_address(Rule::SignUpsByAddress, &caller.source).await?;
    }
    let draw = Draw::new(realm);
    let both = both && !guest && full.email().is_some_and(|email| email.is_good());
    let kind = if guest { AttemptKind::SignUp } else { AttemptKind::Verify };
    let attempt = Attempt {
        user: (!guest).then_some(me.user),
        auth_rev: (!guest).then_some(full.user.auth_rev),
        identifier: Some(address),
        body: Body {
            within: Some(me.session),
            guest: guest.then_some(me.user),
            asks: guest.then_some(AttemptKind::Verify),
            counted: guest,
            no_password: true,
            no_tasks: true,
            both: both.then(Both::default),
            redirect: Some(redirect),
            ..Body::default()
        },
        ..Attempt::new(&draw, kind, Binding::Bearer, None, Sink::Redirect)
    };
    let sending = changing(realm, caller, &attempt).await?;
    put(realm, caller, attempt, sending).await
}

/// The mails of a change of address: to those that have not confirmed it yet.
async fn changing(realm: &Realm, caller: &Caller, attempt: &Attempt) -> Result<Vec<Sending>> {
    let mut target = code::target(realm, attempt, Step::Code).await?;
    limit_target(realm, attempt, Step::Code, &mut target).await?;
    let mut sending = Vec::with_capacity(2);
    let both = attempt.body.both;
    if let (Some(_), Some(user)) = (both.filter(|both| !both.current), attempt.user) {
        let full = realm.db().read(async |tx| user::store::full(tx, user).await).await?;
        let full = full.ok_or(Kind::AttemptClosed)?;
        let current = full.email().ok_or(Kind::AttemptClosed)?;
        let target = Target {
            address: Identifier {
                kind: IdentifierKind::Email,
                typed: current.typed.clone(),
                normal: current.normal.clone(),
            },
            user: Some(user),
            auth_rev: attempt.auth_rev,
            tells: Tells::Code(For::VerifyCurrent),
            language: crate::mail::language_of(full.user.locale.as_ref()),
        };
        sending.push(Sending::prepare(realm, &caller.source, target, Purpose::VerifyCurrent)?);
    }
    if both.is_none_or(|both| !both.next) {
        sending.push(Sending::prepare(realm, &caller.source, target, Purpose::Verify)?);
    }
    Ok(sending)
}

/// Mails once more what a change of address has mailed: to whom has `address` now. Where no change is under way, nothing
/// is sent, and the answer is the same.
pub async fn change_email_again(realm: &Realm, caller: &Caller, address: &Identifier) -> Result<()> {
    realm.limit_address(Rule::SendsByAddress, &caller.source).await?;
    let (now, mount) = (realm.now(), caller.mount_id(realm));
    let (kind, normal) = (address.kind, address.normal.clone());
    let found = realm
        .db()
        .read(async |tx| -> Result<Option<Attempt>> {
            let found = user::store::for_sign_in(tx, kind, &normal, now).await?;
            let user = found.map_or(UserId(uuid::Uuid::nil()), |found| found.user);
            // What a back end began is not sent again at the word of whoever knows the address.
            store::change_of_email(tx, user, mount, false, now).await
        })
        .await?;
    // By what was typed, so that it is refused alike whether or not a change is under way.
    for rule in [Rule::SendsByTarget, Rule::SendsByTargetDaily] {
        realm.limit(rule, address.normal.as_bytes()).await?;
    }
    let Some(attempt) = found else { return Ok(()) };
    let id = attempt.id;
    let sending = match changing(realm, caller, &attempt).await {
        Err(error) if error.kind() == Some(Kind::RateLimited) => return Ok(()),
        sending => sending?,
    };
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            store::lock(tx, id, now).await?.ok_or(Kind::AttemptClosed)?;
            for sending in &sending {
                sending.put(tx, id).await?;
            }
            Ok(())
        })
        .await
}

/// Mails whoever is signed in a code by which they prove again who they are: see [`nonce`].
pub async fn reauthenticate(realm: &Realm, caller: &Caller, me: Within) -> Result<()> {
    realm.limit_address(Rule::SendsByAddress, &caller.source).await?;
    let full = realm.db().read(async |tx| user::store::full(tx, me.user).await).await?;
    let full = full.ok_or(Kind::NotSignedIn)?;
    full.user.must_be_person()?;
    let draw = Draw::new(realm);
    let attempt = Attempt {
        user: Some(me.user),
        auth_rev: Some(full.user.auth_rev),
        body: Body { within: Some(me.session), ..Body::default() },
        ..Attempt::new(&draw, AttemptKind::StepUp, Binding::Bearer, None, Sink::Tokens)
    };
    let mut target = code::target(realm, &attempt, Step::Code).await?;
    limit_target(realm, &attempt, Step::Code, &mut target).await?;
    let sending = Sending::prepare(realm, &caller.source, target, Purpose::StepUp)?;
    put(realm, caller, attempt, vec![sending]).await
}

/// A nonce that is to be spent in the transaction of what it permits.
#[derive(Clone)]
pub struct Nonce {
    digits: zeroize::Zeroizing<String>,
    normal: String,
    mount: crate::id::MountId,
    within: crate::id::SessionId,
    kit: complete::Kit,
    draw: Draw,
}

/// Reads a nonce that [`reauthenticate`] has mailed, under the limits of codes.
pub async fn nonce(realm: &Realm, caller: &Caller, me: Within, text: &str) -> Result<Nonce> {
    let digits = zeroize::Zeroizing::new(digits(text)?);
    realm.limit_address(Rule::CodesByAddress, &caller.source).await?;
    let key = [Purpose::StepUp.word().as_bytes(), b"\0", me.user.0.as_bytes()].concat();
    realm.limit(Rule::CodesByIdentifier, &key).await?;
    let full = realm.db().read(async |tx| user::store::full(tx, me.user).await).await?;
    let email = full.as_ref().and_then(|full| full.email()).ok_or(Kind::CodeWrong)?;
    Ok(Nonce {
        digits,
        normal: email.normal.clone(),
        mount: caller.mount_id(realm),
        within: me.session,
        kit: complete::Kit::new(realm, caller),
        draw: Draw::new(realm),
    })
}

impl Nonce {
    /// Spends it. A wrong one leaves its trace.
    pub(crate) async fn spend(&self, tx: &mut latchstring_db::Tx, user: UserId) -> Result<()> {
        let find = Find::Address(self.mount, Purpose::StepUp, &self.normal);
        let right = code::right_code(tx, &self.kit, &self.draw, [find], &self.digits).await?;
        let attempt = match right.attempt {
            Some(id) => store::lock_at(tx, id, self.mount, self.draw.now).await?,
            None => None,
        };
        // One that was mailed for another session of the same user is for that one.
        let own = attempt.is_some_and(|a| a.user == Some(user) && a.body.within == Some(self.within));
        if own { Ok(()) } else { Err(Kind::CodeWrong.keep().into()) }
    }
}

/// Tries a code that comes with its address alone, for any of `purposes`. Its attempt ends in tokens for whoever shows
/// it.
pub async fn code(
    realm: &Realm,
    caller: &Caller,
    purposes: &[Purpose],
    address: &Identifier,
    text: &str,
) -> Result<Outcome> {
    let shown = zeroize::Zeroizing::new(digits(text)?);
    realm.limit_address(Rule::CodesByAddress, &caller.source).await?;
    code::limit_guesses(realm, caller, b"mailed", &address.normal).await?;
    let draw = Draw::new(realm);
    let kit = complete::Kit::new(realm, caller);
    let normal = address.normal.clone();
    let purposes = purposes.to_vec();
    let mount = caller.mount_id(realm);
    let (done, finished) = realm
        .db()
        .write(async move |tx| -> Result<(Attempt, complete::Finished)> {
            kit.start();
            let mut finds = Vec::with_capacity(purposes.len());
            for purpose in &purposes {
                finds.push(Find::Address(mount, *purpose, &normal));
            }
            let right = code::right_code(tx, &kit, &draw, finds, &shown).await?;
            go_on(tx, &kit, &draw, mount, right, prove::By::Code).await
        })
        .await?;
    finished.hand_out(realm, done)
}

/// Uses the link of a mail for any of `purposes`, shown by a client.
pub async fn link(realm: &Realm, caller: &Caller, purposes: &[Purpose], token: &str) -> Result<Outcome> {
    realm.limit_address(Rule::CodesByAddress, &caller.source).await?;
    let link = Keyed::parse(token).ok_or(Kind::LinkUnusable)?;
    let draw = Draw::new(realm);
    let kit = complete::Kit::new(realm, caller);
    let purposes = purposes.to_vec();
    let mount = caller.mount_id(realm);
    let (done, finished) = realm
        .db()
        .write(async move |tx| -> Result<(Attempt, complete::Finished)> {
            kit.start();
            let challenge = challenge::spend_link(tx, &link, draw.now).await?;
            if !purposes.contains(&challenge.purpose) {
                return Err(Kind::LinkUnusable.into());
            }
            go_on(tx, &kit, &draw, mount, challenge, prove::By::Link).await
        })
        .await?;
    finished.hand_out(realm, done)
}

/// Goes on with the attempt of a spent challenge, for a client.
async fn go_on(
    tx: &mut latchstring_db::Tx,
    kit: &complete::Kit,
    draw: &Draw,
    mount: crate::id::MountId,
    challenge: challenge::Challenge,
    by: prove::By,
) -> Result<(Attempt, complete::Finished)> {
    let gone = || Kind::CodeWrong.keep();
    let id: AttemptId = challenge.attempt.ok_or_else(gone)?;
    let mut attempt = store::lock_at(tx, id, mount, draw.now).await?.ok_or_else(gone)?;
    if attempt.sink != Sink::Redirect {
        return Err(gone().into());
    }
    attempt.sink = Sink::Tokens;
    prove::address(tx, kit, &mut attempt, &challenge, by, false, draw.now).await?;
    // A client shows no page: what is set again there is set in the app, when it asks.
    attempt.body.set_password = false;
    let finished = complete::finish(tx, kit, draw, &mut attempt).await?;
    Ok((attempt, finished))
}
