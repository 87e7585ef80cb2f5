//! `/account`: what people do with their own.

use super::*;
use latchstring_core::{clock::MINUTE, testing::OTHER_PASSWORD};

/// Ada at a browser, signed in just now.
pub(crate) async fn at_home(app: &TestApp) -> Client {
    ada(app).await;
    enter(app, ADA).await
}

pub(crate) async fn enter(app: &TestApp, who: &str) -> Client {
    let browser = person(app);
    let page = browser.get("/sign-in").await.must_be(200);
    let body = format!("{}&identifier={who}&password={}", form(&page), PASSWORD.replace(' ', "+"));
    browser.form("/sign-in", &body).await.must_be(303);
    browser
}

/// Opens a page and sends one of its forms.
pub(crate) async fn send(browser: &Client, page: &str, to: &str, rest: &str) -> Answer {
    let page = browser.get(page).await.must_be(200);
    browser.form(to, &format!("{}&{rest}", form(&page))).await
}

/// Gives the password again, where a page asks for it. Gives where it leads.
async fn prove_again(browser: &Client, place: &str) -> String {
    assert!(place.starts_with("/account/confirm/"), "{place}");
    says(&browser.get(place).await.must_be(200), "Confirm that it is you");
    let wrong = send(browser, place, place, "step=password&password=wrong").await.must_be(403);
    says(&wrong, "id=\"password-says\"");
    let before = browser.cookie();
    let rest = format!("step=password&password={}", PASSWORD.replace(' ', "+"));
    let done = send(browser, place, place, &rest).await.must_be(303);
    assert_ne!(browser.cookie(), before, "the cookie changes with each step-up");
    done.header("location")
}

const PAGES: [&str; 5] =
    ["/account", "/account/security", "/account/sessions", "/account/data", "/account/delete"];

#[tokio::test]
async fn nobody_is_at_home_without_signing_in() {
    let app = app().await;
    let browser = person(&app);
    for page in PAGES {
        let to = browser.get(page).await.must_be(303).header("location");
        assert_eq!(to, format!("/sign-in?return_to={page}"));
    }
    for form in ["/account/name", "/account/email", "/account/username", "/account/security"] {
        let to = browser.form(form, "form=x").await.must_be(303).header("location");
        assert!(to.starts_with("/sign-in?return_to=/account"), "{to}");
    }
    for page in ["/account/name", "/account/email", "/account/username", "/account/confirm"] {
        assert_eq!(browser.get(page).await.must_be(303).header("location"), "/account");
    }
}

#[tokio::test]
async fn attack_a144_forms_of_the_house_come_from_the_house() {
    let app = app().await;
    let browser = at_home(&app).await;
    let own = form(&browser.get("/account").await.must_be(200));
    let mut evil = browser.clone();
    evil.set("sec-fetch-site", "cross-site");
    let all = [
        "/account/name",
        "/account/email",
        "/account/username",
        "/account/security",
        "/account/sessions",
        "/account/data",
        "/account/delete",
        "/account/confirm",
    ];
    for to in all {
        says(&evil.form(to, &own).await.must_be(403), "Open the page again");
        let bad = browser.form(to, "form=x&name=Eve&session=all").await;
        assert!(bad.status == 409 || bad.status == 303, "{to}: {}", bad.status);
        assert!(!bad.header("location").contains("confirm/"), "{to}");
    }
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    let full = app.realm.find(ADA).await.expect("Ada");
    assert_eq!(full.user.name, None);
}

