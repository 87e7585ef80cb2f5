//! `/sign-in`, `/sign-up`, `/recover`, `/sign-out`: what people do, and what an attacker tries.

use super::*;
use latchstring_core::{
    clock::{HOUR, MINUTE},
    settings::SignUp,
    testing::OTHER_PASSWORD,
};

const BEA: &str = "bea@northwind.example";
const APP: &str = "https://app.northwind.example";

/// A value as a form sends it.
fn value(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Opens an entry page and sends its form with `rest`.
async fn enter(client: &Client, path: &str, rest: &str) -> Answer {
    let page = client.get(path).await.must_be(200);
    let to = path.split('?').next().expect("a path");
    client.form(to, &format!("{}&return_to={}&{rest}", form(&page), return_to(&page))).await
}

/// What the page's form says about where it leads.
fn return_to(page: &Answer) -> String {
    let text = page.text();
    let found = text.split("name=\"return_to\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    value(&found.unwrap_or_default().replace("&#x2f;", "/").replace("&amp;", "&"))
}

async fn by_password(client: &Client, path: &str, who: &str, password: &str) -> Answer {
    enter(client, path, &format!("identifier={}&password={}", value(who), value(password))).await
}

async fn by_code(client: &Client, path: &str, who: &str) -> Answer {
    enter(client, path, &format!("identifier={}&by=code", value(who))).await
}

/// Opens the page of a step and sends it.
async fn step(client: &Client, place: &str, rest: &str) -> Answer {
    let page = client.get(place).await.must_be(200);
    let to = place.split('?').next().expect("a path");
    client.form(to, &format!("{}&{rest}", form(&page))).await
}

async fn code(app: &TestApp, client: &Client, place: &str, address: &str) -> Answer {
    let code = app.code_to(address).await;
    step(client, place, &format!("step=code&code={code}")).await
}

#[tokio::test]
async fn a_password_signs_in_and_leads_home() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    let page = browser.get("/sign-in").await.must_be(200);
    for hint in ["autocomplete=\"username\"", "autocomplete=\"current-password\"", "method=\"post\""] {
        says(&page, hint);
    }
    let done = by_password(&browser, "/sign-in", ADA, PASSWORD).await.must_be(303);
    assert_eq!(done.header("location"), "/account");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    // Again: who is here already goes on, or takes another account.
    let page = browser.get("/sign-in").await.must_be(200);
    says(&page, "You are signed in");
    says(&page, "Use another account");
    assert!(!page.text().contains("type=\"password\""));
    says(&browser.get("/sign-in?another=1").await.must_be(200), "type=\"password\"");
}

#[tokio::test]
async fn attack_a043_the_cookie_before_a_sign_in_is_worth_nothing_after() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    by_password(&browser, "/sign-in", ADA, "wrong and wrong").await.must_be(403);
    let planted = browser.cookie();
    assert!(planted.as_ref().is_some_and(|c| c.contains("__Host-latchstring=")), "{planted:?}");
    let thief = person(&app);
    thief.plant(planted.clone());
    by_password(&browser, "/sign-in", ADA, PASSWORD).await.must_be(303);
    assert_ne!(browser.cookie(), planted);
    assert_eq!(signed_in(&thief).await, None);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
}

