//! The end of an attempt: a user if there was none, a session, and what hands it over.

use super::{
    Attempt, AttemptKind, Binding, Caller, Completed, Draw, Grant, Outcome, Redirect, SecondFactor, Sink,
    begin::bound_browser, new_device, password, store,
};
use crate::{
    audit::{self, Actor, Entry, Source},
    browser::{self, NewCookie},
    challenge,
    clock::{MINUTE, Micros, SECOND},
    ended::{self, Ending},
    factor,
    family::{self, Claims, Token},
    ground::Ground,
    id::{ClientId, MountId, SessionId, UserId},
    identifier::{self, IdentifierKind},
    invitation,
    limit::{self, Rule},
    mail::{What, language_of},
    notice::{self, By, Teller},
    realm::Realm,
    refusal::{Fault, Kind, Refusal, Result},
    session::{self, SessionKind},
    settings::Settings,
    token::mint::{self, Subject, Tokens},
    user::{self, ProfileChange, UserKind},
};
use latchstring_db::Tx;
use parking_lot::Mutex;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What the transactions of all steps need, gathered before they open.
#[derive(Clone)]
pub(crate) struct Kit {
    pub ground: Ground,
    pub source: Source,
    pub keep: Micros,
    pub teller: Teller,
    settings: Arc<(i64, Settings)>,
    mount: MountId,
    issuer: String,
    caller: Caller,
    endings: Arc<Mutex<Vec<Ending>>>,
}

impl Kit {
    pub(crate) fn new(realm: &Realm, caller: &Caller) -> Self {
        Self {
            ground: realm.ground().clone(),
            source: caller.source.clone(),
            keep: realm.longest_token(),
            teller: Teller::of(realm),
            settings: realm.settings(),
            mount: caller.mount_id(realm),
            issuer: caller.mount.as_ref().map_or(realm.issuer(), |mount| &mount.issuer).to_owned(),
            caller: caller.clone(),
            endings: Arc::default(),
        }
    }

    /// A transaction begins, maybe for the second time: what the first run noted was rolled back, and a session that
    /// lives must not be refused by this node's memory.
    pub(crate) fn start(&self) {
        self.endings.lock().clear();
    }

    /// Remembers endings written in this transaction, for after its commit.
    pub(crate) fn note(&self, endings: Vec<Ending>) {
        self.endings.lock().extend(endings);
    }

    /// Whether whoever proves an address may have an account.
    pub(crate) fn makes_accounts(&self, invited: bool) -> bool {
        self.settings.1.sign_up.admits(invited)
    }

    /// Counts an account that comes about by an attempt which did not begin as a sign-up: those are counted when they
    /// begin. Here it is one statement of the transaction, so what is refused leaves the proof unspent.
    async fn count_sign_up(&self, tx: &mut Tx, now: Micros) -> Result<()> {
        let Some(bucket) = self.source.bucket() else { return Ok(()) };
        let rule = Rule::SignUpsByAddress;
        let key = limit::key(&self.ground.keys, rule, bucket.as_bytes());
        let rate = self.settings.1.rule(rule);
        let taken = limit::store::take(tx, key, rate, now).await?;
        taken.map_err(|wait| limit::refused(rule, rate, wait).into())
    }

    /// Notes whether the user has a second factor.
    pub(crate) async fn look_for_factor(&self, tx: &mut Tx, attempt: &mut Attempt) -> Result<()> {
        if let Some(user) = attempt.user
            && matches!(attempt.kind, AttemptKind::SignIn | AttemptKind::Recover)
        {
            attempt.body.factor = !factor::store::of_user(tx, user).await?.is_empty();
        }
        Ok(())
    }
}

/// What a transaction leaves to be done after its commit.
pub(crate) struct Finished {
    endings: Arc<Mutex<Vec<Ending>>>,
    done: Option<Done>,
    redirect: Option<Zeroizing<String>>,
}

struct Done {
    user: UserId,
    session: SessionId,
    tasks: Vec<String>,
    cookie: Option<NewCookie>,
    family: Option<family::New>,
}

