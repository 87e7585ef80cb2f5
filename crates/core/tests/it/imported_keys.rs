//! Signing keys that were made elsewhere, in the ring of a mount.

use latchstring_core::{
    Kind,
    admin::{keys, mounts},
    audit::{self, Actor, Source},
    id::MountId,
    key::{MOST_IMPORTED, Purpose},
    mount::{Enumeration, Mount},
    testing::{Refused, TestRealm},
};
use latchstring_proto::jose::{Alg, SigningKey};
use serde_json::json;

async fn mount(test: &TestRealm, host: &str, path: &str) -> MountId {
    let id = MountId::new(test.realm.now(), test.realm.ground().random());
    let mut mount = Mount::new(id, host, path, "supabase", "https://id.northwind.example/auth/v1");
    mount.enumeration = Enumeration::Vendor;
    mounts::put(&test.realm, Actor::Operator, &Source::default(), mount).await.expect("put")
}

fn made(kid: &str) -> SigningKey {
    SigningKey::generate(Alg::Es256).expect("a key").with_kid(kid)
}

/// The state of each key of a mount by its name, youngest first.
async fn states(test: &TestRealm) -> Vec<(String, &'static str)> {
    let all = keys::list(&test.realm).await.expect("listed").into_iter();
    all.filter(|listed| listed.mount.is_some()).map(|listed| (listed.key.kid, listed.key.state)).collect()
}

async fn audited(test: &TestRealm, action: &str) -> usize {
    let rows = audit::list(test.realm.db(), None, None, 1_000).await.expect("audit").0;
    rows.iter().filter(|row| row.action == action).count()
}

#[tokio::test]
async fn the_first_signs_the_others_verify_and_again_is_nothing() {
    let test = TestRealm::new().await;
    let node = test.node().await;
    let (source, operator) = (Source::default(), Actor::Operator);
    let id = mount(&test, "*", "/auth/v1").await;
    let ring = test.realm.ring_of(id, Purpose::Access).await.expect("made");
    let own = ring.keys[0].kid.clone();
    let before = ring.sign(test.realm.now(), "JWT", &json!({})).expect("signed");
    assert!(!before.is_empty());
    let all = [made("first"), made("second")];
    let import =
        async |all: &[SigningKey]| keys::import(&test.realm, operator.clone(), &source, id, all).await;
    let done = import(&all).await.expect("imported");
    assert_eq!(
        done.iter().map(|key| (key.signs, key.known)).collect::<Vec<_>>(),
        [(true, false), (false, false)]
    );

    node.follow().await.expect("follows");
    for realm in [&test.realm, &node] {
        let ring = realm.rings().of(id, Purpose::Access).expect("a ring").clone();
        let token = ring.sign(realm.now(), "JWT", &json!({})).expect("signed");
        let unverified = latchstring_proto::jose::Unverified::parse(&token).expect("a token");
        assert_eq!(unverified.header().kid.as_deref(), Some("first"), "another node too signs by it");
        assert!(ring.imported("first").is_some() && ring.imported("second").is_some());
        assert!(ring.imported(&own).is_none() && ring.verifying(&own).is_some(), "ours verifies on");
        let jwks = String::from_utf8(ring.jwks().to_vec()).expect("text");
        assert!(jwks.contains("first") && jwks.contains("second") && !jwks.contains("\"d\""), "{jwks}");
    }
    let mut found = states(&test).await;
    found.sort();
    let mut expect =
        vec![("first".to_owned(), "active"), ("second".to_owned(), "verify_only"), (own.clone(), "retiring")];
    expect.sort();
    assert_eq!(found, expect);
    assert_eq!(audited(&test, "key.imported").await, 2);

    let rev = test.realm.rings().rev;
    let again = import(&all).await.expect("the same");
    assert!(again.iter().all(|key| key.known));
    assert_eq!((test.realm.rings().rev, audited(&test, "key.imported").await), (rev, 2), "nothing changed");
    assert_eq!(import(&[made("first")]).await.refused(), Kind::InputInvalid, "another key of that name");
    assert_eq!(import(&[]).await.refused(), Kind::InputInvalid);
    let many: Vec<SigningKey> = (0..=MOST_IMPORTED).map(|i| made(&i.to_string())).collect();
    assert_eq!(import(&many).await.refused(), Kind::InputInvalid);
    assert_eq!(states(&test).await.len(), 3, "a refusal leaves no trace");

    // Ours goes when its last token is over, and one that only verifies stays.
    test.clock.advance(test.realm.longest_token() + 1);
    test.realm.reload_rings().await.expect("loaded");
    let ring = test.realm.rings().of(id, Purpose::Access).expect("a ring").clone();
    assert!(ring.verifying(&own).is_none() && ring.verifying("second").is_some());
}

