//! What sends a mail: `POST /otp`, `/magiclink`, `/recover`, `/resend`, and `GET /reauthenticate`.

use crate::{
    ask::{Ask, Body, given},
    error::Fail,
    redirect::{self, Pkce},
};
use axum::{Json, extract::Query};
use latchstring_core::{
    Kind,
    attempt::{
        AttemptKind,
        begin::Within,
        mailed::{self, Ask as Mail},
    },
    identifier::Identifier,
    mount::Enumeration,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Where a link leads, as the query says.
#[derive(Deserialize)]
pub(crate) struct To {
    #[serde(default)]
    pub(crate) redirect_to: Option<String>,
}

/// Members of a user's metadata that this face computes.
pub(crate) const OURS: [&str; 4] = ["sub", "email", "email_verified", "phone_verified"];

/// Metadata that a client sent: an object, or nothing.
pub(crate) fn data(sent: Option<Value>) -> Result<Value, Fail> {
    match sent {
        None | Some(Value::Null) => Ok(json!({})),
        Some(Value::Object(mut data)) => {
            // These are ours to say.
            for name in OURS {
                data.remove(name);
            }
            Ok(Value::Object(data))
        }
        Some(_) => Err(Fail::invalid("data has to be an object")),
    }
}

/// An address that mail can be sent to.
pub(crate) fn address(text: &str) -> Result<Identifier, Fail> {
    Ok(Identifier::email(text)?)
}

/// [`address`], or that there has to be one.
pub(crate) fn given_address(text: Option<&str>) -> Result<Identifier, Fail> {
    match given(text) {
        Some(text) => address(text),
        None => Err(Fail::invalid("An email address is required")),
    }
}

/// The members of [`data`].
pub(crate) fn members(sent: Option<Value>) -> Result<Map<String, Value>, Fail> {
    match data(sent)? {
        Value::Object(members) => Ok(members),
        _ => Ok(Map::new()),
    }
}

/// Whoever is meant by what was typed; nobody, where it is no address.
pub(crate) fn somebody(text: &str) -> Identifier {
    Identifier::email(text).unwrap_or_else(|_| Identifier::nobody(text))
}

#[derive(Deserialize)]
pub(crate) struct Otp {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    data: Option<Value>,
    #[serde(default)]
    create_user: Option<bool>,
    #[serde(flatten)]
    pkce: Pkce,
}

pub(crate) async fn otp(ask: Ask, Query(to): Query<To>, Body(body): Body<Otp>) -> Result<Json<Value>, Fail> {
    let given = |text: &Option<String>| given(text.as_deref()).is_some();
    match (given(&body.email), given(&body.phone)) {
        (true, true) => {
            return Err(Fail::invalid("Only an email address or phone number should be provided"));
        }
        (false, true) => {
            return Err(Fail::no_phone());
        }
        (false, false) => return Err(Fail::invalid("One of email or phone must be set")),
        (true, false) => {}
    }
    let create = body.create_user.unwrap_or(true);
    sign_in(&ask, to, body, create).await
}

pub(crate) async fn magiclink(
    ask: Ask,
    Query(to): Query<To>,
    Body(body): Body<Otp>,
) -> Result<Json<Value>, Fail> {
    let create = body.create_user.unwrap_or(true);
    sign_in(&ask, to, body, create).await
}

async fn sign_in(ask: &Ask, to: To, body: Otp, create: bool) -> Result<Json<Value>, Fail> {
    if !ask.settings.email {
        return Err(Fail::no_email());
    }
    let data = Some(data(body.data)?).filter(|data| *data != json!({}));
    check(data.as_ref())?;
    let mail = Mail {
        kind: AttemptKind::SignIn,
        address: address(body.email.as_deref().unwrap_or_default())?,
        or_sign_up: create,
        data,
        vouched: false,
        redirect: redirect::of(ask, "magiclink", to.redirect_to.as_deref(), &body.pkce)?,
    };
    let asked = mailed::ask(&ask.realm, &ask.caller(), mail).await?;
    // The mail to an address without an account went out all the same.
    if !asked.known && ask.mount.enumeration == Enumeration::Vendor {
        return Err(Fail::new(422, "otp_disabled", "Signups not allowed for otp"));
    }
    Ok(Json(json!({})))
}

/// Refuses metadata that no account may have, before it lies in an attempt.
fn check(data: Option<&Value>) -> Result<(), Fail> {
    let change = latchstring_core::user::ProfileChange { meta_own: data.cloned(), ..Default::default() };
    Ok(change.check()?)
}

#[derive(Deserialize)]
pub(crate) struct Recover {
    #[serde(default)]
    email: String,
    #[serde(flatten)]
    pkce: Pkce,
}

pub(crate) async fn recover(
    ask: Ask,
    Query(to): Query<To>,
    Body(body): Body<Recover>,
) -> Result<Json<Value>, Fail> {
    if body.email.is_empty() {
        return Err(Fail::invalid("Password recovery requires an email"));
    }
    if !ask.settings.email {
        return Err(Fail::no_email());
    }
    let mail = Mail {
        kind: AttemptKind::Recover,
        address: address(&body.email)?,
        or_sign_up: false,
        data: None,
        vouched: false,
        redirect: redirect::of(&ask, "recovery", to.redirect_to.as_deref(), &body.pkce)?,
    };
    mailed::ask(&ask.realm, &ask.caller(), mail).await?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
pub(crate) struct Resend {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(flatten)]
    pkce: Pkce,
}

pub(crate) async fn resend(
    ask: Ask,
    Query(to): Query<To>,
    Body(body): Body<Resend>,
) -> Result<Json<Value>, Fail> {
    let email = given(body.email.as_deref());
    let phone = given(body.phone.as_deref());
    match body.kind.as_str() {
        "signup" | "email_change" => {
            if phone.is_some() {
                return Err(Fail::invalid("Type provided requires an email address"));
            }
        }
        "sms" | "phone_change" => {
            return Err(Fail::no_phone());
        }
        _ => {
            return Err(Fail::invalid("Missing one of these types: signup, email_change, sms, phone_change"));
        }
    }
    let Some(email) = email else { return Err(Fail::invalid("Type provided requires an email address")) };
    let address = address(email)?;
    let to = to.redirect_to.as_deref();
    if body.kind == "signup" {
        if !ask.settings.email {
            return Err(Fail::no_email());
        }
        let mail = Mail {
            kind: AttemptKind::SignUp,
            address,
            or_sign_up: false,
            data: None,
            vouched: false,
            redirect: redirect::of(&ask, "signup", to, &body.pkce)?,
        };
        mailed::ask(&ask.realm, &ask.caller(), mail).await?;
    } else {
        mailed::change_email_again(&ask.realm, &ask.caller(), &address).await?;
    }
    Ok(Json(json!({})))
}

/// `GET /reauthenticate`
pub(crate) async fn reauthenticate(ask: Ask) -> Result<Json<Value>, Fail> {
    let me = ask.user().await?;
    let within = Within { session: me.session, user: me.user };
    let sent = mailed::reauthenticate(&ask.realm, &ask.caller(), within).await;
    sent.map_err(|error| match error.kind() {
        Some(Kind::StepNotOffered | Kind::NotForGuests) => {
            Fail::invalid("Reauthentication requires the user to have an email or a phone number")
        }
        _ => error.into(),
    })?;
    Ok(Json(json!({})))
}
