//! Opening a realm again, rightly and wrongly; and changing its settings.

use latchstring_core::{
    Kind, Refusal, Result,
    admin::settings::patch,
    attempt::AttemptKind,
    audit::{Actor, Source},
    challenge::TEST_CODE,
    key,
    random::SystemRandom,
    realm::{OpenError, Realm},
    seal::Keys,
    settings::{self, SignUp},
    testing::{ISSUER, PASSWORD, TestRealm},
};
use serde_json::{Value, json};
use std::sync::Arc;

async fn opens(
    test: &TestRealm,
    change: impl FnOnce(&mut latchstring_core::realm::Opening),
) -> Result<Realm, OpenError> {
    test.try_open(change).await
}

fn other_keys() -> Arc<Keys> {
    Arc::new(Keys::parse(&Keys::generate(&SystemRandom::default())).expect("a good secret"))
}

#[tokio::test]
async fn another_secret_opens_nothing_and_changes_nothing() {
    let test = TestRealm::new().await;
    test.sign_up("ada@northwind.example", PASSWORD).await;
    for (dev, accept) in [(false, false), (false, true), (true, false)] {
        let opened = opens(&test, |o| {
            let ground = latchstring_core::ground::Ground::new(
                o.ground.clock(),
                Arc::new(SystemRandom::default()),
                other_keys(),
            );
            o.ground = ground;
            o.issuer = "https://elsewhere.example".into();
            o.dev = dev;
            o.accept_new_url = accept;
        })
        .await;
        let error = opened.err().expect("this must not open");
        if dev {
            // Its secret is not what is wrong.
            assert!(matches!(error, OpenError::ServeDatabase), "{error}");
            continue;
        }
        assert!(matches!(error, OpenError::OtherSecret), "{error}");
        assert!(error.to_string().contains("LATCHSTRING_SECRET"), "it says what to do: {error}");
    }
    let node = test.node().await;
    assert_eq!(node.issuer(), ISSUER);
    node.native_ring().expect("its keys are readable");
}

#[tokio::test]
async fn dev_and_serve_keep_to_their_own_databases_and_leave_the_others_alone() {
    let test = TestRealm::new().await;
    let error = opens(&test, |o| {
        o.dev = true;
        o.issuer = "http://localhost:7777".into();
    })
    .await
    .err()
    .expect("this must not open");
    assert!(matches!(error, OpenError::ServeDatabase), "{error}");
    // A refusal leaves no trace: production still starts as before.
    opens(&test, |_| ()).await.expect("the issuer is still its own");

    let db = latchstring_db::testing::TestDb::new(latchstring_core::MIGRATIONS).await;
    let dev = |dev: bool, issuer: &str, db: latchstring_db::Db| {
        let mut opening = latchstring_core::testing::opening(db, test.clock.clone(), &test.secret);
        opening.dev = dev;
        opening.issuer = issuer.into();
        opening
    };
    Realm::open(dev(true, "http://localhost:7777", db.db.clone())).await.expect("a dev realm");
    let error = Realm::open(dev(false, "http://localhost:7777", db.reopen().await))
        .await
        .err()
        .expect("must not open");
    assert!(matches!(error, OpenError::DevDatabase), "{error}");
    let again = Realm::open(dev(true, "http://localhost:8888", db.reopen().await))
        .await
        .expect("a dev server's port may change");
    assert_eq!(again.issuer(), "http://localhost:8888");
}

#[tokio::test]
async fn attack_a_fixed_code_exists_in_development_only() {
    for (dev, issuer) in [(false, ISSUER), (true, "http://localhost:8080")] {
        let test = TestRealm::opened_as(dev, issuer).await;
        assert_eq!(test.realm.dev().is_some(), dev);
        let code = async |address: &str| {
            let visitor = test.visitor();
            let attempt = visitor.begin(AttemptKind::SignUp, address).await;
            visitor.send(attempt.id).await.expect("sent");
            let mailed = visitor.code_to(address).await;
            (mailed, visitor.code(attempt.id, TEST_CODE).await.is_ok())
        };
        for address in ["ada@test.example", "Bea+1@TEST.example"] {
            let (mailed, proves) = code(address).await;
            assert_eq!((mailed == TEST_CODE, proves), (dev, dev), "{address}");
        }
        // Look-alikes are other people.
        for address in [
            "ada@northwind.example",
            "ada@test.example.org",
            "ada@a.test.example",
            "ada+test.example@x.example",
        ] {
            let (mailed, proves) = code(address).await;
            assert!(mailed != TEST_CODE && !proves, "{address}");
        }
    }
}

