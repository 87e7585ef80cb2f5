//! Users as a dump that a Supabase project takes back. It holds password hashes.

use crate::{
    dump::copy,
    note::{KIND, Note, derived_id},
    time,
};
use latchstring_core::{
    admin::export::{self, Outgoing},
    id::UserId,
    identifier::IdentifierKind,
    realm::Realm,
    user::{Status, UserKind},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, io};
use uuid::Uuid;

/// Users that are read, and written, at once.
const PAGE: i64 = 500;

/// What was written, and what could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Exported {
    /// Users.
    pub users: u64,
    /// Identities, with the derived ones.
    pub identities: u64,
    /// Users of whom something could not be written, by what that is.
    pub left: BTreeMap<&'static str, u64>,
}

/// What could not be written, in the words of a report.
pub fn says(left: &str) -> &'static str {
    match left {
        "password" => "with a password hash that Supabase can't verify: they set a new one by mail",
        "username" => "with a username, which Supabase does not know",
        "other_addresses" => "with more than one address: the one that is shown was written",
        "second_factor" => "with a second factor",
        "profile" => "with a name, picture or language in their profile",
        "private_metadata" => "with private metadata",
        "deletion" => "who asked for their account to be deleted: they are written as if they had not",
        "user" => "not written at all: their data hold a NUL, which PostgreSQL's JSON can't",
        _ => "with something else",
    }
}

/// Why it ended before its end.
#[derive(Debug)]
pub enum Failed {
    /// The file could not be written.
    Out(io::Error),
    /// The database failed.
    Core(latchstring_core::Error),
}

/// Writes everybody, piece by piece. `seen` hears after each page how many users have been written.
pub async fn run(
    realm: &Realm,
    out: &mut (dyn FnMut(&str) -> io::Result<()> + Send),
    seen: &mut (dyn FnMut(u64) + Send),
) -> Result<Exported, Failed> {
    let mut done = Exported::default();
    out(HEAD).map_err(Failed::Out)?;
    let mut after: Option<UserId> = None;
    loop {
        let page = export::page(realm, after, PAGE, KIND).await.map_err(Failed::Core)?;
        let Some(last) = page.last() else { break };
        after = Some(last.full.user.id);
        out(&written(&page, &mut done)).map_err(Failed::Out)?;
        seen(done.users);
    }
    out("\n-- The end of the users of Latchstring\n").map_err(Failed::Out)?;
    Ok(done)
}

const HEAD: &str = "--\n-- Users of Latchstring, as auth.users and auth.identities of a Supabase project\n--\n\n\
                    SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n";

const USERS: &[&str] = &[
    "instance_id",
    "id",
    "aud",
    "role",
    "email",
    "encrypted_password",
    "email_confirmed_at",
    "invited_at",
    "confirmation_token",
    "recovery_token",
    "email_change_token_new",
    "email_change",
    "last_sign_in_at",
    "raw_app_meta_data",
    "raw_user_meta_data",
    "created_at",
    "updated_at",
    "phone",
    "phone_confirmed_at",
    "phone_change",
    "phone_change_token",
    "email_change_token_current",
    "banned_until",
    "reauthentication_token",
    "is_sso_user",
    "is_anonymous",
    "deleted_at",
];

const IDENTITIES: &[&str] = &[
    "provider_id",
    "user_id",
    "identity_data",
    "provider",
    "last_sign_in_at",
    "created_at",
    "updated_at",
    "id",
];

/// A page as two blocks, users before the identities that name them.
fn written(page: &[Outgoing], done: &mut Exported) -> String {
    let (mut users, mut identities) = (Vec::new(), Vec::new());
    for user in page {
        let note = Note::parse(user.annotation.as_deref());
        let claims_with_nul = user.identities.iter().any(|identity| has_nul(&claims(&identity.claims)));
        if has_nul(&user.full.user.meta_own) || has_nul(&user.full.user.meta_public) || claims_with_nul {
            *done.left.entry("user").or_default() += 1;
            continue;
        }
        let linked = linked(user, &note);
        users.push(row(user, &note, &linked, done));
        identities.extend(linked.into_iter().map(|identity| identity.row));
    }
    done.users += users.len() as u64;
    done.identities += identities.len() as u64;
    let mut text = String::new();
    block("auth.users", USERS, &users, &mut text);
    block("auth.identities", IDENTITIES, &identities, &mut text);
    text
}

fn block(table: &str, columns: &[&str], rows: &[Vec<Option<String>>], text: &mut String) {
    if rows.is_empty() {
        return;
    }
    text.push_str(&format!("\nCOPY {table} ({}) FROM stdin;\n", columns.join(", ")));
    for row in rows {
        for (n, value) in row.iter().enumerate() {
            if n > 0 {
                text.push('\t');
            }
            match value {
                Some(value) => copy::write(value, text),
                None => text.push_str("\\N"),
            }
        }
        text.push('\n');
    }
    text.push_str("\\.\n");
}

/// What their readers, in Go, take for a string must be one: NULL would be an error at each sign-in.
fn empty() -> Option<String> {
    Some(String::new())
}

