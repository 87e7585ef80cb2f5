//! The code step: sending a code, and trying one.

use super::{
    Attempt, AttemptKind, Caller, Draw, Outcome, Sink, Step, complete, load, password_at_sign_up, prove, take,
};
use crate::{
    audit::{self, Actor, Entry, Source},
    challenge::{self, Find, Fresh, Purpose},
    clock::Micros,
    id::{AttemptId, UserId},
    identifier::{self, Identifier, IdentifierKind},
    limit::Rule,
    mail::{self, For, Letter, Says, language_of},
    outbox,
    realm::Realm,
    refusal::{Kind, Result},
    settings::SignUp,
    user,
};
use latchstring_look::Language;

/// Sends a code and a link for the attempt, by mail. The answer, its cost and the limits are the same whether or not
/// the address has an account; what the mail says is for its reader alone.
pub async fn send(realm: &Realm, caller: &Caller, id: AttemptId) -> Result<()> {
    let at_sign_up = password_at_sign_up(realm);
    let attempt = load(realm, caller, id).await?;
    let step = if attempt.offers(at_sign_up).contains(&Step::Factor) { Step::Factor } else { Step::Code };
    attempt.must_offer(step, at_sign_up)?;
    let mut target = target(realm, &attempt, step).await?;

    realm.limit_address(Rule::SendsByAddress, &caller.source).await?;
    limit_target(realm, &attempt, step, &mut target).await?;

    let sending = Sending::prepare(realm, &caller.source, target, purpose(&attempt, step))?;
    let now = sending.now;
    let caller = caller.clone();
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            let attempt = take(tx, &caller, id, step, at_sign_up, now).await?;
            sending.put(tx, attempt.id).await
        })
        .await
}

/// A code and a link that were drawn, with the mail that carries them.
pub(super) struct Sending {
    pub now: Micros,
    pub fresh: Fresh,
    purpose: Purpose,
    target: Target,
    job: Option<outbox::Prepared>,
    tries: i64,
    expires_at: Micros,
}

impl Sending {
    /// Draws them, good for as long as codes are, and writes the mail.
    pub(super) fn prepare(realm: &Realm, source: &Source, target: Target, purpose: Purpose) -> Result<Self> {
        let seconds = realm.settings().1.code.seconds;
        let mut sending = Self::draw(realm, target, purpose, seconds);
        let says = match sending.target.tells {
            Tells::Code(purpose) => Some(Says::Code {
                purpose,
                code: sending.fresh.code.as_str().into(),
                link: sending.link(realm).into(),
                minutes: seconds / 60,
            }),
            Tells::NoAccount { own_pages } => {
                let open = realm.settings().1.sign_up == SignUp::Open;
                let page = open && own_pages;
                Some(Says::NoAccount { sign_up: page.then(|| format!("{}/sign-up", realm.issuer())) })
            }
            Tells::Taken => Some(Says::AddressTaken),
            Tells::Nobody => None,
        };
        let target = &sending.target;
        let letter =
            says.map(|says| Letter::new(&target.address.typed, target.language.or(source.language), says));
        sending.job = Some(match &letter {
            Some(letter) => outbox::prepare(realm.ground(), mail::JOB, letter)?,
            // A username that nobody has: there is no mailbox to write to, and the same work to do.
            None => outbox::prepare(realm.ground(), "nothing", &serde_json::json!({}))?,
        });
        Ok(sending)
    }

    /// The mail that invites: its link alone, good for `seconds`.
    pub(super) fn invite(
        realm: &Realm,
        source: &Source,
        target: Target,
        purpose: Purpose,
        seconds: i64,
    ) -> Result<Self> {
        let mut sending = Self::draw(realm, target, purpose, seconds);
        let says = Says::Invitation { link: sending.link(realm).into(), days: (seconds / 86_400).max(1) };
        let target = &sending.target;
        let letter = Letter::new(&target.address.typed, target.language.or(source.language), says);
        sending.job = Some(outbox::prepare(realm.ground(), mail::JOB, &letter)?);
        Ok(sending)
    }

    /// Draws them, for somebody who brings them along by themself.
    pub(super) fn draw(realm: &Realm, target: Target, purpose: Purpose, seconds: i64) -> Self {
        let ground = realm.ground();
        let fresh = Fresh::new(ground, purpose, &target.address.normal, realm.dev());
        let now = ground.now();
        let expires_at = now + Realm::micros(seconds);
        let tries = realm.settings().1.code.tries;
        Self { now, fresh, purpose, target, job: None, tries, expires_at }
    }

    /// The page behind the link.
    pub(super) fn link(&self, realm: &Realm) -> String {
        format!("{}/verify?token={}", realm.issuer(), *self.fresh.link.text())
    }

