//! `POST /admin/generate_link`: a link and a code for a back end that writes to its users by itself.

use super::super::mail::{self, To};
use crate::{
    ask::{Ask, Body},
    error::Fail,
    redirect::{self, Pkce},
    user,
};
use axum::{Json, extract::Query};
use latchstring_core::{
    Error, Kind,
    admin::links::{self, For},
    attempt::mailed::Side,
    secret::Password,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Generate {
    #[serde(rename = "type")]
    kind: Option<String>,
    email: Option<String>,
    new_email: Option<String>,
    password: Option<String>,
    data: Option<Value>,
    redirect_to: Option<String>,
}

/// The user's members, and beside them those of the link.
#[derive(Serialize)]
pub(crate) struct Generated {
    #[serde(flatten)]
    user: user::User,
    action_link: String,
    email_otp: String,
    hashed_token: String,
    verification_type: &'static str,
    redirect_to: String,
}

pub(crate) async fn generate(
    ask: Ask,
    Query(to): Query<To>,
    Body(body): Body<Generate>,
) -> Result<Json<Generated>, Fail> {
    let actor = ask.admin("users:write").await?;
    let address = mail::given_address(body.email.as_deref())?;
    let password = body.password.filter(|text| !text.is_empty());
    let known = user::is_there(&ask, &address).await?;
    let (word, what) = match body.kind.as_deref().unwrap_or_default() {
        "signup" if password.is_none() && !known => {
            return Err(Fail::invalid("Signup requires a valid password"));
        }
        "signup" => ("signup", For::SignUp(password.map(Password::new))),
        "invite" => ("invite", For::Invite),
        // Whoever has no account yet gets one, and confirms the address of it.
        "magiclink" if !known => ("signup", For::SignUp(None)),
        "magiclink" => ("magiclink", For::SignIn),
        "recovery" => ("recovery", For::Recover),
        side @ ("email_change_current" | "email_change_new") => {
            let new = mail::given_address(body.new_email.as_deref())?;
            if user::is_there(&ask, &new).await? {
                return Err(Kind::IdentifierTaken.into());
            }
            let side = if side == "email_change_new" { Side::New } else { Side::Current };
            ("email_change", For::ChangeEmail { new, side, both: ask.settings.double_confirm })
        }
        other => {
            let other: String = other.chars().take(40).collect();
            return Err(Fail::invalid(format!("Invalid email action link type requested: {other}")));
        }
    };
    // What the body says, if people may be led there, and else what the query says.
    let asked = body.redirect_to.as_deref().filter(|to| redirect::may(&ask, to));
    let redirect = redirect::of(&ask, word, asked.or(to.redirect_to.as_deref()), &Pkce::default())?;
    let redirect_to = redirect.ends_at.clone();
    let note = match &what {
        For::Invite => Some(super::invited(&ask)),
        For::SignUp(_) => Some(super::by_back_end()),
        For::SignIn | For::Recover | For::ChangeEmail { .. } => None,
    };
    let to = links::To { address, data: mail::members(body.data)?, note, redirect };
    let (full, drawn) =
        links::draw(&ask.realm, actor, &ask.caller(), to, what).await.map_err(|error: Error| match error
            .kind()
        {
            Some(Kind::NotFound) => Fail::new(404, "user_not_found", "User with this email not found"),
            _ => error.into(),
        })?;
    // In the link it is one type for both mailboxes.
    let verification_type = match body.kind.as_deref() {
        Some("email_change_current") => "email_change_current",
        Some("email_change_new") => "email_change_new",
        _ => word,
    };
    let hashed_token = drawn.link.to_string();
    let mut action_link =
        format!("{}/verify?token={hashed_token}&type={word}&redirect_to=", ask.mount.issuer);
    redirect::encode(&redirect_to, &mut action_link);
    Ok(Json(Generated {
        user: super::show(&ask, full.user.id).await?,
        action_link,
        email_otp: drawn.code.to_string(),
        hashed_token,
        verification_type,
        redirect_to,
    }))
}