#[tokio::test]
async fn wrong_and_unknown_are_the_same_answer() {
    let app = app().await;
    ada(&app).await;
    // The first one makes the decoy that all others are compared with.
    by_password(&person(&app), "/sign-in", "first@northwind.example", "wrong and wrong").await.must_be(403);
    let mut answers = Vec::new();
    for who in [ADA, "nobody@northwind.example", "nobody"] {
        let before = (app.realm.hashes(), app.realm.statements());
        let answer = by_password(&person(&app), "/sign-in", who, "wrong and wrong").await.must_be(403);
        let after = (app.realm.hashes() - before.0, app.realm.statements() - before.1);
        let text = answer.text().replace("<wbr>", "").replace("&#x2f;", "/").replace(who, "WHO");
        let text = text.replace(&form(&answer)[5..], "FORM");
        answers.push((text, after));
    }
    assert!(answers[0].0.contains("href=\"#password\""), "a summary with a link: {}", answers[0].0);
    assert!(answers[0].0.contains("aria-invalid=\"true\""));
    assert!(!answers[0].0.contains("wrong and wrong"), "a password is not sent back");
    assert_eq!(answers[0].0, answers[1].0);
    assert_eq!(answers[0], answers[2]);
    assert_eq!(answers[0].1, answers[1].1);
    // By code, and for a new password: one mail each, and the same page.
    for (path, by) in [("/sign-in", "&by=code"), ("/recover", ""), ("/sign-up", "")] {
        let mut seen = Vec::new();
        app.realm.clock.advance(5 * MINUTE);
        for who in ["nobody1@northwind.example", ADA] {
            let browser = person(&app);
            app.realm.deliver().await;
            let before = app.realm.mailbox.list().len();
            let moved = enter(&browser, path, &format!("identifier={}{by}", value(who))).await.must_be(303);
            let place = moved.header("location");
            app.realm.deliver().await;
            assert_eq!(app.realm.mailbox.list().len(), before + 1, "{path} {who}");
            let page = browser.get(&place).await.must_be(200);
            let id = place.split(['/', '?']).nth(2).expect("an id");
            let text = page.text().replace("<wbr>", "").replace(who, "WHO").replace(id, "ID");
            seen.push(text.replace(&form(&page)[5..], "FORM"));
        }
        assert_eq!(seen[0], seen[1], "{path}");
    }
    // To whom there is no account, the mail names the page where one is made.
    by_code(&person(&app), "/sign-in", "nobody2@northwind.example").await.must_be(303);
    let mail = app.mail_to("nobody2@northwind.example").await.expect("a mail");
    assert!(mail.text.contains("https://id.northwind.example/sign-up"), "{}", mail.text);
}

#[tokio::test]
async fn what_is_missing_or_malformed_is_marked_where_it_stands() {
    let app = app().await;
    for (path, rest, field) in [
        ("/sign-in", "identifier=&password=x", "identifier"),
        ("/sign-in", "identifier=+&by=code", "identifier"),
        ("/sign-in", "identifier=a%40b%40c&password=x", "identifier"),
        ("/sign-in", "identifier=ada&password=", "password"),
        ("/sign-up", "identifier=ada", "identifier"),
        ("/recover", "identifier=ada", "identifier"),
    ] {
        let page = enter(&person(&app), path, rest).await.must_be(400);
        says(&page, &format!("href=\"#{field}\""));
        says(&page, &format!("id=\"{field}-says\""));
        says(&page, &format!("aria-describedby=\"{field}-says\""));
    }
}

#[tokio::test]
async fn a_mailed_code_signs_in() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    let place = by_code(&browser, "/sign-in", ADA).await.must_be(303).header("location");
    let page = browser.get(&place).await.must_be(200);
    says(&page, "autocomplete=\"one-time-code\"");
    says(&page, "If there is an account for");
    for (wrong, status) in [("000000", 403), ("12", 400)] {
        let again = step(&browser, &place, &format!("step=code&code={wrong}")).await.must_be(status);
        says(&again, "id=\"code-says\"");
        says(&again, "href=\"#code\"");
    }
    let sent = step(&browser, &place, "step=send").await.must_be(303).header("location");
    says(&browser.get(&sent).await.must_be(200), "Another mail is on its way");
    let done = code(&app, &browser, &place, ADA).await.must_be(303);
    assert_eq!(done.header("location"), "/account");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    // Back and reload lead on, not into an error.
    assert_eq!(browser.get(&place).await.must_be(303).header("location"), "/account");
}