    /// Stores them for an attempt, and the mail in the outbox.
    pub(super) async fn put(&self, tx: &mut latchstring_db::Tx, attempt: AttemptId) -> Result<()> {
        let owner = challenge::store::Owner {
            purpose: self.purpose,
            address: &self.target.address,
            user: self.target.user,
            attempt: Some(attempt),
            auth_rev: self.target.auth_rev,
        };
        challenge::store::insert(tx, &self.fresh, &owner, self.tries, self.now, self.expires_at).await?;
        match &self.job {
            Some(job) => outbox::put(tx, job).await,
            None => Ok(()),
        }
    }
}

/// Limits by what was typed refuse; limits of a mailbox that was found by a username are silent, or exhausting somebody's
/// address would show which username is theirs.
pub(super) async fn limit_target(
    realm: &Realm,
    attempt: &Attempt,
    step: Step,
    target: &mut Target,
) -> Result<()> {
    let by_name =
        attempt.identifier.as_ref().filter(|i| i.kind == IdentifierKind::Username && step == Step::Code);
    if let Some(name) = by_name {
        realm.limit(Rule::SendsByTarget, format!("username {}", name.normal).as_bytes()).await?;
    }
    for rule in [Rule::SendsByTarget, Rule::SendsByTargetDaily] {
        match realm.limit(rule, target.address.normal.as_bytes()).await {
            Err(e) if by_name.is_some() && e.kind() == Some(Kind::RateLimited) => {
                target.tells = Tells::Nobody
            }
            other => other?,
        }
    }
    Ok(())
}

pub(super) fn purpose(attempt: &Attempt, step: Step) -> Purpose {
    match (step, attempt.asks()) {
        (Step::Factor, _) => Purpose::Factor,
        (_, AttemptKind::SignIn) => Purpose::SignIn,
        (_, AttemptKind::SignUp) => Purpose::SignUp,
        (_, AttemptKind::Recover) => Purpose::Recover,
        (_, AttemptKind::StepUp) => Purpose::StepUp,
        (_, AttemptKind::Verify) => Purpose::Verify,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tells {
    Code(For),
    NoAccount {
        /// Whether an account is made on our pages: an app has its own.
        own_pages: bool,
    },
    Taken,
    Nobody,
}

pub(super) struct Target {
    pub address: Identifier,
    pub user: Option<UserId>,
    pub auth_rev: Option<i64>,
    pub tells: Tells,
    /// What its reader reads, within a session. Where an address was typed, the request alone decides: the same for
    /// every address.
    pub language: Option<Language>,
}

/// Where the message goes and what it says. Mail to an account goes to the *stored* form of its address.
pub(super) async fn target(realm: &Realm, attempt: &Attempt, step: Step) -> Result<Target> {
    let now = realm.now();
    let typed = attempt.identifier.clone();
    if step == Step::Factor || attempt.kind == AttemptKind::StepUp {
        let id = attempt.user.ok_or(Kind::AttemptUnknown)?;
        let full =
            realm.db().read(async |tx| user::store::full(tx, id).await).await?.ok_or(Kind::AttemptUnknown)?;
        let email = full.email().ok_or(Kind::StepNotOffered)?;
        let letter = if step == Step::Factor { For::Factor } else { For::StepUp };
        let address = Identifier {
            kind: IdentifierKind::Email,
            typed: email.typed.clone(),
            normal: email.normal.clone(),
        };
        return Ok(Target {
            address,
            user: Some(id),
            auth_rev: Some(full.user.auth_rev),
            tells: Tells::Code(letter),
            language: language_of(full.user.locale.as_ref()),
        });
    }
    let typed = typed.ok_or(Kind::StepNotOffered)?;
    let found = {
        let typed = typed.clone();
        realm.db().read(async |tx| user::store::for_sign_in(tx, typed.kind, &typed.normal, now).await).await?
    };
    if attempt.asks() == AttemptKind::Verify {
        let other = found.as_ref().is_some_and(|f| Some(f.user) != attempt.user && f.good);
        let tells = if other { Tells::Taken } else { Tells::Code(For::Verify) };
        return Ok(Target {
            address: typed,
            user: attempt.user,
            auth_rev: attempt.auth_rev,
            tells,
            language: None,
        });
    }
    // A username's mail goes to the account's address. Looked for also where there is no account: it costs the same.
    let mailbox = if typed.kind == IdentifierKind::Username {
        let user = found.as_ref().map_or(UserId(uuid::Uuid::nil()), |f| f.user);
        let all = realm.db().read(async |tx| identifier::store::of_user(tx, user).await).await?;
        identifier::email(&all).filter(|e| e.is_good()).map(|e| Identifier {
            kind: IdentifierKind::Email,
            typed: e.typed.clone(),
            normal: e.normal.clone(),
        })
    } else {
        None
    };
    let open = realm.settings().1.sign_up == SignUp::Open;
    let Some(found) = found else {
        let tells = match (typed.kind, attempt.asks()) {
            (IdentifierKind::Username, _) => Tells::Nobody,
            (_, AttemptKind::SignUp) => Tells::Code(For::SignUp),
            (_, AttemptKind::SignIn) if attempt.body.or_sign_up && open => Tells::Code(For::SignUp),
            _ => Tells::NoAccount { own_pages: attempt.sink != Sink::Redirect },
        };
        return Ok(Target { address: typed, user: None, auth_rev: None, tells, language: None });
    };
    let letter = match attempt.asks() {
        // Claimed, and not confirmed yet.
        AttemptKind::SignUp if !found.good => For::SignUp,
        AttemptKind::SignUp => For::SignUpExisting,
        AttemptKind::Recover => For::Recover,
        _ => For::SignIn,
    };
    // To the stored form, never to what was typed.
    let address = match typed.kind {
        IdentifierKind::Email => Some(Identifier { typed: found.typed, ..typed.clone() }),
        IdentifierKind::Username => mailbox,
    };
    Ok(match address {
        Some(address) => Target {
            address,
            user: Some(found.user),
            auth_rev: Some(found.auth_rev),
            tells: Tells::Code(letter),
            language: None,
        },
        None => Target { address: typed, user: None, auth_rev: None, tells: Tells::Nobody, language: None },
    })
}

/// Reads a code as people type it: spaces and hyphens are not part of it.
pub fn digits(text: &str) -> Result<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).take(16).collect();
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(digits)
    } else {
        Err(Kind::InputInvalid.param("code").says("The code has six digits.").into())
    }
}

