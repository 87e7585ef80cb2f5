//! The vendor's rows as plain values, and what of them is not taken. Which addresses, hashes and sizes are good is for
//! `core` to say.

use crate::{
    dump::{Row, Table},
    note::{KIND, Note, email_identity},
    role,
    time::{self, Time},
};
use latchstring_core::{
    admin::import::{Address, Incoming, Upstream},
    id::UserId,
    user::UserKind,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use uuid::Uuid;

/// The tables that are taken.
pub const TABLES: &[Table] = &[
    Table { schema: "auth", name: "users", columns: USERS },
    Table { schema: "auth", name: "identities", columns: IDENTITIES },
];
/// The place of `auth.users` in [`TABLES`].
pub const IN_USERS: usize = 0;
/// The place of `auth.identities` in [`TABLES`].
pub const IN_IDENTITIES: usize = 1;

const USERS: &[&str] = &[
    "id",
    "aud",
    "role",
    "email",
    "encrypted_password",
    "email_confirmed_at",
    "invited_at",
    "last_sign_in_at",
    "raw_app_meta_data",
    "raw_user_meta_data",
    "created_at",
    "updated_at",
    "phone",
    "phone_confirmed_at",
    "banned_until",
    "is_sso_user",
    "deleted_at",
    "is_anonymous",
];

const IDENTITIES: &[&str] =
    &["id", "provider_id", "user_id", "identity_data", "provider", "last_sign_in_at", "created_at"];

/// A row, or a part of one, that is not taken: a line of the report. It holds no value of the row but its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The table.
    pub table: &'static str,
    /// The line of the dump where the row begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The row's id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The part of the row, where the rest of it is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<&'static str>,
    /// The stable name of the reason.
    pub why: &'static str,
    /// The reason for people.
    pub says: Cow<'static, str>,
}

/// A row of either table. No `Debug`: there is a hash in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw {
    table: usize,
    line: Option<u64>,
    values: Vec<Option<String>>,
    long: Option<&'static str>,
}

impl Raw {
    /// A row of a dump.
    pub fn of_dump(row: &Row<'_>) -> Self {
        Self { table: row.table, line: Some(row.line), values: row.values.to_vec(), long: row.long }
    }