#[tokio::test]
async fn a_profile_is_changed() {
    let app = app().await;
    let browser = at_home(&app).await;
    let moved = send(&browser, "/account", "/account/name", "name=Ada+%3Cb%3E").await.must_be(303);
    let page = browser.get(&moved.header("location")).await.must_be(200);
    says(&page, "Your name is saved");
    says(&page, "Ada &lt;b&gt;");
    let wrong = send(&browser, "/account", "/account/name", "name=Ada%E2%80%AE").await.must_be(400);
    says(&wrong, "id=\"name-says\"");
    send(&browser, "/account", "/account/username", "username=ada.l").await.must_be(303);
    says(&browser.get("/account").await, "ada.l");
    let wrong = send(&browser, "/account", "/account/username", "username=a%40b").await.must_be(400);
    says(&wrong, "href=\"#username\"");
    app.realm.sign_up("bea@northwind.example", PASSWORD).await;
    let bea = enter(&app, "bea%40northwind.example").await;
    let taken = send(&bea, "/account", "/account/username", "username=ADA.L").await.must_be(409);
    says(&taken, "Somebody else has that");
    assert!(!browser.get("/account?done=%3Cscript%3E").await.text().contains("<script"));
}

#[tokio::test]
async fn the_first_page_says_what_to_look_at() {
    let app = app().await;
    let browser = at_home(&app).await;
    // One browser has signed up, and this one came after it.
    let page = browser.get("/account").await.must_be(200);
    says(&page, "Nothing needs your attention");
    says(&page, "A new device signed in");
    let new = latchstring_core::admin::users::NewUser {
        email: Some(latchstring_core::testing::who("bob@northwind.example")),
        username: Some(latchstring_core::testing::who("bob")),
        secret: Some(latchstring_core::admin::users::NewSecret::Password(latchstring_core::testing::secret(
            PASSWORD,
        ))),
        ..latchstring_core::admin::users::NewUser::default()
    };
    let (actor, source) =
        (latchstring_core::audit::Actor::Operator, latchstring_core::audit::Source::default());
    latchstring_core::admin::users::create(&app.realm.realm, actor, &source, new).await.expect("made");
    let bob = enter(&app, "bob").await;
    let page = bob.get("/account").await.must_be(200);
    says(&page, "Your address is not confirmed");
    says(&page, "href=\"#ways-title\"");
    assert!(!page.text().contains("Nothing needs your attention"));
    // Whoever comes first to an account that an operator made may not be its owner.
    says(&page, "A new device signed in");
}

#[tokio::test]
async fn another_address_is_proven_first() {
    let app = app().await;
    let browser = at_home(&app).await;
    let new = "ada@lovelace.example";
    says(&send(&browser, "/account", "/account/email", "email=ada").await.must_be(400), "href=\"#email\"");
    let place = send(&browser, "/account", "/account/email", &format!("email={new}")).await.must_be(303);
    let place = place.header("location");
    says(&browser.get(&place).await.must_be(200), "We have mailed a code to");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    let code = app.code_to(new).await;
    let path = place.split('?').next().expect("a path");
    let done = send(&browser, &place, path, &format!("step=code&code={code}")).await.must_be(303);
    assert_eq!(done.header("location"), "/account?done=email");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(new));
    assert!(app.mail_to(ADA).await.is_some_and(|mail| mail.subject.contains("address")));
    // By the link of the mail, in the same browser.
    send(&browser, "/account", "/account/email", &format!("email={ADA}")).await.must_be(303);
    press(&browser, &link_to(&app, ADA).await).await.must_be(303);
    let done = browser.get("/verify/done").await.must_be(200);
    says(&done, "Confirmed");
    assert!(done.text().replace("&#x2f;", "/").contains("href=\"/account?done=email\""));
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
}

