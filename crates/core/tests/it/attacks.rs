//! Attacks that no other file has, tried as somebody from outside would: what a thief keeps after the owner has acted,
//! and what one proof buys.

use crate::add_factor;
use latchstring_core::{
    Kind, account,
    admin::users::{self, NewSecret},
    attempt::{AttemptKind, SecondFactor, Sink, Step, begin::Begin},
    audit::{Actor, Source},
    browser,
    id::UserId,
    session::Which,
    testing::{OTHER_PASSWORD, PASSWORD, Refused, TestRealm, Visitor, secret, who},
};

const ADA: &str = "ada@northwind.example";

async fn knows(test: &TestRealm, visitor: &Visitor, user: UserId) -> bool {
    let id = visitor.caller().await.browser.expect("a cookie").id;
    browser::is_known_to(&test.realm, id, user).await.expect("read")
}

#[tokio::test]
async fn attack_a049_no_browser_is_known_any_more_once_credentials_change() {
    #[derive(Debug, Clone, Copy)]
    enum Act {
        Change,
        Recover,
        SetByOperator,
        Ban,
        EndedByOperator,
        SignOutEverywhere,
    }
    for act in
        [Act::Change, Act::Recover, Act::SetByOperator, Act::Ban, Act::EndedByOperator, Act::SignOutEverywhere]
    {
        let test = TestRealm::new().await;
        let owner = test.sign_up(ADA, PASSWORD).await;
        let thief = test.sign_in(ADA, PASSWORD).await;
        let me = owner.me().await.expect("in");
        assert!(knows(&test, &thief, me.user).await);
        let source = Source::default();
        match act {
            Act::Change => {
                let caller = owner.caller().await;
                let (old, new) = (Some(secret(PASSWORD)), secret(OTHER_PASSWORD));
                account::change_password(&test.realm, &me, &caller, old, new).await.expect("changed");
            }
            Act::Recover => owner.recover(ADA, OTHER_PASSWORD).await,
            Act::SetByOperator => {
                let new = NewSecret::Password(secret(OTHER_PASSWORD));
                users::set_password(&test.realm, Actor::Operator, &source, me.user, new).await.expect("set");
            }
            Act::Ban => {
                users::ban(&test.realm, Actor::Operator, &source, me.user, None, None).await.expect("banned");
            }
            Act::EndedByOperator | Act::SignOutEverywhere => {
                let actor = match act {
                    Act::EndedByOperator => Actor::Operator,
                    _ => Actor::User(me.user.0),
                };
                account::end_sessions(&test.realm, me.user, actor, &source, Which::All).await.expect("ended");
            }
        }
        assert!(!knows(&test, &thief, me.user).await, "{act:?}: his has a counter of its own no more");
        let here = matches!(act, Act::Change | Act::Recover);
        assert_eq!(knows(&test, &owner, me.user).await, here, "{act:?}: hers, where she proved who she is");
    }
}

#[tokio::test]
async fn attack_a094_one_mailbox_is_one_factor_however_often_it_is_proven() {
    let test = TestRealm::with(|s| s.limits.sends_by_target.burst = 100).await;
    test.sign_up(ADA, PASSWORD).await;
    add_factor(&test, test.id_of(ADA).await).await;
    let levels = async |visitor: &Visitor| {
        let signed = visitor.signed().await.expect("in");
        (signed.assurance, signed.methods.contains(&"mfa".to_owned()))
    };

    let by_code = test.visitor();
    let id = by_code.begin(AttemptKind::SignIn, ADA).await.id;
    let first = by_code.prove(id, ADA).await.expect("right");
    assert!(first.completed.is_none() && !by_code.is_in().await, "the second step is asked for");
    assert_eq!(first.attempt.offers(true), [Step::Factor]);
    by_code.prove(id, ADA).await.expect("right").completed.expect("in");
    assert_eq!(levels(&by_code).await, (1, false), "a code twice");

    let by_link = test.visitor();
    let id = by_link.begin(AttemptKind::SignIn, ADA).await.id;
    by_link.send(id).await.expect("sent");
    by_link.follow(&by_link.link_to(ADA).await).await.expect("usable");
    by_link.prove(id, ADA).await.expect("right").completed.expect("in");
    assert_eq!(levels(&by_link).await, (1, false), "a link and a code");

    let task = test.visitor();
    let begin = Begin {
        second_factor: SecondFactor::Task,
        ..Begin::new(AttemptKind::SignIn, Some(who(ADA)), Sink::Cookie)
    };
    let id = task.try_begin(begin).await.expect("begins").outcome.attempt.id;
    task.prove(id, ADA).await.expect("right").completed.expect("a session with a task");
    let id = task.begin_within(AttemptKind::StepUp, None).await.id;
    task.prove(id, ADA).await.expect("right").completed.expect("done");
    assert_eq!(levels(&task).await, (1, false), "a code, and a code for the step-up");

    let both = test.visitor();
    let id = both.try_sign_in(ADA, PASSWORD).await.expect("right").attempt.id;
    both.prove(id, ADA).await.expect("right").completed.expect("in");
    assert_eq!(levels(&both).await, (2, true), "a password and a code");

    let recovered = test.visitor();
    let id = recovered.begin(AttemptKind::Recover, ADA).await.id;
    recovered.prove(id, ADA).await.expect("right");
    recovered.new_password(id, OTHER_PASSWORD).await.expect("set");
    recovered.prove(id, ADA).await.expect("right").completed.expect("in");
    assert_eq!(levels(&recovered).await, (1, false), "a password chosen by whoever reads the mail is no proof");
}