impl Finished {
    /// Applies endings to this node's memory and mints the tokens, whose rows are committed.
    pub(crate) fn hand_out(self, realm: &Realm, attempt: Attempt) -> Result<Outcome> {
        realm.apply(&self.endings.lock());
        let completed = match self.done {
            None => None,
            Some(done) => {
                let Done { user, session, tasks, cookie, family } = done;
                let native = family.as_ref().is_some_and(|family| family.mount == realm.mount());
                let grant = family.map(|family| Grant {
                    user,
                    session,
                    refresh: Token { family: family.id, counter: 1 }.text(&realm.ground().keys),
                    claims: family.claims,
                });
                let tokens = match grant.as_ref().filter(|_| native) {
                    None => None,
                    Some(grant) => {
                        let subject = Subject {
                            user,
                            session: Some(session),
                            auth_time: grant.claims.auth_time,
                            amr: &grant.claims.amr,
                            assurance: grant.claims.assurance,
                        };
                        let access = mint::access_with_tasks(realm, &subject, &grant.claims.tasks)?;
                        Some(Tokens { access, refresh: grant.refresh.clone() })
                    }
                };
                Some(Completed { user, session, tasks, cookie, tokens, grant })
            }
        };
        Ok(Outcome { attempt, completed, redirect: self.redirect })
    }
}

/// Saves the attempt and, when nothing is outstanding, completes it.
pub(crate) async fn finish(tx: &mut Tx, kit: &Kit, draw: &Draw, attempt: &mut Attempt) -> Result<Finished> {
    store::save(tx, attempt).await?;
    let finished = |done, redirect| Finished { endings: kit.endings.clone(), done, redirect };
    let away = attempt.body.redirect.clone().filter(|_| attempt.sink == Sink::Redirect);
    if !attempt.offers(kit.settings.1.password.required).is_empty() {
        // One of two confirmations was given; the other one waits in its own mailbox.
        let half = attempt.body.both.is_some() && attempt.kind == AttemptKind::Verify;
        return Ok(finished(None, away.filter(|_| half).and_then(|away| away.half).map(Zeroizing::new)));
    }
    if let Some(away) = away.as_ref().filter(|_| attempt.kind != AttemptKind::Verify) {
        if attempt.kind == AttemptKind::SignUp && attempt.user.is_none() {
            make_user(tx, kit, draw, attempt).await?;
        }
        return Ok(finished(None, Some(carry(tx, draw, attempt, away).await?)));
    }
    let done = match attempt.kind {
        AttemptKind::StepUp => step_up(tx, kit, draw, attempt).await?,
        AttemptKind::Verify => {
            let done = verify(tx, kit, draw, attempt).await?;
            // A dialect's client keeps tokens, and gets such as say that the address is another one.
            match attempt.sink {
                Sink::Tokens if attempt.body.redirect.is_some() => {
                    let draw = Draw { audits: [draw.audits[3]; 4], ..draw.clone() };
                    sign_in(tx, kit, &draw, attempt).await?
                }
                Sink::Redirect if attempt.body.vouched => {
                    let away = away.as_ref().ok_or(Fault::bug("an attempt leads nowhere"))?;
                    return Ok(finished(None, Some(carry(tx, draw, attempt, away).await?)));
                }
                _ => done,
            }
        }
        _ => {
            if attempt.kind == AttemptKind::SignUp && attempt.user.is_none() {
                make_user(tx, kit, draw, attempt).await?;
            }
            sign_in(tx, kit, draw, attempt).await?
        }
    };
    store::save(tx, attempt).await?;
    store::complete(tx, attempt, done.session, draw.now).await?;
    attempt.open = false;
    attempt.session = Some(done.session);
    attempt.expires_at = draw.now + super::READABLE;
    Ok(finished(Some(done), away.and_then(|away| away.confirmed).map(Zeroizing::new)))
}

/// What an app gets to make tokens of: a code, good once and for five minutes (RFC 6749, 4.1.2: ten at most), by which
/// the attempt goes on wherever it is shown. Gives the address that carries it.
async fn carry(
    tx: &mut Tx,
    draw: &Draw,
    attempt: &mut Attempt,
    away: &Redirect,
) -> Result<Zeroizing<String>> {
    let code = draw.cookie.with_id(attempt.id.0);
    let until = draw.now + 5 * MINUTE;
    attempt.body.code_until = Some(until);
    attempt.handle = Some(code.hashed().0.to_vec());
    attempt.binding = Binding::Bearer;
    attempt.expires_at = until;
    store::save(tx, attempt).await?;
    store::hand_over(tx, attempt.id, &code.hashed().0, until).await?;
    Ok(Zeroizing::new(latchstring_proto::return_to::with_param(&away.to, "code", &code.text())))
}

