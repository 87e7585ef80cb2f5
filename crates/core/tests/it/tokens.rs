//! Access tokens: what is no token of ours, and what is none any more. The revocation feed, and key rotation.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use latchstring_core::{
    Kind, Result, account,
    admin::users,
    attempt::AttemptKind,
    audit::{Actor, Source},
    cache::Made,
    clock::{HOUR, MINUTE, SECOND},
    ended,
    key::{self, PUBLISH_AHEAD, Purpose},
    oauth::password_grant,
    realm::Realm,
    session::Which,
    testing::{ISSUER, PASSWORD, Refused, TestRealm, Visitor, secret},
    token::{check, mint},
};
use latchstring_proto::jose::{Alg, SigningKey};
use serde_json::{Value, json};

const ADA: &str = "ada@northwind.example";

async fn app(test: &TestRealm) -> Visitor {
    let app = test.app();
    app.sign_up(ADA, PASSWORD).await;
    app
}

/// The claims of a token, unchecked.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&B64.decode(payload).expect("base64url")).expect("JSON")
}

fn native_kid(realm: &Realm) -> String {
    realm.native_ring().expect("a ring").keys[0].kid.clone()
}

/// Signs whatever a test likes with the native key: what a careless issuer would let out.
fn signed(realm: &Realm, typ: &str, claims: &Value) -> String {
    realm.native_ring().expect("a ring").sign(realm.now(), typ, claims).expect("signed")
}

async fn refused(test: &TestRealm, what: &str, token: &str) {
    match check::access(&test.realm, token).await {
        Ok(_) => panic!("{what}: this token must be refused"),
        Err(error) => assert_eq!(error.kind(), Some(Kind::TokenUnusable), "{what}: {error:?}"),
    }
}

fn joined(header: &Value, payload: &Value, signature: &[u8]) -> String {
    let part = |v: &Value| B64.encode(v.to_string());
    format!("{}.{}.{}", part(header), part(payload), B64.encode(signature))
}

#[tokio::test]
async fn attack_a001_a_hash_under_the_public_key_is_no_signature() {
    let test = TestRealm::new().await;
    let good = app(&test).await.tokens().access.token;
    let ring = test.realm.native_ring().expect("a ring");
    let jwks: Value = serde_json::from_slice(&ring.jwks()).expect("JSON");
    let key = &jwks["keys"][0];
    let x = key["x"].as_str().expect("the public part");
    let raw = B64.decode(x).expect("base64url");
    let der =
        [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], raw.as_slice()].concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64::prelude::BASE64_STANDARD.encode(&der)
    );
    let kid = native_kid(&test.realm);
    for secret in [
        raw.as_slice(),
        &der,
        pem.as_bytes(),
        pem.trim_end().as_bytes(),
        x.as_bytes(),
        key.to_string().as_bytes(),
        &ring.jwks(),
    ] {
        let forged = SigningKey::hs256(secret)
            .expect("long enough")
            .with_kid(&kid)
            .sign(Some("at+jwt"), &claims(&good));
        refused(&test, "HS256 under a form of the public key", &forged.expect("signed")).await;
    }
    check::access(&test.realm, &good).await.expect("the real one");
}

#[tokio::test]
async fn attack_a002_a005_no_algorithm_is_no_signature() {
    let test = TestRealm::new().await;
    let good = app(&test).await.tokens().access.token;
    let kid = native_kid(&test.realm);
    for alg in ["none", "None", "nOnE", "NONE", "", "HS256", "RS256", "ES256", "EdDSA", "Ed25519"] {
        for kid in [Some(kid.as_str()), None, Some("")] {
            let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
            refused(&test, alg, &joined(&header, &claims(&good), b"")).await;
        }
    }
    refused(&test, "no alg", &joined(&json!({ "typ": "at+jwt", "kid": kid }), &claims(&good), b"")).await;
    let unsigned = good.rsplit_once('.').expect("parts").0;
    refused(&test, "the signature cut off", &format!("{unsigned}.")).await;
    refused(&test, "two parts", unsigned).await;
    // A010: an empty or guessable HMAC key.
    for secret in [b"".as_slice(), b"null", b"undefined", &[0; 32]] {
        if let Ok(key) = SigningKey::hs256(secret) {
            let forged = key.with_kid(&kid).sign(Some("at+jwt"), &claims(&good)).expect("signed");
            refused(&test, "a guessable HMAC key", &forged).await;
        }
    }
}

