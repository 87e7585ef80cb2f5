//! The pages through the real router: what people see behind a mailed link, and what an attacker gets.

use latchstring_core::{
    admin,
    audit::{Actor, Source},
    clock::{DAY, MINUTE},
    id::UserId,
    identifier::Identifier,
    testing::{OTHER_PASSWORD, PASSWORD, TestRealm},
};
use latchstring_web::{
    Config,
    testing::{Answer, Client, TestApp},
};
use serde_json::json;

const ADA: &str = "ada@northwind.example";
const PAGES: [&str; 5] = ["/", "/docs", "/verify", "/verify/done", "/nothing/here"];

async fn app() -> TestApp {
    TestApp::new(latchstring_server::router).await
}

async fn dev() -> TestApp {
    let config = Config::new("http://localhost:8080", true, Vec::new());
    TestApp::with(latchstring_server::router, config, TestRealm::new().await)
}

/// Somebody at a browser who asks for pages, and comes from where browsers say.
fn person(app: &TestApp) -> Client {
    let mut client = app.browser();
    client.set("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    client
}

/// The path and query of the link in the newest mail to `address`.
async fn link_to(app: &TestApp, address: &str) -> String {
    let link = app.mail_to(address).await.and_then(|mail| mail.link).expect("a mail with a link");
    link[link.find("/verify").expect("a link of ours")..].to_owned()
}

/// Begins an attempt and asks for the mail. Gives its id.
async fn begin(client: &Client, body: serde_json::Value) -> String {
    let begun = client.post("/api/v1/attempts", body).await.must_be(201).json();
    let id = begun["id"].as_str().expect("an id").to_owned();
    let mut client = client.clone();
    if let Some(handle) = begun["handle"].as_str() {
        client.set("latchstring-attempt", handle);
    }
    client.post_nothing(&format!("/api/v1/attempts/{id}/code/send")).await.must_be(202);
    id
}

/// Opens a link as mail programs do: from another site. Gives the page behind it.
async fn open(client: &Client, link: &str) -> Answer {
    let mut client = client.clone();
    client.set("sec-fetch-site", "cross-site");
    let moved = client.get(link).await.must_be(303);
    assert_eq!(moved.header("location"), "/verify");
    client.get("/verify").await
}

/// The token of the page's form.
#[track_caller]
fn form(page: &Answer) -> String {
    let text = page.text();
    let token = text.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    format!("form={}", token.unwrap_or_else(|| panic!("no form: {text}")))
}

/// Opens a link and presses its button.
async fn press(client: &Client, link: &str) -> Answer {
    let page = open(client, link).await.must_be(200);
    client.form("/verify", &form(&page)).await
}

async fn signed_in(client: &Client) -> Option<String> {
    let answer = client.get("/api/v1/session").await;
    (answer.status == 200).then(|| answer.json()["user"]["email"].as_str().unwrap_or_default().to_owned())
}

/// Ada's account, made without any page.
async fn ada(app: &TestApp) -> UserId {
    app.realm.sign_up(ADA, PASSWORD).await;
    app.realm.id_of(ADA).await
}

fn says(page: &Answer, what: &str) {
    let text = page.text().replace("<wbr>", "");
    assert!(text.contains(what), "{what:?} is not on the page: {text}");
}

#[tokio::test]
async fn attack_a111_the_token_leaves_the_address_and_a_get_spends_nothing() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let link = link_to(&app, ADA).await;
    let token = link.split('=').nth(1).expect("a token");
    for _ in 0..2 {
        let moved = browser.get(&link).await.must_be(303);
        assert_eq!(moved.header("location"), "/verify");
        assert!(moved.body.is_empty());
        let cookie = moved.header("set-cookie");
        assert_eq!(
            cookie,
            format!(
                "__Secure-latchstring-link=link.{token}; Path=/verify; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
            )
        );
        for _ in 0..2 {
            let page = browser.get("/verify").await.must_be(200);
            assert!(!page.text().contains(token), "the token stands on the page");
            assert_eq!(page.header("referrer-policy"), "same-origin");
        }
        browser.send(http::Method::HEAD, &link, None).await.must_be(303);
        browser.send(http::Method::HEAD, "/verify", None).await.must_be(200);
    }
    assert_eq!(signed_in(&browser).await, None, "looking signs nobody in");
    let done = press(&browser, &link).await.must_be(303);
    assert_eq!(done.header("location"), "/verify/done");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
}