/// Opens the session of an attempt whose code came back.
pub(crate) async fn exchanged(
    tx: &mut Tx,
    kit: &Kit,
    draw: &Draw,
    attempt: &mut Attempt,
) -> Result<Finished> {
    attempt.sink = Sink::Tokens;
    let done = sign_in(tx, kit, draw, attempt).await?;
    store::complete(tx, attempt, done.session, draw.now).await?;
    attempt.open = false;
    attempt.session = Some(done.session);
    Ok(Finished { endings: kit.endings.clone(), done: Some(done), redirect: None })
}

/// Makes the account of a sign-up whose address was proven, or makes the guest a person.
pub(crate) async fn make_user(tx: &mut Tx, kit: &Kit, draw: &Draw, attempt: &mut Attempt) -> Result<UserId> {
    let now = draw.now;
    let identifier = attempt.identifier.clone();
    let guest = identifier.is_none();
    // The realm may have closed since the address was proven.
    if !guest && !kit.makes_accounts(attempt.body.invitation.is_some()) {
        return Err(Kind::SignUpClosed.into());
    }
    if !attempt.body.counted {
        kit.count_sign_up(tx, now).await?;
    }
    let user = match attempt.body.guest {
        Some(guest) => {
            // The same id: what the guest has gathered stays theirs.
            user::store::lock(tx, guest, now).await?.ok_or(Kind::AttemptClosed)?;
            living(tx, attempt, guest, now).await?;
            if !user::store::make_person(tx, guest).await? {
                return Err(Kind::AttemptClosed.into());
            }
            user::store::bump_auth(tx, guest).await?;
            // Invariant 9: whoever else held the guest had proven nothing.
            kit.note(session::end_everything(tx, &kit.ground, guest, "guest_upgraded", now, kit.keep).await?);
            guest
        }
        None => {
            let kind = if guest { UserKind::Guest } else { UserKind::Person };
            user::store::insert(tx, draw.user, kind, now).await?;
            draw.user
        }
    };
    if let Some(identifier) = &identifier {
        if !attempt.body.proven_new {
            return Err(Fault::bug("an account is made for an address that was not proven").into());
        }
        let new = identifier::store::New {
            id: draw.identifier,
            user,
            identifier,
            proven_at: Some(now),
            asserted_by: None,
            is_primary: true,
        };
        if !identifier::store::insert(tx, new, now).await? {
            // Somebody was faster with the same address, which only its owner can be: begin again to sign in.
            return Err(Kind::AttemptClosed.into());
        }
    }
    // What they read now is what mails will be written in. Behind other sinks may stand a back end, which reads for itself.
    let own = kit.source.language.filter(|_| attempt.sink == Sink::Cookie && attempt.body.guest.is_none());
    // Also by who came after it was begun.
    if let Some(identifier) = identifier.as_ref().filter(|_| attempt.body.data.is_some()) {
        let rivals = super::store::rivals(tx, &identifier.normal, now).await?;
        attempt.body.contested |= super::mailed::differ(&rivals, &attempt.body);
    }
    let change = ProfileChange {
        name: attempt.body.name.clone().map(Some),
        locale: own.map(|language| Some(language.tag().to_owned())),
        meta_own: attempt.body.data.clone().filter(|_| !attempt.body.contested),
        ..ProfileChange::default()
    };
    if change != ProfileChange::default() {
        user::store::change(tx, user, &change).await?;
    }
    if let Some(id) = attempt.body.invitation
        && !invitation::store::accept(tx, id, user, now).await?
    {
        return Err(Kind::InvitationUnusable.into());
    }
    let action = match (guest, attempt.body.guest) {
        (true, _) => "user.guest_created",
        (false, Some(_)) => "user.guest_upgraded",
        (false, None) => "user.signed_up",
    };
    let entry =
        Entry::new(draw.audits[0], now, action, Actor::User(user.0)).on("user", user.0).from(&kit.source);
    audit::write(tx, entry).await?;
    let rev = user::store::find(tx, user).await?.ok_or(Fault::bug("a new user is gone"))?.auth_rev;
    attempt.user = Some(user);
    attempt.auth_rev = Some(rev);
    Ok(user)
}