#[tokio::test]
async fn attack_a003_a_kid_is_a_name_and_nothing_else() {
    let test = TestRealm::new().await;
    let good = app(&test).await.tokens().access.token;
    let long = "k".repeat(65_536);
    let statements = test.statements();
    for kid in [
        "../../dev/null",
        "/dev/null",
        "' UNION SELECT 'x",
        "\0",
        "%00",
        "http://evil.test/jwks",
        &long,
        "latchstring",
    ] {
        for key in [
            SigningKey::generate(Alg::EdDSA),
            SigningKey::generate(Alg::Es256),
            SigningKey::hs256(&[b'x'; 32]),
        ] {
            let forged =
                key.expect("a key").with_kid(kid).sign(Some("at+jwt"), &claims(&good)).expect("signed");
            refused(&test, kid.get(..20).unwrap_or(kid), &forged).await;
        }
    }
    // Somebody else's key under our kid, and with their key in the header.
    let theirs = SigningKey::generate(Alg::EdDSA).expect("a key").with_kid(native_kid(&test.realm));
    refused(&test, "another key", &theirs.sign(Some("at+jwt"), &claims(&good)).expect("signed")).await;
    assert_eq!(test.statements(), statements, "nothing about them is looked up");
}

#[tokio::test]
async fn attack_a004_signatures_of_nothing_but_zeros() {
    let test = TestRealm::new().await;
    let good = app(&test).await.tokens().access.token;
    let kid = native_kid(&test.realm);
    let n = [
        0xffu8, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
        0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let order = [n, n].concat();
    for alg in ["EdDSA", "ES256"] {
        for signature in [&[0; 64][..], &order, &[0x30, 6, 2, 1, 0, 2, 1, 0], &[0; 32], &[0xff; 64]] {
            let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
            refused(&test, alg, &joined(&header, &claims(&good), signature)).await;
        }
    }
    // One flipped bit anywhere.
    let (signed, signature) = good.rsplit_once('.').expect("parts");
    let raw = B64.decode(signature).expect("base64url");
    for byte in 0..raw.len() {
        let mut bad = raw.clone();
        bad[byte] ^= 1;
        refused(&test, "a flipped bit", &format!("{signed}.{}", B64.encode(bad))).await;
    }
}

#[tokio::test]
async fn attack_a008_a009_a015_what_is_not_three_plain_parts() {
    let test = TestRealm::new().await;
    let good = app(&test).await.tokens().access.token.to_string();
    let parts: Vec<&str> = good.split('.').collect();
    let json =
        json!({ "payload": parts[1], "signatures": [{ "protected": parts[0], "signature": parts[2] }] });
    let flat = json!({ "payload": parts[1], "protected": parts[0], "signature": parts[2] });
    for bad in [
        String::new(),
        ".".repeat(1 << 20),
        "..".into(),
        format!("{good}."),
        format!("{good}.x.y"),
        format!("{} ", good),
        format!("{good}="),
        good.replace('.', "\n."),
        json.to_string(),
        flat.to_string(),
        format!("{}.{}.{}.{}.{}", parts[0], parts[1], parts[2], parts[1], parts[2]),
        "lsr_AAAA".into(),
    ] {
        refused(&test, "not a compact JWS", &bad).await;
    }
}

#[tokio::test]
async fn attack_a011_unknown_critical_extensions_are_refused() {
    let test = TestRealm::new().await;
    let good = app(&test).await.tokens().access.token;
    // With the real key, which only the server has.
    let keypair = native_keypair(&test).await;
    let sign = |header: Value| {
        let head =
            format!("{}.{}", B64.encode(header.to_string()), good.split('.').nth(1).expect("a payload"));
        format!("{head}.{}", B64.encode(keypair.sign(head.as_bytes())))
    };
    let kid = native_kid(&test.realm);
    check::access(&test.realm, &sign(json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid })))
        .await
        .expect("as usual");
    for crit in [json!(["exp"]), json!([]), json!(["b64"]), json!("exp"), json!(null)] {
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid, "crit": crit, "b64": false });
        refused(&test, "crit", &sign(header)).await;
    }
    refused(&test, "b64", &sign(json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid, "b64": false }))).await;
    refused(&test, "another alg", &sign(json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid }))).await;
    refused(&test, "no kid", &sign(json!({ "alg": "EdDSA", "typ": "at+jwt" }))).await;
}