#[tokio::test]
async fn another_mail_has_to_wait_after_some() {
    let app = app().await;
    let browser = person(&app);
    let place = by_code(&browser, "/sign-in", ADA).await.must_be(303).header("location");
    step(&browser, &place, "step=send").await.must_be(303);
    step(&browser, &place, "step=send").await.must_be(303);
    let wait = step(&browser, &place, "step=send").await.must_be(429);
    says(&wait, "Wait a minute, then try again");
    assert_ne!(wait.header("retry-after"), "never");
    says(&wait, "id=\"code\"");
    app.realm.clock.advance(5 * MINUTE);
    step(&browser, &place, "step=send").await.must_be(303);
}

#[tokio::test]
async fn signing_up_goes_by_code_and_password() {
    let app = app().await;
    let browser = person(&app);
    let place = enter(&browser, "/sign-up", &format!("identifier={}", value(ADA))).await;
    let place = place.must_be(303).header("location");
    assert!(place.starts_with("/sign-up/"), "{place}");
    let place = code(&app, &browser, &place, ADA).await.must_be(303).header("location");
    let page = browser.get(&place).await.must_be(200);
    says(&page, "Choose a password");
    says(&page, "autocomplete=\"new-password\"");
    assert_eq!(signed_in(&browser).await, None);
    let weak = step(&browser, &place, "step=new_password&password=northwind").await.must_be(400);
    says(&weak, "id=\"password-says\"");
    let good = format!("step=new_password&password={}", value(PASSWORD));
    let done = step(&browser, &place, &good).await.must_be(303);
    assert_eq!(done.header("location"), "/account");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    says(&browser.get("/account").await.must_be(200), ADA);
    // Who has an account already and asks for one is let in to it.
    let again = person(&app);
    let place = enter(&again, "/sign-up", &format!("identifier={}", value(ADA))).await.must_be(303);
    let done = code(&app, &again, &place.header("location"), ADA).await.must_be(303);
    assert_eq!(done.header("location"), "/account");
}

#[tokio::test]
async fn the_door_says_who_may_make_accounts() {
    let app = app().await;
    for (sign_up, words) in
        [(SignUp::Invite, "you need an invitation"), (SignUp::Closed, "made by the people who run")]
    {
        // Somebody had the form open while it was closed.
        let browser = person(&app);
        app.realm.set(|s| s.sign_up = SignUp::Open).await;
        let page = browser.get("/sign-up").await.must_be(200);
        app.realm.set(move |s| s.sign_up = sign_up).await;
        let shown = browser.get("/sign-up").await.must_be(200);
        says(&shown, words);
        assert!(!shown.text().contains("<form"));
        assert!(!browser.get("/sign-in").await.text().contains("/sign-up"));
        let late = format!("{}&identifier={}", form(&page), value(ADA));
        says(&browser.form("/sign-up", &late).await.must_be(403), words);
    }
}

#[tokio::test]
async fn recovering_ends_what_was_open() {
    let app = app().await;
    ada(&app).await;
    let old = app.realm.sign_in(ADA, PASSWORD).await;
    let browser = person(&app);
    let place = enter(&browser, "/recover", &format!("identifier={}", value(ADA))).await;
    let place = code(&app, &browser, &place.header("location"), ADA).await.must_be(303).header("location");
    says(&browser.get(&place).await.must_be(200), "will be signed out");
    assert!(old.is_in().await);
    let good = format!("step=new_password&password={}", value(OTHER_PASSWORD));
    step(&browser, &place, &good).await.must_be(303);
    assert!(!old.is_in().await);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    app.realm.sign_in(ADA, OTHER_PASSWORD).await;
}