#[tokio::test]
async fn a_link_goes_on_with_the_attempt_of_its_own_browser() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    let id = begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let before = browser.cookie();
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    says(&page, ADA);
    assert!(!page.text().contains("another device"), "it is the same browser");
    let done = browser.form("/verify", &form(&page)).await.must_be(303);
    assert_eq!(done.header("location"), "/verify/done");
    assert_ne!(browser.cookie(), before, "the browser's secret changes with each sign-in");
    let attempt = browser.get(&format!("/api/v1/attempts/{id}")).await.must_be(200).json();
    assert_eq!(attempt["state"], "completed");
    let page = browser.get("/verify/done").await.must_be(200);
    says(&page, "You are signed in");
    says(&page, ADA);
    // Back and reload lead to the end again, not into an error.
    assert_eq!(browser.get("/verify").await.must_be(303).header("location"), "/verify/done");
}

#[tokio::test]
async fn a_link_never_completes_the_attempt_of_another_browser() {
    let app = app().await;
    ada(&app).await;
    let (first, second) = (person(&app), person(&app));
    let id = begin(&first, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let page = open(&second, &link_to(&app, ADA).await).await.must_be(200);
    says(&page, "Sign in here");
    says(&page, "type the code from the same mail there");
    second.form("/verify", &form(&page)).await.must_be(303);
    assert_eq!(signed_in(&second).await.as_deref(), Some(ADA));
    assert_eq!(signed_in(&first).await, None, "somebody else's press of a button signs nobody in");
    let attempt = first.get(&format!("/api/v1/attempts/{id}")).await.must_be(200).json();
    assert_eq!(attempt["state"], "open");
    second.get(&format!("/api/v1/attempts/{id}")).await.must_refuse(404, "unknown_attempt");
}

#[tokio::test]
async fn a_link_of_an_app_signs_in_at_the_browser_and_gives_the_app_nothing() {
    let app = app().await;
    ada(&app).await;
    let begun = app.program().post("/api/v1/attempts", json!({"kind": "sign_in", "identifier": ADA})).await;
    let begun = begun.must_be(201).json();
    let id = begun["id"].as_str().expect("an id");
    let mut program = app.program();
    program.set("latchstring-attempt", begun["handle"].as_str().expect("a handle"));
    program.post_nothing(&format!("/api/v1/attempts/{id}/code/send")).await.must_be(202);
    let browser = person(&app);
    press(&browser, &link_to(&app, ADA).await).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    let attempt = program.get(&format!("/api/v1/attempts/{id}")).await.must_be(200).json();
    assert_eq!((attempt["state"].as_str(), attempt.get("result")), (Some("open"), None));
}

#[tokio::test]
async fn attack_a063_a144_a_form_from_another_origin_is_refused() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    let form = form(&page);
    for (site, origin) in [
        (Some("cross-site"), None),
        (Some("same-site"), Some("https://evil.northwind.example")),
        (Some("none"), None),
        (None, Some("https://evil.example")),
        (None, Some("null")),
        (None, None),
    ] {
        let mut evil = browser.clone();
        evil.unset("sec-fetch-site");
        if let Some(site) = site {
            evil.set("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            evil.set("origin", origin);
        }
        for path in ["/verify", "/verify/password", "/verify/invitation"] {
            let refused = evil.form(path, &form).await.must_be(403);
            says(&refused, "Open the link again");
        }
    }
    // Bodies that a foreign page can send without a preflight, and a method that hides in one.
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/json"] {
        browser
            .send(http::Method::POST, "/verify", Some((kind, form.clone().into_bytes())))
            .await
            .must_be(400);
    }
    browser.get(&format!("/verify?_method=post&{form}")).await.must_be(200);
    assert_eq!(signed_in(&browser).await, None);
    browser.form("/verify", &form).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA), "nothing of that has spent the link");
}

