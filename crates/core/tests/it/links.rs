//! What a mailed code or link opens, for whom, and what makes it void. What an address's true owner inherits.

use latchstring_core::{
    Kind, Result, account,
    admin::users,
    attempt::{AttemptKind, Sink, Step, begin::Begin, link},
    audit::{Actor, Source},
    challenge::Purpose,
    clock::{HOUR, MINUTE},
    credential::SetBy,
    id::{CredentialId, UserId},
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, Visitor, secret, who},
};

const ADA: &str = "ada@northwind.example";

/// An attempt of `kind` whose mail has come: its id, code and link.
async fn mailed(
    visitor: &Visitor,
    kind: AttemptKind,
    email: &str,
) -> (latchstring_core::id::AttemptId, String, String) {
    let attempt = visitor.begin(kind, email).await;
    visitor.send(attempt.id).await.expect("sent");
    (attempt.id, visitor.code_to(email).await, visitor.link_to(email).await)
}

#[tokio::test]
async fn looking_at_a_link_spends_nothing() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let visitor = test.visitor();
    let (id, _, link) = mailed(&visitor, AttemptKind::SignIn, ADA).await;
    let scanner = test.visitor();
    for _ in 0..5 {
        let looked = link::look(&test.realm, &scanner.caller().await, &link).await.expect("a page");
        assert_eq!((looked.purpose, looked.address.as_str()), (Purpose::SignIn, ADA));
        assert!(!looked.here && looked.usable_here);
    }
    assert!(scanner.cookie().is_none(), "a scanner gets no cookie");
    let looked = link::look(&test.realm, &visitor.caller().await, &link).await.expect("a page");
    assert!(looked.here);
    assert_eq!(visitor.follow(&link).await.expect("usable").attempt.id, id);
    assert_eq!(
        link::look(&test.realm, &scanner.caller().await, &link).await.err().and_then(|e| e.kind()),
        Some(Kind::LinkUnusable)
    );
    for bad in ["", "x", &"A".repeat(64), &link[1..], &format!("{link}A")] {
        assert_eq!(scanner.follow(bad).await.refused(), Kind::LinkUnusable, "{bad}");
    }
}

#[tokio::test]
async fn a_link_opened_elsewhere_signs_in_there_and_never_completes_the_attempt_of_another() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    // Mallory begins and hopes that Ada clicks.
    let mallory = test.visitor();
    let (id, code, link) = mailed(&mallory, AttemptKind::SignIn, ADA).await;
    let ada = test.visitor();
    let outcome = ada.follow(&link).await.expect("usable");
    assert_ne!(outcome.attempt.id, id, "an attempt of her own");
    assert!(ada.is_in().await && !mallory.is_in().await);
    assert!(mallory.load(id).await.expect("readable").open, "his goes nowhere");
    assert_eq!(mallory.code(id, &code).await.refused(), Kind::CodeWrong);
    assert_eq!(mallory.follow(&link).await.refused(), Kind::LinkUnusable);
}

#[tokio::test]
async fn a_sign_up_link_opened_elsewhere_takes_nothing_over() {
    let test = TestRealm::new().await;
    let mallory = test.visitor();
    let begin = Begin {
        name: Some("Mallory's Choice".into()),
        ..Begin::new(AttemptKind::SignUp, Some(who("ADA@northwind.example")), Sink::Cookie)
    };
    let id = mallory.try_begin(begin).await.expect("begins").outcome.attempt.id;
    mallory.send(id).await.expect("sent");
    let ada = test.visitor();
    let outcome = ada.follow(&ada.link_to(ADA).await).await.expect("usable");
    assert_eq!(outcome.attempt.kind, AttemptKind::SignUp);
    assert_eq!(outcome.attempt.offers(true), [Step::NewPassword], "her own password");
    ada.new_password(outcome.attempt.id, PASSWORD).await.expect("made");
    assert_eq!(test.find(ADA).await.expect("made").user.name, None);
    assert_eq!(mallory.new_password(id, OTHER_PASSWORD).await.refused(), Kind::StepNotOffered);
}

