//! `POST /logout`: this session, the others, or all.

use crate::{ask::Ask, error::Fail};
use axum::extract::Query;
use http::StatusCode;
use latchstring_core::{account, session::Which};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Scope {
    #[serde(default)]
    scope: Option<String>,
}

pub(crate) async fn logout(ask: Ask, Query(scope): Query<Scope>) -> Result<StatusCode, Fail> {
    let scope = scope.scope.unwrap_or_else(|| "global".into());
    if !matches!(scope.as_str(), "global" | "local" | "others") {
        return Err(Fail::invalid(format!(
            "Unsupported logout scope {:?}",
            scope.chars().take(40).collect::<String>()
        )));
    }
    let me = ask.user().await?;
    let which = match scope.as_str() {
        "local" => Which::One(me.session),
        "others" => Which::Others(me.session),
        _ => Which::All,
    };
    account::end_mine(&ask.realm, &me, &ask.source, which).await?;
    Ok(StatusCode::NO_CONTENT)
}
