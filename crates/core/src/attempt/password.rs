//! The password step: throttled before it is evaluated, evaluated on the pool, applied only if the credentials are
//! still the ones that were checked.

use super::{
    Attempt, AttemptKind, Binding, Body, Caller, Draw, Outcome, Sink, Step, complete, load,
    password_at_sign_up, take,
};
use crate::{
    audit::{self, Actor, Entry},
    browser,
    clock::Micros,
    credential,
    id::{AttemptId, BrowserId, UserId},
    identifier::{self, Identifier, IdentifierKind},
    limit::{
        self, Rule,
        proving::{Evaluation, ROUNDS},
    },
    mount::Enumeration,
    realm::Realm,
    refusal::{Kind, Refusal, Result},
    seal::{Keys, MacPurpose},
    secret::Password,
    user,
};
use latchstring_db::Tx;

/// Proves an attempt by password. Known, unknown, banned and password-less accounts take the same path and cost the
/// same hash and the same statements.
pub async fn password(realm: &Realm, caller: &Caller, id: AttemptId, password: Password) -> Result<Outcome> {
    let at_sign_up = password_at_sign_up(realm);
    let attempt = load(realm, caller, id).await?;
    attempt.must_offer(Step::Password, at_sign_up)?;
    credential::check_length(realm, &password)?;
    let found = who(realm, &attempt).await?;
    // Within a session the caller knows whose account it is, and nothing is to be hidden from them.
    let spelled = attempt.identifier.as_ref().filter(|_| attempt.user.is_none()).map(|i| i.normal.as_str());
    let checked = verify(realm, caller, found, spelled, password).await?;

    let draw = Draw::new(realm);
    let caller_again = caller.clone();
    let kit = complete::Kit::new(realm, caller);
    let now = draw.now;
    let (done, finished) = realm
        .db()
        .write(async move |tx| -> Result<(super::Attempt, complete::Finished)> {
            kit.start();
            let mut attempt = take(tx, &caller_again, id, Step::Password, at_sign_up, now).await?;
            if let Some((old, new)) = &checked.upgrade {
                credential::store::upgrade(tx, checked.user, old, new).await?;
            }
            checked.clear(tx).await?;
            attempt.prove("pwd", now, false);
            attempt.auth_rev = Some(checked.auth_rev);
            if checked.good || attempt.kind == AttemptKind::StepUp {
                attempt.user = Some(checked.user);
                kit.look_for_factor(tx, &mut attempt).await?;
            }
            // Else the address is unproven: a code must follow, and the account is not theirs before.
            let finished = complete::finish(tx, &kit, &draw, &mut attempt).await?;
            Ok((attempt, finished))
        })
        .await?;
    finished.hand_out(realm, done)
}

/// Signs in with an address and a password at once: an attempt that begins and ends with this proof. For clients that
/// show both together and get tokens.
pub async fn sign_in(
    realm: &Realm,
    caller: &Caller,
    identifier: &Identifier,
    password: Password,
) -> Result<Outcome> {
    let checked = check(realm, caller, identifier, password).await?;
    if !checked.good && caller.mount.as_ref().is_none_or(|mount| mount.enumeration == Enumeration::Strict) {
        // Whoever has just signed up with somebody's address and that password would learn whether it had an account.
        note_failure(realm, caller, Some(checked.user)).await?;
        return Err(Kind::CredentialsWrong.into());
    }
    if !checked.good {
        // The right password, for an address that nobody has confirmed: nothing is told that its owner does not know.
        realm.db().write(async move |tx| -> Result<()> { checked.clear(tx).await }).await?;
        return Err(Kind::AddressUnproven.into());
    }
    let draw = Draw::new(realm);
    let kit = complete::Kit::new(realm, caller);
    let mount = caller.mount_id(realm);
    let mut attempt = Attempt {
        user: Some(checked.user),
        auth_rev: Some(checked.auth_rev),
        identifier: Some(identifier.clone()),
        body: Body { no_tasks: true, ..Body::default() },
        ..Attempt::new(&draw, AttemptKind::SignIn, Binding::Bearer, None, Sink::Tokens)
    };
    attempt.prove("pwd", draw.now, false);
    let (done, finished) = realm
        .db()
        .write(async move |tx| -> Result<(Attempt, complete::Finished)> {
            kit.start();
            let mut attempt = attempt.clone();
            if let Some((old, new)) = &checked.upgrade {
                credential::store::upgrade(tx, checked.user, old, new).await?;
            }
            checked.clear(tx).await?;
            kit.look_for_factor(tx, &mut attempt).await?;
            super::store::insert(tx, &attempt, mount).await?;
            let finished = complete::finish(tx, &kit, &draw, &mut attempt).await?;
            Ok((attempt, finished))
        })
        .await?;
    finished.hand_out(realm, done)
}

/// Whoever the attempt is about, as far as a password goes.
struct Found {
    user: UserId,
    auth_rev: i64,
    banned: bool,
    phc: Option<String>,
    good: bool,
}

