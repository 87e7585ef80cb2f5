//! `/admin/users`: a back end makes, lists, reads, changes and deletes users.

use super::{
    super::mail::{self, OURS},
    Id, by_back_end, noted,
    paging::Asked,
    show,
};
use crate::{
    ask::{Ask, Body, given},
    duration,
    error::Fail,
    note::{self, Note},
    role,
    token::AUDIENCE,
    user,
};
use axum::{
    Json,
    extract::{OriginalUri, Query},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, header};
use latchstring_core::{
    Error, Kind, account,
    admin::users::{self, Ban, Merge, NewSecret, NewUser, Numbered, Update},
    annotation,
    id::UserId,
    secret::Password,
    user::{Full, ProfileChange},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use uuid::Uuid;

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// What a back end says of a user. The SDK leaves out what it does not mean, and the vendor's server takes an empty text
/// for that too.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    id: Option<String>,
    aud: Option<String>,
    role: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
    password_hash: Option<String>,
    email_confirm: Option<bool>,
    user_metadata: Option<Map<String, Value>>,
    app_metadata: Option<Map<String, Value>>,
    ban_duration: Option<String>,
}

impl Attributes {
    /// Refuses what this face does not do.
    fn check(&self) -> Result<(), Fail> {
        if given(self.phone.as_deref()).is_some() {
            return Err(Fail::no_phone());
        }
        if given(self.aud.as_deref()).is_some_and(|aud| aud != AUDIENCE) {
            return Err(Fail::invalid("The audience of a user is always authenticated"));
        }
        Ok(())
    }

    fn secret(&self) -> Result<Option<NewSecret>, Fail> {
        match (&self.password, given(self.password_hash.as_deref())) {
            (Some(_), Some(_)) => Err(Fail::invalid("Only a password or a password hash should be provided")),
            (Some(password), None) => Ok(Some(NewSecret::Password(Password::new(password.clone())))),
            (None, Some(hash)) => Ok(Some(NewSecret::Hash(hash.to_owned().into()))),
            (None, None) => Ok(None),
        }
    }

    /// A ban, or that there is none: for no time at all, or for less.
    fn ban(&self, now: latchstring_core::clock::Micros) -> Result<Option<Ban>, Fail> {
        let Some(text) = given(self.ban_duration.as_deref()) else { return Ok(None) };
        if text == "none" {
            return Ok(Some(Ban::Lift));
        }
        let lasts = duration::parse(text).ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            Fail::invalid(format!("invalid format for ban duration: time: invalid duration {text:?}"))
        })?;
        Ok(Some(match lasts {
            ..=0 => Ban::Lift,
            lasts => Ban::Until { until: Some(now + lasts), reason: None },
        }))
    }

    /// The role, as a note.
    fn role(&self) -> Result<Option<annotation::Note>, Fail> {
        let Some(role) = given(self.role.as_deref()) else { return Ok(None) };
        if !role::may_be(role) {
            return Err(Fail::invalid(
                "A user's role is the name of a PostgreSQL role, and none of a back end or of the database itself",
            ));
        }
        let role = if role == AUDIENCE { Value::Null } else { role.into() };
        Ok(Some(noted(Map::from_iter([("role".to_owned(), role)]))))
    }

    /// Metadata by the member, without those that this face computes.
    fn metadata(&self) -> Merge {
        let without = |bag: &Option<Map<String, Value>>, ours: &[&str]| {
            let mut bag = bag.clone()?;
            bag.retain(|name, _| !ours.contains(&name.as_str()));
            Some(bag)
        };
        Merge {
            own: without(&self.user_metadata, &OURS),
            public: without(&self.app_metadata, &["provider", "providers"]),
        }
    }
}

/// `POST /admin/users`
pub(crate) async fn create(ask: Ask, Body(body): Body<Attributes>) -> Result<Json<user::User>, Fail> {
    let actor = ask.admin("users:write").await?;
    body.check()?;
    let Some(email) = given(body.email.as_deref()) else {
        return Err(Fail::invalid("Cannot create a user without either an email or phone"));
    };
    let id = match given(body.id.as_deref()) {
        None => None,
        Some(text) => match text.parse::<Uuid>() {
            Ok(id) if id.is_nil() => return Err(Fail::invalid("ID cannot be a nil uuid")),
            Ok(id) => Some(UserId(id)),
            Err(_) => return Err(Fail::invalid("ID must be a UUID")),
        },
    };
    let whole = |members: Option<Map<String, Value>>| {
        members.map(|mut bag| {
            bag.retain(|_, value| !value.is_null());
            Value::Object(bag)
        })
    };
    let Merge { own, public } = body.metadata();
    let mut note = by_back_end();
    note.members.extend(body.role()?.into_iter().flat_map(|role| role.members));
    let new = NewUser {
        id,
        email: Some(mail::address(email)?),
        email_asserted: body.email_confirm == Some(true),
        // An empty one is none here.
        secret: body.secret()?.filter(|_| body.password.as_deref() != Some("")),
        profile: ProfileChange {
            meta_own: whole(own),
            meta_public: whole(public),
            ..ProfileChange::default()
        },
        ban: body.ban(ask.realm.now())?.filter(|ban| matches!(ban, Ban::Until { .. })),
        note: Some(note),
        ..NewUser::default()
    };
    let full = users::create(&ask.realm, actor, &ask.source, new).await?;
    Ok(Json(show(&ask, full.user.id).await?))
}

