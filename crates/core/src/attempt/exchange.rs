//! The code that an attempt carried to an app comes back, and is exchanged for tokens (RFC 6749, 4.1.3; RFC 7636, 4.5).

use super::{Attempt, Caller, CodeChallenge, Draw, Outcome, Redirect, Sink, complete, store};
use crate::{
    id::AttemptId,
    limit::Rule,
    realm::Realm,
    refusal::{Kind, Result},
    secret::Keyed,
};
use latchstring_proto::rfc7636;

/// Exchanges a code, once. Gives what came out, and what the face that began the attempt wanted to know again.
pub async fn exchange(
    realm: &Realm,
    caller: &Caller,
    code: &str,
    verifier: Option<&str>,
) -> Result<(Outcome, Redirect)> {
    realm.limit_address(Rule::TokensByAddress, &caller.source).await?;
    let code = Keyed::parse(code).ok_or(Kind::AuthCodeUnusable)?;
    let draw = Draw::new(realm);
    let kit = complete::Kit::new(realm, caller);
    let mount = caller.mount_id(realm);
    let verifier = verifier.map(ToOwned::to_owned);
    let now = draw.now;
    let (done, finished, redirect) = realm
        .db()
        .write(async move |tx| -> Result<(Attempt, complete::Finished, Redirect)> {
            kit.start();
            let attempt = store::lock_at(tx, AttemptId(code.id), mount, now).await?;
            let mut attempt = attempt.ok_or(Kind::AuthCodeUnusable)?;
            let out =
                attempt.sink == Sink::Redirect && attempt.body.code_until.is_some_and(|until| until > now);
            let right = attempt.handle.as_ref().is_some_and(|stored| code.hashed().matches(stored));
            let redirect =
                attempt.body.redirect.clone().filter(|_| out && right).ok_or(Kind::AuthCodeUnusable)?;
            if !verifies(redirect.challenge.as_ref(), verifier.as_deref()) {
                // RFC 6749, 10.5: a code that was shown by somebody else is spent.
                store::cancel(tx, attempt.id).await?;
                return Err(Kind::CodeVerifierWrong.keep().into());
            }
            let finished = complete::exchanged(tx, &kit, &draw, &mut attempt).await?;
            Ok((attempt, finished, redirect))
        })
        .await?;
    Ok((finished.hand_out(realm, done)?, redirect))
}

/// RFC 9700, 4.8.2: a verifier without a challenge is refused as a challenge without a verifier is.
fn verifies(challenge: Option<&CodeChallenge>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) if challenge.plain => rfc7636::plain(&challenge.text, verifier),
        (Some(challenge), Some(verifier)) => rfc7636::s256(&challenge.text, verifier),
        _ => false,
    }
}