/// Opens a session for the attempt's user, only if the credentials are still the ones that were checked: a reset while
/// fifty sign-ins wait in the queue lets none of them live.
async fn sign_in(tx: &mut Tx, kit: &Kit, draw: &Draw, attempt: &mut Attempt) -> Result<Done> {
    let now = draw.now;
    let (Some(user), Some(auth_rev)) = (attempt.user, attempt.auth_rev) else {
        return Err(Fault::bug("an attempt completes without a user").into());
    };
    let signed = user::store::sign_in(tx, user, auth_rev, now).await?.ok_or(Kind::CredentialsWrong)?;
    let settings = &kit.settings.1;
    let ends_at = now + Realm::micros(settings.session.absolute_seconds);
    let pending = attempt.body.factor;
    let mut tasks = signed.tasks();
    if let Some(task) = tasks.first().filter(|_| attempt.body.no_tasks) {
        return Err(Refusal::new(Kind::TaskOutstanding).reason(task.clone()).into());
    }
    if pending && attempt.body.second_factor == SecondFactor::Task {
        tasks.push("second_factor".to_owned());
    }
    let assurance = if attempt.two_factors(&[]) { 2 } else { 1 };
    let methods = attempt.methods();
    let browser = match attempt.binding {
        Binding::Browser(_) => Some(bound_browser(&kit.caller, attempt).ok_or(Kind::AttemptUnknown)?),
        _ => None,
    };
    let client = match attempt.binding {
        Binding::Client(id) => Some(ClientId(id)),
        _ => None,
    };
    let new = session::New {
        id: draw.session,
        user,
        kind: if browser.is_some() { SessionKind::Browser } else { SessionKind::Token },
        browser: browser.map(|b| b.0),
        client,
        mount: kit.mount,
        methods: methods.clone(),
        assurance,
        tasks,
        claims: serde_json::json!({}),
        user_agent: kit.source.user_agent.clone(),
        address: kit.source.address.map(|a| a.to_string()),
        idle_us: Some(Realm::micros(settings.session.idle_seconds)),
        ends_at: Some(ends_at),
    };
    // The same person again in the same browser replaces the session before; a guest who became a person too.
    let mut replaced = Vec::new();
    if let Some((id, _)) = browser {
        replaced = session::store::of_user_in_browser(tx, user, id).await?;
    }
    for old in replaced {
        let which = session::Which::One(old);
        kit.note(session::end(tx, &kit.ground, user, which, "replaced", now, kit.keep).await?);
    }
    session::store::insert(tx, &new, signed.begun).await?;
    // Who has just made the account knows, and who has just set a new password is told of that.
    // In a box: what few sign-ins come to need not be carried along by all.
    if attempt.kind == AttemptKind::SignIn {
        Box::pin(new_device::tell(tx, &kit.teller, user, &signed, &new, &kit.source, now)).await?;
    }
    for old in session::store::surplus(tx, user, settings.session.max_per_user).await? {
        let which = session::Which::One(old);
        kit.note(session::end(tx, &kit.ground, user, which, "surplus", now, kit.keep).await?);
    }
    let mut cookie = None;
    if let Some((id, generation)) = browser {
        let secret = draw.cookie_for(id);
        let next = browser::store::rotate(tx, id, generation, &secret.hashed().0, Some(new.id), ends_at)
            .await?
            .ok_or(Kind::AttemptUnknown)?;
        browser::store::know(tx, id, user, now).await?;
        let ending = Ending::browser(&kit.ground, id, next);
        ended::write(tx, &ending).await?;
        kit.note(vec![ending]);
        cookie = Some(NewCookie { secret, expires_at: ends_at });
    }
    let mut family = None;
    if attempt.sink == Sink::Tokens {
        let new_family = mint::family(draw.family, &new, &kit.issuer, settings, now);
        family::store::insert(tx, &new_family, now).await?;
        family = Some(new_family);
    }
    // They got in: recoveries that are still under way are void.
    challenge::store::void_recoveries(tx, user, now).await?;
    if methods.iter().any(|m| m == "otp") {
        password::reopen(tx, &kit.ground.keys, user, browser.map(|b| b.0)).await?;
    }
    let entry = Entry::new(draw.audits[2], now, "session.began", Actor::User(user.0))
        .on("user", user.0)
        .detail(serde_json::json!({ "session": new.id, "methods": methods }))
        .from(&kit.source);
    audit::write(tx, entry).await?;
    Ok(Done { user, session: new.id, tasks: new.tasks, cookie, family })
}