/// `GET /admin/users`
pub(crate) async fn list(
    ask: Ask,
    OriginalUri(uri): OriginalUri,
    query: Result<Query<Vec<(String, String)>>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Fail> {
    ask.admin("users:read").await?;
    let Query(query) = query.map_err(|_| Fail::invalid("The query can't be read"))?;
    let asked = Asked::read(&query)?;
    let numbered = Numbered {
        page: i64::try_from(asked.page).unwrap_or(i64::MAX),
        per_page: i64::try_from(asked.per_page).unwrap_or(i64::MAX),
        part: asked.filter.clone(),
        oldest_first: asked.oldest_first,
        note: Some(note::KIND.to_owned()),
    };
    let page = users::numbered(&ask.realm, numbered).await?;
    let mut identities: HashMap<UserId, Vec<_>> = HashMap::new();
    for identity in page.identities {
        identities.entry(identity.user).or_default().push(identity);
    }
    let view = |(full, note): (Full, Option<String>)| {
        let identities = identities.remove(&full.user.id).unwrap_or_default();
        user::User::of(&user::Found { full, note: Note::parse(note.as_deref()), identities, new_email: None })
    };
    let users: Vec<user::User> = page.users.into_iter().map(view).collect();
    let mut response = Json(json!({ "users": users, "aud": AUDIENCE })).into_response();
    // As the client asked: this face stands below the mount, and on a host of its own in two places.
    let path = format!("{}{}", ask.mount.path.trim_end_matches('/'), uri.path());
    let headers = response.headers_mut();
    if let Ok(link) = HeaderValue::from_str(&asked.link(&path, page.total.unsigned_abs())) {
        headers.insert(header::LINK, link);
    }
    headers.insert(TOTAL, HeaderValue::from(page.total));
    Ok(response)
}

/// `GET /admin/users/{id}`
pub(crate) async fn read(ask: Ask, id: Id) -> Result<Json<user::User>, Fail> {
    ask.admin("users:read").await?;
    Ok(Json(show(&ask, id.user()?).await?))
}

/// `PUT /admin/users/{id}`. All of it happens, or nothing.
pub(crate) async fn update(ask: Ask, id: Id, Body(body): Body<Attributes>) -> Result<Json<user::User>, Fail> {
    let actor = ask.admin("users:write").await?;
    let id = id.user()?;
    body.check()?;
    let change = Update {
        email: given(body.email.as_deref()).map(mail::address).transpose()?,
        email_asserted: body.email_confirm == Some(true),
        secret: body.secret()?,
        merge: body.metadata(),
        ban: body.ban(ask.realm.now())?,
        note: body.role()?,
        ..Update::default()
    };
    if show(&ask, id).await?.deleted_at.is_some() {
        return Err(Fail::invalid("A user who was deleted stays so: shouldSoftDelete keeps the id alone"));
    }
    let changed = users::update(&ask.realm, actor, &ask.source, id, change).await;
    changed.map_err(|error: Error| match error.kind() {
        Some(Kind::NotForGuests) => Fail::new(
            422,
            "validation_failed",
            "An anonymous user gets a password only together with an email that email_confirm vouches for",
        ),
        _ => error.into(),
    })?;
    Ok(Json(show(&ask, id).await?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Delete {
    should_soft_delete: Option<bool>,
}

/// `DELETE /admin/users/{id}`. The answer is the user who was: older clients of the vendor take it for one, and newer ones
/// do not mind.
pub(crate) async fn delete(ask: Ask, id: Id, Body(body): Body<Delete>) -> Result<Json<user::User>, Fail> {
    let actor = ask.admin("users:write").await?;
    let id = id.user()?;
    let was = show(&ask, id).await?;
    if body.should_soft_delete != Some(true) {
        account::delete(&ask.realm, id, actor, &ask.source).await?;
        return Ok(Json(was));
    }
    // Once is enough.
    if was.deleted_at.is_none() {
        let note = noted(Map::from_iter([("deleted_at".to_owned(), ask.realm.now().into())]));
        users::erase(&ask.realm, actor, &ask.source, id, Some(note)).await?;
    }
    Ok(Json(show(&ask, id).await?))
}