/// Counts a try at the codes of an address. Whoever knows it may try, and must not use up the tries of whoever has the mail:
/// each has their own from where they are. What bounds all of them together is the five tries of each code, and how many codes
/// are sent to one address.
pub(super) async fn limit_guesses(
    realm: &Realm,
    caller: &Caller,
    purpose: &[u8],
    normal: &str,
) -> Result<()> {
    let from = caller.source.bucket().unwrap_or_default();
    let key = [purpose, b"\0", normal.as_bytes(), b"\0", from.as_bytes()].concat();
    realm.limit(Rule::CodesByIdentifier, &key).await
}

/// Tries a code.
pub async fn code(realm: &Realm, caller: &Caller, id: AttemptId, code: &str) -> Result<Outcome> {
    let code = zeroize::Zeroizing::new(digits(code)?);
    let at_sign_up = password_at_sign_up(realm);
    let attempt = load(realm, caller, id).await?;
    let step = if attempt.offers(at_sign_up).contains(&Step::Factor) { Step::Factor } else { Step::Code };
    attempt.must_offer(step, at_sign_up)?;
    realm.limit_address(Rule::CodesByAddress, &caller.source).await?;
    // Over all attempts: opening ten of them does not buy ten times the tries.
    let what = purpose(&attempt, step).word().as_bytes();
    match (&attempt.identifier, attempt.user) {
        (_, Some(user)) => {
            realm.limit(Rule::CodesByIdentifier, &[what, b"\0", user.0.as_bytes()].concat()).await?;
        }
        (Some(identifier), None) => limit_guesses(realm, caller, what, &identifier.normal).await?,
        (None, None) => limit_guesses(realm, caller, what, "").await?,
    }

    let draw = Draw::new(realm);
    let kit = complete::Kit::new(realm, caller);
    let caller = caller.clone();
    let now = draw.now;
    let (done, finished) = realm
        .db()
        .write(async move |tx| -> Result<(Attempt, complete::Finished)> {
            kit.start();
            let mut attempt = take(tx, &caller, id, step, at_sign_up, now).await?;
            let find = Find::Attempt(id, purpose(&attempt, step));
            let challenge = right_code(tx, &kit, &draw, [find], &code).await?;
            prove::address(tx, &kit, &mut attempt, &challenge, prove::By::Code, step == Step::Factor, now)
                .await?;
            let finished = complete::finish(tx, &kit, &draw, &mut attempt).await?;
            Ok((attempt, finished))
        })
        .await?;
    finished.hand_out(realm, done)
}

/// The first challenge of some that a code is right for. A wrong one leaves its trace: a try less of each, and one audit row
/// where a message went to an account; elsewhere a statement that costs the same.
pub(super) async fn right_code(
    tx: &mut latchstring_db::Tx,
    kit: &complete::Kit,
    draw: &Draw,
    finds: impl IntoIterator<Item = Find<'_>>,
    code: &str,
) -> Result<challenge::Challenge> {
    let mut of = None;
    for find in finds {
        match challenge::try_code(tx, &kit.ground, find, code, draw.now).await? {
            challenge::Tried::Right(challenge) => return Ok(*challenge),
            challenge::Tried::Wrong(user) => of = of.or(user),
        }
    }
    match of {
        Some(user) => {
            let entry = Entry::new(draw.audits[0], draw.now, "sign_in.refused", Actor::Anonymous)
                .on("user", user.0)
                .detail(serde_json::json!({ "method": "otp" }))
                .from(&kit.source)
                .refused();
            audit::write(tx, entry).await?;
        }
        None => audit::store::nothing(tx).await?,
    }
    Err(Kind::CodeWrong.keep().into())
}
