//! What is switched off is said in the words that the vendor's SDK and its apps look for.

use crate::{
    app::{Vendor, fails},
    flows::ada,
};
use http::Method;
use serde_json::json;

#[tokio::test]
async fn what_is_not_there_is_switched_off() {
    let vendor = Vendor::new().await;
    let app = vendor.app();
    let user = vendor.signed(&ada(&vendor).await);
    let says = |answer: &latchstring_web::testing::Answer| answer.json()["message"].clone();

    let sso = app.post("/auth/v1/sso", json!({ "domain": "example.com" })).await;
    fails(&sso, 404, "saml_provider_disabled");
    assert_eq!(says(&sso), "SAML 2.0 is disabled");
    let to_google = app.get("/auth/v1/authorize?provider=google").await;
    fails(&to_google, 400, "validation_failed");
    assert_eq!(says(&to_google), "Unsupported provider: provider is not enabled");
    let web3 = app.post("/auth/v1/token?grant_type=web3", json!({ "chain": "solana" })).await;
    fails(&web3, 422, "web3_provider_disabled");
    assert_eq!(says(&web3), "Web3 provider is disabled");
    let google = app.post("/auth/v1/token?grant_type=id_token", json!({ "provider": "google" })).await;
    fails(&google, 400, "provider_disabled");
    assert_eq!(says(&google), "Provider is not enabled");

    let link = user.get("/auth/v1/user/identities/authorize?provider=google").await;
    fails(&link, 404, "manual_linking_disabled");
    assert_eq!(says(&link), "Manual linking is disabled");
    let id = "0190a1b2-0000-7000-8000-000000000000";
    let unlink = user.json(Method::DELETE, &format!("/auth/v1/user/identities/{id}"), json!({})).await;
    fails(&unlink, 404, "manual_linking_disabled");
    let enroll = json!({ "factor_type": "totp" });
    fails(&user.post("/auth/v1/factors", enroll).await, 422, "mfa_totp_enroll_not_enabled");
    for path in ["challenge", "verify"] {
        let answer = user.post(&format!("/auth/v1/factors/{id}/{path}"), json!({})).await;
        fails(&answer, 404, "mfa_factor_not_found");
    }
}

#[tokio::test]
async fn a_short_password_is_told_how_long_it_has_to_be() {
    let vendor = Vendor::new().await;
    let body = json!({ "email": "short@example.com", "password": "123" });
    let short = vendor.app().post("/auth/v1/signup", body).await;
    fails(&short, 422, "weak_password");
    let least = vendor.test.realm.realm.settings().1.password.min_chars;
    let says = format!("Password should be at least {least} characters.");
    assert_eq!(short.json()["message"], says);
    let user = vendor.signed(&ada(&vendor).await);
    let short = user.json(Method::PUT, "/auth/v1/user", json!({ "password": "123" })).await;
    fails(&short, 422, "weak_password");
    assert_eq!(short.json()["message"], says);
}