async fn native_keypair(test: &TestRealm) -> aws_lc_rs::signature::Ed25519KeyPair {
    let now = test.realm.now();
    let rows = test.realm.db().read(async |tx| key::store::live(tx, now).await).await.expect("keys");
    let sealed = rows[0].sealed.clone().expect("a private part");
    let place = format!("keys/sealed/{}", rows[0].id);
    let pkcs8 = test.realm.ground().keys.open(&place, &sealed).expect("own seal");
    aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(&pkcs8).expect("a key pair")
}

#[tokio::test]
async fn attack_a013_a016_claims_that_are_not_for_us_or_not_now() {
    let test = TestRealm::new().await;
    let good = claims(&app(&test).await.tokens().access.token);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        signed(&test.realm, "at+jwt", &claims)
    };
    check::access(&test.realm, &with("jti", json!("another"))).await.expect("as usual");
    let now = test.realm.now() / SECOND;
    for (name, value) in [
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", json!("https://other.example")),
        ("aud", json!("https://orders.northwind.example")),
        ("aud", json!([ISSUER, "https://orders.northwind.example"])),
        ("aud", json!(null)),
        ("exp", json!(now)),
        ("exp", json!(now - 1)),
        ("exp", json!((now + 60).to_string())),
        ("exp", json!(null)),
        ("exp", json!(-1)),
        ("iat", json!(now + 3_600)),
        ("nbf", json!(now + 3_600)),
        ("sub", json!("admin")),
        ("sub", json!(null)),
        ("sid", json!("x")),
    ] {
        refused(&test, &format!("{name} = {value}"), &with(name, value)).await;
    }
    for name in ["iss", "aud", "exp", "sub", "iat"] {
        let mut claims = good.clone();
        claims.as_object_mut().expect("an object").remove(name);
        refused(&test, &format!("no {name}"), &signed(&test.realm, "at+jwt", &claims)).await;
    }
}

