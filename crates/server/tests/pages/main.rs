//! The pages through the real router: what people see behind a mailed link, and what an attacker gets.

mod dev;
mod door;
mod everywhere;
mod house;
mod invitation;
mod leaving;
mod look;
mod not_me;
mod verify;

use latchstring_core::{
    id::UserId,
    testing::{PASSWORD, TestRealm},
};
use latchstring_web::{
    Config,
    testing::{Answer, Client, TestApp},
};
use serde_json::json;

const ADA: &str = "ada@northwind.example";
const PAGES: [&str; 9] = [
    "/",
    "/docs",
    "/verify",
    "/verify/done",
    "/nothing/here",
    "/sign-in",
    "/sign-up",
    "/recover",
    "/sign-out/done",
];

async fn app() -> TestApp {
    TestApp::new(latchstring_server::service).await
}

async fn dev() -> TestApp {
    let config = Config::new("http://localhost:8080", true, Vec::new());
    TestApp::with(latchstring_server::service, config, TestRealm::new().await)
}

/// Somebody at a browser who asks for pages, and comes from where browsers say.
fn person(app: &TestApp) -> Client {
    let mut client = app.browser();
    client.set("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    client
}

/// The path and query of the link in the newest mail to `address`.
async fn link_to(app: &TestApp, address: &str) -> String {
    newest_link(app, address, |link| !link.contains("not_me=")).await
}

/// The same of the newest notice.
async fn not_me_to(app: &TestApp, address: &str) -> String {
    newest_link(app, address, |link| link.contains("not_me=")).await
}

async fn newest_link(app: &TestApp, address: &str, wanted: impl Fn(&str) -> bool) -> String {
    app.realm.deliver().await;
    let mail = app.realm.mailbox.newest_where(address, |mail| mail.link.as_deref().is_some_and(&wanted));
    let link = mail.and_then(|mail| mail.link).expect("a mail with a link");
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
