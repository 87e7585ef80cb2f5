//! A PostgreSQL server that is away at the start, and comes; and one that does not let us in.

use crate::{
    child::{HOST, Server, command, dev, run, serve, until},
    home::{Home, SECRET, block_on},
};
use latchstring_db::{Db, Engine, Error, Options, testing::engine};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
};

#[test]
fn a_database_that_is_away_at_the_start_may_come_later() {
    if engine() != Engine::Postgres {
        return;
    }
    let home = Home::new();
    // Nobody listens on the port yet.
    let reserved = TcpListener::bind("127.0.0.1:0").expect("a port");
    let front = reserved.local_addr().expect("an address");
    drop(reserved);
    let (scheme, rest) = home.database.split_once("://").expect("a URL");
    let (authority, name) = rest.split_once('/').expect("a database");
    let (user, back) =
        authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let mut command = serve(&home, 25);
    command.env("LATCHSTRING_DATABASE", format!("{scheme}://{user}{front}/{name}"));

    // It says that it listens when it can serve, so that the address is chosen here.
    let reserved = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = reserved.local_addr().expect("an address");
    drop(reserved);
    command.env("LATCHSTRING_LISTEN", address.to_string());
    let mut server = Server::opening(command, address);
    server.host = HOST.into();
    assert_eq!(server.client().get("/healthz").expect("answered").status, 200);
    let ready = server.client().get("/readyz").expect("answered");
    assert_eq!((ready.status, ready.body.as_str()), (503, "starting\n"));
    let users = server.client().get("/api/v1/users").expect("answered");
    assert_eq!((users.status, users.text("code").as_str()), (503, "unavailable"));
    until("a line in the log", || server.log().contains("the database is away"));

    let listener = TcpListener::bind(front).expect("still free");
    let back = back.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(&back).expect("PostgreSQL answers");
            pipe(client.try_clone().expect("a handle"), server.try_clone().expect("a handle"));
            pipe(server, client);
        }
    });
    server.line("listening on ");
    let admin = server.admin();
    assert_eq!(admin.get("/api/v1/users").expect("answered").status, 200);
    server.stop();
}

#[test]
fn a_role_or_database_that_is_not_there_ends_the_start_and_commands() {
    if engine() != Engine::Postgres {
        return;
    }
    let home = Home::new();
    let (rest, name) = home.database.rsplit_once('/').expect("a database");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    for (url, part) in [
        (format!("{rest}/no_such_database"), "\"no_such_database\" does not exist"),
        (format!("postgres://no_such_role@{host}/{name}"), "\"no_such_role\" does not exist"),
    ] {
        let parts = ["PostgreSQL does not let us in", part, "LATCHSTRING_DATABASE", "createdb"];
        run(serve(&home, 25).env("LATCHSTRING_DATABASE", &url)).expect(1, &parts);
        run(dev(&home).env("LATCHSTRING_DATABASE", &url)).expect(1, &parts);
        let mut list = command(&home, &["user", "list"]);
        list.env("LATCHSTRING_SECRET", SECRET).env("LATCHSTRING_DATABASE", &url);
        run(&mut list).expect(1, &parts);
        let mut doctor = command(&home, &["doctor"]);
        let ended = run(doctor.env("LATCHSTRING_DATABASE", &url));
        assert!(ended.out.contains(part) && ended.out.contains("createdb"), "{}", ended.out);
    }
}

#[test]
fn a_role_that_is_shut_out_while_the_server_runs_is_waited_for() {
    if engine() != Engine::Postgres {
        return;
    }
    let home = Home::new();
    let role = format!("latchstring_test_role_{}", std::process::id());
    // One statement each, over a connection of its own.
    let tell = |text: String| {
        let text: &'static str = text.leak();
        block_on(async {
            let admin = Db::open(&home.database, Options::default()).await.expect("opens");
            let done = admin.write(async move |tx| -> Result<_, Error> { tx.exec(text, &[]).await }).await;
            done.unwrap_or_else(|e| panic!("{text}: {e:?}"));
            admin.close().await;
        });
    };
    tell(format!("CREATE ROLE {role} LOGIN"));
    tell(format!("GRANT ALL ON SCHEMA public TO {role}"));
    tell(format!("GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"));
    let (rest, name) = home.database.rsplit_once('/').expect("a database");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let mut command = serve(&home, 25);
    command.env("LATCHSTRING_DATABASE", format!("postgres://{role}@{host}/{name}"));
    let server = Server::ready(command);
    let keyed = server.admin();
    let status = || keyed.get("/api/v1/users").expect("answered").status;
    assert_eq!(status(), 200);

    tell(format!("ALTER ROLE {role} NOLOGIN"));
    tell(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"));
    until("it is shut out", || status() == 503);
    assert_eq!(server.client().get("/readyz").expect("answered").status, 503);
    tell(format!("ALTER ROLE {role} LOGIN"));
    until("it is let in again", || status() == 200);
    server.stop();
    tell(format!("DROP OWNED BY {role}"));
    tell(format!("DROP ROLE {role}"));
}

fn pipe(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(n) = from.read(&mut buffer)
            && n > 0
            && to.write_all(&buffer[..n]).is_ok()
        {}
        let _ = to.shutdown(Shutdown::Write);
    });
}

#[test]
fn a_node_whose_clock_is_off_the_databases_does_not_start() {
    if engine() != Engine::Postgres {
        return;
    }
    let home = Home::new();
    // Set up in good order; then the database server's clock goes wrong, as a session of this database sees it.
    Server::ready(serve(&home, 25)).stop();
    let name = home.database.rsplit_once('/').expect("a database").1.to_owned();
    let execute = |sql: String| {
        block_on(async {
            let db = Db::open(&home.database, Options { pool: 1, ..Options::default() }).await.expect("open");
            let sql: &'static str = Box::leak(sql.into_boxed_str());
            let done = db.write(async move |tx| tx.exec(sql, &[]).await.map(drop)).await;
            done.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            db.shutdown().await;
        });
    };
    execute("CREATE SCHEMA wrong".into());
    let clock = |off: &str| {
        execute(format!(
            "CREATE OR REPLACE FUNCTION wrong.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
             AS $$ SELECT pg_catalog.clock_timestamp() + interval '{off}' $$"
        ));
    };
    clock("-3 seconds");
    execute(format!("ALTER DATABASE \"{name}\" SET search_path = wrong, public, pg_catalog"));
    let parts = ["this machine's clock is 3.", "seconds ahead of the database server's", "timedatectl"];
    run(&mut serve(&home, 25)).expect(1, &parts);
    clock("4 seconds");
    run(&mut serve(&home, 25)).expect(1, &["seconds behind the database server's"]);
    let mut doctor = command(&home, &["doctor"]);
    crate::child::fit(&mut doctor, 25);
    let ended = run(&mut doctor);
    assert!(ended.out.contains("seconds behind the database server's"), "{}", ended.out);
    clock("1 second");
    Server::ready(serve(&home, 25)).stop();
}