#[tokio::test]
async fn the_link_of_the_mail_completes_it_here_and_begins_anew_elsewhere() {
    let app = app().await;
    ada(&app).await;
    app.realm.set(|s| s.origins = vec![APP.into()]).await;
    let browser = person(&app);
    let there = format!("{APP}/reports?year=2026");
    let asked = format!("/sign-in?return_to={}", value(&there));
    let place = by_code(&browser, &asked, ADA).await.must_be(303).header("location");
    let link = link_to(&app, ADA).await;
    let other = person(&app);
    press(&other, &link_to(&app, ADA).await).await.must_be(303);
    assert_eq!(signed_in(&other).await.as_deref(), Some(ADA));
    assert!(
        !other.get("/verify/done").await.text().contains("reports"),
        "where somebody else was led is nobody's business"
    );
    assert_eq!(signed_in(&browser).await, None);
    let _ = link;
    step(&browser, &place, "step=send").await.must_be(303);
    press(&browser, &link_to(&app, ADA).await).await.must_be(303);
    let done = browser.get("/verify/done").await.must_be(200);
    assert!(done.text().replace("&#x2f;", "/").contains(&format!("href=\"{there}\"")), "{}", done.text());
    // The page that waited for the code leads on too; and nobody is led where the realm does not list it any more.
    assert_eq!(browser.get(&place).await.must_be(303).header("location"), there);
    app.realm.set(|s| s.origins.clear()).await;
    assert_eq!(browser.get(&place).await.must_be(303).header("location"), "/account");
    assert!(!browser.get("/verify/done").await.text().contains("reports"));
}

#[tokio::test]
async fn one_is_led_back_to_where_one_came_from() {
    let app = app().await;
    ada(&app).await;
    app.realm.set(|s| s.origins = vec![APP.into()]).await;
    for there in ["/account/sessions".to_owned(), APP.to_owned() + "/", format!("{APP}/a?b=c&d=e")] {
        let asked = format!("/sign-in?return_to={}", value(&there));
        let browser = person(&app);
        let page = browser.get(&asked).await.must_be(200);
        let policy = page.header("content-security-policy");
        let form_action =
            if there.starts_with('/') { "'self';" } else { "'self' https://app.northwind.example;" };
        assert!(policy.contains(&format!("form-action {form_action}")), "{policy}");
        let done = by_password(&browser, &asked, ADA, PASSWORD).await.must_be(303);
        assert_eq!(done.header("location"), there);
        // Through a wrong password, and by way of the other pages.
        let browser = person(&app);
        let wrong = by_password(&browser, &asked, ADA, "wrong and wrong").await.must_be(403);
        assert_eq!(return_to(&wrong), value(&there));
        let page = browser.get(&asked).await.text().replace("&#x2f;", "/");
        let way = page.split("href=\"/recover").nth(1).and_then(|r| r.split('"').next()).expect("a link");
        let place = enter(&browser, &format!("/recover{way}"), &format!("identifier={}", value(ADA))).await;
        let place = place.must_be(303).header("location");
        let place = code(&app, &browser, &place, ADA).await.must_be(303).header("location");
        let good = format!("step=new_password&password={}", value(PASSWORD));
        assert_eq!(step(&browser, &place, &good).await.must_be(303).header("location"), there);
        // Who is signed in already is offered to go on there.
        let page = browser.get(&asked).await.must_be(200).text().replace("&#x2f;", "/").replace("&amp;", "&");
        assert!(page.contains(&format!("href=\"{there}\"")), "{page}");
        app.realm.clock.advance(10 * MINUTE);
    }
}

