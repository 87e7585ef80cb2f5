//! The new-password step: the last one of a sign-up and of a recovery, always after the address was proven.

use super::{
    Attempt, AttemptKind, Binding, Caller, Draw, Outcome, Step, complete, credentials::Changed, load,
    password_at_sign_up, take,
};
use crate::{
    audit::{self, Actor, Entry},
    credential::{self, SetBy},
    id::AttemptId,
    limit::Rule,
    mail::{What, language_of},
    notice::{self, By, Teller},
    realm::Realm,
    refusal::{Kind, Result},
    secret::Password,
    user,
};

/// Sets the password that the account has from now on.
pub async fn new_password(
    realm: &Realm,
    caller: &Caller,
    id: AttemptId,
    password: Password,
) -> Result<Outcome> {
    let at_sign_up = password_at_sign_up(realm);
    let attempt = load(realm, caller, id).await?;
    attempt.must_offer(Step::NewPassword, at_sign_up)?;
    // Estimating and hashing take time, also for a password that is refused.
    realm.limit_address(Rule::PasswordsByAddress, &caller.source).await?;
    credential::check_length(realm, &password)?;
    let mut words: Vec<String> = Vec::new();
    words.extend(attempt.identifier.as_ref().map(|i| i.typed.clone()));
    words.extend(attempt.body.name.clone());
    let mut told = None;
    if let Some(user) = attempt.user {
        let full = realm
            .db()
            .read(async |tx| user::store::full(tx, user).await)
            .await?
            .ok_or(Kind::AttemptClosed)?;
        words.extend(full.identifiers.iter().map(|i| i.typed.clone()));
        words.extend(full.user.name.clone());
        // Whoever confirms their sign-up has changed nothing.
        if let Some(email) = full.email().filter(|_| !attempt.body.set_password) {
            let by = By::held(&caller.source, matches!(attempt.binding, Binding::Browser(_)));
            told = Some(Teller::of(realm).prepare(
                email,
                language_of(full.user.locale.as_ref()),
                What::Password,
                by,
            )?);
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    credential::check_policy(realm, &password, &words).await?;
    let phc = realm.hash().hash(password, realm.hash_params()).await?;

    let draw = Draw::new(realm);
    let kit = complete::Kit::new(realm, caller);
    let caller = caller.clone();
    let now = draw.now;
    let (done, finished) = realm
        .db()
        .write(async move |tx| -> Result<(Attempt, complete::Finished)> {
            kit.start();
            let mut attempt = take(tx, &caller, id, Step::NewPassword, at_sign_up, now).await?;
            attempt.body.password_set = true;
            match attempt.kind {
                AttemptKind::SignUp => {
                    let user = complete::make_user(tx, &kit, &draw, &mut attempt).await?;
                    credential::store::set_password(tx, draw.credential, user, &phc, SetBy::User, true, now)
                        .await?;
                }
                _ => {
                    let user = attempt.user.ok_or(Kind::AttemptClosed)?;
                    // What was checked is what is used: the credentials are still those of the proof.
                    let rev = user::store::lock(tx, user, now).await?;
                    if rev.is_none() || rev != attempt.auth_rev {
                        return Err(Kind::AttemptClosed.into());
                    }
                    credential::store::set_password(tx, draw.credential, user, &phc, SetBy::User, true, now)
                        .await?;
                    // They read their mail, and have the account in hand again.
                    if let Some(address) = &attempt.identifier {
                        notice::settle(tx, user, &address.normal).await?;
                    }
                    let (rev, endings) = Changed::all(user, "password_reset", kit.keep)
                        .telling(told.as_ref())
                        .apply(tx, &kit.ground, now)
                        .await?;
                    attempt.auth_rev = Some(rev);
                    kit.note(endings);
                    let entry = Entry::new(draw.audits[1], now, "password.reset", Actor::User(user.0))
                        .on("user", user.0)
                        .from(&kit.source);
                    audit::write(tx, entry).await?;
                }
            }
            let finished = complete::finish(tx, &kit, &draw, &mut attempt).await?;
            Ok((attempt, finished))
        })
        .await?;
    finished.hand_out(realm, done)
}