#[tokio::test]
async fn a_recovery_link_opened_elsewhere_recovers_there() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let mallory = test.visitor();
    let (id, _, link) = mailed(&mallory, AttemptKind::Recover, ADA).await;
    let ada = test.visitor();
    let outcome = ada.follow(&link).await.expect("usable");
    assert_eq!(mallory.new_password(id, "the choice of somebody else").await.refused(), Kind::StepNotOffered);
    ada.new_password(outcome.attempt.id, OTHER_PASSWORD).await.expect("set");
    test.sign_in(ADA, OTHER_PASSWORD).await;
}

#[tokio::test]
async fn proofs_within_a_session_are_unusable_elsewhere() {
    let test = TestRealm::new().await;
    let ada = test.sign_up(ADA, PASSWORD).await;
    let thief = test.sign_in(ADA, PASSWORD).await;
    for (kind, address) in [(AttemptKind::StepUp, ADA), (AttemptKind::Verify, "ada@new.example")] {
        let typed = (kind == AttemptKind::Verify).then_some(address);
        let attempt = ada.begin_within(kind, typed).await;
        ada.send(attempt.id).await.expect("sent");
        let link = ada.link_to(address).await;
        for other in [&test.visitor(), &thief] {
            let looked = link::look(&test.realm, &other.caller().await, &link).await.expect("a page");
            assert!(!looked.here && !looked.usable_here);
            assert_eq!(other.follow(&link).await.refused(), Kind::LinkUnusable);
        }
        ada.follow(&link).await.expect("here it is good").completed.expect("done");
    }
}

#[tokio::test]
async fn attack_a045_attempts_of_one_browser_are_nothing_to_another() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let ada = test.visitor();
    let (id, code, _) = mailed(&ada, AttemptKind::SignIn, ADA).await;
    let mallory = test.sign_up("mallory@evil.example", PASSWORD).await;
    assert_eq!(mallory.load(id).await.refused(), Kind::AttemptUnknown);
    assert_eq!(mallory.code(id, &code).await.refused(), Kind::AttemptUnknown);
    assert_eq!(mallory.password(id, PASSWORD).await.refused(), Kind::AttemptUnknown);
    assert_eq!(mallory.send(id).await.refused(), Kind::AttemptUnknown);
    ada.code(id, &code).await.expect("it was not spent");
}

#[tokio::test]
async fn attack_a043_a_planted_cookie_is_worth_nothing_after_the_sign_in() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    // Mallory's own browser, with attempts of his in it.
    let mallory = test.visitor();
    let his = mallory.begin(AttemptKind::SignIn, "mallory@evil.example").await;
    let planted = mallory.cookie().expect("a cookie");
    let ada = test.visitor();
    ada.plant(&planted);
    ada.sign_in(ADA, PASSWORD).await;
    assert_ne!(ada.cookie().expect("a cookie"), planted);
    assert!(mallory.caller().await.browser.is_none(), "the value that he knows is dead");
    assert_eq!(mallory.load(his.id).await.refused(), Kind::AttemptUnknown);
    assert!(ada.is_in().await);
    // A step-up changes it again.
    let before = ada.cookie().expect("a cookie");
    ada.step_up(PASSWORD).await;
    assert_ne!(ada.cookie().expect("a cookie"), before);
}

#[tokio::test]
async fn a_sign_in_that_was_overtaken_in_the_same_browser_does_not_complete() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    test.sign_up("grace@northwind.example", PASSWORD).await;
    let visitor = test.visitor();
    let slow = visitor.begin(AttemptKind::SignIn, "grace@northwind.example").await;
    let stale = visitor.copy();
    let caller = stale.caller().await;
    visitor.sign_in(ADA, PASSWORD).await;
    // The request came with the cookie of before: what was checked is what is used.
    let late =
        latchstring_core::attempt::password::password(&test.realm, &caller, slow.id, secret(PASSWORD)).await;
    assert_eq!(late.refused(), Kind::AttemptUnknown);
    visitor.password(slow.id, PASSWORD).await.expect("with the new cookie it goes on");
}