#[tokio::test]
async fn a_form_is_good_for_its_browser_and_its_link_alone() {
    let app = app().await;
    ada(&app).await;
    app.realm.sign_up("bea@northwind.example", PASSWORD).await;
    let (browser, other) = (person(&app), person(&app));
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    begin(&other, json!({"kind": "sign_in", "sink": "cookie", "identifier": "bea@northwind.example"})).await;
    let evil = link_to(&app, "bea@northwind.example").await;
    let theirs = open(&other, &evil).await.must_be(200);
    for bad in ["", "form=", "form=00", &form(&theirs), &format!("form={}", "ä".repeat(32))] {
        let again = browser.form("/verify", bad).await.must_be(409);
        says(&again, "This page had changed meanwhile");
        says(&again, ADA);
    }
    // Another link was opened meanwhile, by an attacker's page perhaps: the old form does not press its button.
    open(&browser, &evil).await.must_be(200);
    let again = browser.form("/verify", &form(&page)).await.must_be(409);
    says(&again, "bea@northwind.example");
    assert_eq!(signed_in(&browser).await, None);
    // A form that names a member twice is none.
    browser.form("/verify", &format!("{0}&{0}", form(&again))).await.must_be(400);
    browser.form("/verify", &form(&again)).await.must_be(303);
}

#[tokio::test]
async fn a_planted_second_cookie_is_not_taken() {
    let app = app().await;
    let browser = person(&app);
    browser.plant(Some("__Secure-latchstring-link=link.a; __Secure-latchstring-link=link.b".into()));
    says(&browser.get("/verify").await.must_be(200), "Open the link from your mail");
    browser.form("/verify", "form=x").await.must_be(303);
}

#[tokio::test]
async fn signing_up_works_wholly_behind_the_mail() {
    let app = app().await;
    begin(&app.program(), json!({"kind": "sign_up", "identifier": ADA})).await;
    let browser = person(&app);
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    says(&page, "Confirm your address");
    let moved = browser.form("/verify", &form(&page)).await.must_be(303);
    assert_eq!(moved.header("location"), "/verify");
    assert!(app.realm.find(ADA).await.is_none(), "no account before its password");
    let page = browser.get("/verify").await.must_be(200);
    says(&page, "Choose a password");
    says(&page, "autocomplete=\"new-password\"");
    says(&page, "At least 8 characters");
    // A password that is refused says why, and the same form goes on.
    let weak =
        browser.form("/verify/password", &format!("{}&password=northwind", form(&page))).await.must_be(400);
    says(&weak, "little more than a name that belongs to you");
    assert!(!weak.text().contains("value=\"northwind\""), "a password is not sent back");
    let good = format!("{}&password={}", form(&weak), PASSWORD.replace(' ', "+"));
    // Nobody else can use that form.
    let other = person(&app);
    assert_eq!(other.form("/verify/password", &good).await.must_be(303).header("location"), "/verify");
    let done = browser.form("/verify/password", &good).await.must_be(303);
    assert_eq!(done.header("location"), "/verify/done");
    says(&browser.get("/verify/done").await.must_be(200), "Your account is ready");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    app.realm.sign_in(ADA, PASSWORD).await;
    assert_eq!(browser.form("/verify/password", &good).await.must_be(303).header("location"), "/verify");
}

