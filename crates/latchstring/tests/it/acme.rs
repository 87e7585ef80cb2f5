//! Certificates by ACME, from Pebble, the ACME project's own test server: `cargo xtask acme` fetches it and runs these.

use crate::{
    child::{self, HOST, Server, until},
    home::Home,
    http::Client,
    tls::{ask, config, connect},
};
use latchstring_db::{Engine, testing::engine};
use rcgen::{CertificateParams, IsCa, KeyPair};
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

/// An authority, and the name server that it asks: every name leads to this machine.
struct Pebble {
    processes: Vec<Child>,
    root: PathBuf,
    directory: String,
    management: SocketAddr,
    /// Where it asks by http, and where by TLS.
    http: u16,
    tls: u16,
}

fn free() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("an address").port()
}

impl Pebble {
    /// With certificates that are good for so many seconds.
    fn start(home: &Home, seconds: u32) -> Self {
        let binaries = std::env::var("LATCHSTRING_TEST_PEBBLE");
        let binaries = PathBuf::from(binaries.expect("`cargo xtask acme` says where Pebble is"));
        let [acme, management, dns, names, http, tls] = [(); 6].map(|()| free());
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        params.is_ca = IsCa::ExplicitNoCa;
        let root = home.path().join("pebble.pem");
        let private = home.path().join("pebble.key");
        fs::write(&root, params.self_signed(&key).expect("signed").pem()).expect("written");
        fs::write(&private, key.serialize_pem()).expect("written");
        let settings = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{acme}"), "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": root, "privateKey": private, "httpPort": http, "tlsPort": tls,
            "retryAfter": { "authz": 1, "order": 1 }, "keyAlgorithm": "ecdsa",
            "profiles": { "default": { "description": "short", "validityPeriod": seconds } },
        } });
        let path = home.path().join("pebble.json");
        fs::write(&path, settings.to_string()).expect("written");
        let spawn = |name: &str, args: &[&str]| {
            let mut command = Command::new(binaries.join(name));
            command.args(args).env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "20");
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
        };
        let resolver = format!("127.0.0.1:{dns}");
        let processes = vec![
            spawn(
                "pebble-challtestsrv",
                &[
                    "-defaultIPv4",
                    "127.0.0.1",
                    "-defaultIPv6",
                    "",
                    "-dns01",
                    &resolver,
                    "-http01",
                    "",
                    "-https01",
                    "",
                    "-tlsalpn01",
                    "",
                    "-doh",
                    "",
                    "-management",
                    &format!("127.0.0.1:{names}"),
                ],
            ),
            spawn("pebble", &["-config", path.to_str().expect("UTF-8"), "-dnsserver", &resolver]),
        ];
        let management = SocketAddr::from(([127, 0, 0, 1], management));
        let directory = format!("https://localhost:{acme}/dir");
        let pebble = Self { processes, root, directory, management, http, tls };
        until("Pebble", || pebble.issuer().is_some());
        pebble
    }

    /// The root of the certificates that it makes.
    fn issuer(&self) -> Option<String> {
        let trusted = fs::read_to_string(&self.root).ok()?;
        let answer =
            ask(self.management, &format!("localhost:{}", self.management.port()), &trusted, "/roots/0");
        answer.ok().filter(|answer| answer.status == 200).map(|answer| answer.body)
    }

    fn serve(&self, home: &Home) -> Command {
        let mut command = child::serve(home, 25);
        command
            .env_remove("LATCHSTRING_TRUSTED_PROXIES")
            .env("LATCHSTRING_LISTEN", format!("127.0.0.1:{}", self.tls))
            .env("LATCHSTRING_HTTP_LISTEN", format!("127.0.0.1:{}", self.http))
            .env("LATCHSTRING_TLS", "acme")
            .env("LATCHSTRING_ACME_DIRECTORY", &self.directory)
            .env("LATCHSTRING_ACME_ROOT", &self.root)
            .env("LATCHSTRING_ACME_CONTACT", "ops@example.test");
        command
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn started(command: Command) -> Server {
    let mut server = Server::spawned(command);
    server.addr = server.line("listening on ").parse().expect("an address");
    server.host = HOST.to_owned();
    server
}

/// The certificate that a client which trusts the authority gets.
fn shown(addr: SocketAddr, issuer: &str) -> Option<Vec<u8>> {
    let stream = connect(addr, HOST, config(issuer, &["http/1.1"])).ok()?;
    stream.conn.peer_certificates().map(|chain| chain[0].to_vec())
}

#[test]
fn a_certificate_is_got_by_http_kept_and_renewed() {
    let home = Home::new();
    let pebble = Pebble::start(&home, 45);
    let issuer = pebble.issuer().expect("a root");
    let server = started(pebble.serve(&home));
    until("a certificate", || ask(server.addr, HOST, &issuer, "/readyz").is_ok_and(|a| a.status == 200));
    let first = shown(server.addr, &issuer).expect("shown");
    // What the authority asks is answered in clear, and nothing else is; once the order is over, not even that.
    let clear = Client::new(SocketAddr::from(([127, 0, 0, 1], pebble.http)), HOST);
    let asked = clear.get("/.well-known/acme-challenge/x").expect("answered");
    assert_eq!(asked.status, 308, "{asked:?}");
    server.stop();

    // It is in the database: another start has it at once.
    let server = started(pebble.serve(&home));
    until("the certificate of before", || shown(server.addr, &issuer).is_some());
    assert_eq!(shown(server.addr, &issuer).as_ref(), Some(&first));
    assert!(!server.log().contains("a certificate is ordered"), "{}", server.log());

    // And in its last third it is renewed, under the connections.
    until("another one", || shown(server.addr, &issuer).is_some_and(|now| now != first));
    assert_eq!(server.log().matches("a certificate is ordered").count(), 1, "{}", server.log());
    server.stop();
}

#[test]
fn a_certificate_is_got_by_tls_alone() {
    let home = Home::new();
    let pebble = Pebble::start(&home, 3_600);
    let issuer = pebble.issuer().expect("a root");
    let mut command = pebble.serve(&home);
    command.env("LATCHSTRING_HTTP_LISTEN", "off");
    let server = started(command);
    until("an order", || {
        let log = server.log();
        assert!(!log.contains("no certificate was got"), "{log}");
        ask(server.addr, HOST, &issuer, "/readyz").is_ok_and(|a| a.status == 200)
    });
    // Whoever asks as an authority does, and is asked nothing for, gets nothing.
    assert!(connect(server.addr, HOST, config(&issuer, &["acme-tls/1"])).is_err());
    server.stop();
}

#[test]
fn nodes_share_one_certificate_and_answer_for_each_other() {
    if engine() != Engine::Postgres {
        return;
    }
    let home = Home::new();
    let pebble = Pebble::start(&home, 3_600);
    let issuer = pebble.issuer().expect("a root");
    // The one that the authority reaches, and one that it does not: whichever orders, the first answers.
    let reached = started(pebble.serve(&home));
    let mut command = pebble.serve(&home);
    command.env("LATCHSTRING_LISTEN", "127.0.0.1:0").env("LATCHSTRING_HTTP_LISTEN", "127.0.0.1:0");
    let beside = started(command);
    for server in [&reached, &beside] {
        until("a certificate", || shown(server.addr, &issuer).is_some());
    }
    assert_eq!(shown(reached.addr, &issuer), shown(beside.addr, &issuer));
    let orders: usize = [&reached, &beside]
        .iter()
        .map(|server| server.log().matches("a certificate is ordered").count())
        .sum();
    assert_eq!(orders, 1);
    reached.stop();
    beside.stop();
}

#[test]
fn a_refusal_says_what_to_look_at_and_the_next_try_waits() {
    let home = Home::new();
    let pebble = Pebble::start(&home, 3_600);
    let mut command = pebble.serve(&home);
    // The authority asks at another port than this.
    command.env("LATCHSTRING_HTTP_LISTEN", "127.0.0.1:0");
    let server = started(command);
    until("the refusal", || server.log().contains("no certificate was got"));
    let log = server.log();
    for part in ["the authority refuses", "on port 80", "next="] {
        assert!(log.contains(part), "`{part}` is missing in {log}");
    }
    sleep(Duration::from_secs(12));
    assert_eq!(server.log().matches("a certificate is ordered").count(), 1, "{}", server.log());
    assert!(Path::new(&pebble.root).exists());
    server.stop();
}
