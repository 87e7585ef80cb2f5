//! What it means that an address was proven: whose account it opens, and what its earlier, unproven owner loses.

use super::{Attempt, AttemptKind, complete::Kit, credentials::Changed};
use crate::{
    audit::{self, Actor, Entry},
    challenge::{self, Challenge, Purpose},
    clock::Micros,
    credential,
    identifier::{self, IdentifierKind},
    refusal::{Kind, Result},
    session, user,
};
use latchstring_db::Tx;

/// What a challenge was answered with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    /// The code that was typed.
    Code,
    /// The link that was followed.
    Link,
}

impl By {
    fn method(self) -> &'static str {
        match self {
            By::Code => "otp",
            By::Link => "link",
        }
    }

    /// How it is refused once it is void.
    fn void(self) -> Kind {
        match self {
            By::Code => Kind::CodeWrong,
            By::Link => Kind::LinkUnusable,
        }
    }
}

/// Applies a spent challenge to an attempt. Whatever this refuses leaves the challenge spent.
pub(crate) async fn address(
    tx: &mut Tx,
    kit: &Kit,
    attempt: &mut Attempt,
    challenge: &Challenge,
    proof: By,
    second: bool,
    now: Micros,
) -> Result<()> {
    let method = proof.method();
    let void = || proof.void().keep();
    // The credentials changed since the message was sent: a pending code or link is void (A058, A106).
    if let (Some(user), Some(seen)) = (challenge.user, challenge.auth_rev) {
        let current = user::store::find(tx, user).await?.ok_or_else(void)?;
        if current.auth_rev != seen {
            return Err(void().into());
        }
    }
    match attempt.kind {
        AttemptKind::StepUp | AttemptKind::Verify => {
            match (&mut attempt.body.both, challenge.purpose) {
                (Some(both), Purpose::VerifyCurrent) => both.current = true,
                (Some(both), _) => both.next = true,
                // The mailbox before alone proves nothing of the new address.
                (None, Purpose::VerifyCurrent) => return Err(void().into()),
                (None, _) => {}
            }
            attempt.prove(method, now, second);
        }
        _ if second => {
            attempt.body.factor = false;
            attempt.prove(method, now, true);
        }
        AttemptKind::SignIn | AttemptKind::SignUp | AttemptKind::Recover => {
            let stored = identifier::store::find(tx, IdentifierKind::Email, &challenge.normal).await?;
            match stored {
                Some(stored) => {
                    if challenge.user.is_some_and(|user| user != stored.user) {
                        return Err(void().into());
                    }
                    if stored.proven_at.is_none() {
                        evict(tx, kit, &stored, attempt, proof, now).await?;
                    }
                    let user = user::store::find(tx, stored.user).await?.ok_or_else(void)?;
                    if user.is_banned(now) {
                        return Err(crate::Refusal::new(Kind::UserBanned).keep().into());
                    }
                    if attempt.kind == AttemptKind::SignUp {
                        // They have an account: the sign-up turns into a sign-in. Its name is not taken over.
                        attempt.kind = AttemptKind::SignIn;
                    }
                    if attempt.kind == AttemptKind::Recover {
                        // A106: of those that were asked for, one is used.
                        challenge::store::void_recoveries(tx, user.id, now).await?;
                    }
                    attempt.user = Some(user.id);
                    attempt.auth_rev = Some(user.auth_rev);
                    attempt.prove(method, now, false);
                    kit.look_for_factor(tx, attempt).await?;
                }
                None => {
                    let may = attempt.kind == AttemptKind::SignUp
                        || (attempt.kind == AttemptKind::SignIn && attempt.body.or_sign_up);
                    if !may || challenge.user.is_some() {
                        return Err(void().into());
                    }
                    // The realm may have closed since the message was sent.
                    if !kit.makes_accounts(attempt.body.invitation.is_some()) {
                        return Err(Kind::SignUpClosed.keep().into());
                    }
                    attempt.kind = AttemptKind::SignUp;
                    attempt.body.proven_new = true;
                    attempt.prove(method, now, false);
                }
            }
        }
    }
    super::store::save(tx, attempt).await
}

/// Invariant 9: an unproven address proves nothing. Whoever proves it now is not inherited from by whoever set things
/// up before: their password, sessions, tokens, linked identities and other unproven addresses go. What an admin or
/// an import asserted is spared, and so is a password retyped in this very attempt.
async fn evict(
    tx: &mut Tx,
    kit: &Kit,
    stored: &identifier::Stored,
    attempt: &mut Attempt,
    proof: By,
    now: Micros,
) -> Result<()> {
    let rev = user::store::lock(tx, stored.user, now).await?;
    identifier::store::prove(tx, stored.id, now).await?;
    let entry = Entry::new(kit.ground.audit_id(), now, "email.proven", Actor::User(stored.user.0))
        .on("user", stored.user.0)
        .detail(serde_json::json!({ "evicted": stored.asserted_at.is_none() }))
        .from(&kit.source);
    audit::write(tx, entry).await?;
    // Who signed up without proof said so by themself, and that is nobody's word.
    if stored.asserted_at.is_some() && !identifier::store::self_asserted(tx, stored.id).await? {
        return Ok(());
    }
    // The password that was typed is still the one that stands there.
    let retyped = attempt.proofs.iter().any(|p| p.method == "pwd") && attempt.auth_rev == rev;
    // A sign-up with a password that is confirmed by its code, in the app where both were typed: unless others have
    // signed up with the address as well, or asked for a code without a password, whose code it may be.
    let claim = attempt.body.claimed;
    let contested = claim
        && (credential::store::is_contested(tx, stored.user).await?
            || super::store::rivals(tx, &stored.normal, now).await?.iter().any(|other| !other.claimed));
    let own = claim && !contested && (matches!(proof, By::Code) || attempt.body.vouched);
    // What whoever signed up called themself is theirs who confirms that very sign-up, and nobody's who comes another way.
    let others = contested || (!claim && !retyped && credential::store::is_claim(tx, stored.user).await?);
    if retyped || own {
        credential::store::set_proven(tx, stored.user).await?;
    } else {
        let evicted = credential::store::evict_unproven(tx, stored.user).await? > 0;
        // On the page behind the link it is set again (invariant 7).
        attempt.body.set_password = evicted && claim && matches!(proof, By::Link);
    }
    if others {
        let data = attempt
            .body
            .data
            .clone()
            .filter(|_| !contested && !attempt.body.contested)
            .unwrap_or(serde_json::json!({}));
        let change = user::ProfileChange { meta_own: Some(data), ..Default::default() };
        user::store::change(tx, stored.user, &change).await?;
    }
    identifier::store::delete_unproven(tx, stored.user, stored.id).await?;
    session::store::evict_identities(tx, stored.user).await?;
    let (_, endings) =
        Changed::all(stored.user, "address_proven", kit.keep).apply(tx, &kit.ground, now).await?;
    kit.note(endings);
    Ok(())
}