#[tokio::test]
async fn recovering_works_wholly_behind_the_mail() {
    let app = app().await;
    ada(&app).await;
    let old = app.realm.sign_in(ADA, PASSWORD).await;
    begin(&app.program(), json!({"kind": "recover", "identifier": ADA})).await;
    let browser = person(&app);
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    says(&page, "Set a new password");
    browser.form("/verify", &form(&page)).await.must_be(303);
    assert_eq!(signed_in(&browser).await, None, "the link alone opens nothing");
    assert!(old.is_in().await);
    // A reload, as people do.
    browser.get("/verify").await.must_be(200);
    let page = browser.get("/verify").await.must_be(200);
    says(&page, "will be signed out");
    let body =
        format!("{}&username=eve%40evil.example&password={}", form(&page), OTHER_PASSWORD.replace(' ', "+"));
    browser.form("/verify/password", &body).await.must_be(303);
    says(&browser.get("/verify/done").await.must_be(200), "Your new password is set");
    assert_eq!(
        signed_in(&browser).await.as_deref(),
        Some(ADA),
        "the account of the link, whatever the form says"
    );
    assert!(!old.is_in().await);
    app.realm.sign_in(ADA, OTHER_PASSWORD).await;
}

#[tokio::test]
async fn an_invitation_makes_its_account_and_no_other() {
    let app = app().await;
    app.realm.set(|s| s.sign_up = latchstring_core::settings::SignUp::Invite).await;
    let invite = async |email: &str| {
        let address = Identifier::email(email).expect("an address");
        admin::invitations::create(&app.realm.realm, Actor::Operator, &Source::default(), address)
            .await
            .expect("an invitation")
    };
    invite(ADA).await;
    let link = link_to(&app, ADA).await;
    let browser = person(&app);
    let page = open(&browser, &link).await.must_be(200);
    says(&page, "You are invited");
    says(&page, ADA);
    let secret = link.split('=').nth(1).expect("a secret");
    assert!(!page.text().contains(secret));
    // A name that can't be shown, then a password that is too weak: each says so, and what was typed is kept.
    let send = async |page: &Answer, path: &str, rest: &str| {
        browser.form(path, &format!("{}&{rest}", form(page))).await
    };
    let page = send(&page, "/verify/invitation", "name=Ada%E2%80%AEx&password=x").await.must_be(400);
    says(&page, "Ada");
    says(&page, "id=\"name-says\"");
    let page = send(&page, "/verify/invitation", "name=Ada+%3Cb%3E&password=short").await.must_be(400);
    says(&page, "id=\"password-says\"");
    assert!(app.realm.find(ADA).await.is_none());
    let good = format!("email=eve%40evil.example&password={}", PASSWORD.replace(' ', "+"));
    send(&page, "/verify/password", &good).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA), "A109: for the invited address alone");
    let full = app.realm.find(ADA).await.expect("the account");
    assert_eq!(full.user.name.as_deref(), Some("Ada <b>"));
    assert!(full.email().is_some_and(|email| email.proven_at.is_some()));
    // Again: used.
    says(&open(&person(&app), &link).await.must_be(410), "This invitation can’t be used");

    // At once, without a name.
    invite("bea@northwind.example").await;
    let browser = person(&app);
    let page = open(&browser, &link_to(&app, "bea@northwind.example").await).await.must_be(200);
    let body = format!("{}&name=+&password={}", form(&page), PASSWORD.replace(' ', "+"));
    browser.form("/verify/invitation", &body).await.must_be(303);
    says(&browser.get("/verify/done").await.must_be(200), "Your account is ready");

    // Taken back, expired, no longer needed.
    let taken = invite("cleo@northwind.example").await;
    let link = link_to(&app, "cleo@northwind.example").await;
    admin::invitations::revoke(&app.realm.realm, Actor::Operator, &Source::default(), taken.id)
        .await
        .expect("revoked");
    open(&browser, &link).await.must_be(410);
    invite("dora@northwind.example").await;
    let link = link_to(&app, "dora@northwind.example").await;
    app.realm.clock.advance(60 * DAY);
    open(&browser, &link).await.must_be(410);
    invite(ADA).await;
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    let body = format!("{}&password={}", form(&page), OTHER_PASSWORD.replace(' ', "+"));
    says(&browser.form("/verify/invitation", &body).await.must_be(410), "sign in with it");
    app.realm.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn what_belongs_to_a_session_is_confirmed_there_and_nowhere_else() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    press(&browser, &link_to(&app, ADA).await).await.must_be(303);
    let new = "ada@lovelace.example";
    begin(&browser, json!({"kind": "verify", "sink": "cookie", "identifier": new})).await;
    let link = link_to(&app, new).await;
    let other = person(&app);
    let page = open(&other, &link).await.must_be(200);
    says(&page, "works only in the browser where you asked for it");
    assert!(!page.text().contains("<form"));
    let page = open(&browser, &link).await.must_be(200);
    says(&page, "It becomes the address of your account");
    assert!(!page.text().contains("Going on switches"), "the session stays");
    browser.form("/verify", &form(&page)).await.must_be(303);
    says(&browser.get("/verify/done").await.must_be(200), "Confirmed");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(new));

    begin(&browser, json!({"kind": "step_up", "sink": "cookie"})).await;
    let link = link_to(&app, new).await;
    says(&open(&other, &link).await.must_be(200), "works only in the browser");
    press(&browser, &link).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(new));
}

