//! What people do with their accounts once they are in, what operators do to them, and what ends by it.

use crate::add_factor;
use latchstring_core::{
    Kind, Result,
    account::{self, Me},
    admin::users::{self, NewSecret, NewUser},
    attempt::{
        AttemptKind, Sink, Step,
        begin::{Begin, Within},
    },
    audit::{Actor, Source},
    clock::{DAY, HOUR, MINUTE, SECOND},
    session::Which,
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, Visitor, secret, who},
    user::{ProfileChange, Status},
};

const ADA: &str = "ada@northwind.example";
const NEW: &str = "ada@new.example";

async fn me(visitor: &Visitor) -> Me {
    visitor.me().await.expect("in")
}

async fn change_password(test: &TestRealm, visitor: &Visitor, old: Option<&str>, new: &str) -> Result<()> {
    let caller = visitor.caller().await;
    account::change_password(&test.realm, &me(visitor).await, &caller, old.map(secret), secret(new)).await
}

async fn admin_password(test: &TestRealm, email: &str, new: NewSecret) -> Result<()> {
    users::set_password(&test.realm, Actor::Operator, &Source::default(), test.id_of(email).await, new).await
}

async fn ban(test: &TestRealm, email: &str, until: Option<i64>) {
    let id = test.id_of(email).await;
    users::ban(&test.realm, Actor::Operator, &Source::default(), id, until, Some("spam".into()))
        .await
        .expect("banned");
}

#[tokio::test]
async fn old_proofs_open_no_sensitive_doors_until_given_again() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    test.clock.advance(11 * MINUTE);
    assert_eq!(ada.take_username("ada").await.refused(), Kind::ReauthRequired);
    let begin = Begin {
        within: Some(ada.within().await),
        ..Begin::new(AttemptKind::Verify, Some(who(NEW)), Sink::Cookie)
    };
    assert_eq!(ada.try_begin(begin.clone()).await.err().and_then(|e| e.kind()), Some(Kind::ReauthRequired));

    let before = (ada.cookie().expect("a cookie"), me(&ada).await);
    ada.step_up(PASSWORD).await;
    let after = me(&ada).await;
    assert_eq!(after.session, before.1.session, "the same session");
    assert!(after.auth_at > before.1.auth_at);
    assert_ne!(ada.cookie().expect("a cookie"), before.0, "the cookie changes with what it may do");
    ada.take_username("ada").await.expect("now");
    ada.try_begin(begin).await.expect("now");
    let id = test.id_of(ADA).await;
    assert_eq!(test.audited(id).await.iter().filter(|a| *a == "session.proved_again").count(), 1);
}

#[tokio::test]
async fn a_proof_within_a_session_needs_that_session() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let grace = test.sign_up("grace@northwind.example", PASSWORD).await;
    let theirs = Within { user: me(&ada).await.user, session: me(&grace).await.session };
    for kind in [AttemptKind::StepUp, AttemptKind::Verify] {
        let begin = Begin { within: Some(theirs), ..Begin::new(kind, Some(who(NEW)), Sink::Cookie) };
        assert_eq!(ada.try_begin(begin).await.err().and_then(|e| e.kind()), Some(Kind::NotSignedIn));
    }
    // Begun, and signed out before the proof.
    let attempt = ada.begin_within(AttemptKind::Verify, Some(NEW)).await;
    ada.send(attempt.id).await.expect("sent");
    let code = ada.code_to(NEW).await;
    let within = ada.within().await;
    account::end_sessions(
        &test.realm,
        within.user,
        Actor::Operator,
        &Source::default(),
        Which::One(within.session),
    )
    .await
    .expect("ended");
    assert_eq!(ada.code(attempt.id, &code).await.refused(), Kind::NotSignedIn);
    assert!(test.find(NEW).await.is_none());
    let begin = Begin { within: Some(within), ..Begin::new(AttemptKind::StepUp, None, Sink::Cookie) };
    assert_eq!(ada.try_begin(begin).await.err().and_then(|e| e.kind()), Some(Kind::NotSignedIn));
}