async fn who(realm: &Realm, attempt: &super::Attempt) -> Result<Option<Found>> {
    if let Some(id) = attempt.user {
        return who_is(realm, id).await;
    }
    let Some(identifier) = &attempt.identifier else { return Ok(None) };
    find(realm, identifier.kind, &identifier.normal).await
}

async fn who_is(realm: &Realm, id: UserId) -> Result<Option<Found>> {
    let now = realm.now();
    realm
        .db()
        .read(async |tx| -> Result<Option<Found>> {
            let Some(user) = user::store::find(tx, id).await? else { return Ok(None) };
            let phc = credential::store::password(tx, id).await?;
            let banned = user.is_banned(now);
            Ok(Some(Found { user: id, auth_rev: user.auth_rev, banned, phc, good: true }))
        })
        .await
}

async fn find(realm: &Realm, kind: IdentifierKind, normal: &str) -> Result<Option<Found>> {
    let now = realm.now();
    let found = realm.db().read(async |tx| user::store::for_sign_in(tx, kind, normal, now).await).await?;
    Ok(found.map(|f| Found {
        user: f.user,
        auth_rev: f.auth_rev,
        banned: f.banned,
        phc: f.phc,
        // A username has no mailbox to prove: whoever holds the account chose it.
        good: f.good || kind == IdentifierKind::Username,
    }))
}

/// A password that was right.
pub struct Checked {
    /// Whose.
    pub user: UserId,
    /// The revision of the credentials that were checked.
    pub auth_rev: i64,
    /// Whether the identifier that was typed is proven or asserted.
    pub good: bool,
    /// Old and new hash, where the old one is weaker than today's.
    pub upgrade: Option<(String, String)>,
    counted: Vec<Counted>,
}

/// A try that was counted as failed before it was evaluated.
struct Counted {
    key: [u8; 32],
    at: Micros,
    /// Goes once the outcome is written: others may be waiting to hear of it.
    _evaluation: Evaluation,
}

/// A try that comes too early under this key.
struct Early {
    key: [u8; 32],
    at: Micros,
}

impl Checked {
    /// The password was right: its failures in a row are over, in the transaction of what follows from it.
    pub async fn clear(&self, tx: &mut Tx) -> Result<()> {
        for counted in &self.counted {
            limit::store::clear(tx, counted.key).await?;
        }
        Ok(())
    }
}

/// Checks identifier and password without an attempt, for faces that have none (`/token`), under the same limits.
pub async fn check(
    realm: &Realm,
    caller: &Caller,
    identifier: &crate::identifier::Identifier,
    password: Password,
) -> Result<Checked> {
    credential::check_length(realm, &password)?;
    let found = find(realm, identifier.kind, &identifier.normal).await?;
    verify(realm, caller, found, Some(&identifier.normal), password).await
}

/// Checks the password of a user who is signed in, under the same limits.
pub async fn check_user(realm: &Realm, caller: &Caller, id: UserId, password: Password) -> Result<Checked> {
    credential::check_length(realm, &password)?;
    let found = who_is(realm, id).await?;
    verify(realm, caller, found, None, password).await
}

async fn verify(
    realm: &Realm,
    caller: &Caller,
    found: Option<Found>,
    spelled: Option<&str>,
    password: Password,
) -> Result<Checked> {
    realm.limit_address(Rule::PasswordsByAddress, &caller.source).await?;
    let target = found.as_ref().map(|f| f.user);
    // Two counters. One for what was typed, whether or not anybody has it: it refuses openly. And one for the account,
    // however it is spelled: it bounds the guesses, and must not tell that two spellings belong together. A browser in
    // which the owner has signed in before has counters of its own, so that a stranger's failures don't lock the owner
    // out.
    let browser = caller.browser.as_ref().map_or(BrowserId(uuid::Uuid::nil()), |b| b.id);
    let known = browser::is_known_to(realm, browser, target.unwrap_or(UserId(uuid::Uuid::nil()))).await?;
    let browser = known.then_some(browser);
    let keys = &realm.ground().keys;
    let mut counted = Vec::with_capacity(2);
    let mut closed = false;
    let mut now = realm.now();
    if let Some(spelled) = spelled {
        match try_proof(realm, throttle_key(keys, Who::Spelled(spelled), browser), now).await? {
            Ok(typed) => {
                // One time for both: what is open again by the one must not be closed by the other for a microsecond.
                now = typed.at;
                counted.push(typed);
            }
            Err(early) => return Err(throttled(realm, early).await?.into()),
        }
        let account = target.map_or(Who::Nobody(spelled), Who::User);
        match try_proof(realm, throttle_key(keys, account, browser), now).await? {
            Ok(account) => counted.push(account),
            Err(_) => closed = true,
        }
    } else {
        let account = target.map_or(Who::Nobody(""), Who::User);
        match try_proof(realm, throttle_key(keys, account, browser), now).await? {
            Ok(account) => counted.push(account),
            Err(early) => return Err(throttled(realm, early).await?.into()),
        }
    }

    // Too many failures by other spellings: this one is not evaluated, and costs and says what a wrong one does.
    let found = found.filter(|_| !closed);
    let phc = found.as_ref().and_then(|f| f.phc.clone());
    let verified = realm.hash().verify(password, phc.clone(), realm.hash_params()).await?;
    match found {
        Some(f) if verified.matches => {
            if f.banned {
                // They proved that it is theirs; now they may know.
                note_failure(realm, caller, target).await?;
                return Err(Kind::UserBanned.into());
            }
            let upgrade = phc.zip(verified.upgraded);
            Ok(Checked { user: f.user, auth_rev: f.auth_rev, good: f.good, upgrade, counted })
        }
        _ => {
            note_failure(realm, caller, target).await?;
            Err(Kind::CredentialsWrong.into())
        }
    }
}

