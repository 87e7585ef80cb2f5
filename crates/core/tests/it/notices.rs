//! What an account's owner is told by mail, and how often.

use latchstring_core::{
    account,
    admin::users::{self, NewSecret},
    attempt::{AttemptKind, Caller},
    audit::{Actor, Source},
    clock::{DAY, MINUTE},
    mail::Mail,
    oauth::password_grant,
    session::Which,
    testing::{OTHER_PASSWORD, PASSWORD, TestRealm, Visitor, secret},
};

const ADA: &str = "ada@northwind.example";
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";

async fn told(test: &TestRealm, what: &str) -> usize {
    test.deliver().await;
    test.mailbox.list().iter().filter(|mail| mail.subject.contains(what)).count()
}

const NEW_DEVICE: &str = "New sign-in";

#[tokio::test]
async fn a_sign_in_with_a_new_browser_is_told_with_all_that_helps_to_know_it() {
    let test = TestRealm::new().await;
    let here = test.sign_up(ADA, PASSWORD).await;
    assert_eq!(told(&test, NEW_DEVICE).await, 0, "who has just signed up knows");
    here.sign_in(ADA, PASSWORD).await;
    assert_eq!(told(&test, NEW_DEVICE).await, 0, "the same browser");
    let there = test.visitor().from("192.0.2.9").with(CHROME);
    there.sign_in(ADA, PASSWORD).await;
    let mail = there.mail_to(ADA).await;
    assert_eq!(mail.subject, "New sign-in to your Latchstring account");
    for fact in ["Device: Chrome on Windows", "From: 192.0.2.9", "When: 1 January 2026, 00:00 UTC"] {
        assert!(mail.text.contains(fact), "{fact}: {}", mail.text);
    }
    let link = mail.link.expect("a link");
    assert!(link.starts_with("https://id.northwind.example/verify?not_me="), "{link}");
    assert!(mail.text.contains(&link) && mail.html.contains("This was not me"));
    there.sign_in(ADA, PASSWORD).await;
    assert_eq!(told(&test, NEW_DEVICE).await, 1, "once");
}

#[tokio::test]
async fn apps_are_told_apart_by_what_they_say_that_they_are() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let expected = [(CHROME, 1), (CHROME, 1), ("app/1 (iPhone)", 2), (FIREFOX, 3), ("app/1 (iPhone)", 3)];
    for (agent, mails) in expected {
        test.app().with(agent).sign_in(ADA, PASSWORD).await;
        assert_eq!(told(&test, NEW_DEVICE).await, mails, "{agent}");
    }
    let mail = test.mailbox.newest_where(ADA, |mail| mail.text.contains("iPhone")).expect("told");
    assert!(mail.text.contains("Device: An app on iPhone"), "{}", mail.text);
}

/// Most apps name no browser, and many no system: one of a thief must not pass for the owner's.
#[tokio::test]
async fn an_app_that_nobody_can_name_is_known_by_its_whole_text_only() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let newer = CHROME.replace("131", "132");
    let expected = [
        ("northwind/4 (Android)", 1),
        ("evil/1 (Android)", 2),
        ("northwind/4 (Android)", 2),
        ("northwind", 3),
        ("evil", 4),
        ("northwind", 4),
        (CHROME, 5),
        (newer.as_str(), 5),
    ];
    for (agent, mails) in expected {
        test.app().with(agent).sign_in(ADA, PASSWORD).await;
        assert_eq!(told(&test, NEW_DEVICE).await, mails, "{agent}");
    }
}

#[tokio::test]
async fn the_textbook_app_is_told_too() {
    let test = TestRealm::with(|s| s.token_endpoint.enabled = true).await;
    test.sign_up(ADA, PASSWORD).await;
    for _ in 0..2 {
        let source = Source { user_agent: Some(FIREFOX.into()), ..Source::default() };
        let caller = Caller { source, ..Caller::default() };
        password_grant::grant(&test.realm, &caller, ADA, secret(PASSWORD)).await.expect("granted");
    }
    assert_eq!(told(&test, NEW_DEVICE).await, 1);
}