#[tokio::test]
async fn attack_a106_a_reset_link_works_once_in_time_and_voids_all_others() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    let visitor = test.visitor();
    let (old_id, old_code, old_link) = mailed(&visitor, AttemptKind::Recover, ADA).await;
    test.clock.advance(MINUTE);
    let (_, _, new_link) = mailed(&test.visitor(), AttemptKind::Recover, ADA).await;
    let reader = test.visitor();
    let outcome = reader.follow(&new_link).await.expect("the newest");
    assert_eq!(test.visitor().follow(&new_link).await.refused(), Kind::LinkUnusable, "twice");
    assert_eq!(test.visitor().follow(&old_link).await.refused(), Kind::LinkUnusable, "another was used");
    assert_eq!(visitor.code(old_id, &old_code).await.refused(), Kind::CodeWrong, "its code");
    reader.new_password(outcome.attempt.id, OTHER_PASSWORD).await.expect("set");

    test.clock.advance(HOUR);
    let (_, _, link) = mailed(&test.visitor(), AttemptKind::Recover, ADA).await;
    test.sign_in(ADA, OTHER_PASSWORD).await;
    assert_eq!(test.visitor().follow(&link).await.refused(), Kind::LinkUnusable, "they got in without");

    let (_, _, link) = mailed(&test.visitor(), AttemptKind::Recover, ADA).await;
    test.clock.advance(10 * MINUTE);
    assert_eq!(test.visitor().follow(&link).await.refused(), Kind::LinkUnusable, "too late");
}

#[tokio::test]
async fn nobody_voids_the_recovery_of_another_by_asking_for_one_too() {
    let test = TestRealm::with(|s| s.limits.sends_by_target.burst = 100).await;
    test.sign_up(ADA, PASSWORD).await;
    let ada = test.visitor();
    let (by_code, code, _) = mailed(&ada, AttemptKind::Recover, ADA).await;
    let (_, _, link) = mailed(&test.visitor(), AttemptKind::Recover, ADA).await;
    mailed(&test.visitor(), AttemptKind::Recover, ADA).await;
    let looked = link::look(&test.realm, &ada.caller().await, &link).await.expect("still good");
    assert_eq!(looked.purpose, Purpose::Recover);
    ada.code(by_code, &code).await.expect("hers, though somebody has asked twice since");
    ada.new_password(by_code, OTHER_PASSWORD).await.expect("set");
    test.sign_in(ADA, OTHER_PASSWORD).await;
    // In one attempt it is the newest alone.
    test.clock.advance(HOUR);
    let (id, first, _) = mailed(&ada, AttemptKind::Recover, ADA).await;
    ada.send(id).await.expect("again");
    let second = ada.code_to(ADA).await;
    assert_eq!(ada.code(id, &first).await.refused(), Kind::CodeWrong);
    ada.code(id, &second).await.expect("the newest");
}