#[tokio::test]
async fn attack_a021_a146_nobody_is_led_anywhere_else() {
    let app = app().await;
    ada(&app).await;
    app.realm.set(|s| s.origins = vec![APP.into()]).await;
    for (i, bad) in [
        "//evil.test",
        "///evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/%5cevil.test",
        "/%2fevil.test",
        "/.//evil.test",
        "/\t/evil.test",
        "/%09/evil.test",
        "/%0d%0aLocation: https://evil.test",
        "/\r\nSet-Cookie: evil=test",
        "https://evil.test",
        "https://app.northwind.example.evil.test",
        "https://app.northwind.example@evil.test",
        "https://app.northwind.example:443@evil.test",
        "https://app.northwind.example%40evil.test",
        "http://app.northwind.example/evil.test",
        "HTTPS://app.northwind.example/evil.test",
        "https:evil.test",
        "javascript:alert('evil.test')",
        "data:text/html,evil.test",
        "／／evil.test",
        "/\u{2215}evil.test",
        "\u{feff}//evil.test",
        "https://id.northwind.example@evil.test",
        "https://id.northwind.example.evil.test",
        "evil.test",
    ]
    .iter()
    .enumerate()
    {
        let mut browser = person(&app);
        browser.peer = std::net::SocketAddr::from(([198, 51, 100, i as u8], 1));
        for path in ["/sign-in", "/sign-up", "/recover"] {
            let page = browser.get(&format!("{path}?return_to={}", value(bad))).await.must_be(200);
            assert!(!page.text().contains("evil"), "{bad}: the page says something of it");
            assert!(!page.header("content-security-policy").contains("evil"), "{bad}");
        }
        // Also where the hidden field is another than the page had.
        let page = browser.get("/sign-in").await.must_be(200);
        let body = format!(
            "{}&return_to={}&identifier={}&password={}",
            form(&page),
            value(bad),
            value(ADA),
            value(PASSWORD)
        );
        let done = browser.form("/sign-in", &body).await.must_be(303);
        assert_eq!(done.header("location"), "/account", "{bad}");
        assert!(
            done.headers.get_all("set-cookie").iter().all(|c| !c.to_str().unwrap_or("").contains("evil"))
        );
        let page = browser.get(&format!("/sign-in?return_to={}", value(bad))).await.must_be(200);
        assert!(!page.text().contains("evil"), "{bad}");
        let body = format!("{}&session=x&return_to={}", form(&page_with_form(&browser).await), value(bad));
        let moved = browser.form("/sign-in/switch", &body).await.must_be(303);
        assert_eq!(moved.header("location"), "/sign-in?return_to=/account", "{bad}");
    }
    // Twice is nothing.
    let page = person(&app).get(&format!("/sign-in?return_to={APP}/&return_to=/account")).await.must_be(200);
    assert_eq!(return_to(&page), "");
}

async fn page_with_form(browser: &Client) -> Answer {
    browser.get("/account").await.must_be(200)
}

#[tokio::test]
async fn attack_a052_a144_a_form_from_elsewhere_signs_nobody_in() {
    let app = app().await;
    ada(&app).await;
    let (browser, attacker) = (person(&app), person(&app));
    let theirs = form(&attacker.get("/sign-in").await.must_be(200));
    let rest = format!("identifier={}&password={}", value(ADA), value(PASSWORD));
    // The attacker's own token, in a browser with a cookie and in one with none.
    let refused = browser.form("/sign-in", &format!("{theirs}&{rest}")).await.must_be(409);
    says(&refused, "keep cookies");
    browser.get("/sign-in").await.must_be(200);
    for bad in [theirs.as_str(), "form=", "form=00", ""] {
        let refused = browser.form("/sign-in", &format!("{bad}&{rest}")).await.must_be(409);
        says(&refused, "had changed meanwhile");
        says(&refused, ADA);
    }
    // The right token from another origin.
    let own = form(&browser.get("/sign-in").await.must_be(200));
    for (site, origin) in [
        (Some("cross-site"), None),
        (Some("same-site"), Some("https://evil.northwind.example")),
        (Some("none"), None),
        (None, Some("https://evil.test")),
        (None, Some("null")),
        (None, None),
    ] {
        let mut evil = browser.clone();
        evil.unset("sec-fetch-site");
        site.iter().for_each(|site| evil.set("sec-fetch-site", site));
        origin.iter().for_each(|origin| evil.set("origin", origin));
        for path in ["/sign-in", "/sign-up", "/recover", "/sign-out", "/sign-in/switch"] {
            let refused = evil.form(path, &format!("{own}&{rest}")).await.must_be(403);
            says(&refused, "Open the page again");
        }
    }
    // A token of another page is none of this one.
    let other = form(&browser.get("/recover").await.must_be(200));
    browser.form("/sign-in", &format!("{other}&{rest}")).await.must_be(409);
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/json"] {
        let body = format!("{own}&{rest}").into_bytes();
        browser.send(http::Method::POST, "/sign-in", Some((kind, body))).await.must_be(400);
    }
    assert_eq!(signed_in(&browser).await, None);
    browser.form("/sign-in", &format!("{own}&{rest}")).await.must_be(303);
}