/// Takes the session within which the attempt happens: it still lives, or what was begun in it must not bring it back.
async fn living(tx: &mut Tx, attempt: &Attempt, user: UserId, now: Micros) -> Result<session::Shown> {
    let within = attempt.body.within.ok_or(Kind::NotSignedIn)?;
    session::store::lock(tx, within, user, now).await?.ok_or_else(|| Kind::NotSignedIn.into())
}

/// Raises the session within which the proof was given.
async fn step_up(tx: &mut Tx, kit: &Kit, draw: &Draw, attempt: &mut Attempt) -> Result<Done> {
    let now = draw.now;
    let (Some(user), Some(id)) = (attempt.user, attempt.body.within) else {
        return Err(Fault::bug("a step-up without a session").into());
    };
    // The row of the user is taken, and the credentials are still those that were checked.
    user::store::sign_in(tx, user, attempt.auth_rev.unwrap_or(0), now)
        .await?
        .ok_or(Kind::CredentialsWrong)?;
    let session = living(tx, attempt, user, now).await?;
    let raised = attempt.two_factors(&session.methods);
    let mut methods = session.methods.clone();
    for method in attempt.methods().into_iter().chain(raised.then(|| "mfa".to_owned())) {
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    let second = attempt.proofs.iter().any(|p| p.second);
    let assurance = if raised { 2 } else { session.assurance };
    let tasks: Vec<String> =
        session.tasks.iter().filter(|t| !(second && t.as_str() == "second_factor")).cloned().collect();
    let proved = session::store::proved(
        tx,
        id,
        now,
        &serde_json::to_string(&methods)?,
        assurance,
        &serde_json::to_string(&tasks)?,
    )
    .await?;
    if !proved {
        return Err(Kind::NotSignedIn.into());
    }
    let claims = Claims { auth_time: now / SECOND, amr: methods.clone(), assurance, tasks: tasks.clone() };
    family::store::set_claims(tx, id, &serde_json::to_string(&claims)?).await?;
    let cookie = rotate_cookie(tx, kit, draw, attempt, Some(id)).await?;
    let entry = Entry::new(draw.audits[2], now, "session.proved_again", Actor::User(user.0))
        .on("user", user.0)
        .detail(serde_json::json!({ "session": id, "methods": attempt.methods() }))
        .from(&kit.source);
    audit::write(tx, entry).await?;
    Ok(Done { user, session: id, tasks, cookie, family: None })
}

/// Makes a proven address the account's, in place of the one before.
async fn verify(tx: &mut Tx, kit: &Kit, draw: &Draw, attempt: &mut Attempt) -> Result<Done> {
    let now = draw.now;
    let (Some(user), Some(identifier)) = (attempt.user, attempt.identifier.clone()) else {
        return Err(Fault::bug("an address is proven for nobody").into());
    };
    let rev = user::store::lock(tx, user, now).await?;
    if rev.is_none() || rev != attempt.auth_rev {
        return Err(Kind::AttemptClosed.into());
    }
    // A back end changes it for somebody who need not be signed in.
    let (within, tasks) = match attempt.body.within {
        None if attempt.body.vouched => (SessionId(uuid::Uuid::nil()), Vec::new()),
        _ => {
            let session = living(tx, attempt, user, now).await?;
            (session.id, session.tasks)
        }
    };
    let before = identifier::store::of_user(tx, user).await?;
    let old = before.iter().find(|i| i.kind == IdentifierKind::Email && i.is_primary).cloned();
    match identifier::store::find(tx, IdentifierKind::Email, &identifier.normal).await? {
        Some(stored) if stored.user == user => identifier::store::prove(tx, stored.id, now).await?,
        Some(stored) if stored.is_good() => return Err(Kind::IdentifierTaken.keep().into()),
        taken => {
            if let Some(stored) = taken {
                // Somebody had claimed it without proof: the claim is void, their account stays. Unless they have
                // proven it since it was read.
                let loser = identifier::store::delete_claim(tx, stored.id).await?;
                let loser = loser.ok_or(Kind::IdentifierTaken.keep())?;
                // They are shown without it from now on.
                user::store::lock(tx, loser, now).await?;
                let entry = Entry::new(draw.audits[1], now, "email.lost", Actor::Anonymous)
                    .on("user", loser.0)
                    .detail(serde_json::json!({ "proven_by_another": true }));
                audit::write(tx, entry).await?;
            }
            let new = identifier::store::New {
                id: draw.identifier,
                user,
                identifier: &identifier,
                proven_at: Some(now),
                asserted_by: None,
                is_primary: true,
            };
            if !identifier::store::insert(tx, new, now).await? {
                return Err(Kind::IdentifierTaken.into());
            }
        }
    }
    identifier::store::delete_others(tx, user, IdentifierKind::Email, &identifier.normal).await?;
    attempt.auth_rev = Some(user::store::bump_auth(tx, user).await?);
    challenge::store::void_of_user(tx, user, now).await?;
    if let Some(old) = old.filter(|o| o.normal != identifier.normal) {
        // In their language, not in that of whoever changes it.
        let own = user::store::find(tx, user).await?.and_then(|user| language_of(user.locale.as_ref()));
        let language = own.or(kit.source.language);
        let by = By::held(&kit.source, matches!(attempt.binding, Binding::Browser(_)));
        let what = What::email(&identifier.typed);
        // One that the account had before is put back: the one in between has no say over that.
        let told = match notice::had(tx, user, &identifier.normal, now).await? {
            Some(since) => {
                notice::go_back(tx, user, &identifier.normal, since).await?;
                kit.teller.prepare_plain(&old, language, what, by)?
            }
            None => kit.teller.prepare(&old, language, what, by)?,
        };
        told.put(tx).await?;
    }
    let entry = Entry::new(draw.audits[2], now, "email.changed", Actor::User(user.0))
        .on("user", user.0)
        .from(&kit.source);
    audit::write(tx, entry).await?;
    // What leads back to an app is bound to the browser in which the link was opened, and signs nobody in there.
    let cookie = match attempt.sink {
        Sink::Cookie => rotate_cookie(tx, kit, draw, attempt, None).await?,
        Sink::Tokens | Sink::Redirect => None,
    };
    Ok(Done { user, session: within, tasks, cookie, family: None })
}

/// Gives the browser of the attempt a new secret; its current session stays (or becomes `session`).
async fn rotate_cookie(
    tx: &mut Tx,
    kit: &Kit,
    draw: &Draw,
    attempt: &Attempt,
    session: Option<SessionId>,
) -> Result<Option<NewCookie>> {
    let Binding::Browser(_) = attempt.binding else { return Ok(None) };
    let (id, generation) = bound_browser(&kit.caller, attempt).ok_or(Kind::AttemptUnknown)?;
    let secret = draw.cookie_for(id);
    let session = session.or(attempt.body.within);
    let expires_at = draw.now + Realm::micros(kit.settings.1.session.absolute_seconds);
    let next = browser::store::rotate(tx, id, generation, &secret.hashed().0, session, expires_at)
        .await?
        .ok_or(Kind::AttemptUnknown)?;
    let ending = Ending::browser(&kit.ground, id, next);
    ended::write(tx, &ending).await?;
    kit.note(vec![ending]);
    Ok(Some(NewCookie { secret, expires_at }))
}

/// Completes an attempt that begins with nothing outstanding: a guest (an account without an identifier), or an invited
/// address where no password is asked for.
pub(crate) async fn at_once(realm: &Realm, caller: &Caller, attempt: Attempt) -> Result<Outcome> {
    let draw = Draw::new(realm);
    let kit = Kit::new(realm, caller);
    let (done, finished) = realm
        .db()
        .write(async move |tx| -> Result<(Attempt, Finished)> {
            kit.start();
            let mut attempt = store::lock(tx, attempt.id, draw.now).await?.ok_or(Kind::AttemptClosed)?;
            if attempt.identifier.is_none() {
                attempt.prove("guest", draw.now, false);
                attempt.body.password_set = true;
            }
            make_user(tx, &kit, &draw, &mut attempt).await?;
            let finished = finish(tx, &kit, &draw, &mut attempt).await?;
            Ok((attempt, finished))
        })
        .await?;
    finished.hand_out(realm, done)
}
