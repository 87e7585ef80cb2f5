//! Signing up, signing in, getting back in: what people see, step by step.

use latchstring_core::{
    Kind,
    admin::invitations,
    attempt::{AttemptKind, Sink, Step, begin::Begin},
    audit::{Actor, Source},
    clock::{DAY, HOUR, MINUTE, SECOND},
    settings::SignUp,
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, Visitor, who},
    user::UserKind,
};

const ADA: &str = "ada@northwind.example";

#[tokio::test]
async fn a_sign_up_makes_an_account_after_the_proof_and_never_before() {
    let test = TestRealm::new().await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignUp, "Ada@Northwind.Example").await;
    assert_eq!(attempt.offers(true), [Step::Code]);
    assert_eq!(visitor.new_password(attempt.id, PASSWORD).await.refused(), Kind::StepNotOffered);
    visitor.send(attempt.id).await.expect("sent");
    assert!(test.find(ADA).await.is_none());
    let mail = visitor.mail_to(ADA).await;
    assert!(mail.text.contains("finish making"), "{}", mail.text);
    let code = mail.code.expect("a code");
    // As people copy it.
    let outcome =
        visitor.code(attempt.id, &format!(" {} {}\u{a0}", &code[..3], &code[3..])).await.expect("right");
    assert_eq!(outcome.attempt.offers(true), [Step::NewPassword]);
    assert!(test.find(ADA).await.is_none(), "not before there is a password");
    visitor.new_password(attempt.id, PASSWORD).await.expect("done");

    let ada = test.find(ADA).await.expect("made");
    let email = ada.email().expect("an address");
    assert_eq!((email.typed.as_str(), email.normal.as_str()), ("Ada@Northwind.Example", ADA));
    assert!(email.proven_at.is_some() && email.asserted_at.is_none());
    let signed = visitor.signed().await.expect("in");
    assert_eq!((signed.user, signed.assurance), (ada.user.id, 1));
    assert_eq!(*signed.methods, ["otp"]);
    assert_eq!(test.audited(ada.user.id).await, ["user.signed_up", "session.began"], "one row each (A160)");
}

#[tokio::test]
async fn without_required_passwords_the_code_is_enough() {
    let test = TestRealm::with(|s| s.password.required = false).await;
    let visitor = test.sign_up(ADA, PASSWORD).await;
    assert!(!test.find(ADA).await.expect("made").has_password);
    assert!(visitor.is_in().await);
}

#[tokio::test]
async fn a_sign_up_with_a_known_address_turns_into_a_sign_in_and_the_mail_says_so() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let visitor = test.visitor();
    let begin = Begin {
        name: Some("Somebody Else".into()),
        ..Begin::new(AttemptKind::SignUp, Some(who("ADA@northwind.example")), Sink::Cookie)
    };
    let attempt = visitor.try_begin(begin).await.expect("begins").outcome.attempt;
    visitor.send(attempt.id).await.expect("sent");
    let mail = visitor.mail_to(ADA).await;
    assert_eq!(mail.to, ADA, "to the stored form, not to what was typed");
    assert!(mail.text.contains("already have"), "{}", mail.text);
    let outcome = visitor.code(attempt.id, &mail.code.expect("a code")).await.expect("right");
    assert_eq!(outcome.attempt.kind, AttemptKind::SignIn);
    assert!(outcome.completed.is_some());
    let ada = test.find(ADA).await.expect("there");
    assert_eq!(visitor.signed().await.expect("in").user, ada.user.id);
    assert_eq!(ada.user.name, None, "the name of a stranger's sign-up is not taken over");
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn an_unknown_address_gets_a_mail_that_says_so() {
    let test = TestRealm::new().await;
    for kind in [AttemptKind::SignIn, AttemptKind::Recover] {
        let visitor = test.visitor();
        let attempt = visitor.begin(kind, "nobody@northwind.example").await;
        visitor.send(attempt.id).await.expect("the same answer as for anybody");
        let mail = visitor.mail_to("nobody@northwind.example").await;
        assert!(mail.code.is_none() && mail.link.is_none());
        assert!(mail.text.contains("There is no account"), "{}", mail.text);
        assert_eq!(visitor.code(attempt.id, "123456").await.refused(), Kind::CodeWrong);
    }
}

