//! What is taken, what is not and why, and that running it again changes nothing.

use crate::sample::{
    BCRYPT, Row, dump, dump_users_first, email_identity, id, identity, import, inserts, try_import, user,
};
use latchstring_core::{
    admin::export,
    audit,
    id::UserId,
    testing::TestRealm,
    user::{Status, UserKind},
};
use latchstring_supabase::note::{KIND, Note};
use serde_json::json;

const CONFIRMED: i64 = 1_714_564_800_123_456;

async fn one(test: &TestRealm, n: u32) -> export::Outgoing {
    let of: UserId = id(n).parse().expect("an id");
    let all = export::page(&test.realm, None, 1_000, KIND).await.expect("a page");
    all.into_iter().find(|user| user.full.user.id == of).unwrap_or_else(|| panic!("user {n} is not here"))
}

#[tokio::test]
async fn everything_of_a_user_is_kept() {
    let test = TestRealm::new().await;
    let users = [user(
        1,
        &[
            ("email", "ada@northwind.example"),
            ("role", "service_writer"),
            ("invited_at", "2024-04-30 08:00:00+00"),
            (
                "raw_app_meta_data",
                r#"{"provider": "email", "providers": ["email", "google"], "plan": "pro"}"#,
            ),
            (
                "raw_user_meta_data",
                "{\"full_name\": \"Ada \\\"L.\\\"\\n\\tLovelace\", \"ü\": [1, 2.5, null]}",
            ),
            ("banned_until", "2099-01-01 00:00:00+00"),
            ("phone", "4915112345678"),
            ("phone_confirmed_at", "2024-05-03 00:00:00+00"),
        ],
    )];
    let google = identity(1, "google", "1234567890", &[]);
    let identities = [email_identity(1), identity(1, "phone", &id(1), &[]), google];
    for text in [dump(&users, &identities), dump_users_first(&users, &identities)] {
        let test = TestRealm::new().await;
        let done = import(&test, text).await;
        let summary = &done.summary;
        assert_eq!((summary.users, summary.passwords, summary.identities, summary.not_taken), (1, 1, 1, 0));
        assert!(done.left.is_empty(), "{:?}", done.left);
    }
    import(&test, dump(&users, &identities)).await;
    let kept = one(&test, 1).await;
    let of = &kept.full.user;
    assert_eq!(
        (of.kind, of.status, of.status_until),
        (UserKind::Person, Status::Banned, Some(4_070_908_800_000_000))
    );
    assert_eq!(of.meta_public, json!({ "plan": "pro" }));
    assert_eq!(of.meta_own, json!({ "full_name": "Ada \"L.\"\n\tLovelace", "ü": [1, 2.5, null] }));
    assert_eq!((of.created_at, of.updated_at), (1_714_564_740_500_000, 1_717_234_200_250_000));
    assert_eq!(of.signed_in_at, Some(1_717_234_200_000_000));
    let email = kept.full.email().expect("an address");
    assert_eq!(
        (email.typed.as_str(), email.proven_at, email.asserted_at),
        ("ada@northwind.example", None, Some(CONFIRMED))
    );
    assert_eq!(kept.secret.as_deref(), Some(BCRYPT.0));
    let note = Note::parse(kept.annotation.as_deref());
    let expected = Note {
        role: Some("service_writer".into()),
        invited_at: Some(1_714_464_000_000_000),
        phone: Some("4915112345678".into()),
        phone_confirmed_at: Some(1_714_694_400_000_000),
        ..Note::default()
    };
    assert_eq!(note, expected);
    let [google] = &kept.identities[..] else { panic!("{:?}", kept.identities) };
    assert_eq!((google.connection.as_str(), google.subject.as_str()), ("google", "1234567890"));
    assert_eq!(google.used_at, Some(1_714_644_000_000_000));
    let rows = audit::list(test.realm.db(), None, None, 10).await.expect("audit").0;
    let rows: Vec<_> = rows.iter().filter(|row| row.action == "users.imported").collect();
    assert_eq!(rows.len(), 1, "one row for all of a batch");
    assert_eq!(rows[0].detail, json!({ "from": "supabase", "users": 1 }));
}

