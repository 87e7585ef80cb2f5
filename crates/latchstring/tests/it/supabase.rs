//! `import supabase` and `export supabase`, beside a running server and without one.

use crate::{
    child::{Server, command, dev, run, run_with},
    home::Home,
};
use serde_json::json;
use std::{fmt::Write, os::unix::fs::MetadataExt};

/// `U*U`, from crypt_blowfish's tests.
const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

fn dump(users: u32) -> String {
    let mut text = String::from(
        "\\restrict x\nSET client_encoding = 'UTF8';\n\
         COPY auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, created_at) FROM stdin;\n",
    );
    for n in 0..users {
        let role = if n == 1 { "other" } else { "authenticated" };
        let _ = writeln!(
            text,
            "00000000-0000-4000-8000-{n:012x}\t{role}\t{role}\tuser{n}@northwind.example\t{BCRYPT}\t\
             2024-05-01 12:00:00+00\t2024-05-01 12:00:00+00"
        );
    }
    text.push_str("\\.\nCOPY auth.mfa_factors (id) FROM stdin;\n1\n\\.\n\\unrestrict x\n");
    text
}

#[test]
fn a_project_is_taken_over_beside_a_running_server_and_written_again() {
    let home = Home::new();
    std::fs::write(home.path().join("users.sql"), dump(700)).expect("written");
    run(&mut command(&home, &["import", "supabase", "--from", "users.sql"])).expect(
        2,
        &[if home.database.starts_with("sqlite:") {
            "there is no database at"
        } else {
            "LATCHSTRING_SECRET"
        }],
    );
    let server = Server::ready(dev(&home));
    let cli = |args: &[&str]| run(&mut command(&home, args));

    let dry = cli(&["import", "supabase", "--from", "users.sql", "--dry-run"]);
    dry.expect(
        0,
        &["699", "users would be taken", "Nothing was written", "1 row is not taken: --report FILE"],
    );
    let args = ["import", "supabase", "--from", "users.sql", "--report", "left.jsonl", "--json"];
    let done = cli(&args).json();
    assert_eq!((done["users"].as_u64(), done["passwords"].as_u64()), (Some(699), Some(699)));
    assert_eq!(done["left"], json!({ "users.other_audience": 1 }));
    assert_eq!(done["other_tables"], json!({ "mfa_factors": 1 }));
    let report = home.path().join("left.jsonl");
    let line = std::fs::read_to_string(&report).expect("a report");
    let left: serde_json::Value = serde_json::from_str(&line).expect("one line of JSON");
    assert_eq!((left["line"].as_u64(), left["why"].as_str()), (Some(5), Some("other_audience")));
    assert_eq!(std::fs::metadata(&report).expect("there").mode() & 0o777, 0o600);
    cli(&args).expect(2, &["--report: left.jsonl is there already"]);

    // The server knows them at once.
    let body = json!({ "kind": "sign_in", "identifier": "user699@northwind.example", "password": "U*U" });
    let signed_in = server.client().post("/api/v1/attempts", &body).expect("answered");
    assert_eq!(signed_in.status, 201, "{signed_in:?}");

    let piped = run_with(&mut command(&home, &["import", "supabase", "--from", "-"]), &dump(700));
    piped
        .expect(0, &["699", "are here already", "Nothing changed", "auth.mfa_factors", "1 row is not taken"]);
    assert!(piped.out.is_empty(), "{piped:?}");

    let export = ["export", "supabase", "--to", "out.sql"];
    cli(&export).expect(0, &["699", "users written", "out.sql holds password hashes: keep it secret"]);
    let out = home.path().join("out.sql");
    assert_eq!(std::fs::metadata(&out).expect("there").mode() & 0o777, 0o600);
    cli(&export).expect(2, &["--to: out.sql is there already", "--force"]);
    let forced = cli(&["export", "supabase", "--to", "out.sql", "--force", "--json"]).json();
    assert_eq!(forced["users"], 699);
    let text = std::fs::read_to_string(&out).expect("an export");
    assert_eq!(cli(&["export", "supabase"]).out, text, "standard output is the same");
    assert_eq!(text.matches("@northwind.example\t").count(), 699);
    let parts = std::fs::read_dir(home.path()).expect("read").filter(|entry| {
        entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().contains("part"))
    });
    assert_eq!(parts.count(), 0);
    server.stop();
    let again = cli(&["import", "supabase", "--from", "out.sql", "--json"]).json();
    assert_eq!((again["users"].as_u64(), again["already_here"].as_u64()), (Some(0), Some(699)));
}

#[test]
fn what_can_not_be_read_is_told_and_changes_nothing() {
    let home = Home::sqlite();
    Server::ready(dev(&home)).stop();
    let from = |from: &str| run(&mut command(&home, &["import", "supabase", "--from", from]));
    from("none.sql").expect(2, &["--from: none.sql can't be read"]);
    from("data").expect(2, &["it is a folder"]);
    from("postgres://").expect(2, &["--from: "]);
    let write = |text: &str| std::fs::write(home.path().join("bad.sql"), text).expect("written");
    let whole = dump(3);
    write(&whole[..whole.find("\\.").expect("an end")]);
    from("bad.sql").expect(1, &["bad.sql, line 7: the dump ends in the middle", "Nothing was changed"]);
    write("SELECT 1;\n");
    from("bad.sql").expect(1, &["no table auth.users", "pg_dump --data-only"]);
    write("PGDMP\u{1}");
    from("bad.sql").expect(1, &["line 1: this is an archive", "pg_restore"]);
    run(&mut command(&home, &["import", "supabase"])).expect(2, &["--from"]);
    run(&mut command(&home, &["export", "supabase", "--to", "data"])).expect(2, &["is a folder"]);
    run(&mut command(&home, &["export", "supabase", "--to", "none/x.sql"])).expect(1, &["--to: "]);
    let users = run(&mut command(&home, &["user", "list", "--json"])).json();
    assert_eq!(users["users"], json!([]));
    for of in [&["export", "--help"][..], &["export", "supabase", "--help"]] {
        let help = run(&mut command(&home, of));
        assert!(help.out.contains("password hashes") && help.out.contains("secret"), "{}", help.out);
    }
}