#[tokio::test]
async fn a_new_address_is_proven_there_and_told_to_the_old_one() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let attempt = ada.begin_within(AttemptKind::Verify, Some("Ada@New.example")).await;
    ada.send(attempt.id).await.expect("sent");
    let mail = ada.mail_to(NEW).await;
    assert!(mail.text.contains("confirm this address"), "{}", mail.text);
    assert!(
        test.find(NEW).await.is_none() && test.find(ADA).await.is_some(),
        "nothing changes before the proof"
    );
    let before = ada.cookie().expect("a cookie");
    ada.code(attempt.id, &mail.code.expect("a code")).await.expect("proven");
    let account = test.find(NEW).await.expect("the new address");
    assert_eq!(account.identifiers.len(), 1, "in place of the old one");
    assert!(account.email().expect("an address").proven_at.is_some());
    assert!(ada.is_in().await && ada.cookie().expect("a cookie") != before);
    let notice = ada.mail_to(ADA).await;
    assert!(notice.text.contains("was changed to A…@New.example"), "{}", notice.text);
    assert!(notice.code.is_none() && notice.link.is_some_and(|link| link.contains("/verify?not_me=")));
    assert_eq!(test.visitor().try_sign_in(ADA, PASSWORD).await.refused(), Kind::CredentialsWrong);
    test.sign_in(NEW, PASSWORD).await;
    assert!(test.audited(account.user.id).await.contains(&"email.changed".to_owned()));
}

#[tokio::test]
async fn an_address_of_another_account_is_not_taken_and_only_its_owner_learns_of_it() {
    let test = TestRealm::new().await;
    test.sign_up(NEW, PASSWORD).await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let attempt = ada.begin_within(AttemptKind::Verify, Some(NEW)).await;
    test.clock.advance(3 * MINUTE);
    ada.send(attempt.id).await.expect("the same answer as for a free address");
    let mail = ada.mail_to(NEW).await;
    assert!(mail.code.is_none() && mail.text.contains("belongs to another account"), "{}", mail.text);
}

#[tokio::test]
async fn a_claim_without_proof_gives_way_to_proof() {
    let test = TestRealm::new().await;
    let squatter = test.admin_user(NEW, false, Some(OTHER_PASSWORD)).await.user.id;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let attempt = ada.begin_within(AttemptKind::Verify, Some(NEW)).await;
    ada.prove(attempt.id, NEW).await.expect("proven");
    assert_eq!(test.id_of(NEW).await, me(&ada).await.user);
    let left = users::read(&test.realm, squatter).await.expect("their account stays");
    assert!(left.identifiers.is_empty());
}

#[tokio::test]
async fn attack_a049_a_changed_password_ends_the_other_sessions_and_keeps_this_one() {
    let test = TestRealm::new().await;
    let here = test.sign_up(ADA, PASSWORD).await;
    let there = test.sign_in(ADA, PASSWORD).await;
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    assert_eq!(change_password(&test, &here, None, OTHER_PASSWORD).await.refused(), Kind::InputInvalid);
    let wrong = change_password(&test, &here, Some("not it, really not it"), OTHER_PASSWORD).await;
    assert_eq!(wrong.refused(), Kind::CredentialsWrong);
    assert!(there.is_in().await, "a refusal ends nothing");
    change_password(&test, &here, Some(PASSWORD), OTHER_PASSWORD).await.expect("changed");
    assert!(here.is_in().await && !there.is_in().await && !app.is_in().await);
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
    assert!(here.mail_to(ADA).await.subject.contains("password was changed"));
    test.sign_in(ADA, OTHER_PASSWORD).await;
    assert_eq!(test.visitor().try_sign_in(ADA, PASSWORD).await.refused(), Kind::CredentialsWrong);
}

#[tokio::test]
async fn a_first_password_needs_a_fresh_proof() {
    let test = TestRealm::with(|s| s.password.required = false).await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    test.clock.advance(11 * MINUTE);
    assert_eq!(change_password(&test, &ada, None, PASSWORD).await.refused(), Kind::ReauthRequired);
    let attempt = ada.begin_within(AttemptKind::StepUp, None).await;
    ada.prove(attempt.id, ADA).await.expect("proven again");
    change_password(&test, &ada, None, PASSWORD).await.expect("set");
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn attack_a123_accounts_without_a_password_take_none() {
    let test = TestRealm::new().await;
    test.admin_user(ADA, true, None).await;
    for guess in ["undefined", "null", "[object Object]", " ", ADA] {
        assert_eq!(
            test.visitor().try_sign_in(ADA, guess).await.refused(),
            Kind::CredentialsWrong,
            "{guess:?}"
        );
        test.clock.advance(HOUR);
    }
    assert_eq!(test.visitor().try_sign_in(ADA, "").await.refused(), Kind::InputInvalid);
}

#[tokio::test]
async fn deleting_an_account_leaves_its_trail_and_nothing_that_works() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    let half = test.visitor();
    let attempt = half.begin(AttemptKind::SignIn, ADA).await;
    half.send(attempt.id).await.expect("sent");
    let code = half.code_to(ADA).await;
    let id = me(&ada).await.user;
    account::delete(&test.realm, id, Actor::User(id.0), &Source::default()).await.expect("deleted");
    assert!(!ada.is_in().await && !app.is_in().await);
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
    assert_eq!(half.code(attempt.id, &code).await.refused(), Kind::CodeWrong);
    assert_eq!(test.visitor().try_sign_in(ADA, PASSWORD).await.refused(), Kind::CredentialsWrong);
    assert_eq!(users::read(&test.realm, id).await.refused(), Kind::NotFound);
    assert_eq!(test.audited(id).await.last().map(String::as_str), Some("user.deleted"));
    assert_eq!(
        account::delete(&test.realm, id, Actor::Operator, &Source::default()).await.refused(),
        Kind::NotFound
    );
    // The address is free again, for another account.
    test.clock.advance(HOUR);
    test.sign_up(ADA, OTHER_PASSWORD).await;
    assert_ne!(test.id_of(ADA).await, id);
}