#[tokio::test]
async fn attack_a107_a_recovery_stays_with_the_user_it_was_proven_for() {
    let test = TestRealm::new().await;
    test.sign_up(ADA, PASSWORD).await;
    test.sign_up("mallory@evil.example", PASSWORD).await;
    let mallory = test.visitor();
    let (his, code, _) = mailed(&mallory, AttemptKind::Recover, "mallory@evil.example").await;
    let (hers, ..) = mailed(&mallory, AttemptKind::Recover, ADA).await;
    assert_eq!(mallory.code(hers, &code).await.refused(), Kind::CodeWrong, "his code in her attempt");
    mallory.code(his, &code).await.expect("his own");
    assert_eq!(mallory.new_password(hers, OTHER_PASSWORD).await.refused(), Kind::StepNotOffered);
    mallory.new_password(his, OTHER_PASSWORD).await.expect("his own");
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn attack_a058_a106_codes_and_links_from_before_a_change_are_void() {
    #[derive(Debug, Clone, Copy)]
    enum Change {
        Password,
        Reset,
        ByOperator,
        Ban,
        Email,
    }
    for change in [Change::Password, Change::Reset, Change::ByOperator, Change::Ban, Change::Email] {
        let test = TestRealm::with(|s| s.limits.sends_by_target.burst = 100).await;
        let ada = test.sign_up(ADA, PASSWORD).await;
        let me = ada.me().await.expect("in");
        // What a thief in her session has under way: an address of his own, a sign-in, a step-up.
        let thief = test.sign_in(ADA, PASSWORD).await;
        let pending = thief.begin_within(AttemptKind::Verify, Some("mallory@evil.example")).await;
        thief.send(pending.id).await.expect("sent");
        let verify =
            (thief.code_to("mallory@evil.example").await, thief.link_to("mallory@evil.example").await);
        let stepping = thief.begin_within(AttemptKind::StepUp, None).await;
        thief.send(stepping.id).await.expect("sent");
        let step_up = thief.code_to(ADA).await;
        let entering = test.visitor();
        let (id, sign_in, link) = mailed(&entering, AttemptKind::SignIn, ADA).await;
        let owner = Actor::Operator;
        let source = Source::default();
        match change {
            Change::Password => {
                let caller = ada.caller().await;
                account::change_password(
                    &test.realm,
                    &me,
                    &caller,
                    Some(secret(PASSWORD)),
                    secret(OTHER_PASSWORD),
                )
                .await
                .expect("changed");
            }
            Change::Reset => test.visitor().recover(ADA, OTHER_PASSWORD).await,
            Change::ByOperator => {
                let new = users::NewSecret::Password(secret(OTHER_PASSWORD));
                users::set_password(&test.realm, owner, &source, me.user, new).await.expect("set");
            }
            Change::Ban => {
                users::ban(&test.realm, owner.clone(), &source, me.user, None, None).await.expect("banned");
                users::unban(&test.realm, owner, &source, me.user).await.expect("lifted again");
            }
            Change::Email => {
                let attempt = ada.begin_within(AttemptKind::Verify, Some("ada@new.example")).await;
                ada.prove(attempt.id, "ada@new.example").await.expect("changed");
            }
        }
        assert!(thief.code(pending.id, &verify.0).await.is_err(), "{change:?}: the address");
        assert_eq!(thief.follow(&verify.1).await.refused(), Kind::LinkUnusable, "{change:?}: its link");
        assert!(thief.code(stepping.id, &step_up).await.is_err(), "{change:?}: the step-up");
        assert_eq!(entering.code(id, &sign_in).await.refused(), Kind::CodeWrong, "{change:?}: the sign-in");
        assert_eq!(test.visitor().follow(&link).await.refused(), Kind::LinkUnusable, "{change:?}: its link");
        assert!(test.find("mallory@evil.example").await.is_none(), "{change:?}");
    }
}

// Invariant 9: what an unproven address's owner inherits.

/// Sets a password as somebody without proof of the address would have.
async fn set_unproven(test: &TestRealm, user: UserId, password: &str) {
    let phc = test.realm.hash().hash(secret(password), test.realm.hash_params()).await.expect("a hash");
    let now = test.realm.now();
    let id = CredentialId::new(now, test.realm.ground().random());
    test.realm
        .db()
        .write(async move |tx| -> Result<()> {
            latchstring_core::credential::store::set_password(tx, id, user, &phc, SetBy::User, false, now)
                .await
        })
        .await
        .expect("set");
}

/// An account with a username and the victim's unproven address, in the hands of somebody else.
async fn squatted(test: &TestRealm) -> (UserId, Visitor) {
    let new = users::NewUser {
        email: Some(who(ADA)),
        username: Some(who("squatter")),
        ..users::NewUser::default()
    };
    let user =
        users::create(&test.realm, Actor::Operator, &Source::default(), new).await.expect("made").user.id;
    set_unproven(test, user, PASSWORD).await;
    (user, test.sign_in("squatter", PASSWORD).await)
}

#[tokio::test]
async fn attack_a056_a057_proving_an_address_evicts_whoever_sat_there_before() {
    for kind in [AttemptKind::SignIn, AttemptKind::SignUp, AttemptKind::Recover] {
        let test = TestRealm::with(|s| s.limits.sends_by_target.burst = 100).await;
        let (user, squatter) = squatted(&test).await;
        let app = test.app();
        app.sign_in("squatter", PASSWORD).await;
        let pending = squatter.begin_within(AttemptKind::Verify, Some("mallory@evil.example")).await;
        squatter.send(pending.id).await.expect("sent");
        let link = squatter.link_to("mallory@evil.example").await;
        let half = test.visitor();
        let waiting = half.begin(AttemptKind::SignIn, "squatter").await;

        let ada = test.visitor();
        let (id, code, _) = mailed(&ada, kind, ADA).await;
        ada.code(id, &code).await.expect("proven");
        if kind == AttemptKind::Recover {
            ada.new_password(id, OTHER_PASSWORD).await.expect("set");
        }
        assert_eq!(ada.signed().await.expect("in").user, user);
        assert!(!squatter.is_in().await && !app.is_in().await, "{kind:?}: his sessions");
        assert_eq!(app.refresh().await.refused(), Kind::RefreshUnusable, "{kind:?}: his tokens");
        assert_eq!(
            squatter.follow(&link).await.refused(),
            Kind::LinkUnusable,
            "{kind:?}: his pending address"
        );
        assert_eq!(
            half.password(waiting.id, PASSWORD).await.refused(),
            Kind::CredentialsWrong,
            "{kind:?}: his password"
        );
        let audited = test.audited(user).await;
        assert_eq!(audited.iter().filter(|a| *a == "email.proven").count(), 1, "{kind:?}: {audited:?}");
    }
}

#[tokio::test]
async fn attack_a056_a_password_changed_before_the_proof_goes_too() {
    let test = TestRealm::new().await;
    let (_, squatter) = squatted(&test).await;
    // Changing it himself does not make it proven.
    let me = squatter.me().await.expect("in");
    let caller = squatter.caller().await;
    account::change_password(&test.realm, &me, &caller, Some(secret(PASSWORD)), secret(OTHER_PASSWORD))
        .await
        .expect("changed");
    let ada = test.visitor();
    let (id, code, _) = mailed(&ada, AttemptKind::SignIn, ADA).await;
    ada.code(id, &code).await.expect("proven");
    assert_eq!(
        test.visitor().try_sign_in("squatter", OTHER_PASSWORD).await.refused(),
        Kind::CredentialsWrong
    );
    assert!(!test.find(ADA).await.expect("there").has_password);
}

#[tokio::test]
async fn a_password_set_before_the_proof_counts_once_it_is_typed_again_beside_it() {
    let test = TestRealm::new().await;
    let user = test.admin_user(ADA, false, None).await.user.id;
    set_unproven(&test, user, PASSWORD).await;
    let ada = test.visitor();
    let outcome = ada.try_sign_in(ADA, PASSWORD).await.expect("right");
    assert!(outcome.completed.is_none() && !ada.is_in().await, "the address was never proven");
    assert_eq!(outcome.attempt.offers(true), [Step::Code]);
    assert_eq!(outcome.attempt.user, None, "and so the account is not theirs yet");
    ada.prove(outcome.attempt.id, ADA).await.expect("proven");
    assert_eq!(*ada.signed().await.expect("in").methods, ["pwd", "otp"]);
    test.sign_in(ADA, PASSWORD).await;
}

#[tokio::test]
async fn attack_a056_a_password_swapped_between_retyping_and_proof_is_not_spared() {
    let test = TestRealm::with(|s| s.limits.sends_by_target.burst = 100).await;
    let (_, squatter) = squatted(&test).await;
    let ada = test.visitor();
    let outcome = ada.try_sign_in(ADA, PASSWORD).await.expect("she knows it");
    // Now he changes it to one that only he knows.
    let me = squatter.me().await.expect("in");
    let caller = squatter.caller().await;
    account::change_password(&test.realm, &me, &caller, Some(secret(PASSWORD)), secret(OTHER_PASSWORD))
        .await
        .expect("changed");
    ada.prove(outcome.attempt.id, ADA).await.expect("proven");
    assert_eq!(
        test.visitor().try_sign_in("squatter", OTHER_PASSWORD).await.refused(),
        Kind::CredentialsWrong
    );
}

#[tokio::test]
async fn what_was_set_for_an_address_that_an_operator_vouched_for_is_spared() {
    let test = TestRealm::new().await;
    test.admin_user(ADA, true, Some(PASSWORD)).await;
    let first = test.sign_in(ADA, PASSWORD).await;
    let visitor = test.visitor();
    let attempt = visitor.begin(AttemptKind::SignIn, ADA).await;
    visitor.prove(attempt.id, ADA).await.expect("proven");
    assert!(first.is_in().await, "an asserted address: nobody is evicted by its first proof");
    assert!(test.find(ADA).await.expect("there").email().expect("an address").proven_at.is_some());
    test.sign_in(ADA, PASSWORD).await;
}

/// A backend that signs people up hands on whatever a stranger typed.
#[tokio::test]
async fn attack_a056_a_password_that_came_with_an_address_nobody_vouched_for_goes_at_the_proof() {
    let test = TestRealm::new().await;
    test.admin_user(ADA, false, Some(PASSWORD)).await;
    let ada = test.visitor();
    let attempt = ada.begin(AttemptKind::SignIn, ADA).await;
    ada.prove(attempt.id, ADA).await.expect("proven");
    assert!(ada.is_in().await);
    let stranger = test.visitor().try_sign_in(ADA, PASSWORD).await.refused();
    assert_eq!(stranger, Kind::CredentialsWrong);

    // Whoever knows it and proves the address keeps it.
    let grace = "grace@northwind.example";
    test.admin_user(grace, false, Some(PASSWORD)).await;
    let visitor = test.visitor();
    let outcome = visitor.try_sign_in(grace, PASSWORD).await.expect("right");
    visitor.prove(outcome.attempt.id, grace).await.expect("proven");
    test.sign_in(grace, PASSWORD).await;
}

#[tokio::test]
async fn attack_a105_a114_every_spelling_is_one_account_and_mail_goes_to_the_stored_one() {
    let test = TestRealm::with(|s| {
        s.limits.sends_by_target.burst = 100;
        s.limits.codes_by_identifier.burst = 100;
    })
    .await;
    let stored = "élan.admin@northwind.example";
    test.sign_up(stored, PASSWORD).await;
    let id = test.id_of(stored).await;
    for spelling in [
        "ÉLAN.admin@northwind.example",
        "e\u{301}lan.admin@northwind.example",
        "élan.ADMIN@NORTHWIND.example",
    ] {
        let visitor = test.visitor();
        let attempt = visitor.begin(AttemptKind::SignUp, spelling).await;
        visitor.send(attempt.id).await.expect("sent");
        test.deliver().await;
        let mail = test.mailbox.list().remove(0);
        assert_eq!(mail.to, stored, "{spelling}");
        visitor.code(attempt.id, &mail.code.expect("a code")).await.expect("right");
        assert_eq!(visitor.signed().await.expect("in").user, id, "{spelling}: the same account");
    }
    // Others are other mailboxes, or none at all; never hers.
    for other in
        ["elan.admin@northwind.example", "élan.admın@northwind.example", "élan.admin@northw\u{131}nd.example"]
    {
        let Ok(other) = latchstring_core::identifier::Identifier::email(other) else { continue };
        assert!(test.find(&other.typed).await.is_none(), "{}", other.typed);
        let visitor = test.visitor();
        let attempt = visitor.begin(AttemptKind::Recover, &other.typed).await;
        visitor.send(attempt.id).await.expect("sent");
        test.deliver().await;
        let mail = test.mailbox.list().remove(0);
        assert!(mail.to == other.typed && mail.code.is_none(), "{}", mail.to);
    }
    for bad in [
        "\"a@evil.test x\"@good.test",
        "victim@good.test,attacker@evil.test",
        "<victim@good.test>",
        "victim@good.test\r\nBcc: attacker@evil.test",
        "=?utf-8?q?x?=@good.test\u{200b}",
        "a@evil.test@good.test",
    ] {
        assert_eq!(
            latchstring_core::identifier::Identifier::email(bad).refused(),
            Kind::EmailInvalid,
            "A104: {bad:?}"
        );
    }
}
