//! `/` and `/dev/mail` of a development server.

use super::*;
use latchstring_web::listen;

#[tokio::test]
async fn the_mailbox_shows_what_would_have_been_mailed() {
    let app = dev().await;
    let browser = person(&app);
    let empty = browser.get("/dev/mail").await.must_be(200);
    says(&empty, "No mail yet");
    says(&empty, "Look again");
    assert!(!empty.text().contains("http-equiv"), "no page jumps under its reader");
    assert_eq!(browser.get("/dev/mail.json").await.must_be(200).json(), json!([]));
    begin(&app.program(), json!({"kind": "sign_up", "identifier": ADA})).await;
    begin(&app.program(), json!({"kind": "sign_up", "identifier": "bea@northwind.example"})).await;
    app.realm.deliver().await;
    let mails = browser.get("/dev/mail.json").await.must_be(200).json();
    assert_eq!(mails[0]["to"], "bea@northwind.example", "newest first");
    assert_eq!((mails[0]["n"].as_u64(), mails[1]["n"].as_u64()), (Some(2), Some(1)));
    for member in ["subject", "text", "html", "code", "link"] {
        assert!(mails[0][member].is_string(), "{member}");
    }
    let hers = browser.get("/dev/mail.json?to=ADA@northwind.example").await.must_be(200).json();
    assert_eq!(hers.as_array().map(Vec::len), Some(1));
    let code = hers[0]["code"].as_str().expect("a code");
    let page = browser.get("/dev/mail").await.must_be(200);
    says(&page, &format!("aria-label=\"Code\">{code}<"));
    says(&page, ADA);
    assert!(!page.text().contains("http-equiv"), "nor does one with mail");
    // The mail itself, which may do nothing.
    let html = browser.get("/dev/mail/1/html").await.must_be(200);
    says(&html, code);
    let policy = html.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'unsafe-inline'") && policy.contains("sandbox"),
        "{policy}"
    );
    assert!(!policy.contains("script") && !policy.contains("allow-"), "{policy}");
    for none in
        ["/dev/mail/0/html", "/dev/mail/3/html", "/dev/mail/x/html", "/dev/mail/99999999999999999999/html"]
    {
        browser.get(none).await.must_be(404);
    }
}

/// The blocks of the start page that are for a terminal.
fn commands(page: &str) -> Vec<String> {
    let blocks = page.split("aria-label=\"Commands: ").skip(1);
    let code = blocks.filter_map(|rest| rest.split("<code>").nth(1)?.split("</code>").next());
    let plain = |text: &str| {
        let text =
            text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'");
        text.replace("&#x2f;", "/").replace("&amp;", "&")
    };
    code.map(plain).collect()
}

/// Every command of the tour, pasted into a shell, against a server on a socket. Without curl there is nothing to paste.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tour_runs_as_it_is_pasted() {
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let config = Config::new(&origin, true, Vec::new());
    let app = TestApp::with(latchstring_server::service, config, TestRealm::new().await);
    let page = person(&app).get("/").await.must_be(200).text();
    let commands = commands(&page);
    assert_eq!(commands.len(), 8);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let jobs = tokio::spawn(latchstring_core::jobs::run(
        app.realm.realm.clone(),
        app.realm.mailbox.clone(),
        stopped,
    ));
    let service = latchstring_server::service(app.app.clone());
    let (phase, seen) = tokio::sync::watch::channel(listen::Phase::Open);
    let server = tokio::spawn(listen::serve(listener, service, None, listen::Limits::default(), seen));
    let script = commands.join("\n");
    let output = tokio::task::spawn_blocking(move || {
        std::process::Command::new("sh").args(["-e", "-c", &script]).output().expect("a shell")
    })
    .await
    .expect("the shell came back");
    phase.send_replace(listen::Phase::Closing);
    server.await.expect("the listener ends");
    let _ = stop.send(true);
    let _ = jobs.await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 8, "{said}");
    assert!(lines[0].contains("\"offers\":[\"code\"]"), "{said}");
    assert!(lines[1].len() == 6 && lines[1].bytes().all(|b| b.is_ascii_digit()), "{said}");
    assert!(lines[2].contains("\"offers\":[\"new_password\"]"), "{said}");
    assert!(lines[3].contains("\"state\":\"completed\"") && lines[3].contains("\"refresh_token\""), "{said}");
    assert!(lines[4].contains("\"user_id\""), "{said}");
    assert!(lines[5].split('.').count() == 3, "{said}");
    assert!(lines[6].contains("\"unusable_token\""), "{said}");
    assert!(lines[7].contains("\"access_token\""), "{said}");
}
