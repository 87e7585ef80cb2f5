//! `/user`: who is signed in, and what they change of themselves.

use super::mail::{self, To};
use crate::{
    ask::{Ask, Body, given},
    error::Fail,
    redirect::{self, Pkce},
    user,
};
use axum::{Json, extract::Query};
use latchstring_core::{
    Kind,
    account::{self, PasswordProof},
    attempt::{begin::Within, mailed},
    identifier::IdentifierKind,
    mount::Enumeration,
    secret::Password,
    user::UserKind,
};
use serde::Deserialize;
use serde_json::Value;

/// `GET /user`
pub(crate) async fn get(ask: Ask) -> Result<Json<user::User>, Fail> {
    let me = ask.user().await?;
    let found = user::load(&ask, me.user).await?;
    if found.full.user.is_banned(ask.realm.now()) {
        return Err(Kind::UserBanned.into());
    }
    Ok(Json(user::User::of(&found)))
}

#[derive(Deserialize)]
pub(crate) struct Change {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    current_password: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    app_metadata: Option<Value>,
    #[serde(flatten)]
    pkce: Pkce,
}

/// `PUT /user`. Whatever can be known beforehand is refused before anything changes. A new password comes before a new
/// address: it voids what is on its way.
pub(crate) async fn put(
    ask: Ask,
    Query(to): Query<To>,
    Body(change): Body<Change>,
) -> Result<Json<user::User>, Fail> {
    let me = &ask.user().await?;
    let full = user::load(&ask, me.user).await?.full;
    if change.app_metadata.is_some_and(|app| !app.is_null()) {
        return Err(Fail::new(403, "not_admin", "Updating app_metadata requires admin privileges"));
    }
    if given(change.phone).is_some() {
        return Err(Fail::no_phone());
    }
    let data = match change.data {
        None | Some(Value::Null) => None,
        data => {
            let data = mail::members(data)?;
            account::check_own(&full.user, &data)?;
            Some(data)
        }
    };
    let email = match given(change.email) {
        None => None,
        Some(email) => {
            let address = mail::address(&email)?;
            let own = full
                .identifiers
                .iter()
                .any(|i| i.kind == IdentifierKind::Email && i.normal == address.normal);
            Some(address).filter(|_| !own)
        }
    };
    let email = match email {
        None => None,
        // Told in the vendor's way only where that is chosen; the new address's own mailbox hears of it in any case.
        Some(address)
            if ask.mount.enumeration == Enumeration::Vendor && user::is_taken(&ask, &address).await? =>
        {
            return Err(Kind::IdentifierTaken.into());
        }
        Some(address) => {
            Some((address, redirect::of(&ask, "email_change", to.redirect_to.as_deref(), &change.pkce)?))
        }
    };
    let password = given(change.password);
    if full.user.kind == UserKind::Guest && password.is_some() {
        // Invariant 7: no password before the address is proven.
        let says = match email {
            None => "Updating password of an anonymous user without an email or phone is not allowed",
            Some(_) => {
                "An anonymous user confirms the email first and sets a password then: send the email alone"
            }
        };
        return Err(Fail::new(422, "validation_failed", says));
    }
    if full.user.kind == UserKind::Guest && email.is_some() && !ask.settings.email {
        return Err(Fail::no_email());
    }
    if let Some(password) = password {
        let proof = match (given(change.nonce), given(change.current_password)) {
            (Some(nonce), _) => {
                let within = Within { session: me.session, user: me.user };
                let nonce = mailed::nonce(&ask.realm, &ask.caller(), within, &nonce).await;
                PasswordProof::Nonce(Box::new(nonce.map_err(bad_nonce)?))
            }
            (None, Some(old)) => PasswordProof::Old(Some(Password::new(old))),
            (None, None) => PasswordProof::Fresh,
        };
        let by_nonce = matches!(proof, PasswordProof::Nonce(_));
        let by_old = matches!(proof, PasswordProof::Old(_));
        let changed =
            account::change_password(&ask.realm, me, &ask.caller(), proof, Password::new(password)).await;
        changed.map_err(|error| match error.kind() {
            Some(Kind::CodeWrong) if by_nonce => bad_nonce(error),
            Some(Kind::CredentialsWrong) if by_old => Fail::new(
                400,
                "current_password_invalid",
                "Current password required when setting new password.",
            ),
            Some(Kind::PasswordSame) => {
                Fail::new(422, "same_password", "New password should be different from the old password.")
            }
            _ => Fail::of(&ask, error),
        })?;
    }
    let mut under_way = None;
    if let Some((address, redirect)) = email {
        let within = Within { session: me.session, user: me.user };
        let both = ask.settings.double_confirm;
        under_way = Some((address.typed.clone(), ask.realm.now()));
        mailed::change_email(&ask.realm, &ask.caller(), within, address, both, redirect).await?;
    }
    if let Some(data) = data {
        account::change_own(&ask.realm, me, &ask.source, data).await?;
    }
    let mut found = user::load(&ask, me.user).await?;
    // What a guest has under way belongs to nobody yet.
    found.new_email = found.new_email.or(under_way);
    Ok(Json(user::User::of(&found)))
}

fn bad_nonce(error: latchstring_core::Error) -> Fail {
    match error.kind() {
        Some(Kind::CodeWrong | Kind::InputInvalid) => {
            Fail::new(422, "reauthentication_not_valid", "Nonce has expired or is invalid")
        }
        _ => error.into(),
    }
}