#[tokio::test]
async fn a_command_takes_the_database_as_it_finds_it_and_writes_nothing() {
    let db = latchstring_db::testing::TestDb::new(&[]).await;
    let clock = TestRealm::new().await.clock.clone();
    let secret = Keys::generate(&SystemRandom::default());
    let parts = async || latchstring_core::testing::opening(db.reopen().await, clock.clone(), &secret);
    let attach = async || {
        let opening = parts().await;
        Realm::attach(opening.db, opening.ground, opening.hash, None).await
    };
    let error = attach().await.err().expect("there is nothing yet");
    assert!(matches!(error, OpenError::Empty), "{error}");
    assert_eq!(db.db.schema().await.expect("looked"), None, "a command sets nothing up");

    let mut opening = parts().await;
    (opening.dev, opening.issuer) = (true, "http://localhost:7777".into());
    Realm::open(opening).await.expect("a dev server");
    let all = async || {
        db.db
            .read(async |tx| -> Result<Vec<String>> {
                let mut rows = Vec::new();
                for sql in ["SELECT issuer FROM mounts", "SELECT kid FROM keys", "SELECT action FROM audits"]
                {
                    for row in tx.all(sql, &[]).await? {
                        rows.push(row.get(0)?);
                    }
                }
                let settings = tx.one("SELECT rev FROM settings WHERE id = 1", &[]).await?.expect("a row");
                rows.push(settings.get::<i64>(0)?.to_string());
                Ok(rows)
            })
            .await
            .expect("read")
    };
    let before = all().await;
    let realm = attach().await.expect("beside the server");
    assert_eq!((realm.issuer(), realm.is_dev()), ("http://localhost:7777", true));
    realm.native_ring().expect("its keys are readable");
    assert_eq!(all().await, before);

    let other = {
        let mut opening = parts().await;
        opening.ground = latchstring_core::ground::Ground::new(
            opening.ground.clock(),
            Arc::new(SystemRandom::default()),
            other_keys(),
        );
        Realm::attach(opening.db, opening.ground, opening.hash, None).await
    };
    assert!(matches!(other.err(), Some(OpenError::OtherSecret)));

    let number = async |sql: &'static str| {
        db.db
            .write(async move |tx| -> Result<()> { Ok(tx.exec(sql, &[]).await.map(drop)?) })
            .await
            .expect("written");
        attach().await.err().expect("must not open")
    };
    let newest = latchstring_core::MIGRATIONS.last().expect("some").number;
    let error = number("DELETE FROM migrations WHERE number = (SELECT max(number) FROM migrations)").await;
    assert!(matches!(error, OpenError::OlderSchema { found, .. } if found == newest - 1), "{error}");
    assert_eq!(db.db.schema().await.expect("looked"), Some(newest - 1), "a command migrates nothing");
    let error = number("UPDATE migrations SET number = number + 1000").await;
    assert!(matches!(error, OpenError::Migrate(_)) && error.to_string().contains("newer"), "{error}");
}

#[tokio::test]
async fn a_changed_issuer_is_an_error_unless_it_is_meant() {
    let test = TestRealm::new().await;
    let new = "https://new.northwind.example";
    for given in [new, "https://id.northwind.example/"] {
        match opens(&test, |o| o.issuer = given.into()).await.err() {
            Some(OpenError::OtherIssuer { stored, given: named }) => {
                assert_eq!((stored.as_str(), named.as_str()), (ISSUER, given))
            }
            other => panic!("{other:?}"),
        }
    }
    opens(&test, |o| (o.issuer, o.accept_new_url) = (new.into(), true)).await.expect("meant");
    opens(&test, |o| o.issuer = new.into()).await.expect("and stays");
    assert!(opens(&test, |_| ()).await.is_err(), "the old one is the other one now");
}

#[tokio::test]
async fn everything_is_as_it_was_after_a_restart() {
    let test = TestRealm::new().await;
    let visitor = test.sign_up("ada@northwind.example", PASSWORD).await;
    let app = test.app();
    app.sign_in("ada@northwind.example", PASSWORD).await;
    let node = test.node().await;
    assert!(visitor.at(&node).is_in().await && app.at(&node).is_in().await);
    app.at(&node).refresh().await.expect("refreshed there");
    assert_eq!(node.native_ring().expect("a ring").jwks(), test.realm.native_ring().expect("a ring").jwks());
    assert_eq!(*node.settings(), *test.realm.settings());
}