/// Its password is from elsewhere: whoever signs in with it first need not be its owner.
#[tokio::test]
async fn the_first_sign_in_to_an_imported_account_is_told() {
    let test = TestRealm::with(|s| s.guests = true).await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    let first = test.sign_in(ADA, PASSWORD).await;
    assert_eq!(told(&test, NEW_DEVICE).await, 1);
    first.sign_in(ADA, PASSWORD).await;
    assert_eq!(told(&test, NEW_DEVICE).await, 1, "once");
}

#[tokio::test]
async fn whoever_makes_an_account_here_is_not_told_of_it() {
    let test = TestRealm::with(|s| s.guests = true).await;
    test.visitor().be_guest().await.expect("a guest");
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    app.sign_in(ADA, PASSWORD).await;
    assert_eq!(told(&test, NEW_DEVICE).await, 0);
}

#[tokio::test]
async fn a_mailbox_is_not_flooded_and_what_matters_most_is_told_all_the_same() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    for _ in 0..9 {
        test.sign_in(ADA, PASSWORD).await;
    }
    assert_eq!(told(&test, NEW_DEVICE).await, 5);
    let attempt = ada.begin_within(AttemptKind::Verify, Some("ada@new.example")).await;
    ada.prove(attempt.id, "ada@new.example").await.expect("proven");
    assert_eq!(told(&test, "address of your").await, 1, "a flood of others does not hide it");
    test.clock.advance(DAY);
    test.sign_in("ada@new.example", PASSWORD).await;
    assert_eq!(told(&test, NEW_DEVICE).await, 6);
}

#[tokio::test]
async fn a_reset_is_told_once_and_every_browser_is_new_after_it() {
    let test = TestRealm::new().await;
    let (old, back) = (test.sign_up(ADA, PASSWORD).await, test.visitor().with(FIREFOX));
    back.recover(ADA, OTHER_PASSWORD).await;
    assert_eq!(told(&test, NEW_DEVICE).await, 0, "told by the other mail");
    let mail = test.mailbox.newest_where(ADA, |mail| mail.subject.contains("password was changed"));
    let mail = mail.expect("told");
    assert!(mail.text.contains("Device: Firefox on Linux") && mail.link.is_some(), "{}", mail.text);
    back.sign_in(ADA, OTHER_PASSWORD).await;
    assert_eq!(told(&test, NEW_DEVICE).await, 0);
    old.sign_in(ADA, OTHER_PASSWORD).await;
    assert_eq!(told(&test, NEW_DEVICE).await, 1, "a thief's browser would be known from before");
}

#[tokio::test]
async fn changes_of_the_username_and_sign_outs_elsewhere_are_told() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    ada.take_username("ada").await.expect("taken");
    assert!(newest(&test).await.text.contains("is now ada"));
    ada.take_username("ada").await.expect("as before");
    assert_eq!(told(&test, "username was changed").await, 1, "nothing changed");
    let me = ada.me().await.expect("in");
    account::set_username(&test.realm, &me, &Source::default(), None).await.expect("none");
    assert_eq!(told(&test, "username was changed").await, 2);
    assert!(newest(&test).await.text.contains("has no username any more"));

    let end =
        async |which| account::end_mine(&test.realm, &me, &Source::default(), which).await.expect("ended");
    end(Which::Others(me.session)).await;
    assert_eq!(told(&test, "signed out elsewhere").await, 0, "there was nothing to end");
    test.sign_in(ADA, PASSWORD).await;
    end(Which::Others(me.session)).await;
    assert_eq!(told(&test, "signed out elsewhere").await, 1);
    end(Which::One(me.session)).await;
    assert_eq!(told(&test, "signed out elsewhere").await, 1, "a sign-out is no news");
    test.sign_in(ADA, PASSWORD).await;
    account::end_sessions(&test.realm, me.user, Actor::Operator, &Source::default(), Which::All)
        .await
        .expect("ended");
    assert_eq!(told(&test, "signed out elsewhere").await, 1, "what an operator does is theirs to tell");
}

#[tokio::test]
async fn ending_the_others_one_by_one_is_told_once() {
    let test = TestRealm::with(|s| s.limits.notices_by_user.burst = 1).await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let me = ada.me().await.expect("in");
    for _ in 0..3 {
        let there = test.sign_in(ADA, PASSWORD).await.me().await.expect("in").session;
        account::end_mine(&test.realm, &me, &Source::default(), Which::One(there)).await.expect("ended");
        assert_eq!(told(&test, "signed out elsewhere").await, 1, "as often as the limit lets it");
    }
}

