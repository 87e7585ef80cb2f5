//! Whoever was taken over signs in with the old password; and what nobody had confirmed is still a claim.

use crate::sample::{BCRYPT, Row, dump, email_identity, identity, import, user};
use latchstring_core::{
    Kind,
    attempt::AttemptKind,
    testing::{OTHER_PASSWORD, Refused, TestRealm},
};

const HASHES: &[(&str, &str)] = &[
    BCRYPT,
    ("$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"),
    ("$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"),
    ("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"),
    ("$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA", "password"),
    (
        "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        "user1password",
    ),
];

#[tokio::test]
async fn the_old_password_is_still_good() {
    let test = TestRealm::new().await;
    let kinds = u32::try_from(HASHES.len()).expect("few");
    let users: Vec<Row> =
        (0..300).map(|n| user(n, &[("encrypted_password", HASHES[(n % kinds) as usize].0)])).collect();
    let identities: Vec<Row> = (0..300)
        .flat_map(|n| {
            let google = (n % 5 == 0).then(|| identity(n, "google", &format!("g{n}"), &[]));
            [Some(email_identity(n)), google].into_iter().flatten()
        })
        .collect();
    let done = import(&test, dump(&users, &identities)).await;
    assert_eq!((done.summary.users, done.summary.passwords, done.summary.identities), (300, 300, 60));
    // Some of each kind, from all over the dump.
    for n in (0..300).step_by(23) {
        let address = format!("user{n}@northwind.example");
        test.sign_in(&address, HASHES[(n % kinds) as usize].1).await;
        assert_eq!(test.visitor().try_sign_in(&address, "wrong").await.refused(), Kind::CredentialsWrong);
    }
    // Used once, it is one of ours.
    test.sign_in("user0@northwind.example", BCRYPT.1).await;
}

#[tokio::test]
async fn a_banned_user_stays_out_until_then() {
    let test = TestRealm::new().await;
    let users = [
        user(1, &[("banned_until", "2099-01-01 00:00:00+00")]),
        user(2, &[("banned_until", "2020-01-01 00:00:00+00")]),
        user(3, &[("banned_until", "infinity")]),
    ];
    import(&test, dump(&users, &[])).await;
    for n in [1, 3] {
        let tried = test.visitor().try_sign_in(&format!("user{n}@northwind.example"), BCRYPT.1).await;
        assert_eq!(tried.refused(), Kind::UserBanned);
    }
    test.sign_in("user2@northwind.example", BCRYPT.1).await;
}

/// Invariant 9. Somebody signed up there with an address that is not theirs and never confirmed it. Its owner proves it
/// here: the stranger's password and identity open nothing any more.
#[tokio::test]
async fn an_address_that_nobody_confirmed_is_a_claim() {
    let test = TestRealm::new().await;
    let unconfirmed = [("email_confirmed_at", "\0")];
    let users = [user(1, &unconfirmed), user(2, &[])];
    let google = identity(1, "google", "stranger", &[("identity_data", r#"{"sub": "stranger"}"#)]);
    import(&test, dump(&users, &[google])).await;
    let found = test.find("user1@northwind.example").await.expect("taken");
    assert!(found.has_password && found.email().is_some_and(|email| !email.is_good()));

    let owner = test.visitor();
    let attempt = owner.begin(AttemptKind::SignIn, "user1@northwind.example").await;
    owner.prove(attempt.id, "user1@northwind.example").await.expect("proven");
    let stranger = test.visitor().try_sign_in("user1@northwind.example", BCRYPT.1).await;
    assert_eq!(stranger.refused(), Kind::CredentialsWrong);
    let all = latchstring_core::admin::export::page(&test.realm, None, 10, "supabase").await.expect("a page");
    assert!(all.iter().all(|user| user.identities.is_empty()), "the stranger's identity went too");

    // What was confirmed there is spared.
    let owner = test.visitor();
    let attempt = owner.begin(AttemptKind::SignIn, "user2@northwind.example").await;
    owner.prove(attempt.id, "user2@northwind.example").await.expect("proven");
    test.sign_in("user2@northwind.example", BCRYPT.1).await;
    test.visitor().recover("user2@northwind.example", OTHER_PASSWORD).await;
    test.sign_in("user2@northwind.example", OTHER_PASSWORD).await;
}

#[tokio::test]
async fn an_app_sees_who_was_taken_over_as_it_saw_them_before() {
    let vendor = crate::app::Vendor::new().await;
    let users = [user(1, &[]), user(2, &[])];
    let google = identity(1, "google", "g1", &[]);
    import(&vendor.test.realm, dump(&users, &[email_identity(1), google, email_identity(2)])).await;
    let body = serde_json::json!({ "email": "user1@northwind.example", "password": BCRYPT.1 });
    let session = vendor.app().post("/auth/v1/token?grant_type=password", body).await.must_be(200).json();
    assert_eq!(session["user"]["id"], crate::sample::id(1));
    let providers = |user: &serde_json::Value| {
        let all = user["identities"].as_array().expect("a list").iter();
        all.map(|i| i["provider"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(providers(&session["user"]), ["email", "google"]);
    assert_eq!(session["user"]["identities"][1]["id"], "g1");
    assert_eq!(session["user"]["app_metadata"]["providers"], serde_json::json!(["email", "google"]));
    let list = vendor.admin().get("/auth/v1/admin/users").await.must_be(200).json();
    let listed = list["users"].as_array().expect("a list").iter().find(|u| u["id"] == session["user"]["id"]);
    let listed = listed.expect("listed");
    assert_eq!(listed["identities"], session["user"]["identities"]);
    // The same ids as an export would write.
    let read = vendor.signed(&session).get("/auth/v1/user").await.must_be(200).json();
    let (out, _) = crate::sample::export(&vendor.test.realm).await;
    assert!(out.contains(read["identities"][0]["identity_id"].as_str().expect("an id")), "{out}");
}
