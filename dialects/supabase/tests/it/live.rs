//! A project's live database, where there is a PostgreSQL to make one in; and an export that its tables take back.

use crate::sample::{Done, Row, dump, email_identity, export, id, identity, import, import_from, user};
use latchstring_core::testing::TestRealm;
use latchstring_db::{
    Db, Engine, Error, Tx,
    testing::{TestDb, engine},
};
use latchstring_supabase::{
    dump::{Broken, read},
    import::{Failed, Origin},
    rows::TABLES,
};

/// The vendor's tables, in our own words: what their columns are called and made of.
const TABLES_OF_A_PROJECT: &[&str] = &[
    "CREATE SCHEMA auth",
    "CREATE TABLE auth.users (
        instance_id uuid, id uuid PRIMARY KEY, aud varchar(255), role varchar(255), email varchar(255),
        encrypted_password varchar(255), email_confirmed_at timestamptz, invited_at timestamptz,
        confirmation_token varchar(255), confirmation_sent_at timestamptz, recovery_token varchar(255),
        recovery_sent_at timestamptz, email_change_token_new varchar(255), email_change varchar(255),
        email_change_sent_at timestamptz, last_sign_in_at timestamptz, raw_app_meta_data jsonb,
        raw_user_meta_data jsonb, is_super_admin boolean, created_at timestamptz, updated_at timestamptz,
        phone text UNIQUE, phone_confirmed_at timestamptz, phone_change text DEFAULT '',
        phone_change_token varchar(255) DEFAULT '', phone_change_sent_at timestamptz,
        confirmed_at timestamptz GENERATED ALWAYS AS (LEAST(email_confirmed_at, phone_confirmed_at)) STORED,
        email_change_token_current varchar(255) DEFAULT '', email_change_confirm_status smallint DEFAULT 0,
        banned_until timestamptz, reauthentication_token varchar(255) DEFAULT '',
        reauthentication_sent_at timestamptz, is_sso_user boolean NOT NULL DEFAULT false, deleted_at timestamptz,
        is_anonymous boolean NOT NULL DEFAULT false)",
    "CREATE UNIQUE INDEX ON auth.users (email) WHERE is_sso_user = false",
    "CREATE TABLE auth.identities (
        provider_id text NOT NULL, user_id uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE,
        identity_data jsonb NOT NULL, provider text NOT NULL, last_sign_in_at timestamptz, created_at timestamptz,
        updated_at timestamptz, email text GENERATED ALWAYS AS (lower(identity_data ->> 'email')) STORED,
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(), UNIQUE (provider_id, provider))",
    "CREATE INDEX ON auth.identities (user_id)",
    "CREATE TABLE auth.mfa_factors (id uuid PRIMARY KEY)",
    "INSERT INTO auth.mfa_factors VALUES (gen_random_uuid()), (gen_random_uuid())",
];

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

async fn run(db: &Db, statements: Vec<&'static str>) {
    db.write(async move |tx: &mut Tx| -> Result<(), Error> {
        for sql in &statements {
            tx.exec(sql, &[]).await?;
        }
        Ok(())
    })
    .await
    .unwrap_or_else(|error| panic!("{error:?}"));
}

/// Rows as statements that name their columns.
fn statement(table: &str, row: &[(String, Option<String>)]) -> &'static str {
    let names: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
    let values: Vec<String> = row
        .iter()
        .map(|(_, value)| {
            value.as_ref().map_or("NULL".to_owned(), |value| format!("'{}'", value.replace('\'', "''")))
        })
        .collect();
    leak(format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", ")))
}

fn of(row: &Row) -> Vec<(String, Option<String>)> {
    row.iter().map(|(name, value)| ((*name).to_owned(), Some(value.clone()))).collect()
}

/// A scratch database with a project in it; `None` where there is no PostgreSQL.
async fn project() -> Option<TestDb> {
    if engine() != Engine::Postgres {
        return None;
    }
    let db = TestDb::new(&[]).await;
    run(&db.db, TABLES_OF_A_PROJECT.to_vec()).await;
    Some(db)
}

async fn import_live(test: &TestRealm, db: &TestDb) -> Result<Done, Failed> {
    import_from(test, Origin::Live(db.reopen().await), false).await
}