#[tokio::test]
async fn a_link_that_is_over_says_what_to_do_next() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    let sign_in = json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA});
    begin(&browser, sign_in.clone()).await;
    let used = link_to(&app, ADA).await;
    let page = open(&browser, &used).await.must_be(200);
    browser.form("/verify", &form(&page)).await.must_be(303);
    begin(&browser, sign_in.clone()).await;
    let expired = link_to(&app, ADA).await;
    let page = open(&browser, &expired).await.must_be(200);
    app.realm.clock.advance(11 * MINUTE);
    let late = browser.form("/verify", &form(&page)).await.must_be(410);
    let text = late.text();
    let unknown = format!("/verify?token={}", "A".repeat(64));
    for link in [
        used.as_str(),
        expired.as_str(),
        unknown.as_str(),
        "/verify?token=",
        "/verify?token=x%0d%0aSet-Cookie:a=b",
    ] {
        let page = open(&browser, link).await.must_be(410);
        assert_eq!(page.text(), text, "{link}: why it is over is told to nobody");
    }
    says(&late, "ask for a new mail");
    for twice in ["/verify?token=a&token=b", "/verify?token=a&invitation=b"] {
        browser.get(twice).await.must_be(410);
    }
    // The account was banned since.
    begin(&browser, sign_in).await;
    let page = open(&browser, &link_to(&app, ADA).await).await.must_be(200);
    let id = app.realm.id_of(ADA).await;
    let banned =
        app.backend(&["users:write"]).await.post(&format!("/api/v1/users/{id}/ban"), json!({})).await;
    assert!(banned.status.is_success(), "{}", banned.text());
    browser.form("/verify", &form(&page)).await.must_be(410);
    assert_eq!(signed_in(&browser).await, None);
}

#[tokio::test]
async fn whoever_is_signed_in_already_is_told_who_follows() {
    let app = app().await;
    ada(&app).await;
    app.realm.sign_up("bea@northwind.example", PASSWORD).await;
    let browser = person(&app);
    for who in [ADA, "bea@northwind.example"] {
        begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": who})).await;
        let page = open(&browser, &link_to(&app, who).await).await.must_be(200);
        assert_eq!(page.text().contains("This browser is signed in as"), who != ADA);
        browser.form("/verify", &form(&page)).await.must_be(303);
        assert_eq!(signed_in(&browser).await.as_deref(), Some(who));
    }
}