#[tokio::test]
async fn inserts_with_names_give_the_same() {
    let test = TestRealm::new().await;
    let users = [
        user(1, &[("raw_user_meta_data", r#"{"quote": "it's \\ fine"}"#)]),
        user(2, &[("is_anonymous", "t"), ("email", "\0"), ("encrypted_password", "\0")]),
    ];
    let text =
        inserts("auth.users", &users) + &inserts("auth.identities", &[identity(1, "github", "7", &[])]);
    let done = import(&test, text).await;
    assert_eq!((done.summary.users, done.summary.identities), (2, 1), "{:?}", done.left);
    assert_eq!(one(&test, 1).await.full.user.meta_own, json!({ "quote": "it's \\ fine" }));
    let guest = one(&test, 2).await;
    assert_eq!((guest.full.user.kind, guest.full.identifiers.len()), (UserKind::Guest, 0));
}

/// Identities from before they had ids of their own.
#[tokio::test]
async fn an_older_project_is_read_too() {
    let test = TestRealm::new().await;
    let text = format!(
        "COPY auth.identities (id, user_id, identity_data, provider, created_at) FROM stdin;\n\
         4711\t{0}\t{{\"sub\": \"4711\"}}\tgithub\t2021-01-01 00:00:00+00\n{0}\t{0}\t{{}}\temail\t2021-01-01 00:00:00+00\n\\.\n\
         COPY auth.users (id, aud, email, encrypted_password, confirmed_at, created_at) FROM stdin;\n\
         {0}\tauthenticated\tada@northwind.example\t\t\\N\t2021-01-01 00:00:00+00\n\\.\n",
        id(1)
    );
    let done = import(&test, text).await;
    assert_eq!(
        (done.summary.users, done.summary.identities, done.summary.passwords),
        (1, 1, 0),
        "{:?}",
        done.left
    );
    assert_eq!(one(&test, 1).await.identities[0].subject, "4711");
}

#[tokio::test]
async fn every_reason_is_told_and_no_secret_with_it() {
    let test = TestRealm::new().await;
    test.sign_up("taken@northwind.example", "copper kettle seven lanterns").await;
    let big = json!({ "x": "y".repeat(16 * 1024) }).to_string();
    let nothing = [("email", "\0"), ("encrypted_password", "\0")];
    let with = |more: &[(&'static str, &'static str)]| [&nothing[..], more].concat();
    let huge = "z".repeat(latchstring_supabase::dump::VALUE + 1);
    let users: Vec<(Row, &str)> = vec![
        (user(1, &[("aud", "other")]), "users.other_audience"),
        (user(2, &[("deleted_at", "2024-01-01 00:00:00+00")]), "users.deleted"),
        (user(3, &[("is_sso_user", "t")]), "users.sso_user"),
        (user(4, &[("email", "taken@NORTHWIND.example")]), "users.email_taken"),
        (user(5, &[("email", "no address")]), "users.email_invalid"),
        (user(6, &[("id", "00000000-0000-0000-0000-000000000000")]), "users.id_invalid"),
        (user(7, &[("id", "not-an-id")]), "users.malformed"),
        (user(8, &[("created_at", "yesterday")]), "users.malformed"),
        (user(9, &[("raw_user_meta_data", &big)]), "users.metadata_too_large"),
        (user(10, &[("raw_app_meta_data", "[1]")]), "users.malformed"),
        (user(11, &[("raw_user_meta_data", "{")]), "users.malformed"),
        (user(12, &[("is_anonymous", "t")]), "users.guest_with_identifier"),
        (user(13, &with(&[("is_anonymous", "t"), ("phone", "4915")])), "users.guest_with_identifier"),
        (user(14, &[("encrypted_password", "$1$md5crypt$hash-of-somebody")]), "users.hash_unusable"),
        (user(15, &with(&[("phone", "4916")])), "users.phone_only"),
        (user(16, &nothing), "users.provider_only"),
        (user(17, &[("raw_user_meta_data", &huge)]), "users.too_large"),
        (user(18, &[("is_sso_user", "maybe")]), "users.malformed"),
        (user(19, &[("email", "twice@northwind.example")]), ""),
        (user(20, &[("email", "Twice@Northwind.example")]), "users.email_taken"),
        (user(21, &[]), ""),
        (user(21, &[("email", "again@northwind.example")]), "users.twice"),
    ];
    let identities: Vec<(Row, &str)> = vec![
        (identity(1, "google", "of-1", &[]), "identities.user_not_taken"),
        (identity(4, "google", "of-4", &[]), "identities.user_not_taken"),
        (identity(21, "google", "twin", &[]), ""),
        (identity(14, "google", "twin", &[]), "identities.identity_taken"),
        (identity(21, "sso:6bcb", "x", &[]), "identities.sso_identity"),
        (identity(21, "Not A Slug", "x", &[]), "identities.identity_invalid"),
        (identity(21, "github", "\u{1}", &[]), "identities.identity_invalid"),
        (identity(21, "gitlab", "big", &[("identity_data", &big)]), "identities.identity_invalid"),
        (identity(21, "figma", "x", &[("identity_data", "[]")]), "identities.malformed"),
        (identity(21, "azure", "x", &[("created_at", "soon")]), "identities.malformed"),
        (identity(21, "apple", "x", &[("user_id", "?")]), "identities.malformed"),
        (identity(99, "google", "of-99", &[]), "identities.no_user"),
    ];
    let rows = |all: &[(Row, &str)]| all.iter().map(|(row, _)| row.clone()).collect::<Vec<_>>();
    let text = dump(&rows(&users), &rows(&identities));
    let dry = try_import(&test, text.clone(), true).await.expect("a good dump");
    let done = import(&test, text.clone()).await;
    let mut expected: Vec<&str> =
        users.iter().chain(&identities).map(|(_, why)| *why).filter(|why| !why.is_empty()).collect();
    expected.sort_unstable();
    assert_eq!(done.why(), expected);
    assert_eq!(dry.why(), expected, "a dry run tells the same");
    let (mut a, mut b) = (done.summary.clone(), dry.summary.clone());
    (a.dry_run, b.dry_run) = (false, false);
    assert_eq!(a, b);
    // 14, 15, 16, 19 and one 21; who of 19 and 20 comes first is a matter of their ids.
    assert_eq!((a.users, a.identities), (5, 1));
    let report = serde_json::to_string(&done.left).expect("JSON");
    for secret in [BCRYPT.0, "md5crypt", "hash-of-somebody", "not-an-id", "yesterday", "northwind"] {
        assert!(!report.contains(secret), "{secret} stands in the report");
    }
    let lines: Vec<&str> = text.lines().collect();
    for left in &done.left {
        let line = lines[usize::try_from(left.line.expect("a line")).expect("small") - 1];
        let of_row = left.id.is_none_or(|id| line.contains(&id.to_string()));
        assert!(of_row && line.contains('\t'), "{left:?} is not about {line}");
    }
    let again = import(&test, text).await;
    assert_eq!((again.summary.users, again.summary.identities, again.summary.already_here), (0, 0, 5));
}

#[tokio::test]
async fn running_it_again_changes_nothing_and_goes_on_where_it_was_broken_off() {
    let test = TestRealm::new().await;
    let users: Vec<Row> = (0..450).map(|n| user(n, &[])).collect();
    let identities: Vec<Row> =
        (0..450).filter(|n| n % 5 == 0).map(|n| identity(n, "google", &format!("g{n}"), &[])).collect();
    let half = dump(&users[..200], &identities);
    let first = import(&test, half).await;
    assert_eq!((first.summary.users, first.summary.already_here), (200, 0));
    assert_eq!(first.summary.left.get("identities.no_user"), Some(&50));
    let whole = dump(&users, &identities);
    let second = import(&test, whole.clone()).await;
    assert_eq!(
        (second.summary.users, second.summary.already_here, second.summary.identities),
        (250, 200, 50)
    );
    let before = test.statements();
    let third = import(&test, whole).await;
    assert_eq!((third.summary.users, third.summary.already_here, third.summary.not_taken), (0, 450, 0));
    let statements = test.statements() - before;
    assert!(statements < 150, "{statements} statements to find that 450 users are here");
    let all = export::page(&test.realm, None, 1_000, KIND).await.expect("a page");
    assert_eq!(all.len(), 450);
    assert_eq!(all.iter().map(|user| user.identities.len()).sum::<usize>(), 90);
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let test = TestRealm::new().await;
    let text = dump(&[user(1, &[])], &[identity(1, "google", "1", &[])]);
    let done = try_import(&test, text, true).await.expect("a good dump");
    assert!(done.summary.dry_run);
    assert_eq!((done.summary.users, done.summary.passwords, done.summary.identities), (1, 1, 1));
    assert!(export::page(&test.realm, None, 10, KIND).await.expect("a page").is_empty());
    assert!(
        audit::list(test.realm.db(), None, None, 10)
            .await
            .expect("audit")
            .0
            .iter()
            .all(|row| row.action != "users.imported")
    );
}

/// Whoever has an id already keeps it, whatever a dump says.
#[tokio::test]
async fn an_id_of_somebody_else_is_left_alone() {
    let test = TestRealm::new().await;
    let full = test.admin_user("grace@northwind.example", true, None).await;
    let own = full.user.id.to_string();
    let thief = user(1, &[("id", &own), ("email", "thief@northwind.example")]);
    let linked = identity(1, "google", "thief", &[("user_id", &own)]);
    let done = import(&test, dump(&[thief], &[linked])).await;
    assert_eq!(done.why(), ["identities.user_not_taken", "users.id_taken"]);
    let left = test.find("grace@northwind.example").await.expect("she is there");
    assert!(left.user.created_at == full.user.created_at && !left.has_password);
    assert!(export::page(&test.realm, None, 10, KIND).await.expect("a page")[0].identities.is_empty());
}

#[tokio::test]
async fn other_tables_are_counted() {
    let test = TestRealm::new().await;
    let text = format!(
        "{}COPY auth.mfa_factors (id, secret) FROM stdin;\n1\tx\n2\ty\n\\.\nCOPY public.posts (id) FROM stdin;\n1\n\\.\n",
        dump(&[user(1, &[])], &[])
    );
    let done = import(&test, text).await;
    assert_eq!(done.summary.other_tables.get("mfa_factors"), Some(&2));
    assert_eq!(done.summary.other_tables.len(), 1);
}

/// Whoever is deleted takes along what only the vendor's API would show.
#[tokio::test]
async fn a_deleted_user_leaves_no_note() {
    let test = TestRealm::new().await;
    import(&test, dump(&[user(1, &[("phone", "4915112345678")])], &[email_identity(1)])).await;
    assert!(one(&test, 1).await.annotation.is_some());
    let of: UserId = id(1).parse().expect("an id");
    latchstring_core::account::delete(&test.realm, of, audit::Actor::Operator, &audit::Source::default())
        .await
        .expect("deleted");
    let done = import(&test, dump(&[user(1, &[])], &[email_identity(1)])).await;
    assert_eq!(done.summary.users, 1);
    assert!(one(&test, 1).await.annotation.is_none());
}
