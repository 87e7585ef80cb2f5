//! Core alone, without a face: one suite for both engines. `LATCHSTRING_TEST_DATABASE=postgres` chooses the other one.

mod account;
mod after_review;
mod apps;
mod attacks;
mod certificate;
mod checkup;
mod equal;
mod flows;
mod guards;
mod hints;
mod import;
mod imported_keys;
mod leaving;
mod limits;
mod links;
mod managing;
mod model;
mod not_me;
mod notices;
mod opening;
mod operators;
mod plans;
mod races;
mod sweeping;
mod tokens;

use latchstring_core::{
    Result,
    id::{FactorId, UserId},
    testing::TestRealm,
    user,
};

/// Gives the user a second factor: a code mailed to their address.
async fn add_factor(test: &TestRealm, user: UserId) {
    let now = test.realm.now();
    let id = FactorId::new(now, test.realm.ground().random());
    test.realm
        .db()
        .write(async move |tx| -> Result<()> {
            let full = user::store::full(tx, user).await?.expect("the user");
            let email = full.email().expect("an address").id;
            latchstring_core::factor::store::insert_email(tx, id, user, email, now).await
        })
        .await
        .expect("a factor");
}