#[tokio::test]
async fn attack_a050_a_ban_ends_everything_at_once_and_is_told_to_whoever_proves_it_is_theirs() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    let waiting = test.visitor();
    let recovery = waiting.begin(AttemptKind::Recover, ADA).await;
    waiting.prove(recovery.id, ADA).await.expect("proven");
    ban(&test, ADA, None).await;
    assert!(!ada.is_in().await && !app.is_in().await);
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
    assert_eq!(waiting.new_password(recovery.id, OTHER_PASSWORD).await.refused(), Kind::AttemptClosed);
    assert_eq!(test.visitor().try_sign_in(ADA, "a wrong password").await.refused(), Kind::CredentialsWrong);
    assert_eq!(test.visitor().try_sign_in(ADA, PASSWORD).await.refused(), Kind::UserBanned);
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    assert_eq!(visitor.prove(attempt.id, ADA).await.refused(), Kind::UserBanned);

    let id = test.id_of(ADA).await;
    users::unban(&test.realm, Actor::Operator, &Source::default(), id).await.expect("lifted");
    assert!(!ada.is_in().await, "what ended stays ended");
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn a_ban_with_an_end_runs_out() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let until = test.realm.now() + DAY;
    ban(&test, ADA, Some(until)).await;
    assert_eq!(test.visitor().try_sign_in(ADA, PASSWORD).await.refused(), Kind::UserBanned);
    test.clock.advance(DAY + SECOND);
    test.sign_in(ADA, PASSWORD).await;
    assert_eq!(test.find(ADA).await.expect("there").user.status, Status::Banned, "the row needs no sweeper");
    let id = test.id_of(ADA).await;
    let past = test.realm.now() - 1;
    let source = Source::default();
    let refused = users::ban(&test.realm, Actor::Operator, &source, id, Some(past), None).await;
    assert_eq!(refused.refused(), Kind::InputInvalid);
}

#[tokio::test]
async fn a_password_set_by_an_operator_ends_all_sessions() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    admin_password(&test, ADA, NewSecret::Password(secret(OTHER_PASSWORD))).await.expect("set");
    assert!(!ada.is_in().await);
    test.sign_in(ADA, OTHER_PASSWORD).await;
}

