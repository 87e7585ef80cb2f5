//! A new password for whoever is signed in.

use super::{Me, read};
use crate::{
    attempt::{Caller, credentials::Changed, mailed::Nonce},
    audit::{self, Actor, Entry},
    credential::{self, SetBy},
    ended,
    id::CredentialId,
    identifier,
    limit::Rule,
    mail::{What, language_of},
    notice::{By, Teller},
    realm::Realm,
    refusal::{Kind, Result},
    secret::Password,
    user,
};

/// What permits a new password, where there is one already. An account without one needs a fresh proof.
pub enum PasswordProof {
    /// The one before; `None` is a request that lacks it.
    Old(Option<Password>),
    /// A mailed nonce.
    Nonce(Box<Nonce>),
    /// A proof of this session that is fresh: for clients that have no place for the old password, and let people in by
    /// mail to set a new one.
    Fresh,
}

impl From<Option<Password>> for PasswordProof {
    fn from(old: Option<Password>) -> Self {
        Self::Old(old)
    }
}

/// Changes the password. All other sessions end.
pub async fn change_password(
    realm: &Realm,
    me: &Me,
    caller: &Caller,
    proof: impl Into<PasswordProof>,
    new: Password,
) -> Result<()> {
    let full = read(realm, me).await?;
    full.user.must_be_person()?;
    // Estimating a password takes time: no more of them than of those that are tried.
    realm.limit_address(Rule::PasswordsByAddress, &caller.source).await?;
    credential::check_length(realm, &new)?;
    let words: Vec<String> =
        full.identifiers.iter().map(|i| i.typed.clone()).chain(full.user.name.clone()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    credential::check_policy(realm, &new, &words).await?;
    let mut auth_rev = full.user.auth_rev;
    let mut checked = None;
    let mut nonce = None;
    match (full.has_password, proof.into()) {
        (_, PasswordProof::Nonce(shown)) => nonce = Some(shown),
        (false, _) | (true, PasswordProof::Fresh) => me.must_be_fresh(realm)?,
        (true, PasswordProof::Old(None)) => {
            return Err(Kind::InputInvalid
                .param("current_password")
                .says("The current password is missing.")
                .into());
        }
        (true, PasswordProof::Old(Some(old))) => {
            let right = crate::attempt::password::check_user(realm, caller, me.user, old).await?;
            auth_rev = right.auth_rev;
            checked = Some(right);
        }
    }
    let mut same = false;
    if full.has_password && checked.is_none() {
        // Who is asked for the old one has typed both.
        let user = me.user;
        let stored = realm.db().read(async |tx| credential::store::password(tx, user).await).await?;
        same = realm.hash().verify(new.clone(), stored, realm.hash_params()).await?.matches;
    }
    let phc = realm.hash().hash(new, realm.hash_params()).await?;
    let ground = realm.ground().clone();
    let now = ground.now();
    let keep = realm.longest_token();
    let row = CredentialId::new(now, ground.random());
    let entry = Entry::new(ground.audit_id(), now, "password.changed", Actor::User(me.user.0))
        .on("user", me.user.0)
        .from(&caller.source);
    let notice = match full.email() {
        Some(email) => {
            let by = By::held(&caller.source, me.browser.is_some());
            Some(Teller::of(realm).prepare(
                email,
                language_of(full.user.locale.as_ref()),
                What::Password,
                by,
            )?)
        }
        None => None,
    };
    let me = me.clone();
    let endings = realm
        .db()
        .write(async move |tx| -> Result<Vec<ended::Ending>> {
            if user::store::lock(tx, me.user, now).await? != Some(auth_rev) {
                return Err(Kind::RevChanged.into());
            }
            if let Some(nonce) = &nonce {
                nonce.spend(tx, me.user).await?;
            }
            // Told after the proof alone: else whoever holds a session could try passwords against it.
            if same {
                return Err(Kind::PasswordSame.param("password").into());
            }
            // Whoever sits on an address that they have not proven has not proven it by choosing a password.
            let proven = identifier::store::all_vouched(tx, me.user).await?;
            credential::store::set_password(tx, row, me.user, &phc, SetBy::User, proven, now).await?;
            if let Some(checked) = &checked {
                checked.clear(tx).await?;
            }
            let changed = Changed {
                keep: Some(me.session),
                here: me.browser,
                ..Changed::all(me.user, "password_changed", keep).telling(notice.as_ref())
            };
            let (_, endings) = changed.apply(tx, &ground, now).await?;
            audit::write(tx, entry.clone()).await?;
            Ok(endings)
        })
        .await?;
    realm.apply(&endings);
    Ok(())
}