#[tokio::test]
async fn what_matters_asks_for_a_proof_and_leads_back() {
    let app = app().await;
    let browser = at_home(&app).await;
    // The forms are open while the proof is young, and come back too late.
    let own = form(&browser.get("/account").await.must_be(200));
    app.realm.clock.advance(30 * MINUTE);
    for (page, forms) in [
        ("/account", &["/account/email", "/account/username"][..]),
        ("/account/data", &["/account/data"]),
        ("/account/delete", &["/account/delete"]),
    ] {
        let shown = browser.get(page).await.must_be(200);
        says(&shown, "Confirm that it is me");
        for form in forms {
            let rest = format!("{own}&email=eve%40evil.example&username=eve");
            let place = browser.form(form, &rest).await.must_be(303).header("location");
            assert!(place.starts_with("/account/confirm/"), "{form}: {place}");
        }
    }
    assert_eq!(app.realm.find(ADA).await.and_then(|f| f.username().map(|u| u.typed.clone())), None);
    let place = send(&browser, "/account/data", "/account/confirm", "to=%2Faccount%2Fdata").await;
    assert_eq!(prove_again(&browser, &place.must_be(303).header("location")).await, "/account/data");
    says(&browser.get("/account/data").await.must_be(200), "Download my data");
    // A code does as well, and nobody is led out of the house.
    app.realm.clock.advance(30 * MINUTE);
    let evil = "to=https%3A%2F%2Fevil.test";
    let place = send(&browser, "/account", "/account/confirm", evil).await.must_be(303).header("location");
    let sent = send(&browser, &place, &place, "step=send").await.must_be(303).header("location");
    let code = app.code_to(ADA).await;
    let done = send(&browser, &sent, &place, &format!("step=code&code={code}")).await.must_be(303);
    assert_eq!(done.header("location"), "/account");
}

#[tokio::test]
async fn attack_a049_a_new_password_signs_out_everything_else() {
    let app = app().await;
    let browser = at_home(&app).await;
    let other = enter(&app, ADA).await;
    let page = browser.get("/account/security").await.must_be(200);
    says(&page, "autocomplete=\"current-password\"");
    says(&page, "autocomplete=\"new-password\"");
    let new = OTHER_PASSWORD.replace(' ', "+");
    let old = PASSWORD.replace(' ', "+");
    let change = async |old: &str, new: &str| {
        let rest = format!("current_password={old}&password={new}");
        send(&browser, "/account/security", "/account/security", &rest).await
    };
    says(&change("wrong", &new).await.must_be(403), "id=\"current_password-says\"");
    says(&change(&old, "short").await.must_be(400), "id=\"password-says\"");
    let done = change(&old, &new).await.must_be(303);
    says(&browser.get(&done.header("location")).await.must_be(200), "Your password is changed");
    assert_eq!(signed_in(&browser).await.as_deref(), Some(ADA));
    assert_eq!(signed_in(&other).await, None);
    app.realm.sign_in(ADA, OTHER_PASSWORD).await;
}

#[tokio::test]
async fn sessions_are_shown_and_ended() {
    let app = app().await;
    let mut browser = at_home(&app).await;
    browser.set(
        "user-agent",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
    );
    let other = enter(&app, ADA).await;
    let third = enter(&app, ADA).await;
    app.realm.sign_up("bea@northwind.example", PASSWORD).await;
    let bea = enter(&app, "bea%40northwind.example").await;
    let id = async |client: &Client| {
        client.get("/api/v1/session").await.json()["session"]["id"].as_str().expect("an id").to_owned()
    };
    let page = browser.get("/account/sessions").await.must_be(200);
    assert_eq!(page.text().matches("This one").count(), 1);
    says(&page, "title=\"2026-01-01T");
    // Bea's session is not Ada's to end.
    let theirs = format!("session={}", id(&bea).await);
    send(&browser, "/account/sessions", "/account/sessions", &theirs).await.must_be(303);
    assert!(signed_in(&bea).await.is_some());
    let one = format!("session={}", id(&other).await);
    send(&browser, "/account/sessions", "/account/sessions", &one).await.must_be(303);
    assert_eq!(signed_in(&other).await, None);
    assert!(signed_in(&third).await.is_some());
    send(&browser, "/account/sessions", "/account/sessions", "session=others").await.must_be(303);
    assert_eq!(signed_in(&third).await, None);
    assert!(signed_in(&browser).await.is_some());
    let out = send(&browser, "/account/sessions", "/account/sessions", "session=all").await.must_be(303);
    assert_eq!(out.header("location"), "/sign-out/done");
    assert_eq!(signed_in(&browser).await, None);
}

struct Alps;
impl latchstring_core::realm::Places for Alps {
    fn of(&self, address: std::net::IpAddr) -> Option<String> {
        (address.to_string() == "203.0.113.9").then(|| "Zürich <b>".to_owned())
    }
}

