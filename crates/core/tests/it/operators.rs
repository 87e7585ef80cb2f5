//! API keys and the audit trail: who did what, exactly once.

use latchstring_core::{
    Kind, Result, account,
    admin::{invitations, settings, setup, users},
    api_key,
    attempt::AttemptKind,
    audit::{self, Actor, Source},
    clock::{DAY, MINUTE, SECOND},
    id::UserId,
    key,
    session::Which,
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, secret, who},
    user::ProfileChange,
};
use uuid::Uuid;

const ADA: &str = "ada@northwind.example";

fn all() -> Vec<String> {
    vec!["*".into()]
}

#[tokio::test]
async fn an_api_key_is_shown_once_and_good_until_it_ends() {
    let test = TestRealm::new().await;
    let source = Source::default();
    let make = async |permissions: Vec<String>, until| {
        api_key::create(&test.realm, Actor::Operator, &source, "backend", permissions, until).await
    };
    let (key, text) = make(vec!["users:read".into()], Some(test.realm.now() + DAY)).await.expect("made");
    let checked = api_key::check_text(&test.realm, &source, &text).await.expect("good");
    assert_eq!(checked.id, key.id);
    checked.must("users:read").expect("it has that");
    assert_eq!(checked.must("users:write").refused(), Kind::PermissionMissing);
    assert!(!checked.may("*"));
    for (permissions, until) in [
        (vec![], None),
        (vec!["users:everything".to_owned()], None),
        (vec!["users:read".to_owned(); 50], None),
        (all(), Some(test.realm.now() - 1)),
    ] {
        assert_eq!(make(permissions, until).await.refused(), Kind::InputInvalid);
    }
    test.clock.advance(DAY + SECOND);
    assert_eq!(api_key::check_text(&test.realm, &source, &text).await.refused(), Kind::ApiKeyUnusable);

    let (key, text) = make(all(), None).await.expect("made");
    api_key::check_text(&test.realm, &source, &text).await.expect("good");
    api_key::revoke(&test.realm, Actor::Operator, &source, key.id).await.expect("revoked");
    assert_eq!(
        api_key::check_text(&test.realm, &source, &text).await.refused(),
        Kind::ApiKeyUnusable,
        "at once"
    );
    let node = test.node().await;
    assert_eq!(api_key::check_text(&node, &source, &text).await.refused(), Kind::ApiKeyUnusable);
    assert_eq!(
        api_key::revoke(&test.realm, Actor::Operator, &source, key.id).await.refused(),
        Kind::NotFound
    );
}

#[tokio::test]
async fn wrong_keys_are_limited_and_right_ones_are_not() {
    let test = TestRealm::new().await;
    let source = Source { address: Some("192.0.2.7".parse().expect("an address")), ..Source::default() };
    let (_, text) =
        api_key::create(&test.realm, Actor::Operator, &source, "backend", all(), None).await.expect("made");
    let mut kinds = Vec::new();
    for _ in 0..30 {
        kinds.push(api_key::check_text(&test.realm, &source, "lsk_wrong").await.refused());
    }
    assert_eq!((kinds[19], kinds[20]), (Kind::ApiKeyUnusable, Kind::RateLimited));
    for _ in 0..50 {
        api_key::check_text(&test.realm, &source, &text).await.expect("good");
    }
}

#[tokio::test]
async fn a_key_gives_no_more_than_it_has() {
    let test = TestRealm::new().await;
    let source = Source::default();
    let until = test.realm.now() + DAY;
    let permissions = vec!["keys:write".to_owned(), "users:read".to_owned()];
    let (by, _) = api_key::create(&test.realm, Actor::Operator, &source, "a", permissions, Some(until))
        .await
        .expect("made");
    for wanted in ["*", "users:write"] {
        let made = api_key::create_by(&test.realm, &by, &source, "b", vec![wanted.into()], None).await;
        assert_eq!(made.refused(), Kind::PermissionMissing);
    }
    for asked in [None, Some(until + DAY)] {
        let made = api_key::create_by(&test.realm, &by, &source, "b", vec!["users:read".into()], asked).await;
        assert_eq!(made.expect("made").0.expires_at, Some(until), "nor for longer");
    }
}