#[tokio::test]
async fn attack_a142_names_and_addresses_are_escaped() {
    let app = dev().await;
    let evil = "\"><script>alert(1)</script>";
    app.realm.set(|s| s.name = "<img src=x onerror=alert(1)>".into()).await;
    let browser = person(&app);
    // A quoted local part may hold nearly anything.
    let address = "o'ada&<b>@northwind.example";
    let begun = browser
        .post("/api/v1/attempts", json!({"kind": "sign_up", "identifier": address, "name": evil}))
        .await;
    let address = if begun.status == 201 { address } else { ADA };
    begin(&app.program(), json!({"kind": "sign_up", "identifier": address, "name": evil})).await;
    let link = link_to(&app, address).await;
    let mut seen =
        vec![browser.get("/dev/mail").await.must_be(200), open(&browser, &link).await.must_be(200)];
    browser.form("/verify", &form(&seen[1])).await.must_be(303);
    seen.push(browser.get("/verify").await.must_be(200));
    let body = format!("{}&password={}", form(&seen[2]), PASSWORD.replace(' ', "+"));
    browser.form("/verify/password", &body).await.must_be(303);
    for path in PAGES {
        seen.push(browser.get(path).await);
    }
    for page in &seen {
        let text = page.text();
        assert!(!text.contains("<script") && !text.contains("<img") && !text.contains("<b>@"), "{text}");
    }
    assert!(seen[1].text().contains("&lt;img src=x onerror=alert(1)&gt;"));
}

#[tokio::test]
async fn every_page_forbids_what_pages_need_not_do() {
    for app in [app().await, dev().await] {
        let browser = person(&app);
        ada(&app).await;
        begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
        let mut pages = vec![open(&browser, &link_to(&app, ADA).await).await];
        for path in PAGES {
            pages.push(browser.get(path).await);
        }
        if app.app.config().dev {
            pages.push(browser.get("/dev/mail").await);
        }
        pages.push(browser.form("/verify/password", "form=x").await);
        for page in pages.iter().filter(|page| page.status != 303) {
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            assert_eq!(
                page.header("content-security-policy"),
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                 base-uri 'none'"
            );
            assert_eq!(page.header("x-content-type-options"), "nosniff");
            assert_eq!(page.header("x-frame-options"), "DENY");
            assert_eq!(page.header("referrer-policy"), "same-origin");
            assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
            assert_eq!(page.header("access-control-allow-origin"), "", "A145");
        }
    }
}

#[tokio::test]
async fn attack_a149_nothing_personal_is_kept_by_anybody() {
    let app = dev().await;
    let browser = person(&app);
    for path in ["/", "/verify", "/dev/mail", "/dev/mail.json", "/nothing"] {
        assert_eq!(browser.get(path).await.header("cache-control"), "no-store", "{path}");
    }
    ada(&app).await;
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let link = link_to(&app, ADA).await;
    assert_eq!(browser.get(&link).await.header("cache-control"), "no-store");
    assert_eq!(press(&browser, &link).await.must_be(303).header("cache-control"), "no-store");
    assert_eq!(browser.get("/verify/done").await.must_be(200).header("cache-control"), "no-store");
    assert_eq!(browser.get("/dev/mail/1/html").await.must_be(200).header("cache-control"), "no-store");
    for path in [
        "/verify/x.css",
        "/verify/",
        "/verify.css",
        "/verify/done/x.css",
        "/docs/x.css",
        "/dev/mail/x.css",
        "/dev/mail/1/html/x.css",
        "/verify%2fdone",
        "/Verify",
    ] {
        assert_eq!(browser.get(path).await.must_be(404).header("cache-control"), "no-store", "{path}");
    }
    // What everybody gets alike may be kept: the reference shortly, files for ever under a name that changes.
    let docs = browser.get("/docs").await.must_be(200);
    assert_eq!(docs.header("cache-control"), "public, max-age=300");
    assert!(!docs.text().contains(ADA));
    let text = docs.text();
    let files: Vec<&str> = text
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|h| h.starts_with("/assets/"))
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let file = browser.get(file).await.must_be(200);
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(["text/css; charset=utf-8", "image/svg+xml"].contains(&file.header("content-type").as_str()));
        assert_eq!(file.header("set-cookie"), "");
    }
    assert_eq!(browser.get("/favicon.ico").await.must_be(200).header("content-type"), "image/svg+xml");
    for gone in
        ["/assets/look.css", "/assets/look.000000000000.css", "/assets/..%2f..%2fCargo.toml", "/assets/"]
    {
        browser.get(gone).await.must_be(404);
    }
}