#[tokio::test]
async fn devices_are_shown_with_their_place_or_else_their_address() {
    let realm = TestRealm::opened_by(|opening| opening.places = Some(std::sync::Arc::new(Alps))).await;
    let config = Config::new(latchstring_core::testing::ISSUER, false, Vec::new());
    let app = TestApp::with(latchstring_server::service, config, realm);
    ada(&app).await;
    app.realm.visitor().from("203.0.113.9").sign_in(ADA, PASSWORD).await;
    let browser = enter(&app, ADA).await;
    let page = browser.get("/account/sessions").await.must_be(200);
    says(&page, ", <bdi>Zürich &lt;b&gt;</bdi></b>");
    assert!(!page.text().contains("203.0.113.9"));
    says(&page, "192.0.2.7");
}

#[tokio::test]
async fn ones_own_data_is_taken_along() {
    let app = app().await;
    let browser = at_home(&app).await;
    let file = send(&browser, "/account/data", "/account/data", "x=y").await.must_be(200);
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"account.json\"");
    assert_eq!(file.header("cache-control"), "no-store");
    let data = file.json();
    assert_eq!(data["account"]["email"], ADA);
    assert!(data["sessions"].as_array().is_some_and(|s| !s.is_empty()));
    assert!(!file.text().contains("argon2"));
}

#[tokio::test]
async fn every_page_of_the_house_forbids_framing_and_keeping() {
    let app = app().await;
    let browser = at_home(&app).await;
    for page in PAGES.into_iter().chain(["/sign-in", "/sign-out"]) {
        let page = browser.get(page).await.must_be(200);
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(page.header("content-security-policy").contains("form-action 'self';"));
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert!(!page.text().contains("<script"));
    }
}

#[tokio::test]
async fn a_person_chooses_the_language_of_their_pages_and_mails() {
    let app = app().await;
    let browser = at_home(&app).await;
    let page = browser.get("/account").await.must_be(200);
    let sent = format!("{}&language=de", form(&page));
    let moved = browser.form("/account/language", &sent).await.must_be(303);
    assert_eq!(moved.header("location"), "/account?done=language");
    says(&browser.get("/account?done=language").await.must_be(200), "Ihre Sprache ist gespeichert.");
    assert_eq!(browser.get("/api/v1/account").await.must_be(200).json()["locale"], "de");
    // Notices are in it, wherever they are caused.
    let (now, new) = (PASSWORD.replace(' ', "+"), OTHER_PASSWORD.replace(' ', "+"));
    let change = format!("current_password={now}&password={new}");
    send(&browser, "/account/security", "/account/security", &change).await.must_be(303);
    let mail = app.mail_to(ADA).await.expect("a notice");
    assert!(mail.subject.starts_with("Ihr Passwort bei "), "{}", mail.subject);
    // Nothing else becomes a language; nothing is a language too.
    for (tag, stored) in [("xx", json!(null)), ("ar", json!("ar")), ("", json!(null))] {
        let page = browser.get("/account").await.must_be(200);
        browser.form("/account/language", &format!("{}&language={tag}", form(&page))).await.must_be(303);
        assert_eq!(browser.get("/api/v1/account").await.json()["locale"], stored, "{tag}");
    }
    says(&browser.get("/account").await.must_be(200), "<html lang=\"en\"");
}

/// A browser cuts what is pasted into a field off at its `maxlength` and says nothing: the person would keep another
/// password than we do.
#[tokio::test]
async fn a_new_password_is_refused_rather_than_cut() {
    let app = app().await;
    let browser = at_home(&app).await;
    let page = browser.get("/account/security").await.must_be(200);
    let field = page.text().split("id=\"password\"").nth(1).expect("a field").to_owned();
    assert!(field.split('>').next().expect("its end").contains("maxlength=\"1024\""), "{field}");
    let long = "copper+kettle+".repeat(20);
    let change = format!("current_password={}&password={long}", PASSWORD.replace(' ', "+"));
    let refused = send(&browser, "/account/security", "/account/security", &change).await.must_be(400);
    says(&refused, "This password is too long.");
}