#[tokio::test]
async fn attack_a124_hashes_that_would_stall_a_sign_in_are_refused() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let salt = "c29tZXNhbHRzb21lc2FsdA";
    let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let bad = [
        format!("$argon2id$v=19$m=2147483648,t=1,p=1${salt}${hash}"),
        format!("$argon2id$v=19$m=65536,t=1000000,p=1${salt}${hash}"),
        "$2b$31$abcdefghijklmnopqrstuuBs2R7bMtqAAuqhFyWtm6DLVYEDuqYoO".to_owned(),
        "pbkdf2_sha256$1000000000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned(),
        "plain text".to_owned(),
        String::new(),
    ];
    for phc in bad {
        let hashes = test.hashes();
        assert_eq!(
            admin_password(&test, ADA, NewSecret::Hash(phc.clone().into())).await.refused(),
            Kind::HashUnusable,
            "{phc}"
        );
        assert_eq!(test.hashes(), hashes, "refused without being tried");
    }
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn an_imported_hash_is_replaced_at_the_first_sign_in() {
    let test = TestRealm::new().await;
    test.admin_user(ADA, true, None).await;
    // Cheaper than what the realm asks for today.
    let phc = latchstring_proto::password::argon2id(
        &latchstring_proto::password::Params { m_kib: 32, t: 1, p: 1 },
        PASSWORD.as_bytes(),
        &[7; 16],
        &mut latchstring_proto::password::Scratch::default(),
    )
    .expect("a hash");
    admin_password(&test, ADA, NewSecret::Hash(phc.clone().into())).await.expect("imported");
    let id = test.id_of(ADA).await;
    let stored = async || {
        test.realm
            .db()
            .read(async |tx| latchstring_core::credential::store::password(tx, id).await)
            .await
            .expect("read")
    };
    assert_eq!(stored().await.as_deref(), Some(phc.as_str()));
    let before = test.find(ADA).await.expect("there").user.auth_rev;
    test.sign_in(ADA, PASSWORD).await;
    assert!(stored().await.expect("a hash").contains("m=64,"), "at today's cost");
    let after = test.find(ADA).await.expect("there").user.auth_rev;
    assert_eq!(before, after, "the same password: nothing that was checked is void");
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn attack_a125_easy_passwords_are_refused_and_not_repeated() {
    let test = TestRealm::with(|s| {
        s.name = "Northwind".into();
        s.password.context_words = vec!["turquoise elephant".into()];
    })
    .await;
    let visitor = test.visitor();
    let begin = Begin {
        name: Some("Augusta Lovelace-Byron".into()),
        ..Begin::new(AttemptKind::SignUp, Some(who("augusta@lovelace.example")), Sink::Cookie)
    };
    let attempt = visitor.try_begin(begin).await.expect("begins").outcome.attempt;
    visitor.prove(attempt.id, "augusta@lovelace.example").await.expect("proven");
    let hashes = test.hashes();
    for bad in [
        "shirt",
        "password123",
        "northwind",
        "augusta@lovelace.example",
        "Augusta Lovelace-Byron",
        "turquoise elephant",
        "aaaaaaaaaaaaaaaa",
    ] {
        match visitor.new_password(attempt.id, bad).await {
            Err(latchstring_core::Error::Refused(refusal)) => {
                assert_eq!(refusal.kind, Kind::PasswordWeak, "{bad}");
                assert!(!refusal.detail.reasons.is_empty(), "{bad}: clients need to know why");
                let says = refusal.detail.says.expect("a sentence");
                assert!(!says.contains(bad), "{says} repeats the password");
            }
            _ => panic!("{bad} must be refused"),
        }
    }
    assert_eq!(test.hashes(), hashes, "refused before any work was done");
    visitor.new_password(attempt.id, PASSWORD).await.expect("a good one");
}

#[tokio::test]
async fn attack_a121_a_megabyte_of_password_costs_nothing() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let hashes = test.hashes();
    for n in [257, 4_097, 65_536, 1 << 20] {
        let refused = test.visitor().try_sign_in(ADA, &"p".repeat(n)).await;
        assert_eq!(refused.refused(), Kind::InputInvalid, "{n} characters");
    }
    assert_eq!(test.hashes(), hashes);
    // 256 are taken, of any width.
    let long = "ä".repeat(256);
    assert_eq!(test.visitor().try_sign_in(ADA, &long).await.refused(), Kind::CredentialsWrong);
}

#[tokio::test]
async fn attack_a115_a116_usernames_are_no_addresses_and_hold_nothing_invisible() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    for bad in ["ada@corp.test", "admin\0x", "admin\u{200b}", "\u{202e}nimda", "ada ", "", "ada＠corp.test"]
    {
        assert_eq!(ada.take_username(bad).await.refused(), Kind::UsernameInvalid, "{bad:?}");
    }
    let grace = test.sign_up("grace@northwind.example", PASSWORD).await;
    ada.take_username("paypal").await.expect("taken");
    for same in ["PayPal", "pаypаl", "ｐａｙｐａｌ"] {
        assert_eq!(grace.take_username(same).await.refused(), Kind::IdentifierTaken, "{same} looks the same");
    }
    // Another name frees the first.
    ada.take_username("ada").await.expect("taken");
    grace.take_username("paypal").await.expect("free");
    assert_eq!(test.find("ada").await.expect("found").username().expect("a name").typed, "ada");
}