#[tokio::test]
async fn attack_a045_an_attempt_is_its_browsers_alone() {
    let app = app().await;
    ada(&app).await;
    let (browser, other) = (person(&app), person(&app));
    let place = by_code(&browser, "/sign-in", ADA).await.must_be(303).header("location");
    let theirs = by_code(&other, "/sign-in", BEA).await.must_be(303).header("location");
    let code = app.code_to(ADA).await;
    let path = |place: &str| place.split('?').next().expect("a path").to_owned();
    says(&other.get(&place).await.must_be(404), "This step is over");
    let page = other.get(&theirs).await.must_be(200);
    for stranger in [&other, &person(&app)] {
        let refused = stranger.form(&path(&place), &format!("{}&step=code&code={code}", form(&page))).await;
        assert_eq!(refused.status, 404, "{}", refused.text());
        says(&refused, "Begin again");
    }
    // Their attempt's token does not serve mine.
    browser.form(&path(&place), &format!("{}&step=code&code={code}", form(&page))).await.must_be(409);
    for none in ["/sign-in/x", "/sign-in/00000000-0000-0000-0000-000000000000", "/recover/x?by=code"] {
        browser.get(none).await.must_be(404);
    }
    assert_eq!(signed_in(&other).await, None);
    step(&browser, &place, &format!("step=code&code={code}")).await.must_be(303);
}

#[tokio::test]
async fn an_attempt_that_took_too_long_begins_again() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    let place = by_code(&browser, "/sign-in", ADA).await.must_be(303).header("location");
    let page = browser.get(&place).await.must_be(200);
    let late = format!("{}&step=code&code={}", form(&page), app.code_to(ADA).await);
    app.realm.clock.advance(15 * MINUTE);
    let path = place.split('?').next().expect("a path");
    says(&browser.form(path, &late).await.must_be(403), "not right, too old, or was tried too often");
    app.realm.clock.advance(2 * HOUR);
    says(&browser.form(path, &late).await.must_be(404), "Begin again");
    says(&browser.get(&place).await.must_be(404), "This step is over");
    assert_eq!(signed_in(&browser).await, None);
}

#[tokio::test]
async fn a_right_password_of_an_address_that_nobody_proved_asks_for_the_code() {
    let app = app().await;
    app.realm.admin_user(ADA, false, Some(PASSWORD)).await;
    let browser = person(&app);
    let place = by_password(&browser, "/sign-in", ADA, PASSWORD).await.must_be(303).header("location");
    assert!(place.ends_with("?by=code"), "{place}");
    assert_eq!(signed_in(&browser).await, None);
    code(&app, &browser, &place, ADA).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
}

