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