#[tokio::test]
async fn a_closed_realm_makes_no_accounts_however_one_asks() {
    let test = TestRealm::with(|s| s.sign_up = SignUp::Closed).await;
    let visitor = test.visitor();
    let begin = Begin::new(AttemptKind::SignUp, Some(who(ADA)), Sink::Cookie);
    assert_eq!(visitor.try_begin(begin).await.refused(), Kind::SignUpClosed);
    let begin = Begin { or_sign_up: true, ..Begin::new(AttemptKind::SignIn, Some(who(ADA)), Sink::Cookie) };
    let attempt = visitor.try_begin(begin).await.expect("the same as anywhere").outcome.attempt;
    visitor.send(attempt.id).await.expect("sent");
    assert!(visitor.mail_to(ADA).await.code.is_none(), "there is no code that could make an account");
}

#[tokio::test]
async fn a_realm_that_closes_meanwhile_makes_no_account_either() {
    let test = TestRealm::new().await;
    let visitor = test.visitor();
    let begin = Begin { or_sign_up: true, ..Begin::new(AttemptKind::SignIn, Some(who(ADA)), Sink::Cookie) };
    let attempt = visitor.try_begin(begin).await.expect("begins").outcome.attempt;
    visitor.send(attempt.id).await.expect("sent");
    let link = visitor.link_to(ADA).await;
    test.set(|s| s.sign_up = SignUp::Closed).await;
    let elsewhere = test.visitor();
    assert_eq!(elsewhere.follow(&link).await.refused(), Kind::SignUpClosed);
    assert!(test.find(ADA).await.is_none());
}

async fn invite(test: &TestRealm, email: &str) -> (latchstring_core::id::InvitationId, String) {
    let made = invitations::create(&test.realm, Actor::Operator, &Source::default(), who(email))
        .await
        .expect("made");
    (made.id, test.visitor().link_to(email).await)
}

#[tokio::test]
async fn an_invitation_makes_one_account_for_its_address() {
    let test = TestRealm::with(|s| s.sign_up = SignUp::Invite).await;
    let stranger = test.visitor();
    let begin = Begin::new(AttemptKind::SignUp, Some(who(ADA)), Sink::Cookie);
    assert_eq!(stranger.try_begin(begin).await.refused(), Kind::SignUpClosed, "not without an invitation");

    let (_, secret) = invite(&test, ADA).await;
    let visitor = test.visitor();
    // attack_a109: whatever address the request names, the account is for the one that was invited.
    let begin = Begin {
        invitation: Some(secret.as_str().into()),
        ..Begin::new(AttemptKind::SignUp, Some(who("mallory@evil.example")), Sink::Cookie)
    };
    let attempt = visitor.try_begin(begin).await.expect("begins").outcome.attempt;
    assert_eq!(attempt.offers(true), [Step::NewPassword], "its link came by mail and proves the address");
    visitor.new_password(attempt.id, PASSWORD).await.expect("made");
    let ada = test.find(ADA).await.expect("made");
    assert!(ada.email().expect("an address").proven_at.is_some());
    assert!(test.find("mallory@evil.example").await.is_none());
    assert_eq!(
        test.visitor().accept(&secret).await.err().and_then(|e| e.kind()),
        Some(Kind::InvitationUnusable)
    );
    let all = invitations::list(&test.realm, None, 10).await.expect("list").0;
    assert_eq!(all[0].state(test.realm.now()), "accepted");
}

#[tokio::test]
async fn attack_a109_an_invitation_that_was_taken_back_is_void_even_half_way() {
    let test = TestRealm::with(|s| s.sign_up = SignUp::Invite).await;
    let (id, secret) = invite(&test, ADA).await;
    let visitor = test.visitor();
    let attempt = visitor.accept(&secret).await.expect("begins").outcome.attempt;
    invitations::revoke(&test.realm, Actor::Operator, &Source::default(), id).await.expect("revoked");
    assert_eq!(visitor.new_password(attempt.id, PASSWORD).await.refused(), Kind::InvitationUnusable);
    assert!(test.find(ADA).await.is_none(), "a refusal leaves no trace");
    assert_eq!(
        test.visitor().accept(&secret).await.err().and_then(|e| e.kind()),
        Some(Kind::InvitationUnusable)
    );
}