    /// A row as JSON, as `to_jsonb` gives it; `None`: too large to be asked for.
    pub fn of_json(table: usize, id: &str, text: Option<&str>) -> Self {
        let columns = TABLES[table].columns;
        let parsed = text.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
        let mut values: Vec<Option<String>> = columns
            .iter()
            .map(|column| match parsed.as_ref().and_then(|row| row.get(*column)) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(text.clone()),
                Some(other) => Some(other.to_string()),
            })
            .collect();
        let long = parsed.is_none().then(|| columns[columns.len() - 1]);
        if long.is_some() {
            values[0] = Some(id.to_owned());
        }
        Self { table, line: None, values, long }
    }

    /// Which table, by its place in [`TABLES`].
    pub fn table(&self) -> usize {
        self.table
    }

    /// What the row is sorted by: the id of its user.
    pub fn key(&self) -> Option<Uuid> {
        let column = if self.table == IN_USERS { "id" } else { "user_id" };
        self.text(column).and_then(|text| Uuid::parse_str(text).ok())
    }

    /// The row as bytes, for sorting.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.line.unwrap_or(0).to_le_bytes());
        let columns = TABLES[self.table].columns;
        let long = self.long.and_then(|long| columns.iter().position(|column| *column == long));
        out.push(long.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX));
        for value in &self.values {
            // No value comes near the limit of the number: `VALUE`.
            let length = value.as_ref().map_or(u32::MAX, |value| u32::try_from(value.len()).unwrap_or(0));
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(value.as_deref().unwrap_or_default().as_bytes());
        }
    }

    /// What [`Raw::encode`] wrote.
    pub fn decode(table: usize, bytes: &[u8]) -> Option<Self> {
        let columns = TABLES[table].columns;
        let (line, rest) = bytes.split_first_chunk()?;
        let (long, mut rest) = rest.split_first()?;
        let mut values = Vec::with_capacity(columns.len());
        for _ in columns {
            let (length, after) = rest.split_first_chunk()?;
            let length = u32::from_le_bytes(*length);
            rest = after;
            if length == u32::MAX {
                values.push(None);
                continue;
            }
            let (value, after) = rest.split_at_checked(length as usize)?;
            values.push(Some(std::str::from_utf8(value).ok()?.to_owned()));
            rest = after;
        }
        let line = Some(u64::from_le_bytes(*line)).filter(|line| *line > 0);
        Some(Self { table, line, values, long: columns.get(usize::from(*long)).copied() })
    }

    /// How many bytes there are in the row.
    pub fn weight(&self) -> usize {
        self.values.iter().flatten().map(String::len).sum()
    }

    /// That the row, or a part of it, is not taken.
    pub fn left(&self, why: &'static str, says: impl Into<Cow<'static, str>>) -> Left {
        Left {
            table: TABLES[self.table].name,
            line: self.line,
            id: self.text("id").and_then(|id| Uuid::parse_str(id).ok()),
            part: None,
            why,
            says: says.into(),
        }
    }

    fn text(&self, column: &str) -> Option<&str> {
        let at = TABLES[self.table].columns.iter().position(|name| *name == column)?;
        self.values[at].as_deref().filter(|text| !text.is_empty())
    }

    fn malformed(&self, column: &'static str) -> Left {
        self.left("malformed", format!("{column} can't be read"))
    }

    fn id(&self, column: &'static str) -> Result<Uuid, Left> {
        let text = self.text(column).ok_or_else(|| self.malformed(column))?;
        Uuid::parse_str(text).map_err(|_| self.malformed(column))
    }

    fn time(&self, column: &'static str) -> Result<Option<Time>, Left> {
        self.text(column).map(|text| time::parse(text).ok_or_else(|| self.malformed(column))).transpose()
    }

    /// A time; one that is no moment is as none.
    fn moment(&self, column: &'static str) -> Result<Option<i64>, Left> {
        Ok(self.time(column)?.and_then(|time| if let Time::At(at) = time { Some(at) } else { None }))
    }

    fn flag(&self, column: &'static str) -> Result<bool, Left> {
        match self.text(column) {
            None | Some("f" | "false") => Ok(false),
            Some("t" | "true") => Ok(true),
            Some(_) => Err(self.malformed(column)),
        }
    }

    /// A JSON object; NULL and `null` are an empty one.
    fn object(&self, column: &'static str) -> Result<Map<String, Value>, Left> {
        match self.text(column).map(serde_json::from_str::<Value>) {
            None | Some(Ok(Value::Null)) => Ok(Map::new()),
            Some(Ok(Value::Object(object))) => Ok(object),
            Some(_) => Err(self.malformed(column)),
        }
    }

    fn not_long(&self) -> Result<(), Left> {
        match self.long {
            None => Ok(()),
            Some(column) => Err(self.left("too_large", format!("the row is too large ({column})"))),
        }
    }
}

/// A user with what belongs to them, as `core` takes it.
pub struct Mapped {
    /// The user.
    pub incoming: Incoming,
    /// Their row.
    pub row: Raw,
    /// The rows of their identities, in the order of [`Incoming::identities`].
    pub identities: Vec<Raw>,
    /// What is left of them beside what `core` leaves.
    pub left: Vec<Left>,
}

/// Reads a user and their identities, or says why not.
pub fn user(row: Raw, identities: Vec<Raw>) -> Result<Mapped, Vec<Left>> {
    match mapped(&row, &identities) {
        Ok((incoming, rows, left)) => Ok(Mapped { incoming, row, identities: rows, left }),
        Err(why) => Err(std::iter::once(why).chain(identities.iter().map(orphan)).collect()),
    }
}

/// That an identity is not taken because its user is not.
pub fn orphan(identity: &Raw) -> Left {
    identity.left("user_not_taken", "its user is not taken")
}