#[tokio::test]
async fn a_setup_token_is_good_for_a_day_and_once() {
    let test = TestRealm::new().await;
    let source = Source::default();
    let token = setup::token(&test.realm).await.expect("read").expect("a token");
    assert_eq!(setup::redeem(&test.realm, &source, "x").await.refused(), Kind::SetupUnusable);
    test.clock.advance(DAY + SECOND);
    assert_eq!(setup::redeem(&test.realm, &source, &token).await.refused(), Kind::SetupUnusable);
    let token = setup::token(&test.realm).await.expect("read").expect("another");
    let key = setup::redeem(&test.realm, &source, &format!(" {}\n", *token)).await.expect("as it is pasted");
    assert!(api_key::check_text(&test.realm, &source, &key).await.expect("good").may("*"));
    assert_eq!(setup::redeem(&test.realm, &source, &token).await.refused(), Kind::SetupUnusable);
}

/// Everything in the trail, oldest first.
async fn trail(test: &TestRealm) -> Vec<audit::Row> {
    let mut rows = audit::list(test.realm.db(), None, None, 1_000).await.expect("audit").0;
    rows.reverse();
    rows
}

#[tokio::test]
async fn attack_a160_each_act_is_one_row_that_names_actor_and_target() {
    let test = TestRealm::with(|s| {
        (s.password.memory_kib, s.password.passes) = (7_168, 5);
        s.limits.sends_by_target.burst = 100;
    })
    .await;
    let realm = &test.realm;
    let source = Source {
        address: Some("192.0.2.7".parse().expect("an address")),
        user_agent: Some("curl".into()),
        request_id: Some("req-1".into()),
        language: None,
    };
    let operator = Actor::ApiKey(Uuid::from_u128(7));
    let mut at = trail(&test).await.len();
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    macro_rules! act {
        ($what:literal, $work:expr) => {{
            let out = $work;
            let rows = trail(&test).await;
            said.push(($what.to_owned(), rows[at..].iter().map(|r| r.action.clone()).collect()));
            at = rows.len();
            out
        }};
    }
    let new = users::NewUser {
        email: Some(who(ADA)),
        email_asserted: true,
        secret: Some(users::NewSecret::Password(secret(PASSWORD))),
        ..users::NewUser::default()
    };
    let id =
        act!("create", users::create(realm, operator.clone(), &source, new).await.expect("made")).user.id;
    let ada = test.visitor();
    act!("sign in", ada.sign_in(ADA, PASSWORD).await);
    act!("step up", ada.step_up(PASSWORD).await);
    let me = ada.me().await.expect("in");
    let profile = ProfileChange { name: Some(Some("Ada".into())), ..ProfileChange::default() };
    act!("profile", account::change(realm, &me, &source, profile.clone()).await.expect("changed"));
    act!("username", account::set_username(realm, &me, &source, Some("ada")).await.expect("set"));
    let caller = ada.caller().await;
    act!(
        "password",
        account::change_password(realm, &me, &caller, Some(secret(PASSWORD)), secret(OTHER_PASSWORD))
            .await
            .expect("changed")
    );
    let attempt = ada.begin_within(AttemptKind::Verify, Some("ada@new.example")).await;
    act!("e-mail", ada.prove(attempt.id, "ada@new.example").await.expect("proven"));
    act!("edit", users::change(realm, operator.clone(), &source, id, profile, None).await.expect("changed"));
    act!(
        "set password",
        users::set_password(
            realm,
            operator.clone(),
            &source,
            id,
            users::NewSecret::Password(secret(PASSWORD))
        )
        .await
        .expect("set")
    );
    act!("ban", users::ban(realm, operator.clone(), &source, id, None, None).await.expect("banned"));
    act!(
        "banned sign-in",
        assert_eq!(test.visitor().try_sign_in("ada", PASSWORD).await.refused(), Kind::UserBanned)
    );
    act!("unban", users::unban(realm, operator.clone(), &source, id).await.expect("lifted"));
    act!(
        "wrong password",
        assert_eq!(
            test.visitor().try_sign_in("ada", "a wrong guess").await.refused(),
            Kind::CredentialsWrong
        )
    );
    test.clock.advance(MINUTE);
    act!("sign in again", ada.sign_in("ada", PASSWORD).await);
    act!("sign out", ada.sign_out().await);
    act!(
        "everywhere",
        account::end_sessions(realm, id, operator.clone(), &source, Which::All).await.expect("ended")
    );
    act!("recover", test.visitor().recover("ada@new.example", OTHER_PASSWORD).await);
    let invited = act!(
        "invite",
        invitations::create(realm, operator.clone(), &source, who("new@northwind.example"))
            .await
            .expect("made")
    );
    act!(
        "take back",
        invitations::revoke(realm, operator.clone(), &source, invited.id).await.expect("revoked")
    );
    let (key, _) =
        act!("key", api_key::create(realm, operator.clone(), &source, "k", all(), None).await.expect("made"));
    act!("revoke key", api_key::revoke(realm, operator.clone(), &source, key.id).await.expect("revoked"));
    act!(
        "settings",
        settings::patch(realm, operator.clone(), &source, serde_json::json!({ "guests": true }), None)
            .await
            .expect("changed")
    );
    act!(
        "rotate",
        key::rotate(
            realm.db(),
            realm.ground(),
            realm.mount(),
            key::Purpose::Native,
            0,
            0,
            operator.clone(),
            &source
        )
        .await
        .expect("rotated")
    );
    act!("guest", test.visitor().be_guest().await.expect("a guest"));
    act!("delete", account::delete(realm, id, operator.clone(), &source).await.expect("deleted"));
    act!("read", users::read(realm, id).await.refused());

    assert!(at > 0);
    let said: Vec<_> = said.iter().map(|(what, actions)| format!("{what}: {}", actions.join(", "))).collect();
    let wanted = [
        "create: user.created",
        "sign in: device.new, session.began",
        "step up: session.proved_again",
        "profile: profile.changed",
        "username: username.changed",
        "password: password.changed",
        "e-mail: email.changed",
        "edit: user.changed",
        "set password: password.set",
        "ban: user.banned",
        "banned sign-in: sign_in.refused",
        "unban: user.unbanned",
        "wrong password: ",
        "sign in again: device.new, session.began",
        "sign out: session.signed_out",
        "everywhere: session.ended",
        "recover: email.proven, password.reset, session.began",
        "invite: invitation.created",
        "take back: invitation.revoked",
        "key: api_key.created",
        "revoke key: api_key.revoked",
        "settings: settings.changed",
        "rotate: key.rotated",
        "guest: user.guest_created, session.began",
        "delete: user.deleted",
        "read: ",
    ];
    assert_eq!(said.len(), wanted.len());
    for (said, wanted) in said.iter().zip(wanted) {
        // The address was proven when it was changed; a recovery proves it no second time.
        assert_eq!(said, &wanted.replace("email.proven, ", ""));
    }
    let rows = trail(&test).await;
    let refused = rows.iter().find(|r| r.outcome == "refused").expect("a refusal");
    assert_eq!(refused.count, 2, "of one minute they are one row, counted");
    let banned = rows.iter().find(|r| r.action == "user.banned").expect("the ban");
    assert_eq!((banned.actor_kind.as_str(), banned.actor_id.clone()), ("api_key", operator.id()));
    assert_eq!(
        (banned.target_id, banned.address.as_deref(), banned.request_id.as_deref()),
        (Some(id.0), Some("192.0.2.7"), Some("req-1"))
    );
    for row in rows {
        let text = format!("{row:?}");
        assert!(!text.contains(PASSWORD) && !text.contains(OTHER_PASSWORD), "{text}");
    }
}