#[tokio::test]
async fn attack_a021_a146_no_page_sends_anybody_elsewhere() {
    let app = app().await;
    let browser = person(&app);
    for path in [
        "//evil.test/",
        "/%5cevil.test",
        "/%2fevil.test",
        "///evil.test",
        "/.//evil.test",
        "/verify//evil.test",
        "/%09/evil.test",
        "/assets//evil.test",
    ] {
        let answer = browser.get(path).await.must_be(404);
        assert_eq!(answer.header("location"), "", "{path}");
    }
    let evil = "https://evil.test";
    for query in ["return_to", "next", "rd", "redirect_uri", "url"] {
        for path in ["/", "/verify", "/verify/done", "/docs"] {
            let answer = browser.get(&format!("{path}?{query}={evil}")).await;
            assert!(["", "/"].contains(&answer.header("location").as_str()), "{path}?{query}");
            assert!(!answer.text().contains("evil.test"));
        }
    }
    let mut host = person(&app);
    host.set("x-forwarded-host", "evil.test");
    let moved = host.get(&format!("/verify?token={}", "A".repeat(64))).await.must_be(303);
    assert_eq!(moved.header("location"), "/verify", "A102: no header of a request comes into an address");
}

#[tokio::test]
async fn nothing_is_a_page_to_people_and_a_document_to_programs() {
    let app = app().await;
    says(&person(&app).get("/sign-in").await.must_be(404), "Nothing is here");
    app.program().get("/sign-in").await.must_refuse(404, "not_found");
    person(&app).get("/api/v1/nothing").await.must_refuse(404, "not_found");
    person(&app).post_nothing("/nothing").await.must_refuse(404, "not_found");
    for form in ["/verify/password", "/verify/invitation"] {
        assert_eq!(person(&app).get(form).await.must_be(303).header("location"), "/verify");
    }
    assert_eq!(person(&app).get("/verify/done").await.must_be(303).header("location"), "/");
    person(&app).json(http::Method::PUT, "/verify", json!({})).await.must_be(405);
}

#[tokio::test]
async fn production_shows_no_mail_and_nothing_of_the_inside() {
    let app = app().await;
    ada(&app).await;
    begin(&app.program(), json!({"kind": "sign_in", "identifier": ADA})).await;
    app.realm.deliver().await;
    for path in ["/dev/mail", "/dev/mail.json", "/dev/mail/1/html", "/dev", "/dev/"] {
        person(&app).get(path).await.must_be(404);
    }
    let page = person(&app).get("/").await.must_be(200);
    says(&page, "open the app that you want to use");
    for never in ["/dev/mail", "/docs", "/api/", "curl", "0.0.1", "SQLite", "Postgre"] {
        assert!(!page.text().contains(never), "{never}");
    }
    assert!(!person(&app).get("/docs").await.must_be(200).text().contains("/dev/mail"));
}

#[tokio::test]
async fn the_mailbox_shows_what_would_have_been_mailed() {
    let app = dev().await;
    let browser = person(&app);
    let empty = browser.get("/dev/mail").await.must_be(200);
    says(&empty, "No mail yet");
    says(&empty, "http-equiv=\"refresh\"");
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
    assert!(!page.text().contains("http-equiv"), "a page that is read does not jump");
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
    let app = TestApp::with(latchstring_server::router, config, TestRealm::new().await);
    let page = person(&app).get("/").await.must_be(200).text();
    let commands = commands(&page);
    assert_eq!(commands.len(), 8);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let jobs = tokio::spawn(latchstring_core::jobs::run(
        app.realm.realm.clone(),
        app.realm.mailbox.clone(),
        stopped,
    ));
    let router = latchstring_server::router(app.app.clone());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let script = commands.join("\n");
    let output = tokio::task::spawn_blocking(move || {
        std::process::Command::new("sh").args(["-e", "-c", &script]).output().expect("a shell")
    })
    .await
    .expect("the shell came back");
    server.abort();
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