#[tokio::test]
async fn attack_a109_an_invitation_opened_by_somebody_signed_in_makes_its_own_account() {
    let test = TestRealm::new().await;
    let mallory = test.sign_up("mallory@evil.example", PASSWORD).await;
    let before = mallory.signed().await.expect("in").user;
    let (_, secret) = invite(&test, ADA).await;
    let attempt = mallory.accept(&secret).await.expect("begins").outcome.attempt;
    mallory.new_password(attempt.id, OTHER_PASSWORD).await.expect("made");
    let after = mallory.signed().await.expect("in").user;
    assert_ne!(before, after);
    let emails = test.find("mallory@evil.example").await.expect("there").identifiers;
    assert!(emails.iter().all(|i| i.normal != ADA), "nothing is added to the account that was signed in");
}

#[tokio::test]
async fn attack_a110_an_invitation_is_over_one_second_after_its_time() {
    let test = TestRealm::with(|s| s.sign_up = SignUp::Invite).await;
    let life = 7 * DAY;
    let (_, late) = invite(&test, "late@northwind.example").await;
    let (_, half) = invite(&test, "half@northwind.example").await;
    test.clock.advance(life - 10 * MINUTE);
    let visitor = test.visitor();
    let attempt = visitor.accept(&half).await.expect("in time").outcome.attempt;
    test.clock.advance(10 * MINUTE + SECOND);
    assert_eq!(
        test.visitor().accept(&late).await.err().and_then(|e| e.kind()),
        Some(Kind::InvitationUnusable)
    );
    assert_eq!(visitor.new_password(attempt.id, PASSWORD).await.refused(), Kind::InvitationUnusable);
}

#[tokio::test]
async fn five_ways_in() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    ada.take_username("ada.l").await.expect("taken");
    let id = test.id_of(ADA).await;
    let check = async |visitor: &Visitor, methods: &[&str]| {
        let signed = visitor.signed().await.expect("in");
        assert_eq!(signed.user, id);
        assert_eq!(*signed.methods, *methods);
    };
    check(&test.sign_in(ADA, PASSWORD).await, &["pwd"]).await;
    check(&test.sign_in("Ada.L", PASSWORD).await, &["pwd"]).await;

    let by_code = test.visitor();
    let attempt = by_code.begin(AttemptKind::SignIn, ADA).await;
    by_code.prove(attempt.id, ADA).await.expect("right");
    check(&by_code, &["otp"]).await;

    let by_name = test.visitor();
    let attempt = by_name.begin(AttemptKind::SignIn, "ADA.l").await;
    by_name.prove(attempt.id, ADA).await.expect("the code of a username goes to the account's address");
    check(&by_name, &["otp"]).await;

    test.clock.advance(10 * MINUTE);
    let by_link = test.visitor();
    let attempt = by_link.begin(AttemptKind::SignIn, ADA).await;
    by_link.send(attempt.id).await.expect("sent");
    let outcome = by_link.follow(&by_link.link_to(ADA).await).await.expect("usable");
    assert_eq!(outcome.attempt.id, attempt.id, "here, the link goes on with the attempt");
    check(&by_link, &["otp"]).await;

    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;
    assert!(app.is_in().await && app.cookie().is_none());
}

#[tokio::test]
async fn wrong_passwords_and_codes_are_refused_and_counted_in_the_trail() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let id = test.id_of(ADA).await;
    let visitor = test.visitor();
    for _ in 0..3 {
        assert_eq!(visitor.try_sign_in(ADA, "not her password").await.refused(), Kind::CredentialsWrong);
    }
    assert_eq!(
        visitor.try_sign_in("nobody@northwind.example", PASSWORD).await.refused(),
        Kind::CredentialsWrong
    );
    let rows = latchstring_core::audit::list(test.realm.db(), Some(id.0), None, 10).await.expect("audit").0;
    assert_eq!(
        (rows[0].action.as_str(), rows[0].outcome.as_str(), rows[0].count),
        ("sign_in.refused", "refused", 3)
    );
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    for bad in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
        assert_eq!(visitor.code(attempt.id, bad).await.refused(), Kind::InputInvalid, "{bad}");
    }
}