#[tokio::test]
async fn a_refusal_changes_nothing_and_is_no_row_of_its_own() {
    let test = TestRealm::new().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    let before = trail(&test).await.len();
    let nobody = UserId(Uuid::from_u128(1));
    let source = Source::default();
    let refused: [Result<()>; 4] = [
        users::ban(&test.realm, Actor::Operator, &source, nobody, None, None).await.map(|_| ()),
        users::change(&test.realm, Actor::Operator, &source, nobody, ProfileChange::default(), None)
            .await
            .map(|_| ()),
        account::delete(&test.realm, nobody, Actor::Operator, &source).await,
        settings::patch(&test.realm, Actor::Operator, &source, serde_json::json!({ "x": 1 }), None)
            .await
            .map(|_| ()),
    ];
    assert!(refused.iter().all(Result::is_err));
    let n = account::end_sessions(
        &test.realm,
        nobody,
        Actor::Operator,
        &source,
        Which::One(latchstring_core::id::SessionId(Uuid::nil())),
    )
    .await;
    assert_eq!(n.expect("nothing to end"), 0);
    let _ = test.visitor().try_sign_in("nobody@northwind.example", "a wrong guess").await;
    assert_eq!(trail(&test).await.len(), before);
}

#[tokio::test]
async fn pages_of_the_trail_give_each_row_once() {
    let test = TestRealm::new().await;
    for n in 0..25 {
        test.admin_user(&format!("person{n}@northwind.example"), true, None).await;
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = audit::list(test.realm.db(), None, before, 10).await.expect("a page").0;
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        seen.extend(page.into_iter().map(|r| r.id));
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.is_sorted_by(|a, b| a > b), "newest first, each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_id_by_ten_at_once_makes_one_user() {
    let test = TestRealm::new().await;
    let id = UserId(Uuid::from_u128(42));
    let mut set = tokio::task::JoinSet::new();
    for n in 0..10 {
        let realm = test.realm.clone();
        set.spawn(async move {
            let email = Some(who(&format!("person{n}@northwind.example")));
            let new = users::NewUser { id: Some(id), email, ..users::NewUser::default() };
            users::create(&realm, Actor::Operator, &Source::default(), new).await
        });
    }
    let results = set.join_all().await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    for result in results.into_iter().filter(Result::is_err) {
        assert_eq!(result.refused(), Kind::Exists);
    }
}

#[tokio::test]
async fn a_search_folds_as_names_and_addresses_are_folded() {
    let test = TestRealm::new().await;
    for (email, name) in [
        ("ada@b\u{fc}cher.example", "\u{ff30}\u{430}ypal"),
        ("O\u{301}scar@northwind.example", "\u{3a3}igma\u{3c2}"),
    ] {
        let new = users::NewUser {
            email: Some(who(email)),
            username: Some(who(name)),
            ..users::NewUser::default()
        };
        users::create(&test.realm, Actor::Operator, &Source::default(), new).await.expect("made");
    }
    for (query, found) in [
        ("ada@B\u{dc}cher.example", 1),
        ("ada@xn--b", 1),
        ("ada@", 1),
        ("PAYP", 1),
        ("p\u{430}yp", 1),
        ("\u{f3}sc", 1),
        ("\u{d3}SCAR@north", 1),
        ("\u{3a3}IGMA\u{3a3}", 1),
        ("", 2),
        ("nobody", 0),
    ] {
        let page = users::list(&test.realm, Some(query), None, 10).await.expect("a page");
        assert_eq!(page.users.len(), found, "{query}");
    }
    // Pages go on over both sorts.
    let first = users::list(&test.realm, Some("p\u{430}yp"), None, 1).await.expect("a page");
    assert_eq!((first.users.len(), first.next), (1, None));
}
