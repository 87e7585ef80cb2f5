//! `POST /signup`: with an address and a password, or as a guest.

use super::mail::{self, To};
use crate::{
    ask::{Ask, Body, given},
    error::Fail,
    redirect::{self, Pkce},
    token, user,
};
use axum::{
    Json,
    extract::Query,
    response::{IntoResponse, Response},
};
use latchstring_core::{
    attempt::{
        AttemptKind, Sink,
        begin::{self, Begin},
        claim::{self, Claim, Claimed},
    },
    mount::Enumeration,
    secret::Password,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub(crate) struct Signup {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    data: Option<Value>,
    #[serde(flatten)]
    pkce: Pkce,
}

pub(crate) async fn signup(
    ask: Ask,
    Query(to): Query<To>,
    Body(body): Body<Signup>,
) -> Result<Response, Fail> {
    let (email, phone, password) = (given(body.email), given(body.phone), given(body.password));
    let data = mail::data(body.data)?;
    if phone.is_some() {
        return Err(match email.is_some() {
            true => Fail::invalid("Only an email address or phone number should be provided on signup."),
            false => Fail::new(400, "phone_provider_disabled", "Phone signups are disabled"),
        });
    }
    if email.is_none() && password.is_none() {
        return guest(&ask, data).await;
    }
    let Some(password) = password else {
        return Err(Fail::invalid("Signup requires a valid password"));
    };
    let Some(email) = email else {
        return Err(Fail::invalid("Sign up only available with email provider"));
    };
    if !ask.settings.email {
        return Err(Fail::new(400, "email_provider_disabled", "Email signups are disabled"));
    }
    let address = mail::address(&email)?;
    let shown = address.typed.clone();
    let claim = Claim {
        address,
        password: Password::new(password),
        data: data.clone(),
        redirect: redirect::of(&ask, "signup", to.redirect_to.as_deref(), &body.pkce)?,
    };
    match claim::claim(&ask.realm, &ask.caller(), claim).await.map_err(|error| Fail::of(&ask, error))? {
        Claimed::Waits(waiting) => {
            // The vendor's answer for an address that has an account shows no identity, and apps look for that.
            let tells = ask.mount.enumeration == Enumeration::Vendor;
            let id = if tells { waiting.user } else { waiting.stand_in };
            let with_identity = !(tells && waiting.taken);
            Ok(Json(user::User::waiting(id, waiting.at, &shown, data, with_identity)).into_response())
        }
        Claimed::In(outcome) => Ok(Json(token::signed_in(&ask, *outcome).await?).into_response()),
        Claimed::Exists => Err(Fail::new(422, "user_already_exists", "User already registered")),
    }
}

async fn guest(ask: &Ask, data: Value) -> Result<Response, Fail> {
    let mut begin = Begin::new(AttemptKind::SignUp, None, Sink::Tokens);
    begin.guest = true;
    begin.data = Some(data).filter(|data| *data != json!({}));
    let begun = begin::begin(&ask.realm, &ask.caller(), begin).await?;
    Ok(Json(token::signed_in(ask, begun.outcome).await?).into_response())
}