#[tokio::test]
async fn an_identity_header_is_given_again_while_it_is_young_and_its_key_signs() {
    let test = TestRealm::new().await;
    let me = app(&test).await.me().await.expect("in");
    let subject =
        mint::Subject { user: me.user, session: Some(me.session), auth_time: 0, amr: &[], assurance: 1 };
    let (made, other) = (Made::default(), Made::default());
    let identity = |made| mint::identity(&test.realm, &subject, made).expect("minted").token.clone();
    let first = identity(&made);
    test.clock.advance(29 * SECOND);
    assert_eq!(identity(&made), first);
    assert_ne!(identity(&other), first, "each session has its own");
    test.clock.advance(2 * SECOND);
    let second = identity(&made);
    assert_ne!(second, first, "an app may check one that was handed out for at least 30 seconds more");
    let claims = claims(&second);
    assert_eq!(claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat"), 60);
    let realm = &test.realm;
    key::rotate(
        realm.db(),
        realm.ground(),
        realm.mount(),
        Purpose::Native,
        0,
        0,
        Actor::Operator,
        &Source::default(),
    )
    .await
    .expect("rotated");
    realm.reload_rings().await.expect("loaded");
    assert_ne!(identity(&made), second, "a key that has been taken back signs nothing that is handed out");
}

#[tokio::test]
async fn attack_a014_tokens_of_other_kinds_are_no_access_tokens() {
    let test = TestRealm::with(|s| {
        s.token_endpoint.enabled = true;
        s.token_endpoint.alg = "ES256".into();
    })
    .await;
    let app = app(&test).await;
    let access = app.tokens().access.token;
    let me = app.me().await.expect("in");
    let subject =
        mint::Subject { user: me.user, session: Some(me.session), auth_time: 0, amr: &[], assurance: 1 };
    let identity = mint::identity(&test.realm, &subject, &Made::default()).expect("minted");
    refused(&test, "an identity header", &identity.token).await;
    for typ in ["JWT", "identity+jwt"] {
        refused(&test, typ, &signed(&test.realm, typ, &claims(&access))).await;
    }
    for alg in ["ES256", "EdDSA", "HS256"] {
        test.set(move |s| {
            s.token_endpoint.alg = alg.into();
            s.token_endpoint.secret = Some("a secret of the textbook app, as long as it must be".into());
        })
        .await;
        let caller = test.app().caller().await;
        let granted =
            password_grant::grant(&test.realm, &caller, ADA, secret(PASSWORD)).await.expect("granted");
        refused(&test, alg, &granted.token).await;
        assert!(claims(&granted.token).get("aud").is_none(), "the textbook app checks none");
    }
    // Every other secret of ours.
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    refused(&test, "a refresh token", &app.tokens().refresh).await;
    refused(&test, "a mailed link", &visitor.link_to(ADA).await).await;
    refused(&test, "a cookie", &visitor.cookie().expect("a cookie")).await;
    let source = Source::default();
    for text in [&*access, &visitor.link_to(ADA).await, &visitor.cookie().expect("a cookie")] {
        assert_eq!(
            mint::refresh(&test.realm, text, &source).await.err().and_then(|e| e.kind()),
            Some(Kind::RefreshUnusable)
        );
        let key = latchstring_core::api_key::check_text(&test.realm, &source, text).await;
        assert_eq!(key.refused(), Kind::ApiKeyUnusable);
        assert_eq!(
            test.visitor().accept(text).await.err().and_then(|e| e.kind()),
            Some(Kind::InvitationUnusable)
        );
    }
    assert_eq!(
        test.visitor().follow(&visitor.cookie().expect("a cookie")).await.refused(),
        Kind::LinkUnusable
    );
}

#[tokio::test]
async fn the_textbook_grant_asks_for_no_less_than_the_rest() {
    let test = TestRealm::new().await;
    let ada = app(&test).await.me().await.expect("in").user;
    let grant = async |who: &str, password: &str| {
        let caller = test.app().caller().await;
        password_grant::grant(&test.realm, &caller, who, secret(password)).await
    };
    assert_eq!(grant(ADA, PASSWORD).await.err().and_then(|e| e.kind()), Some(Kind::FeatureOff));
    test.set(|s| {
        s.token_endpoint.enabled = true;
        s.token_endpoint.alg = "EdDSA".into();
    })
    .await;
    let granted = grant(ADA, PASSWORD).await.expect("granted");
    assert_eq!((granted.expires_in, claims(&granted.token)["sub"].clone()), (1_800, json!(ada)));
    let hashes = test.hashes();
    for (name, password) in [
        (ADA, "a wrong guess"),
        ("nobody@x.example", PASSWORD),
        ("not an address @ all", PASSWORD),
        ("", PASSWORD),
    ] {
        assert_eq!(
            grant(name, password).await.err().and_then(|e| e.kind()),
            Some(Kind::CredentialsWrong),
            "{name:?}"
        );
    }
    assert!(test.hashes() - hashes >= 4, "names that can't be anybody's cost a hash too");
    test.admin_user("unproven@northwind.example", false, Some(PASSWORD)).await;
    assert_eq!(
        grant("unproven@northwind.example", PASSWORD).await.err().and_then(|e| e.kind()),
        Some(Kind::TaskOutstanding)
    );
    let sessions = account::sessions(&test.realm, ada).await.expect("sessions").len();
    crate::add_factor(&test, ada).await;
    assert_eq!(grant(ADA, PASSWORD).await.err().and_then(|e| e.kind()), Some(Kind::TaskOutstanding));
    assert_eq!(
        account::sessions(&test.realm, ada).await.expect("sessions").len(),
        sessions,
        "and leaves no session"
    );
}

#[tokio::test]
async fn a_token_of_an_ended_session_is_refused_at_once_here_and_within_a_poll_elsewhere() {
    let test = TestRealm::new().await;
    let app = app(&test).await;
    let node = test.node().await;
    let access = app.tokens().access.token;
    for realm in [&test.realm, &node] {
        check::access(realm, &access).await.expect("good everywhere");
    }
    app.sign_out().await;
    refused(&test, "here", &access).await;
    node.follow().await.expect("a poll");
    assert_eq!(check::access(&node, &access).await.err().and_then(|e| e.kind()), Some(Kind::TokenUnusable));
}

#[tokio::test]
async fn everything_of_a_user_from_before_is_dead_and_what_follows_lives() {
    let test = TestRealm::new().await;
    let before = app(&test).await;
    let user = before.me().await.expect("in").user;
    let node = test.node().await;
    account::end_sessions(&test.realm, user, Actor::Operator, &Source::default(), Which::All)
        .await
        .expect("ended");
    // In the same second: a token's times have no more than seconds.
    let after = test.app();
    after.sign_in(ADA, PASSWORD).await;
    node.follow().await.expect("a poll");
    for realm in [&test.realm, &node] {
        assert!(check::access(realm, &before.tokens().access.token).await.is_err());
        check::access(realm, &after.tokens().access.token).await.expect("signed in afterwards");
        assert!(after.at(realm).is_in().await);
    }
}

#[tokio::test]
async fn a_node_whose_poll_is_late_asks_the_database() {
    let test = TestRealm::new().await;
    let app = app(&test).await;
    let cookie = test.sign_in(ADA, PASSWORD).await;
    let node = test.node().await;
    let access = app.tokens().access.token;
    check::access(&node, &access).await.expect("good");
    assert!(cookie.at(&node).is_in().await);
    app.sign_out().await;
    cookie.sign_out().await;
    // The second node hears nothing for longer than it may trust its memory.
    tokio::time::sleep(std::time::Duration::from_millis(750)).await;
    assert!(!node.is_fresh());
    assert_eq!(check::access(&node, &access).await.err().and_then(|e| e.kind()), Some(Kind::TokenUnusable));
    assert!(!cookie.at(&node).is_in().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn running_nodes_learn_of_an_end_within_a_second() {
    let test = TestRealm::new().await;
    let app = app(&test).await;
    let cookie = test.sign_in(ADA, PASSWORD).await;
    let node = test.node().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(latchstring_core::jobs::run(node.clone(), test.mailbox.clone(), stopped));
    let access = app.tokens().access.token;
    assert!(check::access(&node, &access).await.is_ok() && cookie.at(&node).is_in().await);
    let user = app.me().await.expect("in").user;
    users::ban(&test.realm, Actor::Operator, &Source::default(), user, None, None).await.expect("banned");
    // A second is ten looks: counted, so that a machine that is busy with other things does not fail the test.
    let mut looks = 0;
    while check::access(&node, &access).await.is_ok() || cookie.at(&node).is_in().await {
        looks += 1;
        assert!(looks <= 10, "the second node still lets them in");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let kind = check::access(&node, &access).await.err().and_then(|e| e.kind());
    assert_eq!(kind, Some(Kind::TokenUnusable));
    stop.send(true).expect("it runs");
    running.await.expect("it stops when told");
}

#[tokio::test]
async fn a_token_lives_for_its_time_and_no_longer() {
    let test = TestRealm::new().await;
    let app = app(&test).await;
    let access = app.tokens().access.token;
    test.clock.advance(298 * SECOND);
    check::access(&test.realm, &access).await.expect("in time");
    test.clock.advance(3 * SECOND);
    refused(&test, "from the cache of checked tokens", &access).await;
    app.refresh().await.expect("the family goes on");
    assert!(app.is_in().await);
}

#[tokio::test]
async fn a_family_is_unused_for_no_longer_than_its_session_may_be() {
    let test = TestRealm::with(|s| s.session.idle_seconds = 3_600).await;
    let app = app(&test).await;
    test.clock.advance(HOUR - MINUTE);
    app.refresh().await.expect("in time");
    test.clock.advance(HOUR + MINUTE);
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
    assert!(!app.is_in().await);
}

// Keys.

fn published(realm: &Realm) -> Vec<String> {
    let jwks: Value = serde_json::from_slice(&realm.native_ring().expect("a ring").jwks()).expect("JSON");
    jwks["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|k| k["kid"].as_str().expect("a kid").to_owned())
        .collect()
}

fn kid_of(token: &str) -> String {
    let header: Value =
        serde_json::from_slice(&B64.decode(token.split('.').next().expect("a header")).expect("base64url"))
            .expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}

async fn rotate(test: &TestRealm, ahead: i64) -> String {
    let realm = &test.realm;
    let longest = realm.longest_token();
    let kid = key::rotate(
        realm.db(),
        realm.ground(),
        realm.mount(),
        Purpose::Native,
        ahead,
        longest,
        Actor::Operator,
        &Source::default(),
    )
    .await
    .expect("rotated");
    realm.follow().await.expect("follows");
    kid
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_verifies_after() {
    let test = TestRealm::new().await;
    let app = app(&test).await;
    let node = test.node().await;
    let first = native_kid(&test.realm);
    let second = rotate(&test, PUBLISH_AHEAD).await;
    node.follow().await.expect("follows");
    for realm in [&test.realm, &node] {
        assert_eq!(published(realm), [second.clone(), first.clone()], "both, the new one ahead");
    }
    let old = app.refresh().await.expect("refreshed").access.token;
    assert_eq!(kid_of(&old), first, "the new one does not sign yet");
    test.clock.advance(PUBLISH_AHEAD - 10 * SECOND);
    let old = app.refresh().await.expect("refreshed").access.token;
    assert_eq!(kid_of(&old), first);
    test.clock.advance(11 * SECOND);
    let new = app.refresh().await.expect("refreshed").access.token;
    assert_eq!(kid_of(&new), second);
    for realm in [&test.realm, &node] {
        check::access(realm, &old).await.expect("tokens of the old key verify on");
        check::access(realm, &new).await.expect("so do those of the new one");
    }
    let states: Vec<_> = key::list(test.realm.db(), test.realm.now())
        .await
        .expect("list")
        .into_iter()
        .map(|k| (k.kid, k.state))
        .collect();
    assert_eq!(states, [(second.clone(), "active"), (first.clone(), "retiring")]);

    // When no token of the old key can be alive, running nodes drop it without being restarted.
    test.clock.advance(test.realm.longest_token());
    latchstring_core::sweep::once(&test.realm).await.expect("swept");
    for realm in [&test.realm, &node] {
        realm.follow().await.expect("follows");
        assert_eq!(published(realm), std::slice::from_ref(&second));
        assert!(realm.native_ring().expect("a ring").verifying(&first).is_none());
    }
    let rings = key::load(test.realm.db(), test.realm.ground(), test.realm.mount()).await.expect("loaded");
    assert_eq!(rings.get(Purpose::Native).expect("a ring").keys.len(), 1, "its private part is gone");
}

#[tokio::test]
async fn a_key_that_was_replaced_before_it_signed_never_signs() {
    let test = TestRealm::new().await;
    let app = app(&test).await;
    let leaked = rotate(&test, PUBLISH_AHEAD).await;
    test.clock.advance(MINUTE);
    let right = rotate(&test, 0).await;
    test.clock.advance(PUBLISH_AHEAD);
    let token = app.refresh().await.expect("refreshed").access.token;
    assert_eq!(kid_of(&token), right);
    assert_ne!(right, leaked);
}

// The feed.

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_feed_has_no_gaps_under_fifty_endings_and_many_sequencers() {
    let test = TestRealm::new().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    let user = test.id_of(ADA).await;
    let mut sessions = Vec::new();
    for _ in 0..50 {
        let visitor = test.visitor();
        visitor.sign_in(ADA, PASSWORD).await;
        sessions.push(visitor.completed().session);
    }
    let node = test.node().await;
    let mut set = tokio::task::JoinSet::new();
    for (i, id) in sessions.iter().copied().enumerate() {
        let realm = if i % 2 == 0 { test.realm.clone() } else { node.clone() };
        set.spawn(async move {
            account::end_sessions(&realm, user, Actor::Operator, &Source::default(), Which::One(id))
                .await
                .expect("ended");
            ended::publish(realm.db()).await.expect("published");
        });
    }
    // A reader follows while they come: a snapshot, and on from there.
    let ended::Snapshot { position: mut at, ended: mut seen, .. } =
        ended::snapshot(node.db(), node.now(), 0).await.expect("a snapshot");
    let started = at;
    let mut positions = Vec::new();
    while positions.last().copied().unwrap_or(started) < 50 {
        for next in ended::after(node.db(), at, 7).await.expect("the feed") {
            assert_eq!(next.position, at + 1, "each position follows the one before");
            at = next.position;
            positions.push(at);
            seen.push(next);
        }
        if set.is_empty() {
            ended::publish(node.db()).await.expect("published");
        }
        let _ = set.try_join_next();
        tokio::task::yield_now().await;
    }
    let mut got: Vec<_> = seen.iter().filter(|e| e.kind == "session").map(|e| e.object).collect();
    got.sort_unstable();
    got.dedup();
    let mut wanted: Vec<_> = sessions.iter().map(|s| s.0).collect();
    wanted.sort_unstable();
    assert_eq!(got, wanted, "snapshot and feed together lose nothing");

    let ended::Snapshot { position, ended: all, .. } =
        ended::snapshot(test.realm.db(), test.realm.now(), 0).await.expect("a snapshot");
    assert_eq!((position, all.len()), (50, 50));
    assert!(ended::after(test.realm.db(), position, 10).await.expect("the feed").is_empty());
}

#[tokio::test]
async fn a_reader_who_saw_a_position_never_finds_more_behind_it() -> Result<()> {
    let test = TestRealm::new().await;
    let visitor = test.sign_up(ADA, PASSWORD).await;
    visitor.sign_out().await;
    let ended::Snapshot { position, ended: live, .. } =
        ended::snapshot(test.realm.db(), test.realm.now(), 0).await?;
    assert!(position == 0 && live.is_empty(), "what has no position is not shown yet");
    ended::publish(test.realm.db()).await?;
    let feed = ended::after(test.realm.db(), 0, 100).await?;
    assert_eq!(feed.iter().map(|e| (e.position, e.kind.as_str())).collect::<Vec<_>>(), [(1, "session")]);
    assert_eq!(ended::publish(test.realm.db()).await?, 0, "once");
    Ok(())
}

#[tokio::test]
async fn a_right_password_that_is_not_enough_for_the_textbook_app_is_no_failure_and_leaves_its_trace() {
    let test = TestRealm::with(|s| {
        s.token_endpoint.enabled = true;
        s.token_endpoint.alg = "EdDSA".into();
    })
    .await;
    let two = app(&test).await.me().await.expect("in").user;
    crate::add_factor(&test, two).await;
    let unproven = "unproven@northwind.example";
    let one = test.admin_user(unproven, false, Some(PASSWORD)).await.user.id;
    for (email, user) in [(ADA, two), (unproven, one)] {
        for n in 0..8 {
            let caller = test.app().caller().await;
            let granted = password_grant::grant(&test.realm, &caller, email, secret(PASSWORD)).await;
            assert_eq!(granted.err().and_then(|e| e.kind()), Some(Kind::TaskOutstanding), "{email} {n}");
        }
        let refused = test.audited(user).await.iter().filter(|a| *a == "sign_in.refused").count();
        assert_eq!(refused, 1, "{email}: a row, counted by the minute");
    }
}
