//! The parser, on what is good.

use crate::sample::{HEAD, dump, email_identity, inserts, user};
use latchstring_supabase::{
    dump::{Broken, Table, read},
    rows::TABLES,
};

const TABLE: &[Table] = &[Table { schema: "auth", name: "users", columns: &["id", "email", "note"] }];

/// The rows, as `line: id|email|note`, with `-` for NULL.
fn rows(text: &str) -> Vec<String> {
    let mut rows = Vec::new();
    read(text.as_bytes(), TABLE, &mut |row| -> Result<(), Broken> {
        let values: Vec<&str> = row.values.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
        rows.push(format!("{}: {}", row.line, values.join("|")));
        Ok(())
    })
    .unwrap_or_else(|broken| panic!("{broken}\n{text}"));
    rows
}

#[test]
fn columns_are_found_by_their_names() {
    let text = "COPY auth.users (email, other, id) FROM stdin;\na@b.c\tx\t1\n\\N\t\\N\t2\n\\.\n";
    assert_eq!(rows(text), ["2: 1|a@b.c|-", "3: 2|-|-"]);
    let quoted = "COPY \"auth\".\"users\" (\"id\", \"note\") FROM stdin;\r\n1\ta\\tb\\nc\\\\\r\n\\.\r\n";
    assert_eq!(rows(quoted), ["2: 1|-|a\tb\nc\\"]);
    assert_eq!(rows("\u{feff}COPY auth.users (id) FROM stdin;\n1\n\\.\n"), ["2: 1|-|-"], "a byte order mark");
    let twice = "COPY auth.users (id) FROM stdin;\n1\n\\.\nCOPY auth.users (note) FROM stdin;\n2\n\\.";
    assert_eq!(rows(&format!("{twice}\n")), ["2: 1|-|-", "5: -|-|2"]);
}

#[test]
fn inserts_with_names_are_read() {
    let text = "INSERT INTO auth.users (id, note, email) VALUES (1, 'it''s \\n', NULL);\n\
                INSERT INTO \"auth\".\"users\" (\"id\", \"x\", \"email\") VALUES\n\t(-2.5e+3, true, 'a;b'),\n\t(3, DEFAULT, E'c\\\\d\\n\\x41\\101\\'')\nON CONFLICT DO NOTHING;\n\
                INSERT INTO auth.users (id) OVERRIDING SYSTEM VALUE VALUES ('4');\n";
    assert_eq!(rows(text), ["1: 1|-|it's \\n", "3: -2.5e+3|a;b|-", "4: 3|c\\d\nAA'|-", "6: 4|-|-"]);
}

/// What only looks like a row stands in functions, strings, comments and other tables' data.
#[test]
fn only_real_rows_count() {
    let text = "-- COPY auth.users (id) FROM stdin;\n/* /* COPY auth.users (id) FROM stdin; */ */\n\
        CREATE FUNCTION a() RETURNS void LANGUAGE sql AS $_$\nCOPY auth.users (id) FROM stdin;\n1\n\\.\n$_$;\n\
        CREATE FUNCTION b() RETURNS int LANGUAGE sql BEGIN ATOMIC\nSELECT CASE WHEN true THEN 1 END;\n\
        INSERT INTO auth.users (id) VALUES (a.b);\nEND;\n\
        CREATE RULE r AS ON INSERT TO x DO (INSERT INTO auth.users (id) VALUES (y); SELECT 1);\n\
        COMMENT ON TABLE x IS 'COPY auth.users (id) FROM stdin;\n1\n\\.\n';\n\
        COPY public.posts (id, body) FROM stdin;\n1\tINSERT INTO auth.users (id) VALUES (1);\n\\.x\n\\.\n\
        COPY auth.mfa_factors (id) FROM stdin;\n1\n2\n\\.\n\
        INSERT INTO auth.sessions VALUES (1, '(', now()), (2, ')(', f(1, 2));\n\
        INSERT INTO users (id) VALUES (7);\nCOPY users (id) FROM stdin;\n1\n\\.\n\
        COPY (SELECT 1) TO stdout;\nCOPY auth.users TO stdout;\nSELECT $1, $tag$ ' $tag$, U&'x', B'1';\n\
        COPY auth.users (id) FROM stdin;\n5\n\\.\n";
    let mut found = Vec::new();
    let seen = read(text.as_bytes(), TABLE, &mut |row| -> Result<(), Broken> {
        found.push(row.values[0].clone());
        Ok(())
    })
    .unwrap_or_else(|broken| panic!("{broken}"));
    assert_eq!(found, [Some("5".to_owned())]);
    let others: Vec<(&str, u64)> = seen.others.iter().map(|(table, rows)| (table.as_str(), *rows)).collect();
    assert_eq!(others, [("mfa_factors", 2), ("sessions", 2)]);
    assert_eq!(seen.found, [true]);
}

#[test]
fn the_vendors_own_tables() {
    for text in [
        dump(&[user(1, &[])], &[email_identity(1)]),
        format!(
            "{HEAD}SET session_replication_role = replica;\n{}{}",
            inserts("auth.users", &[user(1, &[])]),
            inserts("auth.identities", &[email_identity(1)])
        ),
    ] {
        let mut count = [0, 0];
        read(text.as_bytes(), TABLES, &mut |row| -> Result<(), Broken> {
            count[row.table] += 1;
            assert!(row.long.is_none());
            Ok(())
        })
        .unwrap_or_else(|broken| panic!("{broken}"));
        assert_eq!(count, [1, 1]);
    }
}