#[tokio::test]
async fn several_accounts_live_side_by_side() {
    let app = app().await;
    ada(&app).await;
    app.realm.sign_up(BEA, PASSWORD).await;
    let browser = person(&app);
    by_password(&browser, "/sign-in", ADA, PASSWORD).await.must_be(303);
    by_password(&browser, "/sign-in?another=1", BEA, PASSWORD).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(BEA));
    let page = browser.get("/sign-in?return_to=/account/data").await.must_be(200);
    says(&page, ADA);
    says(&page, BEA);
    let text = page.text();
    let session = text.split("name=\"session\" value=\"").nth(1).and_then(|r| r.split('"').next());
    let before = browser.cookie();
    // A session of another browser can't be taken.
    let stranger = person(&app);
    by_password(&stranger, "/sign-in", BEA, PASSWORD).await.must_be(303);
    let theirs =
        stranger.get("/api/v1/session").await.json()["session"]["id"].as_str().expect("id").to_owned();
    let body = |session: &str| format!("{}&session={session}&return_to=%2Faccount%2Fdata", form(&page));
    browser.form("/sign-in/switch", &body(&theirs)).await.must_be(303);
    assert_eq!(signed_in(&browser).await.as_deref(), Some(BEA));
    let moved = browser.form("/sign-in/switch", &body(session.expect("a session"))).await.must_be(303);
    assert_eq!(moved.header("location"), "/account/data");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    assert_ne!(browser.cookie(), before);
    // Signed out of one, the other is still there to choose.
    let page = browser.get("/sign-out").await.must_be(200);
    browser.form("/sign-out", &form(&page)).await.must_be(303);
    assert_eq!(signed_in(&browser).await, None);
    says(&browser.get("/sign-out/done").await.must_be(200), "still signed in to another account");
    let page = browser.get("/sign-in").await.must_be(200);
    says(&page, "Choose an account");
    says(&page, BEA);
    assert!(!page.text().contains("ada@"));
}

#[tokio::test]
async fn attack_a048_only_the_button_signs_out() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    by_password(&browser, "/sign-in", ADA, PASSWORD).await.must_be(303);
    let mut evil = browser.clone();
    evil.set("sec-fetch-site", "cross-site");
    let page = evil.get("/sign-out").await.must_be(200);
    evil.form("/sign-out", &form(&page)).await.must_be(403);
    browser.form("/sign-out", "form=x").await.must_be(303);
    assert!(signed_in(&browser).await.is_some());
    let done = browser.form("/sign-out", &form(&page)).await.must_be(303);
    assert_eq!(done.header("location"), "/sign-out/done");
    // A cookie changes, or Chromium shows the pages from before out of its store (A149; tests/browser has it for real).
    assert!(done.header("set-cookie").contains("-door"), "{}", done.header("set-cookie"));
    says(&browser.get("/sign-out/done").await.must_be(200), "You are signed out");
    assert_eq!(signed_in(&browser).await, None);
    assert_eq!(browser.get("/sign-out").await.must_be(303).header("location"), "/sign-out/done");
}

#[tokio::test]
async fn no_secret_stands_in_an_address() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    let mut places = vec![by_code(&browser, "/sign-in", ADA).await.header("location")];
    places.push(code(&app, &browser, &places[0].clone(), ADA).await.header("location"));
    let cookie = browser.cookie().expect("a cookie");
    for place in &places {
        assert!(place.len() < 80 && !place.contains("form=") && !place.contains('@'), "{place}");
        assert!(cookie.split('=').all(|part| !place.contains(part)));
    }
    // What a form sends is not taken from an address.
    let page = person(&app);
    let shown = page.get(&format!("/sign-in?identifier={}&password=x", value(ADA))).await.must_be(200);
    assert!(!shown.text().contains(ADA));
}

#[tokio::test]
async fn the_sign_in_page_is_small() {
    let app = app().await;
    let browser = person(&app);
    let page = browser.get("/sign-in").await.must_be(200);
    let text = page.text();
    let mut sum = text.len();
    for file in text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        if file.starts_with("/assets/") {
            sum += browser.get(file).await.must_be(200).body.len();
        }
    }
    assert!(sum > text.len() && sum < 30 * 1024, "{sum} bytes to show the sign-in page");
}

#[tokio::test]
async fn the_start_page_leads_to_the_door() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    let page = browser.get("/").await.must_be(200);
    for way in ["href=\"/sign-in\"", "href=\"/sign-up\""] {
        says(&page, way);
        says(&person(&dev().await).get("/").await.must_be(200), way);
    }
    by_password(&browser, "/sign-in", ADA, PASSWORD).await.must_be(303);
    let page = browser.get("/").await.must_be(200);
    says(&page, ADA);
    says(&page, "href=\"/account\"");
}
