//! `POST /invite`: a back end invites somebody by mail.

use super::{
    admin,
    mail::{self, To},
};
use crate::{
    ask::{Ask, Body},
    error::Fail,
    redirect::{self, Pkce},
    user,
};
use axum::{Json, extract::Query};
use latchstring_core::admin::links;
use serde::Deserialize;
use serde_json::Value;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Invite {
    email: Option<String>,
    data: Option<Value>,
}

pub(crate) async fn invite(
    ask: Ask,
    Query(to): Query<To>,
    Body(body): Body<Invite>,
) -> Result<Json<user::User>, Fail> {
    let actor = ask.admin("users:write").await?;
    let to = links::To {
        address: mail::given_address(body.email.as_deref())?,
        data: mail::members(body.data)?,
        note: Some(admin::invited(&ask)),
        redirect: redirect::of(&ask, "invite", to.redirect_to.as_deref(), &Pkce::default())?,
    };
    let full = links::invite(&ask.realm, actor, &ask.caller(), to).await?;
    Ok(Json(admin::show(&ask, full.user.id).await?))
}
