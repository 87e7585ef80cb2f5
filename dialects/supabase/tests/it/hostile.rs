//! Dumps that are broken, or made to break something: each is refused with the line, and nothing of it is taken.

use crate::sample::{Done, HEAD, dump, email_identity, try_import, user};
use latchstring_core::testing::TestRealm;
use latchstring_supabase::{
    dump::{Broken, ROW, VALUE, What, read},
    import::{Failed, Origin},
    rows::TABLES,
};
use std::io::Read;

fn broken(dump: impl AsRef<[u8]>) -> Broken {
    let read = read(dump.as_ref(), TABLES, &mut |_| -> Result<(), Broken> { Ok(()) });
    read.expect_err("it must be refused")
}

fn at(line: u64, what: What) -> Broken {
    Broken { line, what }
}

const COPY: &str = "COPY auth.users (id, email) FROM stdin;\n";

#[test]
fn broken_data() {
    let copy = |rows: &[u8]| broken([COPY.as_bytes(), rows].concat());
    assert_eq!(copy(b"1\ta\n2\tb"), at(3, What::Cut), "no end of line");
    assert_eq!(copy(b"1\ta\n"), at(3, What::Cut), "no end of data");
    assert_eq!(copy(b""), at(2, What::Cut));
    assert_eq!(copy(b"1\ta\n2\n\\.\n"), at(3, What::Columns { found: 1, wanted: 2 }));
    assert_eq!(copy(b"1\ta\tb\n\\.\n"), at(2, What::Columns { found: 3, wanted: 2 }));
    assert_eq!(copy(b"1\t\\q\n\\.\n"), at(2, What::BadEscape));
    assert_eq!(copy(b"1\ta\\\n\\.\n"), at(2, What::BadEscape), "a backslash at the end of a line");
    assert_eq!(copy(b"1\ta\0\n\\.\n"), at(2, What::Nul));
    assert_eq!(copy(b"1\t\\000\n\\.\n"), at(2, What::Nul));
    assert_eq!(copy(b"1\t\xff\xfe\n\\.\n"), at(2, What::NotUtf8));
    assert_eq!(copy(b"1\ta\n\\.\n\\.\n"), at(4, What::StrayEnd), "a second end of data");
    assert_eq!(copy(b"1\ta\n\\.\n2\tb\n\\.\n"), at(5, What::StrayEnd), "data after their end");
}

#[test]
fn broken_statements() {
    for (text, line, what) in [
        ("COPY auth.users FROM stdin;\n1\n\\.\n", 1, What::CopyForm),
        ("COPY auth.users (id) FROM stdin WITH (FORMAT csv);\n1\n\\.\n", 1, What::CopyForm),
        ("COPY public.x (id) FROM stdin CSV;\n1\n\\.\n", 1, What::CopyForm),
        ("COPY auth.users (id) FROM stdin; SELECT 1;\n1\n\\.\n", 1, What::CopyForm),
        ("COPY auth.users (id, id) FROM stdin;\n1\t2\n\\.\n", 1, What::ColumnList),
        ("COPY auth.users (id,) FROM stdin;\n\\.\n", 1, What::ColumnList),
        ("COPY auth.users (", 1, What::ColumnList),
        ("COPY", 1, What::Cut),
        ("INSERT INTO auth.users", 1, What::InsertForm),
        ("INSERT INTO auth.users VALUES (1);", 1, What::InsertForm),
        ("INSERT INTO auth.users (id) SELECT 1;", 1, What::InsertForm),
        ("INSERT INTO auth.users (id) VALUES (now());", 1, What::NoValue),
        ("INSERT INTO auth.users (id) VALUES ('a'::text);", 1, What::NoValue),
        ("INSERT INTO auth.users (id) VALUES (U&'a');", 1, What::NoValue),
        ("INSERT INTO auth.users (id) VALUES (1, 2);", 1, What::Columns { found: 2, wanted: 1 }),
        ("INSERT INTO auth.users (id) VALUES (E'\\q');", 1, What::BadEscape),
        ("INSERT INTO auth.users (id) VALUES (E'\\0');", 1, What::Nul),
        ("INSERT INTO auth.users (id) VALUES ('a", 1, What::Cut),
        ("INSERT INTO auth.users (id) VALUES (1)", 1, What::Cut),
        ("INSERT INTO auth.users (id) VALUES (1),", 1, What::NoValue),
        ("\nSELECT '", 2, What::Cut),
        ("SELECT $a$ $b$", 1, What::Cut),
        ("/* /* */", 1, What::Cut),
        ("SELECT \"", 1, What::Cut),
        ("\\! rm\n", 1, What::Meta),
        ("\n\\copy auth.users from 'x'\n", 2, What::Meta),
        ("\\.\n", 1, What::StrayEnd),
        ("SET client_encoding = 'LATIN1';\n", 1, What::Encoding),
        ("SET client_encoding TO SQL_ASCII;\n", 1, What::Encoding),
        ("SET standard_conforming_strings = off;\n", 1, What::OldStrings),
        ("SELECT \0", 1, What::Nul),
        ("PGDMP\x01\x0e", 1, What::Archive),
        ("PK\x03\x04", 1, What::Compressed),
    ] {
        assert_eq!(broken(text), at(line, what), "{text:?}");
    }
    assert_eq!(broken(b"\x1f\x8b\x08\0\0"), at(1, What::Compressed));
    assert_eq!(broken(b"\xff\xfe-\0-\0"), at(1, What::Utf16));
    assert_eq!(broken(b"SELECT \xff\xff;"), at(1, What::NotUtf8));
    assert_eq!(broken("x".repeat(1_000)), at(1, What::LongName));
    assert_eq!(broken(format!("\"{}\"", "x".repeat(1_000))), at(1, What::LongName));
    assert_eq!(broken(format!("${}$", "x".repeat(1_000))), at(1, What::LongName));
    let columns = vec!["x"; 2_000].join(", ");
    assert_eq!(broken(format!("COPY auth.users ({columns}) FROM stdin;\n")), at(1, What::ColumnList));
}