#[tokio::test]
async fn a_guest_becomes_a_person_and_keeps_the_id() {
    let test = TestRealm::new().await;
    let visitor = test.visitor();
    assert_eq!(visitor.be_guest().await.err().and_then(|e| e.kind()), Some(Kind::GuestsOff));
    test.set(|s| s.guests = true).await;
    visitor.be_guest().await.expect("a guest");
    let guest = visitor.signed().await.expect("in");
    assert_eq!(*guest.methods, ["guest"]);

    let upgrade = async |visitor: &Visitor, email: &str| {
        let begin = Begin {
            upgrade: true,
            within: Some(visitor.within().await),
            ..Begin::new(AttemptKind::SignUp, Some(who(email)), Sink::Cookie)
        };
        visitor.try_begin(begin).await.map(|begun| begun.outcome.attempt.id)
    };
    let id = upgrade(&visitor, ADA).await.expect("begins");
    visitor.prove(id, ADA).await.expect("proven");
    visitor.new_password(id, PASSWORD).await.expect("done");
    let ada = test.find(ADA).await.expect("a person");
    assert_eq!((ada.user.id, ada.user.kind), (guest.user, UserKind::Person));
    let signed = visitor.signed().await.expect("in");
    assert!(signed.user == guest.user && signed.session != guest.session, "a new session for the same id");
    assert!(test.realm.ended().session_ended(guest.session));
    let audited = test.audited(guest.user).await;
    assert_eq!(audited.iter().filter(|a| a.as_str() == "user.guest_upgraded").count(), 1);
    test.sign_in(ADA, PASSWORD).await;
    assert_eq!(upgrade(&visitor, "other@northwind.example").await.refused(), Kind::InputInvalid, "once");
}

#[tokio::test]
async fn a_guest_who_proves_a_known_address_is_signed_in_to_that_account() {
    let test = TestRealm::with(|s| s.guests = true).await;
    test.sign_up(ADA, PASSWORD).await;
    let visitor = test.visitor();
    visitor.be_guest().await.expect("a guest");
    let guest = visitor.signed().await.expect("in").user;
    let begin = Begin {
        upgrade: true,
        within: Some(visitor.within().await),
        ..Begin::new(AttemptKind::SignUp, Some(who(ADA)), Sink::Cookie)
    };
    let id = visitor.try_begin(begin).await.expect("begins").outcome.attempt.id;
    visitor.prove(id, ADA).await.expect("proven");
    let now = visitor.signed().await.expect("in").user;
    assert_eq!(now, test.id_of(ADA).await);
    assert_ne!(now, guest, "accounts are not merged");
}

#[tokio::test]
async fn a_recovery_sets_a_password_and_ends_everything_else() {
    let test = TestRealm::new().await;
    let here = test.sign_up(ADA, PASSWORD).await;
    let there = test.sign_in(ADA, PASSWORD).await;
    let app = test.app();
    app.sign_in(ADA, PASSWORD).await;

    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::Recover, ADA).await;
    assert_eq!(attempt.offers(true), [Step::Code]);
    let outcome = visitor.prove(attempt.id, ADA).await.expect("proven");
    assert!(outcome.completed.is_none() && !visitor.is_in().await, "not in before the new password");
    assert!(here.is_in().await, "and nothing has ended yet");
    visitor.new_password(attempt.id, OTHER_PASSWORD).await.expect("set");
    assert!(visitor.is_in().await);
    for gone in [&here, &there, &app] {
        assert!(!gone.is_in().await);
    }
    assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable);
    assert!(visitor.mail_to(ADA).await.subject.contains("password was changed"));
    assert_eq!(test.visitor().try_sign_in(ADA, PASSWORD).await.refused(), Kind::CredentialsWrong);
    test.sign_in(ADA, OTHER_PASSWORD).await;
    let audited = test.audited(test.id_of(ADA).await).await;
    assert_eq!(audited.iter().filter(|a| a.as_str() == "password.reset").count(), 1);
}

