//! A PostgreSQL server that is away at the start, and comes.

use crate::{
    child::{HOST, Server, serve, until},
    home::Home,
};
use latchstring_db::{Engine, testing::engine};
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

    let mut server = Server::start(command);
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
    server.until_ready();
    let admin = server.admin();
    assert_eq!(admin.get("/api/v1/users").expect("answered").status, 200);
    server.stop();
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