fn row(user: &Outgoing, note: &Note, linked: &[Linked], done: &mut Exported) -> Vec<Option<String>> {
    let of = &user.full.user;
    let email = user.full.email();
    let mut left = |what: &'static str, is: bool| {
        if is {
            *done.left.entry(what).or_default() += 1;
        }
    };
    let secret = user.secret.as_deref().filter(|phc| is_verified_there(phc));
    left("password", user.secret.is_some() && secret.is_none());
    left("username", user.full.username().is_some());
    let addresses = user.full.identifiers.iter().filter(|i| i.kind == IdentifierKind::Email).count();
    left("other_addresses", addresses > 1);
    left("second_factor", user.has_factor);
    left(
        "profile",
        [&of.name, &of.given_name, &of.family_name, &of.picture, &of.locale].iter().any(|v| v.is_some()),
    );
    left("private_metadata", of.meta_private.as_object().is_some_and(|bag| !bag.is_empty()));
    left("deletion", of.delete_after.is_some());
    let mut app = of.meta_public.as_object().cloned().unwrap_or_default();
    let mut providers: Vec<&str> = Vec::new();
    for identity in linked {
        if !providers.contains(&identity.provider.as_str()) {
            providers.push(&identity.provider);
        }
    }
    if let Some(first) = providers.first() {
        app.insert("provider".to_owned(), json!(first));
        app.insert("providers".to_owned(), json!(providers));
    }
    let banned = (of.status == Status::Banned)
        // Their reader knows no infinity.
        .then(|| {
            of.status_until.and_then(time::write).unwrap_or_else(|| "9999-12-31 23:59:59+00".to_owned())
        });
    let flag = |is: bool| Some(if is { "t" } else { "f" }.to_owned());
    vec![
        Some(Uuid::nil().to_string()),
        Some(of.id.to_string()),
        Some("authenticated".to_owned()),
        Some(note.role.clone().unwrap_or_else(|| "authenticated".to_owned())),
        // As it is written there.
        email.map(|email| email.typed.to_lowercase()),
        Some(secret.unwrap_or_default().to_owned()),
        email.and_then(|email| email.proven_at.or(email.asserted_at)).and_then(time::write),
        note.invited_at.and_then(time::write),
        empty(),
        empty(),
        empty(),
        empty(),
        of.signed_in_at.and_then(time::write),
        Some(Value::Object(app).to_string()),
        Some(of.meta_own.to_string()),
        time::write(of.created_at),
        time::write(of.updated_at),
        note.phone.clone(),
        note.phone_confirmed_at.and_then(time::write),
        empty(),
        empty(),
        empty(),
        banned,
        empty(),
        flag(false),
        flag(of.kind == UserKind::Guest),
        note.deleted_at.and_then(time::write),
    ]
}

/// The forms that GoTrue verifies: bcrypt, argon2i and argon2id, and Firebase's scrypt. Its column has 255 characters.
fn is_verified_there(phc: &str) -> bool {
    let known = ["$2a$", "$2b$", "$2y$", "$argon2i$v=", "$argon2id$v=", "$fbscrypt$"];
    phc.len() <= 255 && known.iter().any(|form| phc.starts_with(form))
}

struct Linked {
    created_at: i64,
    provider: String,
    row: Vec<Option<String>>,
}

/// The identities of a user, oldest first: those that are stored, and those that are views of the user.
fn linked(user: &Outgoing, note: &Note) -> Vec<Linked> {
    let of = &user.full.user;
    let mut all = Vec::new();
    let mut add =
        |provider: &str, id: Uuid, subject: &str, data: Value, used: Option<i64>, made: i64, changed: i64| {
            all.push(Linked {
                created_at: made,
                provider: provider.to_owned(),
                row: vec![
                    Some(subject.to_owned()),
                    Some(of.id.to_string()),
                    Some(data.to_string()),
                    Some(provider.to_owned()),
                    used.and_then(time::write),
                    time::write(made),
                    time::write(changed),
                    Some(id.to_string()),
                ],
            });
        };
    let own = of.id.to_string();
    if let Some(email) = user.full.email().filter(|_| note.has_email_identity_of(user)) {
        let made = user.made_at.get(&email.id).copied().unwrap_or(of.created_at);
        let data = json!({
            "sub": own, "email": email.typed.to_lowercase(),
            "email_verified": email.is_good(), "phone_verified": false,
        });
        add("email", derived_id(of.id, "email"), &own, data, of.signed_in_at, made, of.updated_at);
    }
    if let Some(phone) = &note.phone {
        let verified = note.phone_confirmed_at.is_some();
        let data = json!({ "sub": own, "phone": phone, "email_verified": false, "phone_verified": verified });
        add("phone", derived_id(of.id, "phone"), &own, data, of.signed_in_at, of.created_at, of.updated_at);
    }
    for identity in &user.identities {
        let data = claims(&identity.claims);
        let changed = identity.used_at.unwrap_or(identity.created_at);
        add(
            &identity.connection,
            identity.id.0,
            &identity.subject,
            data,
            identity.used_at,
            identity.created_at,
            changed,
        );
    }
    all.sort_by_key(|identity| identity.created_at);
    all
}

fn claims(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Object(Map::new()))
}

/// Whether a text in there holds a NUL. PostgreSQL's `jsonb` refuses it.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}