fn mapped(row: &Raw, rows: &[Raw]) -> Result<(Incoming, Vec<Raw>, Vec<Left>), Left> {
    row.not_long()?;
    let id = row.id("id")?;
    if row.text("aud") != Some("authenticated") {
        return Err(row.left("other_audience", "aud is not authenticated"));
    }
    if row.text("deleted_at").is_some() {
        return Err(row.left("deleted", "the user was deleted there"));
    }
    if row.flag("is_sso_user")? {
        return Err(row.left("sso_user", "the user signs in by an identity provider of a company"));
    }
    let (email, phone) = (row.text("email"), row.text("phone"));
    let is_anonymous = row.flag("is_anonymous")?;
    if is_anonymous && phone.is_some() {
        return Err(row.left("guest_with_identifier", "a guest has no phone number"));
    }
    let confirmed_at = row.moment("email_confirmed_at")?;
    let phone_confirmed_at = row.moment("phone_confirmed_at")?;
    let (updated_at, signed_in_at) = (row.moment("updated_at")?, row.moment("last_sign_in_at")?);
    let created_at = row.moment("created_at")?.or(updated_at).or(signed_in_at).unwrap_or(0);
    let banned = match row.time("banned_until")? {
        Some(Time::At(until)) => Some(Some(until)),
        Some(Time::Never) => Some(None),
        Some(Time::Always) | None => None,
    };
    let mut meta_public = row.object("raw_app_meta_data")?;
    // Derived from the identities wherever they are shown.
    meta_public.remove("provider");
    meta_public.remove("providers");
    let meta_own = row.object("raw_user_meta_data")?;

    let mut left = Vec::new();
    let mut of_email: Option<i64> = None;
    let (mut upstreams, mut kept) = (Vec::new(), Vec::new());
    for identity in rows {
        match upstream(identity, created_at) {
            Ok((provider, upstream)) => match provider.as_str() {
                // Both are views of the user.
                "email" => of_email = Some(upstream.created_at),
                "phone" => {}
                _ => {
                    upstreams.push(upstream);
                    kept.push(identity.clone());
                }
            },
            Err(why) => left.push(why),
        }
    }
    let secret = row.text("encrypted_password");
    let email_is_own = email_identity(secret.is_some(), !upstreams.is_empty());
    let note = Note {
        role: row.text("role").filter(|role| *role != "authenticated").map(ToOwned::to_owned),
        invited_at: row.moment("invited_at")?,
        phone: phone.map(ToOwned::to_owned),
        phone_confirmed_at: phone.and(phone_confirmed_at),
        email_identity: email.map(|_| of_email.is_some()).filter(|is| *is != email_is_own),
        deleted_at: None,
        by_back_end: false,
    };
    let mut remark = |why, says: &'static str| {
        let part = if why == "role_not_shown" { "role" } else { "sign_in" };
        left.push(Left { part: Some(part), ..row.left(why, says) });
    };
    if note.role.as_deref().is_some_and(|name| !role::may_be(name)) {
        remark(
            "role_not_shown",
            "the role would pass every policy, or is no role: their tokens say authenticated",
        );
    }
    match (email, phone) {
        (Some(_), _) => {}
        (None, Some(_)) => {
            remark("phone_only", "they can't sign in until sign-in by phone is there; the number is kept");
        }
        (None, None) if is_anonymous => {}
        (None, None) => {
            remark("provider_only", "they can't sign in until sign-in by their provider is there");
        }
    }
    let incoming = Incoming {
        id: UserId(id),
        kind: if is_anonymous { UserKind::Guest } else { UserKind::Person },
        email: email.map(|typed| Address {
            typed: typed.to_owned(),
            confirmed_at,
            created_at: of_email.unwrap_or(created_at),
        }),
        confirmed_otherwise: phone_confirmed_at.is_some(),
        secret: secret.map(Into::into),
        meta_public: Value::Object(meta_public),
        meta_own: Value::Object(meta_own),
        banned,
        created_at,
        updated_at: updated_at.unwrap_or(created_at),
        signed_in_at,
        identities: upstreams,
        annotation: (note != Note::default()).then(|| serde_json::to_value(&note).unwrap_or_default()),
    };
    Ok((incoming, kept, left))
}

fn upstream(row: &Raw, user_created_at: i64) -> Result<(String, Upstream), Left> {
    row.not_long()?;
    let provider = row.text("provider").ok_or_else(|| row.malformed("provider"))?;
    if provider.starts_with("sso:") {
        return Err(row.left("sso_identity", "the identity is of an identity provider of a company"));
    }
    // Before the end of 2023 the subject stood in `id`, and rows had no id of their own.
    let (id, subject) = match row.text("provider_id") {
        Some(subject) => (Some(row.id("id")?), subject),
        None => (None, row.text("id").ok_or_else(|| row.malformed("provider_id"))?),
    };
    let claims = row.object("identity_data")?;
    // GoTrue, too, takes a missing word for no.
    let vouched = claims.get("email_verified") == Some(&Value::Bool(true));
    let used_at = row.moment("last_sign_in_at")?;
    let upstream = Upstream {
        id,
        connection: provider.to_owned(),
        subject: subject.to_owned(),
        claims: Value::Object(claims),
        vouched,
        created_at: row.moment("created_at")?.or(used_at).unwrap_or(user_created_at),
        used_at,
    };
    Ok((provider.to_owned(), upstream))
}

/// The kind of annotations, and the name of this source.
pub const FROM: &str = KIND;
