//! `/admin`: what back ends manage.

pub(super) mod link;
mod paging;
pub(super) mod users;

use crate::{ask::Ask, error::Fail, note, user};
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use latchstring_core::{Kind, annotation, id::UserId};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The id in a path. What it is, is looked at after who asks.
pub(crate) struct Id(Option<UserId>);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let id = Path::<Uuid>::from_request_parts(parts, state).await;
        Ok(Self(id.ok().map(|Path(id)| UserId(id))))
    }
}

impl Id {
    fn user(self) -> Result<UserId, Fail> {
        self.0.ok_or_else(|| Fail::new(404, "validation_failed", "user_id must be an UUID"))
    }
}

/// The view of a user, for back ends.
pub(super) async fn show(ask: &Ask, id: UserId) -> Result<user::User, Fail> {
    Ok(user::User::of(&user::find(ask, id).await?.ok_or(Kind::NotFound)?))
}

/// A note about a user, of these members.
fn noted(members: Map<String, Value>) -> annotation::Note {
    annotation::Note { kind: note::KIND.to_owned(), members }
}

/// That a back end makes the user.
fn made() -> (String, Value) {
    ("by_back_end".to_owned(), true.into())
}

/// [`noted`]: that a back end makes the user.
pub(super) fn by_back_end() -> annotation::Note {
    noted(Map::from_iter([made()]))
}

/// [`noted`]: that a back end has invited the user, now.
pub(super) fn invited(ask: &Ask) -> annotation::Note {
    noted(Map::from_iter([made(), ("invited_at".to_owned(), ask.realm.now().into())]))
}
