//! TLS of the real binary: files that are read again, http that is led on, and `dev --https`.

use crate::{
    child::{self, HOST, Server, dev, run, until},
    home::Home,
    http::{Answer, Client},
};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

/// A certificate that stands for itself.
struct Made {
    cert: PathBuf,
    key: PathBuf,
    pem: String,
}

fn made(home: &Home, name: &str, host: &str, until: i32) -> Made {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec![host.to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    let pem = params.self_signed(&key).expect("signed").pem();
    let at = |end: &str| home.path().join(format!("{name}.{end}"));
    let made = Made { cert: at("pem"), key: at("key"), pem };
    fs::write(&made.cert, &made.pem).expect("written");
    fs::write(&made.key, key.serialize_pem()).expect("written");
    fs::set_permissions(&made.key, PermissionsExt::from_mode(0o600)).expect("changed");
    made
}

fn serve(home: &Home, made: &Made) -> Command {
    let mut command = child::serve(home, 25);
    command
        .env_remove("LATCHSTRING_TRUSTED_PROXIES")
        .env("LATCHSTRING_TLS", "files")
        .env("LATCHSTRING_TLS_CERT", &made.cert)
        .env("LATCHSTRING_TLS_KEY", &made.key)
        .env("LATCHSTRING_HTTP_LISTEN", "127.0.0.1:0");
    command
}

/// A client that trusts this certificate, and speaks no protocol that is not named.
pub(crate) fn config(pem: &str, alpn: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")).expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.expect("versions").with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

pub(crate) fn connect(
    addr: SocketAddr,
    host: &str,
    config: Arc<ClientConfig>,
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).expect("a name");
    let stream = Client::new(addr, host).connect()?;
    let connection = ClientConnection::new(config, name).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

/// Asks under https.
pub(crate) fn ask(addr: SocketAddr, host: &str, pem: &str, path: &str) -> std::io::Result<Answer> {
    let mut stream = connect(addr, host.split(':').next().unwrap_or(host), config(pem, &["http/1.1"]))?;
    stream.write_all(Client::new(addr, host).head("GET", path, 0).as_bytes())?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("cut off"))?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// Starts it; gives also where http is led on.
fn started(home: &Home, made: &Made) -> (Server, SocketAddr) {
    let mut command = serve(home, made);
    command.env("LATCHSTRING_LOG", "info");
    let mut server = Server::spawned(command);
    let clear = server.line("leading http to https on ").parse().expect("an address");
    server.addr = server.line("listening on ").parse().expect("an address");
    until("ready", || ask(server.addr, HOST, &made.pem, "/readyz").is_ok_and(|a| a.status == 200));
    (server, clear)
}

#[test]
fn it_speaks_tls_with_both_protocols_and_leads_http_on() {
    let home = Home::new();
    let made = made(&home, "own", HOST, 2100);
    let (server, clear) = started(&home, &made);
    let answer = ask(server.addr, HOST, &made.pem, "/sign-in").expect("answered");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.head.contains("strict-transport-security: max-age=31536000"), "{}", answer.head);
    for (offered, chosen) in [(&["h2", "http/1.1"][..], &b"h2"[..]), (&["http/1.1"], b"http/1.1")] {
        let stream = connect(server.addr, HOST, config(&made.pem, offered)).expect("connected");
        assert_eq!(stream.conn.alpn_protocol(), Some(chosen));
        assert_eq!(stream.conn.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    }

    // In clear, on either port: whoever looks is led on, and nothing else is taken. Never to where the request says.
    for addr in [clear, server.addr] {
        let client = Client::new(addr, HOST);
        let led = client.get("/sign-in?return_to=/account").expect("answered");
        assert_eq!(led.status, 308, "{led:?}");
        assert!(
            led.head.contains(&format!("location: https://{HOST}/sign-in?return_to=/account")),
            "{}",
            led.head
        );
        assert!(!led.head.to_ascii_lowercase().contains("strict-transport"), "{}", led.head);
        let with_port = Client::new(addr, &format!("{HOST}:80")).get("/").expect("answered");
        assert!(with_port.head.contains(&format!("location: https://{HOST}/\r")), "{}", with_port.head);
        let posted = client.post("/api/v1/attempts", &serde_json::json!({})).expect("answered");
        assert_eq!((posted.status, posted.text("code").as_str()), (403, "https_required"));
        let keyed = client.clone().bearer("lsk_x").get("/api/v1/users").expect("answered");
        let other = client.clone().with("Cookie", "of_another_site=1").get("/").expect("answered");
        assert_eq!(other.status, 308, "a cookie of the domain is no secret of ours");
        assert_eq!(keyed.status, 403, "a program must not go on like this");
        for host in ["evil.example", "evil.example:443", ""] {
            let elsewhere = Client::new(addr, host).get("/").expect("answered");
            assert!(elsewhere.status >= 400 && !elsewhere.head.contains("location"), "{elsewhere:?}");
        }
        let doubled = client.clone().with("Host", "evil.example").get("/").expect("answered");
        assert!(doubled.status >= 400 && !doubled.head.contains("evil"), "{doubled:?}");
    }
    server.stop();
}

#[test]
fn a_renewed_certificate_is_in_use_soon_and_a_broken_one_never() {
    let home = Home::new();
    let first = made(&home, "own", HOST, 2100);
    let (server, _) = started(&home, &first);
    // Not the key of the certificate: what was there stays.
    let other = made(&home, "other", HOST, 2100);
    fs::copy(&other.cert, &first.cert).expect("copied");
    until("the log says so", || server.log().contains("is not the key of the certificate"));
    assert!(ask(server.addr, HOST, &first.pem, "/healthz").is_ok_and(|a| a.status == 200));
    fs::copy(&other.key, &first.key).expect("copied");
    until("the new one", || ask(server.addr, HOST, &other.pem, "/healthz").is_ok_and(|a| a.status == 200));
    assert!(ask(server.addr, HOST, &first.pem, "/healthz").is_err());
    server.stop();
}

#[test]
fn attack_a159_a_certificate_that_will_not_do_is_refused_with_the_remedy() {
    let home = Home::new();
    let good = made(&home, "good", HOST, 2100);
    let expect = |set: &[(&str, Option<&Path>)], parts: &[&str]| {
        let mut command = serve(&home, &good);
        for (name, value) in set {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        run(&mut command).expect(2, parts);
    };
    const CERT: &str = "LATCHSTRING_TLS_CERT";
    const KEY: &str = "LATCHSTRING_TLS_KEY";
    let over = made(&home, "over", HOST, 2021);
    let pair = |made: &Made| [(CERT, Some(made.cert.clone())), (KEY, Some(made.key.clone()))];
    for (made, parts) in [
        (&over, &["ended 2021-01-01", "certbot renew"][..]),
        (&made(&home, "elsewhere", "other.example.test", 2100), &["is not for auth.example.test"]),
    ] {
        let pair = pair(made);
        expect(&pair.each_ref().map(|(name, path)| (*name, path.as_deref())), parts);
    }
    expect(&[(KEY, Some(&over.key))], &["is not the key of the certificate"]);
    expect(&[(KEY, Some(&good.cert))], &["has no private key in it"]);
    expect(&[(CERT, Some(&good.key))], &["has no certificate in it"]);
    expect(&[(CERT, Some(Path::new("/nowhere.pem")))], &["/nowhere.pem can't be read"]);
    expect(&[(KEY, None)], &["LATCHSTRING_TLS_KEY is not set", "privkey.pem"]);
    let acme = ("LATCHSTRING_TLS", Some(Path::new("acme")));
    let local = Path::new("https://localhost");
    expect(&[acme, ("LATCHSTRING_URL", Some(local))], &["no authority vouches for localhost"]);
    expect(&[acme, ("LATCHSTRING_ACME_ROOT", Some(local))], &["LATCHSTRING_ACME_ROOT", "is not there"]);
    fs::set_permissions(&good.key, PermissionsExt::from_mode(0o644)).expect("changed");
    expect(&[], &["can be read by everyone", "chmod 600"]);
}

#[test]
fn whoever_is_slow_or_speaks_nonsense_is_closed() {
    let home = Home::new();
    let made = made(&home, "own", HOST, 2100);
    let (server, _) = started(&home, &made);
    let mut nonsense = Client::new(server.addr, HOST).connect().expect("connected");
    nonsense.write_all(&[22, 3, 1, 255, 255, 1, 2, 3]).expect("written");
    let mut silent = Client::new(server.addr, HOST).connect().expect("connected");
    let mut half = Client::new(server.addr, HOST).connect().expect("connected");
    half.write_all(&[22, 3]).expect("written");
    for stream in [&mut nonsense, &mut half, &mut silent] {
        let mut text = Vec::new();
        // Closed within the time of a first request, and an alert at most.
        let _ = stream.read_to_end(&mut text);
        assert!(text.len() < 16, "{text:?}");
    }
    assert!(ask(server.addr, HOST, &made.pem, "/healthz").is_ok());
    server.stop();
}

#[test]
fn dev_makes_an_authority_for_this_machine_alone() {
    let home = Home::new();
    let mut command = dev(&home);
    command.arg("--https");
    let server = Server::start(command);
    let host = format!("localhost:{}", server.addr.port());
    let authority = authority(&home);
    let pem = fs::read_to_string(&authority).expect("made");
    until("ready", || ask(server.addr, &host, &pem, "/readyz").is_ok_and(|a| a.status == 200));
    let page = ask(server.addr, &host, &pem, "/").expect("answered");
    assert!(
        page.status == 200 && page.body.contains(&host) && !page.body.contains("http:&#x2f;&#x2f;localhost"),
        "{page:?}"
    );
    assert!(!page.head.contains("strict-transport-security"), "other servers of this machine speak http");
    server.line(&format!("https: the certificate authority {} was made", authority.display()));
    let key = authority.with_extension("key");
    assert_eq!(fs::metadata(&key).expect("there").permissions().mode() & 0o777, 0o600);
    server.stop();

    // The same one the next time, and none that others could have read.
    let mut again = dev(&home);
    again.arg("--https");
    let server = Server::start(again);
    until("ready", || ask(server.addr, &host_of(&server), &pem, "/readyz").is_ok_and(|a| a.status == 200));
    server.stop();
    fs::set_permissions(&key, PermissionsExt::from_mode(0o640)).expect("changed");
    let mut open = dev(&home);
    run(open.arg("--https")).expect(2, &["can be read by others", "Delete"]);
    let mut plain = dev(&home);
    plain.env("LATCHSTRING_URL", "https://localhost:8443");
    run(&mut plain).expect(2, &["add --https"]);
}

fn host_of(server: &Server) -> String {
    format!("localhost:{}", server.addr.port())
}

fn authority(home: &Home) -> PathBuf {
    let found = fs::canonicalize(home.path()).expect("a folder");
    let mut stack = vec![found];
    while let Some(folder) = stack.pop() {
        for entry in fs::read_dir(&folder).expect("readable").flatten() {
            let path: &Path = &entry.path();
            match path {
                path if path.is_dir() => stack.push(path.to_owned()),
                path if path.ends_with("dev-ca.pem") => return path.to_owned(),
                _ => {}
            }
        }
    }
    panic!("no authority below the home")
}