#[tokio::test]
async fn attempts_codes_and_browsers_end_in_time() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    visitor.send(attempt.id).await.expect("sent");
    let mail = visitor.mail_to(ADA).await;
    let link = visitor.link_to(ADA).await;
    test.clock.advance(10 * MINUTE);
    assert_eq!(visitor.code(attempt.id, &mail.code.expect("a code")).await.refused(), Kind::CodeWrong);
    assert_eq!(visitor.follow(&link).await.refused(), Kind::LinkUnusable);
    assert_eq!(test.visitor().follow(&link).await.refused(), Kind::LinkUnusable);
    assert!(visitor.load(attempt.id).await.expect("readable").open);

    let app = test.app();
    let attempt = app.begin(AttemptKind::SignIn, ADA).await;
    test.clock.advance(HOUR);
    assert_eq!(
        app.password(attempt.id, PASSWORD).await.refused(),
        Kind::AttemptUnknown,
        "an hour, and it is over"
    );
    let fresh = visitor.at(&test.node().await);
    assert!(fresh.caller().await.browser.is_none(), "a browser that nobody signed in with is forgotten");
}

#[tokio::test]
async fn attack_a119_plus_and_dots_are_other_mailboxes_and_other_accounts() {
    let test = TestRealm::new().await;
    let mut ids = Vec::new();
    for email in [ADA, "ada+1@northwind.example", "a.da@northwind.example"] {
        test.sign_up(email, PASSWORD).await;
        ids.push(test.id_of(email).await);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_recovery_with_a_second_factor_opens_nothing_by_the_mailbox_alone() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let id = test.id_of(ADA).await;
    crate::add_factor(&test, id).await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::Recover, ADA).await;
    visitor.prove(attempt.id, ADA).await.expect("proven");
    let outcome = visitor.new_password(attempt.id, OTHER_PASSWORD).await.expect("set");
    assert!(outcome.completed.is_none() && !visitor.is_in().await);
    assert_eq!(outcome.attempt.offers(true), [Step::Factor]);
    visitor.prove(attempt.id, ADA).await.expect("the second factor").completed.expect("in");
}

#[tokio::test]
async fn a_cancelled_attempt_takes_no_step() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    let stranger = test.visitor();
    stranger.begin(AttemptKind::SignIn, ADA).await;
    let cancel = async |v: &Visitor| {
        latchstring_core::attempt::begin::cancel(&test.realm, &v.caller().await, attempt.id).await
    };
    assert_eq!(cancel(&stranger).await.refused(), Kind::AttemptUnknown);
    cancel(&visitor).await.expect("given up");
    assert_eq!(visitor.password(attempt.id, PASSWORD).await.refused(), Kind::AttemptClosed);
}

#[tokio::test]
async fn sessions_end_by_time() {
    let test = TestRealm::new().await;
    let idle = test.sign_up(ADA, PASSWORD).await;
    let busy = test.sign_in(ADA, PASSWORD).await;
    for _ in 0..4 {
        test.clock.advance(7 * DAY);
        if busy.is_in().await {
            latchstring_core::jobs::flush_uses(&test.realm).await.expect("uses are noted");
        }
    }
    assert!(!idle.is_in().await, "two weeks without use");
    assert!(busy.is_in().await, "used every week");
    test.clock.advance(2 * DAY + MINUTE);
    assert!(!busy.is_in().await, "thirty days are the end in any case");
}

#[tokio::test]
async fn a_user_has_so_many_sessions_and_the_oldest_goes_first() {
    let test = TestRealm::with(|s| s.session.max_per_user = 2).await;
    let oldest = test.sign_up(ADA, PASSWORD).await;
    let middle = test.sign_in(ADA, PASSWORD).await;
    // The same person again in the same browser takes the place of the session there, not another one's.
    middle.sign_in(ADA, PASSWORD).await;
    assert!(oldest.is_in().await && middle.is_in().await);
    let newest = test.sign_in(ADA, PASSWORD).await;
    assert!(!oldest.is_in().await && middle.is_in().await && newest.is_in().await);
}
