//! What does not start, and what is said then. 2: the settings are wrong; 1: it did not work.

use crate::{
    child::{HOST, Server, command, dev, run, serve},
    home::{Home, OTHER_SECRET, SECRET, block_on},
};
use latchstring_core::MIGRATIONS;
use latchstring_db::{Db, Migration, Options};
use std::os::unix::fs::PermissionsExt;

#[test]
fn unknown_settings_are_told_the_nearest() {
    let home = Home::sqlite();
    let mut unknown = dev(&home);
    unknown.env("LATCHSTRING_DATABSE", "x").env("LATCHSTRING_PORT", "80");
    run(&mut unknown).expect(
        2,
        &[
            "LATCHSTRING_DATABSE: there is no such variable. Did you mean LATCHSTRING_DATABASE?",
            "LATCHSTRING_LISTEN?",
        ],
    );
    std::fs::write(home.path().join("latchstring.toml"), "lissten = \"127.0.0.1:0\"\n").expect("written");
    run(&mut dev(&home))
        .expect(2, &["lissten in latchstring.toml: there is no such setting. Did you mean listen?"]);
    run(&mut command(&home, &["--config", "none.toml", "dev"])).expect(2, &["none.toml", "can't be read"]);
    run(&mut command(&home, &["serv"])).expect(2, &["serve"]);
    assert!(!home.file().exists(), "nothing may be made by a start that is refused");
}

#[test]
fn serve_tells_everything_that_is_missing_at_once() {
    let home = Home::sqlite();
    run(&mut command(&home, &["serve"])).expect(
        2,
        &[
            "LATCHSTRING_URL is not set",
            "LATCHSTRING_SECRET is not set",
            "openssl rand -hex 32",
            "LATCHSTRING_SMTP_URL is not set",
            "LATCHSTRING_MAIL_FROM is not set",
            "latchstring dev",
        ],
    );
    let secret = home.path().join("secret");
    std::fs::write(&secret, SECRET).expect("written");
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o644)).expect("changed");
    let mut unsafe_ = serve(&home, 25);
    unsafe_
        .env_remove("LATCHSTRING_SECRET")
        .env("LATCHSTRING_SECRET_FILE", &secret)
        .env("LATCHSTRING_URL", "http://auth.example.test")
        .env("LATCHSTRING_LISTEN", "0.0.0.0:0")
        .env_remove("LATCHSTRING_TRUSTED_PROXIES")
        .env("LATCHSTRING_MAIL_FROM", "auth@example.com");
    run(&mut unsafe_).expect(
        2,
        &[
            "not https",
            "can be read by everyone (mode 0644)",
            "chmod 600",
            "LATCHSTRING_LISTEN is 0.0.0.0:0, which others reach without TLS",
            "LATCHSTRING_MAIL_FROM is an example",
        ],
    );
    let mut weak = serve(&home, 25);
    weak.env("LATCHSTRING_SECRET", "changeme");
    run(&mut weak).expect(2, &["LATCHSTRING_SECRET is not usable"]);
    assert!(!home.file().exists(), "nothing may be made by a start that is refused");
}

#[test]
fn dev_refuses_to_be_reached() {
    let home = Home::sqlite();
    let mut open = dev(&home);
    open.env("LATCHSTRING_LISTEN", "0.0.0.0:0");
    run(&mut open).expect(2, &["LATCHSTRING_LISTEN is 0.0.0.0:0", "this machine only", "latchstring serve"]);
    let mut public = dev(&home);
    public.env("LATCHSTRING_URL", format!("https://{HOST}"));
    run(&mut public).expect(2, &["LATCHSTRING_URL is https://auth.example.test", "latchstring serve"]);
}

#[test]
fn another_secret_is_told() {
    let home = Home::new();
    Server::ready(serve(&home, 25)).stop();
    let mut other = serve(&home, 25);
    other.env("LATCHSTRING_SECRET", OTHER_SECRET);
    run(&mut other).expect(2, &["sealed under another secret", "LATCHSTRING_SECRET"]);
}

#[test]
fn dev_and_serve_keep_their_databases_apart() {
    let home = Home::new();
    let mut first = dev(&home);
    first.env("LATCHSTRING_SECRET", SECRET);
    Server::ready(first).stop();
    for secret in [SECRET, OTHER_SECRET] {
        let mut second = serve(&home, 25);
        second.env("LATCHSTRING_SECRET", secret);
        run(&mut second).expect(2, &["made by `latchstring dev`", "LATCHSTRING_DATABASE"]);
    }

    let home = Home::new();
    Server::ready(serve(&home, 25)).stop();
    for secret in [Some(SECRET), Some(OTHER_SECRET), None] {
        let mut second = dev(&home);
        if let Some(secret) = secret {
            second.env("LATCHSTRING_SECRET", secret);
        }
        let ended = run(&mut second);
        ended.expect(2, &["belongs to `latchstring serve`"]);
        assert!(!ended.err.contains("delete"), "{ended:?}");
    }
    assert!(!home.file().with_file_name("dev-secret").exists(), "a refusal leaves no secret behind");
}