/// So many bytes of one letter.
fn letters(bytes: u64) -> impl Read {
    std::io::repeat(b'x').take(bytes)
}

#[test]
fn a_line_without_an_end_is_refused_and_a_long_value_is_told() {
    let hundred = 100 * 1024 * 1024;
    let refused = |reader: &mut dyn Read| {
        read(reader, TABLES, &mut |_| -> Result<(), Broken> { Ok(()) }).expect_err("refused")
    };
    let rows = format!("{COPY}1\ta\n2\t");
    assert_eq!(refused(&mut rows.as_bytes().chain(letters(hundred))), at(3, What::LongLine));
    assert_eq!(
        refused(&mut format!("{COPY}1\t").as_bytes().chain(letters(ROW as u64 - 2))),
        at(2, What::Cut)
    );
    // In data and strings that are not wanted, nothing is kept.
    let other = "COPY storage.objects (id) FROM stdin;\n".as_bytes().chain(letters(hundred));
    let mut other = other.chain(&b"\n\\.\nSELECT '"[..]).chain(letters(hundred)).chain(&b"';"[..]);
    read(&mut other, TABLES, &mut |_| -> Result<(), Broken> { Ok(()) }).expect("passed over");

    for text in [
        format!("{COPY}1\t{}\n2\tb\n\\.\n", "x".repeat(VALUE + 1)),
        format!("INSERT INTO auth.users (id, email) VALUES (1, '{}'), (2, 'b');", "x".repeat(VALUE + 1)),
    ] {
        let mut long = Vec::new();
        read(text.as_bytes(), TABLES, &mut |row| -> Result<(), Broken> {
            long.push(row.long);
            Ok(())
        })
        .expect("read");
        assert_eq!(long, [Some("email"), None]);
    }
}

/// A broken dump is found to be so before anything of it is written.
#[tokio::test]
async fn nothing_of_a_broken_dump_is_taken() {
    let test = TestRealm::new().await;
    let good = dump(&[user(1, &[]), user(2, &[])], &[email_identity(1)]);
    let end = good.rfind("\\.").expect("an end");
    let refused = |done: Result<Done, Failed>| match done {
        Err(error) => error.to_string(),
        Ok(done) => panic!("taken: {:?}", done.summary),
    };
    let cut = refused(try_import(&test, &good[..end], false).await);
    assert!(cut.starts_with("line ") && cut.contains("ends in the middle"), "{cut}");
    let doubled = refused(try_import(&test, good.replace("\\.\n", "\\.\n\\.\n"), false).await);
    assert!(doubled.contains("line 21: an end of data"), "{doubled}");
    let none = refused(try_import(&test, HEAD, false).await);
    assert!(none.contains("no table auth.users") && none.contains("pg_dump --data-only"), "{none}");

    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let reader = std::io::Cursor::new(good.as_bytes()[..end - 10].to_vec()).chain(Fails);
    let gone = crate::sample::import_from(&test, Origin::Dump(Box::new(reader)), false).await;
    assert!(refused(gone).contains("the disk is gone"));
    assert!(test.find("user1@northwind.example").await.is_none(), "nothing was written");
}