#[tokio::test]
async fn a_live_project_gives_what_its_dump_gives() {
    let Some(project) = project().await else { return };
    let users: Vec<Row> = (0..430)
        .map(|n| match n % 7 {
            0 => user(n, &[("banned_until", "2031-02-03 04:05:06.000007+00"), ("role", "editor")]),
            1 => user(
                n,
                &[
                    ("email_confirmed_at", "\0"),
                    ("raw_user_meta_data", r#"{"quote": "it's \\ \n", "n": 1.5}"#),
                ],
            ),
            2 => user(n, &[("aud", "other")]),
            _ => user(n, &[]),
        })
        .collect();
    let identities: Vec<Row> = (0..430)
        .flat_map(|n| {
            let google = (n % 5 == 0).then(|| identity(n, "google", &format!("g{n}"), &[]));
            [Some(email_identity(n)), google].into_iter().flatten()
        })
        .collect();
    let inserts = users.iter().map(|row| statement("auth.users", &of(row)));
    let linked = identities.iter().map(|row| statement("auth.identities", &of(row)));
    run(&project.db, inserts.chain(linked).collect()).await;

    let (live, dumped) = (TestRealm::new().await, TestRealm::new().await);
    let from_live = import_live(&live, &project).await.unwrap_or_else(|error| panic!("{error:?}"));
    let from_dump = import(&dumped, dump(&users, &identities)).await;
    assert_eq!(from_live.summary.other_tables.get("mfa_factors"), Some(&2));
    assert_eq!(
        (from_live.summary.users, from_live.summary.left),
        (from_dump.summary.users, from_dump.summary.left)
    );
    let (out, _) = export(&live).await;
    assert_eq!(out, export(&dumped).await.0);
    let again = import_live(&live, &project).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!((again.summary.users, again.summary.already_here), (0, from_dump.summary.users));

    // And a project's tables take the export.
    let back = self::project().await.expect("PostgreSQL is there");
    let mut statements = Vec::new();
    let tables = [
        latchstring_supabase::dump::Table { columns: leak_columns(&out, "auth.users"), ..TABLES[0] },
        latchstring_supabase::dump::Table { columns: leak_columns(&out, "auth.identities"), ..TABLES[1] },
    ];
    read(out.as_bytes(), &tables, &mut |row| -> Result<(), Broken> {
        let columns = tables[row.table].columns;
        let row_of: Vec<_> =
            columns.iter().map(|c| (*c).to_owned()).zip(row.values.iter().cloned()).collect();
        statements.push(statement(["auth.users", "auth.identities"][row.table], &row_of));
        Ok(())
    })
    .unwrap_or_else(|broken| panic!("{broken}"));
    run(&back.db, statements).await;
    let last = TestRealm::new().await;
    import_live(&last, &back).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(export(&last).await.0, out);
}

/// The columns that a block of the export names.
fn leak_columns(out: &str, table: &str) -> &'static [&'static str] {
    let begin = format!("COPY {table} (");
    let line = out.lines().find_map(|line| line.strip_prefix(&begin)).expect("a block");
    let names = line.split(')').next().expect("a list");
    Vec::leak(names.split(", ").map(|name| leak(name.to_owned())).collect())
}

#[tokio::test]
async fn rows_that_are_hidden_or_missing_are_no_short_list() {
    let Some(project) = project().await else { return };
    let test = TestRealm::new().await;
    let empty = TestDb::new(&[]).await;
    assert!(matches!(import_live(&test, &empty).await, Err(Failed::NoTable)));
    let large = serde_json::json!({ "x": "y".repeat(300 * 1024) }).to_string();
    let rows = [user(1, &[("raw_user_meta_data", &large)]), user(2, &[])];
    run(&project.db, rows.iter().map(|row| statement("auth.users", &of(row))).collect()).await;
    let done = import_live(&test, &project).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!((done.summary.users, done.why()), (1, vec!["users.too_large".to_owned()]));
    assert_eq!(done.left[0].id.map(|id| id.to_string()), Some(id(1)));

    // A role whom a policy shows nothing.
    let role = leak(format!("latchstring_import_{}", std::process::id()));
    run(
        &project.db,
        vec![
            leak(format!("CREATE ROLE {role} LOGIN")),
            leak(format!("GRANT USAGE ON SCHEMA auth TO {role}")),
            leak(format!("GRANT SELECT ON ALL TABLES IN SCHEMA auth TO {role}")),
            "ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY",
        ],
    )
    .await;
    let url = project.url.replacen("postgres@", &format!("{role}@"), 1);
    let db = Db::open(&url, latchstring_db::Options::default()).await.expect("opened");
    let hidden = import_from(&test, Origin::Live(db.clone()), false).await;
    db.close().await;
    run(&project.db, vec![leak(format!("DROP OWNED BY {role}")), leak(format!("DROP ROLE {role}"))]).await;
    assert!(matches!(hidden, Err(Failed::Source(_))), "hidden rows are an error");
}