#[tokio::test]
async fn a_device_that_its_owner_signed_out_is_new_again() {
    let test = TestRealm::with(|s| s.limits.notices_by_user.burst = 100).await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let me = ada.me().await.expect("in");
    let (browser, app) = (test.visitor(), test.app().with(FIREFOX));
    for device in [&browser, &app] {
        device.sign_in(ADA, PASSWORD).await;
        let before = told(&test, NEW_DEVICE).await;
        device.sign_out().await;
        device.sign_in(ADA, PASSWORD).await;
        assert_eq!(told(&test, NEW_DEVICE).await, before, "it left by itself");
        for (n, others) in [(1, false), (2, true)] {
            let session = device.me().await.expect("in").session;
            let which = if others { Which::Others(me.session) } else { Which::One(session) };
            account::end_mine(&test.realm, &me, &Source::default(), which).await.expect("ended");
            device.sign_in(ADA, PASSWORD).await;
            assert_eq!(told(&test, NEW_DEVICE).await, before + n, "it was thrown out");
        }
    }
    ada.sign_in(ADA, PASSWORD).await;
    let before = told(&test, NEW_DEVICE).await;
    ada.sign_out().await;
    ada.sign_in(ADA, PASSWORD).await;
    assert_eq!(told(&test, NEW_DEVICE).await, before, "hers is known as ever");
}

async fn newest(test: &TestRealm) -> Mail {
    test.deliver().await;
    test.mailbox.newest_to(ADA).expect("a mail")
}

#[tokio::test]
async fn an_operators_machine_is_not_named() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let source = Source {
        address: Some("192.0.2.77".parse().expect("an address")),
        user_agent: Some(CHROME.into()),
        ..Source::default()
    };
    let new = NewSecret::Password(secret(OTHER_PASSWORD));
    let id = test.id_of(ADA).await;
    users::set_password(&test.realm, Actor::Operator, &source, id, new).await.expect("set");
    let mail = newest(&test).await;
    assert!(!mail.text.contains("192.0.2.77") && !mail.text.contains("Chrome"), "{}", mail.text);
    assert!(mail.link.is_some());
}

/// Whoever reads the mail of an address that somebody merely typed has no say over the account.
#[tokio::test]
async fn an_address_without_proof_gets_no_link() {
    let test = TestRealm::new().await;
    test.admin_user(ADA, false, Some(PASSWORD)).await;
    let new = NewSecret::Password(secret(OTHER_PASSWORD));
    let id = test.id_of(ADA).await;
    users::set_password(&test.realm, Actor::Operator, &Source::default(), id, new).await.expect("set");
    let mail = newest(&test).await;
    assert!(mail.link.is_none() && !mail.text.contains("not_me"), "{}", mail.text);
}

#[tokio::test]
async fn attack_a142_what_a_browser_says_of_itself_brings_no_words_into_the_mail() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let evil: Visitor = test.visitor().with("Your account is blocked. Call https://evil.test <b>");
    evil.sign_in(ADA, PASSWORD).await;
    let mail = newest(&test).await;
    assert!(!mail.text.contains("evil") && !mail.html.contains("evil"), "{}", mail.text);
    assert!(mail.text.contains("Device: A browser"));
    test.clock.advance(MINUTE);
}

struct Alps;
impl latchstring_core::realm::Places for Alps {
    fn of(&self, address: std::net::IpAddr) -> Option<String> {
        (address.to_string() == "203.0.113.9").then(|| "Zürich".to_owned())
    }
}

#[tokio::test]
async fn a_place_that_is_known_stands_beside_the_address() {
    let test = TestRealm::opened_by(|opening| opening.places = Some(std::sync::Arc::new(Alps))).await;
    test.sign_up(ADA, PASSWORD).await;
    for (address, said) in [("203.0.113.9", "From: Zürich (203.0.113.9)"), ("192.0.2.1", "From: 192.0.2.1")]
    {
        test.visitor().from(address).sign_in(ADA, PASSWORD).await;
        let mail = newest(&test).await;
        assert!(mail.text.contains(said), "{}", mail.text);
    }
}