#[tokio::test]
async fn rings_of_mounts_rotate_and_their_keys_are_taken_back() {
    let test = TestRealm::new().await;
    let (source, operator) = (Source::default(), Actor::Operator);
    let (first, second) = (mount(&test, "*", "/auth/v1").await, mount(&test, "login.example", "/").await);
    let key = [made("theirs")];
    for id in [first, second] {
        keys::import(&test.realm, operator.clone(), &source, id, &key).await.expect("imported");
    }
    let rotate = async |mount: Option<&str>, ring: &str, now: bool| {
        keys::rotate(&test.realm, operator.clone(), &source, mount, ring, now).await
    };
    let revoke = async |mount: Option<&str>, kid: &str| {
        keys::revoke(&test.realm, operator.clone(), &source, mount, kid).await
    };
    assert_eq!(rotate(None, "access", true).await.refused(), Kind::InputInvalid, "of which mount");
    assert_eq!(rotate(Some("/auth/v2"), "access", true).await.refused(), Kind::InputInvalid);
    assert_eq!(rotate(Some("/auth/v1"), "native", true).await.refused(), Kind::NotFound);
    assert_eq!(revoke(None, "theirs").await.refused(), Kind::InputInvalid, "of which mount");
    assert_eq!(revoke(Some("/auth/v1"), "theirs").await.refused(), Kind::LastOne, "it signs");
    rotate(Some("/auth/v1"), "access", true).await.expect("rotated");
    assert_eq!(revoke(Some("login.example"), "theirs").await.refused(), Kind::LastOne, "there it signs on");
    revoke(Some("/auth/v1"), "theirs").await.expect("revoked");
    let ring = |id| test.realm.rings().of(id, Purpose::Access).expect("a ring").clone();
    assert!(ring(first).verifying("theirs").is_none() && ring(second).verifying("theirs").is_some());
    let import = keys::import(&test.realm, operator.clone(), &source, first, &key).await;
    assert_eq!(import.refused(), Kind::InputInvalid, "what was taken back stays so");
    // The other one is alone in having it now.
    rotate(Some("login.example"), "access", true).await.expect("rotated");
    revoke(None, "theirs").await.expect("revoked");
}

#[tokio::test]
async fn two_faces_at_one_place_are_one_too_many() {
    let test = TestRealm::new().await;
    let realm = &test.realm;
    let put = async |face: &str, host: &str, path: &str| {
        let id = MountId::new(realm.now(), realm.ground().random());
        let mount = Mount::new(id, host, path, face, "https://id.northwind.example/x");
        mounts::put(realm, Actor::Operator, &Source::default(), mount).await
    };
    let (one, other) = tokio::join!(put("supabase", "*", "/auth/v1"), put("other", "*", "/auth"));
    assert!(one.is_ok() != other.is_ok(), "the second of two at once sees the first");
    assert_eq!(put("third", "*", "/auth/v1/admin").await.refused(), Kind::Exists);
    for (host, path) in [("*", "/"), ("*", "/api/v1"), ("*", "/sign-in"), ("login.example", "/token")] {
        assert_eq!(put("third", host, path).await.refused(), Kind::InputInvalid, "{host}{path}");
    }
    let own = realm.issuer().split_once("://").expect("a URL").1.to_owned();
    for host in [own.clone(), own.to_ascii_uppercase()] {
        assert_eq!(put("third", &host, "/").await.refused(), Kind::InputInvalid, "{host}");
    }
    assert_eq!(mounts::host(realm, &format!("{own}:443")).expect("a host"), own, "the same in disguise");
    for host in [
        "",
        "a b",
        "https://a.example",
        "a.example/",
        "a.example:",
        "a.example:x",
        "*",
        ".a",
        "a..b",
        "a@b",
        ":443",
    ] {
        assert_eq!(mounts::host(realm, host).refused(), Kind::InputInvalid, "{host}");
    }
    for host in ["a.example", "A.example:8443", "[::1]:8080", "localhost:9000"] {
        mounts::host(realm, host).expect(host);
    }
}