#[test]
fn a_changed_address_is_taken_only_when_it_is_said() {
    let home = Home::new();
    Server::ready(serve(&home, 25)).stop();
    let elsewhere = |args: &[&str]| {
        let mut command = serve(&home, 25);
        command.args(args).env("LATCHSTRING_URL", "https://login.example.test");
        command
    };
    run(&mut elsewhere(&[]))
        .expect(2, &["https://auth.example.test", "https://login.example.test", "--accept-new-url"]);
    let mut server = Server::start(elsewhere(&["--accept-new-url"]));
    server.host = "login.example.test".into();
    server.until_ready();
    server.stop();
    let mut server = Server::start(elsewhere(&[]));
    server.host = "login.example.test".into();
    server.until_ready();
    server.stop();
}

#[test]
fn a_newer_database_is_left_alone() {
    let home = Home::new();
    Server::ready(serve(&home, 25)).stop();
    block_on(async {
        let next = Migration {
            number: 9_999,
            name: "future",
            sql: "CREATE TABLE future (id BIGINT NOT NULL PRIMARY KEY)",
        };
        let all: &'static [Migration] = [MIGRATIONS, &[next]].concat().leak();
        let db = Db::open(&home.database, Options::default()).await.expect("opens");
        db.migrate(all).await.expect("migrates");
        db.close().await;
    });
    run(&mut serve(&home, 25)).expect(1, &["newer than this program", "9999"]);
    run(command(&home, &["user", "list"]).env("LATCHSTRING_SECRET", SECRET))
        .expect(1, &["newer than this program"]);
}

#[test]
fn a_changed_migration_is_told() {
    let home = Home::new();
    block_on(async {
        let other = Migration { sql: "CREATE TABLE other (id BIGINT NOT NULL PRIMARY KEY)", ..MIGRATIONS[0] };
        let all: &'static [Migration] = vec![other].leak();
        let db = Db::open(&home.database, Options::default()).await.expect("opens");
        db.migrate(all).await.expect("migrates");
        db.close().await;
    });
    run(&mut serve(&home, 25)).expect(1, &["was changed after it had been applied"]);
}

#[test]
fn a_file_belongs_to_one_server() {
    let home = Home::sqlite();
    let server = Server::ready(serve(&home, 25));
    run(&mut serve(&home, 25)).expect(1, &["in use by another process", "Stop the other server"]);
    server.stop();
    Server::ready(serve(&home, 25)).stop();
}

#[test]
fn a_place_that_can_not_be_written_is_told() {
    let home = Home::sqlite();
    std::fs::write(home.path().join("file"), "x").expect("written");
    let below_a_file = |command: &mut std::process::Command| {
        command.env("LATCHSTRING_DATABASE", "sqlite:file/latchstring.db");
        run(command)
    };
    below_a_file(&mut serve(&home, 25))
        .expect(2, &["cannot write the database file", "LATCHSTRING_DATABASE"]);
    below_a_file(&mut dev(&home)).expect(2, &["dev-secret can't be written", "LATCHSTRING_DATABASE"]);
    for mut command in [serve(&home, 25), dev(&home)] {
        command.env("LATCHSTRING_DATABASE", "sqlite:some/where/latchstring.db");
        run(&mut command).expect(2, &["there is no folder some/where", "mkdir -p some/where"]);
        command.env("LATCHSTRING_DATABASE", "sqlite:data");
        run(&mut command).expect(2, &["the database data is a folder", "sqlite:data/latchstring.db"]);
    }
    assert!(!home.path().join("some").exists() && !home.path().join("dev-secret").exists());
    let mut listed = command(&home, &["user", "list"]);
    run(listed.env("LATCHSTRING_DATABASE", "sqlite:data")).expect(2, &["the database data is a folder"]);
    run(listed.env("LATCHSTRING_DATABASE", "sqlite:some/x.db"))
        .expect(2, &["there is no database at some/x.db"]);

    std::fs::write(
        home.path().join("other.db"),
        "this is no database at all, but a text that goes on for a while\n".repeat(99),
    )
    .expect("written");
    let mut garbage = serve(&home, 25);
    garbage.env("LATCHSTRING_DATABASE", "sqlite:other.db");
    run(&mut garbage).expect(2, &["is not an SQLite database"]);
}