#[tokio::test]
async fn attack_a112_people_write_only_what_is_theirs() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let me = me(&ada).await;
    let source = Source::default();
    let json = serde_json::json!({ "role": "admin" });
    for change in [
        ProfileChange { meta_public: Some(json.clone()), ..ProfileChange::default() },
        ProfileChange { meta_private: Some(json.clone()), ..ProfileChange::default() },
        ProfileChange { picture: Some(Some("javascript:alert(1)".into())), ..ProfileChange::default() },
        ProfileChange { name: Some(Some("a\nBcc: x".into())), ..ProfileChange::default() },
        ProfileChange { meta_own: Some("text".into()), ..ProfileChange::default() },
        ProfileChange {
            meta_own: Some(serde_json::json!({ "x": "y".repeat(17_000) })),
            ..ProfileChange::default()
        },
    ] {
        assert_eq!(account::change(&test.realm, &me, &source, change).await.refused(), Kind::InputInvalid);
    }
    let change = ProfileChange {
        name: Some(Some("Ada".into())),
        meta_own: Some(json.clone()),
        ..ProfileChange::default()
    };
    let full = account::change(&test.realm, &me, &source, change).await.expect("changed");
    assert_eq!((full.user.name.as_deref(), &full.user.meta_own), (Some("Ada"), &json));
    assert_eq!(full.user.meta_public, serde_json::json!({}));
    let change = ProfileChange { name: Some(None), ..ProfileChange::default() };
    let full = account::change(&test.realm, &me, &source, change).await.expect("changed");
    assert_eq!((full.user.name, full.user.meta_own), (None, json), "what is not named stays");
}

#[tokio::test]
async fn operators_see_conflicts_and_find_people_by_what_they_type() {
    let test = TestRealm::new().await;
    for n in 0..5 {
        test.admin_user(&format!("person{n}@northwind.example"), true, None).await;
    }
    let ada = test.admin_user("Zoe@Northwind.example", true, None).await.user;
    let source = Source::default();
    let change = || ProfileChange { name: Some(Some("Zoe".into())), ..ProfileChange::default() };
    let edit =
        async |seen| users::change(&test.realm, Actor::Operator, &source, ada.id, change(), Some(seen)).await;
    let now = edit(ada.rev).await.expect("as read").user.rev;
    assert_eq!(edit(ada.rev).await.refused(), Kind::RevChanged);
    edit(now).await.expect("as read again");
    for (email, username, kind) in
        [(Some("zoe@northwind.example"), None, Kind::IdentifierTaken), (None, None, Kind::InputInvalid)]
    {
        let new = NewUser { email: email.map(who), username, ..NewUser::default() };
        assert_eq!(users::create(&test.realm, Actor::Operator, &source, new).await.refused(), kind);
    }
    let new = NewUser { id: Some(ada.id), email: Some(who("x@northwind.example")), ..NewUser::default() };
    assert_eq!(users::create(&test.realm, Actor::Operator, &source, new).await.refused(), Kind::Exists);

    let page = async |q: Option<&str>, cursor: Option<&str>| {
        let page = users::list(&test.realm, q, cursor, 2).await.expect("a page");
        let names: Vec<_> =
            page.users.iter().map(|u| u.email().expect("an address").normal.clone()).collect();
        (names, page.next)
    };
    for q in [None, Some("Person")] {
        let (mut seen, mut next) = page(q, None).await;
        while let Some(cursor) = next {
            let (names, after) = page(q, Some(&cursor)).await;
            assert!(names.len() <= 2);
            seen.extend(names);
            next = after;
        }
        let wanted: Vec<_> = (0..5).map(|n| format!("person{n}@northwind.example")).collect();
        assert_eq!(seen[..5], wanted, "{q:?}: each once, in order");
    }
    assert_eq!(page(Some("zoe@nor"), None).await.0, ["zoe@northwind.example"]);
    assert!(page(Some("%"), None).await.0.is_empty(), "no wildcard");
    assert_eq!(
        users::list(&test.realm, None, Some("x"), 2).await.err().and_then(|e| e.kind()),
        Some(Kind::InputInvalid)
    );
}

#[tokio::test]
async fn a_step_up_with_a_second_factor_asks_for_that_one() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    add_factor(&test, me(&ada).await.user).await;
    // A session that began by the password: one that began by mail stays at the first level.
    let ada = test.visitor();
    let id = ada.try_sign_in(ADA, PASSWORD).await.expect("right").attempt.id;
    ada.prove(id, ADA).await.expect("proven");
    let attempt = ada.begin_within(AttemptKind::StepUp, None).await;
    assert_eq!(attempt.offers(true), [Step::Factor]);
    assert_eq!(ada.password(attempt.id, PASSWORD).await.refused(), Kind::StepNotOffered);
    ada.prove(attempt.id, ADA).await.expect("proven");
    assert_eq!(ada.signed().await.expect("in").assurance, 2);
}