/// Whose failures in a row are counted.
#[derive(Clone, Copy)]
enum Who<'a> {
    /// Those of an account.
    User(UserId),
    /// Those of no account, in place of its: so that it costs the same.
    Nobody(&'a str),
    /// Those of whatever was typed, in its normal form.
    Spelled(&'a str),
}

/// The key under which they are.
fn throttle_key(keys: &Keys, who: Who<'_>, known: Option<BrowserId>) -> [u8; 32] {
    let (sort, who): (&[u8], &[u8]) = match &who {
        Who::User(user) => (b"user", user.0.as_bytes()),
        Who::Nobody(spelled) => (b"nobody", spelled.as_bytes()),
        Who::Spelled(spelled) => (b"spelled", spelled.as_bytes()),
    };
    let device = known.map(|b| b.0.as_bytes().to_vec()).unwrap_or_default();
    keys.mac(MacPurpose::Limit, &[b"password", sort, who, &device])
}

/// A proof of another sort was given: passwords may be tried again, also where too many wrong ones closed that way.
pub(crate) async fn reopen(tx: &mut Tx, keys: &Keys, user: UserId, browser: Option<BrowserId>) -> Result<()> {
    let identifiers = identifier::store::of_user(tx, user).await?;
    let spellings = identifiers.iter().map(|i| Who::Spelled(&i.normal));
    for who in spellings.chain([Who::User(user)]) {
        limit::store::clear(tx, throttle_key(keys, who, None)).await?;
        if browser.is_some() {
            limit::store::clear(tx, throttle_key(keys, who, browser)).await?;
        }
    }
    Ok(())
}

/// Counts a try before it is evaluated; refuses it when it comes too early. Beside others of the same key that are under
/// evaluation it is too early to say so: the owner's own sign-ins at once must not throttle one another.
async fn try_proof(realm: &Realm, key: [u8; 32], mut at: Micros) -> Result<Result<Counted, Early>> {
    let mut rounds = 0;
    loop {
        let evaluation = realm.proving().begin(key);
        if count_try(realm, key, at).await? {
            return Ok(Ok(Counted { key, at, _evaluation: evaluation.counted() }));
        }
        match evaluation.too_early() {
            Some(others) if rounds < ROUNDS => others.wait().await,
            _ => return Ok(Err(Early { key, at })),
        }
        rounds += 1;
        at = realm.now();
    }
}

async fn count_try(realm: &Realm, key: [u8; 32], at: Micros) -> Result<bool> {
    let settings = realm.settings();
    let limits = &settings.1.limits;
    let (free, closed) = (limits.free_failures, limits.failures_until_closed);
    let max_delay = Realm::micros(limits.max_delay_seconds);
    realm
        .db()
        .write(async move |tx| -> Result<bool> {
            Ok(limit::store::try_proof(tx, key, at, free, max_delay, closed).await?.is_some())
        })
        .await
}

/// Says that it is too early, and when it no longer is.
async fn throttled(realm: &Realm, early: Early) -> Result<Refusal> {
    let state = realm.db().read(async |tx| limit::store::throttle(tx, early.key).await).await?;
    let closed = realm.settings().1.limits.failures_until_closed;
    let next_at = state.as_ref().map_or(early.at, |t| t.next_at);
    let refusal = Refusal::new(Kind::Throttled);
    Ok(if state.is_some_and(|t| t.failures >= closed) {
        refusal.reason("password_closed")
    } else {
        refusal.retry_after_micros(next_at - early.at)
    })
}

/// A refusal about a known user is an audit row, counted per minute. An unknown one costs a statement too.
async fn note_failure(realm: &Realm, caller: &Caller, user: Option<UserId>) -> Result<()> {
    let now = realm.now();
    let mut entry = Entry::new(realm.ground().audit_id(), now, "sign_in.refused", Actor::Anonymous)
        .detail(serde_json::json!({ "method": "pwd" }))
        .from(&caller.source)
        .refused();
    if let Some(user) = user {
        entry = entry.on("user", user.0);
    }
    let known = user.is_some();
    realm
        .db()
        .write(async move |tx| -> Result<()> {
            if known { audit::write(tx, entry.clone()).await } else { audit::store::nothing(tx).await }
        })
        .await
}