// Settings.

/// A realm with settings that an operator could have: a patch checks the whole document.
async fn operated() -> TestRealm {
    TestRealm::with(|s| (s.password.memory_kib, s.password.passes) = (7_168, 5)).await
}

async fn change(test: &TestRealm, value: Value, seen: Option<i64>) -> Result<(i64, settings::Settings)> {
    patch(&test.realm, Actor::Operator, &Source::default(), value, seen).await
}

async fn refusal(test: &TestRealm, value: Value) -> Refusal {
    match change(test, value, None).await {
        Err(latchstring_core::Error::Refused(refusal)) => refusal,
        other => panic!("this must be refused: {other:?}"),
    }
}

async fn stored(test: &TestRealm) -> String {
    test.realm.db().read(async |tx| settings::store::load(tx).await).await.expect("read").expect("a row").1
}

#[tokio::test]
async fn a_patch_merges_and_other_nodes_follow() {
    let test = operated().await;
    let node = test.node().await;
    let (rev, changed) = change(&test, json!({ "sign_up": "invite", "password": { "min_chars": 12 } }), None)
        .await
        .expect("changed");
    assert_eq!(
        (changed.sign_up, changed.password.min_chars, changed.password.memory_kib),
        (SignUp::Invite, 12, 7_168)
    );
    assert_eq!(test.realm.settings().0, rev);
    node.follow().await.expect("follows");
    assert_eq!(*node.settings(), *test.realm.settings());
    let (_, back) = change(&test, json!({ "password": { "min_chars": null } }), None).await.expect("changed");
    assert_eq!((back.sign_up, back.password.min_chars), (SignUp::Invite, 8), "null is the default again");

    assert_eq!(
        change(&test, json!({ "name": "x" }), Some(rev)).await.err().and_then(|e| e.kind()),
        Some(Kind::RevChanged)
    );
    let now = test.realm.settings().0;
    change(&test, json!({ "name": "Northwind" }), Some(now)).await.expect("as read");
}

#[tokio::test]
async fn mistakes_are_told_with_a_suggestion_and_leave_no_trace() {
    let test = operated().await;
    let before = (stored(&test).await, test.realm.settings().0);
    for (value, param, says) in [
        (json!({ "sign_upp": "open" }), "sign_upp", "Did you mean “sign_up”?"),
        (json!({ "password": { "min_char": 12 } }), "min_char", "Did you mean “min_chars”?"),
        (json!({ "limits": { "sends_by_target": { "bursts": 3 } } }), "bursts", "Did you mean “burst”?"),
        (json!({ "limits": { "sends_by_target": { "per": 3 } } }), "per", "There is no setting “per”."),
        (json!({ "zzzzzzzz": 1 }), "zzzzzzzz", "There is no setting “zzzzzzzz”."),
        (json!({ "guests": "yes" }), "body", "wrong type"),
        (json!({ "code": { "tries": 1_000 } }), "code.tries", "Between 1 and 10."),
        (json!({ "token_endpoint": { "secret": "short" } }), "token_endpoint.secret", "Between 32"),
        (json!({ "token_endpoint": { "secret": "" } }), "token_endpoint.secret", "Between 32"),
        (
            json!({ "token_endpoint": { "enabled": true, "alg": "HS256" } }),
            "token_endpoint.secret",
            "HS256 needs",
        ),
        (json!({ "token_endpoint": { "alg": "none" } }), "token_endpoint.alg", "RS256"),
        (json!([]), "body", "object"),
    ] {
        let refusal = refusal(&test, value.clone()).await;
        assert_eq!(refusal.detail.param.as_deref(), Some(param), "{value}");
        let said = refusal.detail.says.expect("a sentence");
        assert!(said.contains(says) && !said.contains("“”"), "{value}: {said}");
    }
    assert_eq!((stored(&test).await, test.realm.settings().0), before);
}

