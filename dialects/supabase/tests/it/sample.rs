//! Dumps as `pg_dump` writes them, from rows of which a test says only what matters.

use latchstring_core::{audit::Actor, testing::TestRealm};
use latchstring_supabase::{
    dump::copy,
    import::{self, Failed, Origin, Progress, Summary},
    rows::Left,
};
use std::{io::Cursor, sync::Arc};
use uuid::Uuid;

/// `U*U`, from crypt_blowfish's tests.
pub(crate) const BCRYPT: (&str, &str) =
    ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U");

/// The columns of a project of 2026, in their order, but for those that are computed.
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
    "confirmation_sent_at",
    "recovery_token",
    "recovery_sent_at",
    "email_change_token_new",
    "email_change",
    "email_change_sent_at",
    "last_sign_in_at",
    "raw_app_meta_data",
    "raw_user_meta_data",
    "is_super_admin",
    "created_at",
    "updated_at",
    "phone",
    "phone_confirmed_at",
    "phone_change",
    "phone_change_token",
    "phone_change_sent_at",
    "email_change_token_current",
    "email_change_confirm_status",
    "banned_until",
    "reauthentication_token",
    "reauthentication_sent_at",
    "is_sso_user",
    "deleted_at",
    "is_anonymous",
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

/// A row by its columns; what is not named is NULL.
pub(crate) type Row = Vec<(&'static str, String)>;

pub(crate) fn id(n: u32) -> String {
    // Version 4, as the vendor makes them; spread, so that their order is not that of the rows.
    let spread = u128::from(n.wrapping_mul(2_654_435_761)) << 96 | u128::from(n);
    uuid::Builder::from_random_bytes(spread.to_be_bytes()).into_uuid().to_string()
}

/// The usual user: confirmed, with a password.
pub(crate) fn user(n: u32, with: &[(&'static str, &str)]) -> Row {
    let mut row: Row = vec![
        ("instance_id", Uuid::nil().to_string()),
        ("id", id(n)),
        ("aud", "authenticated".into()),
        ("role", "authenticated".into()),
        ("email", format!("user{n}@northwind.example")),
        ("encrypted_password", BCRYPT.0.into()),
        ("email_confirmed_at", "2024-05-01 12:00:00.123456+00".into()),
        ("confirmation_token", String::new()),
        ("last_sign_in_at", "2024-06-01 09:30:00+00".into()),
        ("raw_app_meta_data", r#"{"provider": "email", "providers": ["email"]}"#.into()),
        ("raw_user_meta_data", "{}".into()),
        ("created_at", "2024-05-01 11:59:00.5+00".into()),
        ("updated_at", "2024-06-01 09:30:00.25+00".into()),
        ("is_sso_user", "f".into()),
        ("is_anonymous", "f".into()),
    ];
    put(&mut row, with);
    row
}

/// An identity of user `n`.
pub(crate) fn identity(n: u32, provider: &str, subject: &str, with: &[(&'static str, &str)]) -> Row {
    let data = serde_json::json!({ "sub": subject, "email": format!("user{n}@northwind.example"), "email_verified": true });
    let mut row: Row = vec![
        ("provider_id", subject.to_owned()),
        ("user_id", id(n)),
        ("identity_data", data.to_string()),
        ("provider", provider.to_owned()),
        ("last_sign_in_at", "2024-05-02 10:00:00+00".into()),
        ("created_at", "2024-05-02 10:00:00+00".into()),
        ("updated_at", "2024-05-02 10:00:00+00".into()),
        ("id", id(n + 1_000_000 + 10_000 * u32::from(provider.as_bytes()[0]))),
    ];
    put(&mut row, with);
    row
}

/// The identity that goes with an address.
pub(crate) fn email_identity(n: u32) -> Row {
    identity(n, "email", &id(n), &[])
}

/// `\0` as a value takes the column away.
fn put(row: &mut Row, with: &[(&'static str, &str)]) {
    for (column, value) in with {
        row.retain(|(name, _)| name != column);
        if *value != "\0" {
            row.push((column, (*value).to_owned()));
        }
    }
}

fn block(table: &str, columns: &[&str], rows: &[Row]) -> String {
    let mut text = format!("COPY {table} ({}) FROM stdin;\n", columns.join(", "));
    for row in rows {
        for (n, column) in columns.iter().enumerate() {
            if n > 0 {
                text.push('\t');
            }
            match row.iter().find(|(name, _)| name == column) {
                Some((_, value)) => copy::write(value, &mut text),
                None => text.push_str("\\N"),
            }
        }
        text.push('\n');
    }
    text.push_str("\\.\n");
    text
}

pub(crate) const HEAD: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict AbC123\n\n-- Dumped from database version 17.4\n\n\
    SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n\
    SELECT pg_catalog.set_config('search_path', '', false);\n\n";

/// A dump with identities before users, as `pg_dump` without foreign keys has them.
pub(crate) fn dump(users: &[Row], identities: &[Row]) -> String {
    format!(
        "{HEAD}--\n-- Data for Name: identities; Type: TABLE DATA; Schema: auth\n--\n\n{}\n\n{}\n\n\
         --\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict AbC123\n\n",
        block("auth.identities", IDENTITIES, identities),
        block("auth.users", USERS, users)
    )
}

/// The same with users first.
pub(crate) fn dump_users_first(users: &[Row], identities: &[Row]) -> String {
    format!(
        "{HEAD}{}\n{}",
        block("auth.users", USERS, users),
        block("auth.identities", IDENTITIES, identities)
    )
}

/// The same as INSERT statements with names, as the vendor's own command line writes them.
pub(crate) fn inserts(table: &str, rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let names: Vec<String> = row.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let values: Vec<String> = row
            .iter()
            .map(|(_, value)| match value.as_str() {
                "t" => "true".to_owned(),
                "f" => "false".to_owned(),
                value => format!("'{}'", value.replace('\'', "''")),
            })
            .collect();
        let (schema, name) = table.split_once('.').expect("a schema");
        text.push_str(&format!(
            "INSERT INTO \"{schema}\".\"{name}\" ({}) VALUES\n\t({});\n",
            names.join(", "),
            values.join(", ")
        ));
    }
    text
}

/// What an import did.
pub(crate) struct Done {
    pub(crate) summary: Summary,
    pub(crate) left: Vec<Left>,
}

impl Done {
    /// The reasons, as `table.why`, sorted.
    pub(crate) fn why(&self) -> Vec<String> {
        let mut all: Vec<String> = self.left.iter().map(|l| format!("{}.{}", l.table, l.why)).collect();
        all.sort();
        all
    }
}

/// Imports from `origin`.
pub(crate) async fn import_from(test: &TestRealm, origin: Origin, dry: bool) -> Result<Done, Failed> {
    let mut left = Vec::new();
    let progress = Arc::new(Progress::default());
    let mut on_left = |one: &Left| left.push(one.clone());
    let summary = import::run(&test.realm, Actor::Operator, origin, dry, &progress, &mut on_left).await?;
    Ok(Done { summary, left })
}

/// Imports a dump.
pub(crate) async fn try_import(
    test: &TestRealm,
    dump: impl Into<Vec<u8>>,
    dry: bool,
) -> Result<Done, Failed> {
    import_from(test, Origin::Dump(Box::new(Cursor::new(dump.into()))), dry).await
}

/// Imports a dump that is good.
pub(crate) async fn import(test: &TestRealm, dump: impl Into<Vec<u8>>) -> Done {
    try_import(test, dump, false).await.expect("a good dump")
}

/// Everything that [`latchstring_supabase::export`] writes.
pub(crate) async fn export(test: &TestRealm) -> (String, latchstring_supabase::export::Exported) {
    let mut text = String::new();
    let mut out = |piece: &str| {
        text.push_str(piece);
        Ok(())
    };
    let done = latchstring_supabase::export::run(&test.realm, &mut out, &mut |_| ()).await;
    let done = done.unwrap_or_else(|error| panic!("{error:?}"));
    (text, done)
}