#[tokio::test]
async fn the_secret_of_the_textbook_app_is_sealed_and_never_shown() {
    let test = operated().await;
    let secret = "a secret of the textbook app, as long as it must be";
    change(&test, json!({ "token_endpoint": { "enabled": true, "alg": "HS256", "secret": secret } }), None)
        .await
        .expect("changed");
    assert_eq!(test.realm.settings().1.token_endpoint.secret.as_deref(), Some(secret), "in force");
    assert!(!stored(&test).await.contains("textbook"));
    if let Some(path) = test.db.path() {
        for name in [path.clone(), path.with_extension("db-wal")] {
            let bytes = std::fs::read(name).unwrap_or_default();
            assert!(!bytes.windows(8).any(|w| w == b"textbook"), "it stands in the file in clear");
        }
    }
    assert!(!serde_json::to_string(&test.realm.settings().1.shown()).expect("JSON").contains("secret\""));
    let node = test.node().await;
    assert_eq!(node.settings().1.token_endpoint.secret.as_deref(), Some(secret), "another node opens it");
    // Other changes keep it, and it can be taken away.
    change(&test, json!({ "token_endpoint": { "seconds": 600 } }), None).await.expect("changed");
    assert_eq!(test.realm.settings().1.token_endpoint.secret.as_deref(), Some(secret));
    change(&test, json!({ "token_endpoint": { "alg": "RS256", "secret": null } }), None)
        .await
        .expect("changed");
    assert_eq!(test.realm.settings().1.token_endpoint.secret, None);
    let rows = latchstring_core::audit::list(test.realm.db(), None, None, 100).await.expect("audit").0;
    assert_eq!(rows.iter().filter(|r| r.action == "settings.changed").count(), 3);
    assert!(rows.iter().all(|r| !r.detail.to_string().contains("textbook")));
}

#[tokio::test]
async fn what_a_newer_node_has_set_is_kept_and_stops_nobody() {
    let test = operated().await;
    let node = test.node().await;
    let mut newer: Value = serde_json::from_str(&stored(&test).await).expect("JSON");
    newer["passkeys"] = json!({ "required": true });
    newer["session"]["bound_to_key"] = json!(true);
    newer["limits"]["sends_by_target"]["window"] = json!(7);
    newer["name"] = json!("Northwind");
    let write = async |document: &Value| {
        let (document, now) = (document.to_string(), test.realm.now());
        let write = async move |tx: &mut latchstring_db::Tx| -> Result<()> {
            settings::store::lock(tx, now).await?;
            settings::store::save(tx, &document).await
        };
        test.realm.db().write(write).await.expect("written");
    };
    write(&newer).await;
    node.follow().await.expect("follows");
    assert_eq!(node.settings().1.name, "Northwind");
    test.node().await;
    test.realm.follow().await.expect("follows");
    change(&test, json!({ "session": { "fresh_seconds": 300 } }), None).await.expect("changed");
    let kept: Value = serde_json::from_str(&stored(&test).await).expect("JSON");
    assert_eq!(kept["passkeys"], newer["passkeys"]);
    assert_eq!(kept["session"]["bound_to_key"], json!(true));
    assert_eq!(kept["session"]["fresh_seconds"], json!(300));
    assert_eq!(kept["limits"]["sends_by_target"]["window"], json!(7));
    let refusal = refusal(&test, json!({ "passkeys": { "required": false } })).await;
    assert_eq!(refusal.detail.param.as_deref(), Some("passkeys"), "nobody here could check it");

    // A value that this node can't read leaves it at the settings before, and does not keep it from new keys.
    newer["sign_up"] = json!("waiting_list");
    write(&newer).await;
    let before = node.rings().rev;
    let realm = &test.realm;
    key::rotate(
        realm.db(),
        realm.ground(),
        realm.mount(),
        key::Purpose::Native,
        0,
        realm.longest_token(),
        Actor::Operator,
        &Source::default(),
    )
    .await
    .expect("rotated");
    assert!(node.follow().await.is_err());
    assert!(node.rings().rev > before);
}

#[test]
fn the_page_of_settings_has_each_with_its_default() {
    let page = include_str!("../../../../docs/settings.md");
    let settings = serde_json::to_value(settings::Settings::default()).expect("JSON");
    let mut rows = 0;
    for (name, value) in settings.as_object().expect("a document") {
        let members: Vec<(String, &Value)> = match value.as_object() {
            None => vec![(name.clone(), value)],
            Some(group) => group.iter().map(|(member, value)| (format!("{name}.{member}"), value)).collect(),
        };
        for (name, value) in members {
            let default = match (value["burst"].as_i64(), value["per_seconds"].as_i64()) {
                (Some(burst), Some(seconds)) => format!("{burst} per {seconds} s"),
                _ => format!("`{value}`"),
            };
            let row = format!("| `{name}` | {default} | ");
            assert!(page.contains(&row) || value.is_null(), "docs/settings.md lacks {row}");
            rows += 1;
        }
    }
    assert!(rows > 35, "{rows}");
}
