//! Published attacks on administration, by their numbers.

use crate::{
    admin::{create, path, put},
    app::{Vendor, fails},
    flows::{ADA, OTHER, PASSWORD, ada, sign_in},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use http::Method;
use latchstring_core::{
    Error, annotation, api_key,
    audit::{Actor, Source},
    clock::{MINUTE, SECOND},
    key::{self, Purpose},
    limit::Rate,
    mount::Enumeration,
};
use latchstring_proto::jose::{Alg, SigningKey};
use latchstring_supabase::{
    init::{self, Init},
    keys, note,
    settings::Settings,
};
use latchstring_web::testing::{Answer, Client};
use serde_json::{Value, json};

const USERS: &str = "/auth/v1/admin/users";

#[tokio::test]
async fn attack_a131_an_id_leads_to_no_other_route() {
    let vendor = Vendor::new().await;
    let admin = vendor.admin();
    let user = create(&admin, json!({ "email": ADA })).await;
    let id = user["id"].as_str().expect("an id");
    for wrong in [
        "x",
        "..",
        "%2e%2e",
        "%2e%2e%2f",
        "..%2f..%2finvite",
        "%2e%2e%2fusers",
        "%252e%252e%252f",
        "..%5c",
        "%00",
        "%ff%fe",
        &format!("{id}%2f"),
        &format!("{id}%2f..%2f{id}"),
        &format!("{id}%20"),
        &format!("%20{id}"),
        &format!("{id};x"),
        "123",
        "%7b%7d",
    ] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = admin.json(method, &format!("{USERS}/{wrong}"), json!({ "role": "x" })).await;
            fails(&answer, 404, "validation_failed");
        }
    }
    for wrong in ["../invite", "../../admin/users", &format!("{id}/../{id}"), "/", &format!("{id}/")] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::POST] {
            let answer = admin.json(method, &format!("{USERS}/{wrong}"), json!({ "email": ADA })).await;
            fails(&answer, 404, "not_found");
        }
    }
    fails(&admin.get(&format!("{USERS}/00000000-0000-0000-0000-000000000000")).await, 404, "user_not_found");
    // Who may not ask is not told what an id looks like.
    fails(&vendor.app().get(&format!("{USERS}/x")).await, 403, "not_admin");
    assert_eq!(admin.get(&path(&user)).await.must_be(200).json(), user);
}

#[tokio::test]
async fn attack_a165_what_a_back_end_says_of_providers_makes_no_identity() {
    let vendor = Vendor::new().await;
    let admin = vendor.admin();
    let forged = json!({ "provider": "google", "providers": ["google", "azure"] });
    let claims = json!({ "sub": "victim", "email": "victim@northwind.example", "email_verified": true, "phone_verified": true });
    let body = json!({ "email": ADA, "app_metadata": forged, "user_metadata": claims, "provider": "google",
                       "identities": [{ "provider": "google", "id": "1" }], "is_super_admin": true, "is_anonymous": true,
                       "aal": "aal2", "email_verified": true, "confirmed_at": "2020-01-01T00:00:00Z" });
    let user = create(&admin, body.clone()).await;
    for user in [user.clone(), put(&admin, &user, body).await.must_be(200).json()] {
        assert_eq!(user["identities"].as_array().map(Vec::len), Some(1));
        assert_eq!(user["identities"][0]["provider"], "email");
        assert_eq!(user["app_metadata"], json!({ "provider": "email", "providers": ["email"] }));
        // What only this face says is not said by a back end either.
        assert_eq!((&user["user_metadata"], &user["is_anonymous"]), (&json!({}), &json!(false)));
        assert_eq!(user["email"], ADA);
        assert!(user["confirmed_at"].is_null());
    }
    // A guest gets no account of another's, and none by a mere claim.
    vendor.test.realm.set(|s| s.guests = true).await;
    let guest = vendor.app().post("/auth/v1/signup", json!({})).await.must_be(200).json();
    let taken = put(&admin, &guest["user"], json!({ "email": ADA, "email_confirm": true })).await;
    fails(&taken, 422, "email_exists");
    for body in [json!({ "email": "new@northwind.example" }), json!({ "password": PASSWORD })] {
        fails(&put(&admin, &guest["user"], body).await, 422, "validation_failed");
    }
    vendor.signed(&guest).get("/auth/v1/user").await.must_be(200);
    let body = json!({ "email": "new@northwind.example", "email_confirm": true, "password": PASSWORD });
    let person = put(&admin, &guest["user"], body).await.must_be(200).json();
    assert_eq!((&person["id"], &person["is_anonymous"]), (&guest["user"]["id"], &json!(false)));
    fails(&vendor.signed(&guest).get("/auth/v1/user").await, 403, "session_not_found");
}

/// Each route of back ends, with a body that would do something.
async fn each(client: &Client) -> Vec<Answer> {
    let nobody = format!("{USERS}/0190a1b2-0000-7000-8000-000000000000");
    let mut answers = Vec::new();
    for (method, path, body) in [
        (Method::POST, "/auth/v1/invite", json!({ "email": "eve@northwind.example" })),
        (Method::GET, USERS, json!({})),
        (Method::POST, USERS, json!({ "email": "eve@northwind.example" })),
        (Method::GET, &nobody, json!({})),
        (Method::PUT, &nobody, json!({ "email": "eve@northwind.example" })),
        (Method::DELETE, &nobody, json!({})),
        (Method::POST, "/auth/v1/admin/generate_link", json!({ "type": "magiclink", "email": ADA })),
    ] {
        answers.push(client.json(method, path, body).await);
    }
    answers
}

#[track_caller]
fn refused(who: &str, answers: &[Answer], status: u16, code: &str) {
    for (n, answer) in answers.iter().enumerate() {
        let found = (answer.status.as_u16(), answer.json()["code"].as_str().map(ToOwned::to_owned));
        assert_eq!(found, (status, Some(code.to_owned())), "{who}, route {n}: {}", answer.text());
    }
}

#[track_caller]
fn let_in(who: &str, answers: &[Answer]) {
    for (n, answer) in answers.iter().enumerate() {
        assert!(!matches!(answer.status.as_u16(), 401 | 403), "{who}, route {n}: {}", answer.text());
    }
}

/// A client with a bearer token of any text.
fn bearer(vendor: &Vendor, text: &str) -> Client {
    let mut client = vendor.app();
    client.bearer(text);
    client
}

fn service(vendor: &Vendor) -> Value {
    let now = vendor.test.realm.realm.now() / SECOND;
    json!({ "iss": "supabase", "ref": "x", "role": "service_role", "iat": now, "exp": now + 1_000 })
}

async fn generous(vendor: &Vendor) {
    vendor.test.realm.set(|s| s.limits.keys_by_address = Rate { burst: 10_000, per_seconds: 1 }).await;
}

/// Gives the mount's ring a key that others hold too; it signs from now on.
async fn import(vendor: &Vendor, signing: &SigningKey) {
    let realm = &vendor.test.realm.realm;
    key::import(
        realm.db(),
        realm.ground(),
        vendor.prepared.mount,
        Purpose::Access,
        std::slice::from_ref(signing),
        realm.longest_token(),
        Actor::Operator,
        &Source::default(),
    )
    .await
    .expect("imported");
    vendor.test.realm.clock.advance(SECOND);
    realm.reload_rings().await.expect("rings");
}

#[tokio::test]
async fn attack_a166_back_ends_alone_are_let_in() {
    let vendor = Vendor::new().await;
    generous(&vendor).await;
    let session = ada(&vendor).await;
    let realm = &vendor.test.realm.realm;
    let prepared = &vendor.prepared;

    let mut nobody = vendor.app();
    nobody.unset("authorization");
    refused("nothing", &each(&nobody).await, 401, "no_authorization");
    // The SDK shows the key twice; only one of them is looked at.
    nobody.set("apikey", &prepared.secret);
    refused("the secret key as apikey alone", &each(&nobody).await, 401, "no_authorization");
    refused("the publishable key", &each(&vendor.app()).await, 403, "not_admin");
    refused("the anon JWT", &each(&bearer(&vendor, &prepared.anon)).await, 403, "not_admin");
    refused("a user", &each(&vendor.signed(&session)).await, 403, "not_admin");
    let visitor = vendor.test.realm.app();
    visitor.sign_in(ADA, PASSWORD).await;
    refused("a native token", &each(&bearer(&vendor, &visitor.tokens().access.token)).await, 403, "bad_jwt");

    let settings = Settings { site_url: "https://other.example".into(), ..Settings::default() };
    let other = Init { host: Some("other.example".into()), enumeration: Enumeration::Strict, settings };
    let other = init::prepare(realm, Actor::Operator, &Source::default(), other).await.expect("prepared");
    refused(
        "another mount's secret key",
        &each(&bearer(&vendor, &other.secret)).await,
        401,
        "no_authorization",
    );
    refused(
        "another mount's JWT",
        &each(&bearer(&vendor, &other.service_role)).await,
        401,
        "no_authorization",
    );

    let all = vec!["*".into()];
    let (_, native) =
        api_key::create(realm, Actor::Operator, &Source::default(), "all", all, None).await.expect("a key");
    refused("a native key", &each(&bearer(&vendor, &native)).await, 403, "bad_jwt");
    for key in [&prepared.secret, &prepared.service_role, &prepared.publishable, &prepared.anon] {
        let answer = realm_key(&vendor, key).await;
        assert!(answer.is_err(), "a key of this face is none of our own API's");
    }

    // What anybody can sign: by the public key's text, by nothing, by a key of their own.
    let jwks = vendor.app().get("/auth/v1/.well-known/jwks.json").await;
    let kid = jwks.json()["keys"][0]["kid"].as_str().expect("a name").to_owned();
    let jwk = jwks.json()["keys"][0].to_string();
    let claims = service(&vendor);
    for secret in [jwks.text(), jwk, jwks.json()["keys"][0]["x"].as_str().expect("x").to_owned(), kid.clone()]
    {
        let Ok(signing) = SigningKey::hs256(secret.as_bytes()) else { continue };
        let forged = signing.with_kid(kid.clone()).sign(Some("JWT"), &claims).expect("signed");
        refused("HS256 by the public key", &each(&bearer(&vendor, &forged)).await, 403, "bad_jwt");
    }
    let payload = B64.encode(claims.to_string());
    for alg in ["none", "None", "NONE", "nOnE", "HS256", ""] {
        let header = B64.encode(json!({ "alg": alg, "typ": "JWT", "kid": kid }).to_string());
        for signature in ["", "AA"] {
            let forged = format!("{header}.{payload}.{signature}");
            refused(alg, &each(&bearer(&vendor, &forged)).await, 403, "bad_jwt");
        }
    }
    let own = SigningKey::generate(Alg::Es256).expect("a key").with_kid(kid);
    let forged = own.sign(Some("JWT"), &claims).expect("signed");
    refused("a key of their own", &each(&bearer(&vendor, &forged)).await, 403, "bad_jwt");

    // What nobody but us can sign, and we never do: our ring says who is a user, and no more.
    let ring = realm.ring_of(prepared.mount, Purpose::Access).await.expect("a ring");
    for role in ["service_role", "supabase_admin", "postgres"] {
        let mut claims = service(&vendor);
        claims["role"] = role.into();
        let ours = ring.sign(realm.now(), "JWT", &claims).expect("signed");
        refused("our ring", &each(&bearer(&vendor, &ours)).await, 403, "not_admin");
        claims["sub"] = session["user"]["id"].clone();
        let ours = ring.sign(realm.now(), "JWT", &claims).expect("signed");
        refused("our ring, for a user", &each(&bearer(&vendor, &ours)).await, 403, "not_admin");
    }
    let mut claims = service(&vendor);
    claims["jti"] = uuid::Uuid::from_u128(7).to_string().into();
    let ours = ring.sign(realm.now(), "JWT", &claims).expect("signed");
    refused("our ring, of a key that is none", &each(&bearer(&vendor, &ours)).await, 401, "no_authorization");

    // None of them has left a trace.
    let list = vendor.admin().get(USERS).await.must_be(200);
    assert_eq!(list.header("x-total-count"), "1");
    let_in("the secret key", &each(&vendor.admin()).await);
    vendor.admin().get(USERS).await.must_be(200);
    let_in("the service_role JWT", &each(&bearer(&vendor, &prepared.service_role)).await);

    // What was taken back opens nothing, at once.
    let all = api_key::list(realm).await.expect("keys");
    let of_mount =
        |k: &&api_key::ApiKey| k.mount == Some(prepared.mount) && k.role.as_deref() == Some(keys::SERVICE);
    for key in all.iter().filter(of_mount) {
        api_key::revoke(realm, Actor::Operator, &Source::default(), key.id).await.expect("revoked");
    }
    refused("a revoked secret key", &each(&vendor.admin()).await, 401, "no_authorization");
    let service = bearer(&vendor, &prepared.service_role);
    refused("a revoked service_role JWT", &each(&service).await, 401, "no_authorization");
}

async fn realm_key(vendor: &Vendor, text: &str) -> Result<api_key::ApiKey, Error> {
    api_key::check_text(&vendor.test.realm.realm, &Source::default(), text).await
}

#[tokio::test]
async fn attack_a166_an_imported_key_lets_in_only_where_that_is_switched_on() {
    for admit in [false, true] {
        let vendor = Vendor::with(|init: &mut Init| init.settings.admit_signed_admins = admit).await;
        generous(&vendor).await;
        let signing = SigningKey::generate(Alg::Es256).expect("a key").with_kid("imported");
        let foreign = |claims: &Value| signing.sign(Some("JWT"), claims).expect("signed");
        refused("not imported", &each(&bearer(&vendor, &foreign(&service(&vendor)))).await, 403, "bad_jwt");
        import(&vendor, &signing).await;
        let session = ada(&vendor).await;
        for role in ["service_role", "supabase_admin"] {
            let mut claims = service(&vendor);
            claims["role"] = role.into();
            let answers = each(&bearer(&vendor, &foreign(&claims))).await;
            if admit {
                let_in(role, &answers);
            } else {
                refused(role, &answers, 403, "not_admin");
            }
        }
        for role in ["anon", "authenticated", "Service_Role", ""] {
            let mut claims = service(&vendor);
            claims["role"] = role.into();
            refused(role, &each(&bearer(&vendor, &foreign(&claims))).await, 403, "not_admin");
        }
        let mut late = service(&vendor);
        late["exp"] = (vendor.test.realm.realm.now() / SECOND - 1_000).into();
        refused("one that is over", &each(&bearer(&vendor, &foreign(&late))).await, 403, "bad_jwt");

        // The imported key signs our users' tokens too. A role that only an import can bring along stays out of them,
        // and a user's token is a user's, whatever it says.
        let id = session["user"]["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let note = note::Note { role: Some("service_role".into()), ..note::Note::default() };
        let realm = &vendor.test.realm.realm;
        realm
            .db()
            .write(async move |tx| annotation::put(tx, id, note::KIND, &note.clone()).await)
            .await
            .expect("noted");
        let session = sign_in(&vendor.app(), ADA, PASSWORD).await.must_be(200).json();
        let token = session["access_token"].as_str().expect("a token");
        let payload = B64.decode(token.split('.').nth(1).expect("a payload")).expect("base64url");
        let header = B64.decode(token.split('.').next().expect("a header")).expect("base64url");
        assert!(String::from_utf8_lossy(&payload).contains("\"role\":\"authenticated\""));
        assert!(String::from_utf8_lossy(&header).contains("imported"));
        refused("a user of that role", &each(&vendor.signed(&session)).await, 403, "not_admin");
        let mut claims: Value = serde_json::from_slice(&payload).expect("JSON");
        claims["role"] = "service_role".into();
        let says = bearer(&vendor, &foreign(&claims));
        refused("a user's token that says so", &each(&says).await, 403, "not_admin");
    }
}

#[tokio::test]
async fn attack_a171_a_back_end_is_held_to_the_realms_rules() {
    let vendor = Vendor::new().await;
    let (admin, app) = (vendor.admin(), vendor.app());
    let session = ada(&vendor).await;
    let user = &session["user"];
    // A password that the policy refuses, whoever sets it; the person's own words among them.
    vendor.test.realm.set(|s| s.password.min_chars = 16).await;
    for weak in ["", "password", "correct horse", "ada@northwind.example", "northwind northwind"] {
        let answer = put(&admin, user, json!({ "password": weak, "email_confirm": true })).await;
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{weak}: {}", answer.text());
    }
    let weak = put(&admin, user, json!({ "password": "correct horse" })).await;
    fails(&weak, 422, "weak_password");
    assert_eq!(weak.json()["weak_password"]["reasons"][0], "length");
    fails(&put(&admin, user, json!({ "password": "x".repeat(2_000) })).await, 400, "validation_failed");
    vendor.signed(&session).get("/auth/v1/user").await.must_be(200);

    // Who has guessed too often waits, whatever a back end changes meanwhile.
    for _ in 0..5 {
        fails(&sign_in(&app, ADA, OTHER).await, 400, "invalid_credentials");
    }
    put(&admin, user, json!({ "user_metadata": { "a": 1 }, "email_confirm": true })).await.must_be(200);
    fails(&sign_in(&app, ADA, PASSWORD).await, 429, "over_request_rate_limit");
    vendor.test.realm.clock.advance(30 * MINUTE);
    let second = sign_in(&app, ADA, PASSWORD).await.must_be(200).json();

    // A ban ends everything at once, on other nodes too, and no link helps.
    let node = vendor.test.realm.node().await;
    put(&admin, user, json!({ "ban_duration": "1h" })).await.must_be(200);
    fails(&vendor.signed(&second).get("/auth/v1/user").await, 403, "session_not_found");
    node.follow().await.expect("followed");
    let (id, mark) =
        (user["id"].as_str().expect("an id").parse().expect("a UUID"), node.now() / SECOND * SECOND);
    assert_eq!(node.ended().user_valid_after(id), mark);
    fails(&crate::flows::refresh(&app, &second).await, 400, "refresh_token_not_found");
    fails(&sign_in(&app, ADA, PASSWORD).await, 400, "user_banned");
    let drawn = admin.post("/auth/v1/admin/generate_link", json!({ "type": "magiclink", "email": ADA }));
    let token = drawn.await.must_be(200).json()["hashed_token"].clone();
    let verified = app.post("/auth/v1/verify", json!({ "type": "magiclink", "token_hash": token })).await;
    fails(&verified, 403, "user_banned");
}

/// Somebody signs up with another's address; then a back end sends that other one a link or a code.
#[tokio::test]
async fn attack_a056_a_link_that_a_back_end_draws_confirms_no_strangers_password() {
    for (kind, by_code) in
        [("signup", false), ("signup", true), ("invite", false), ("magiclink", false), ("magiclink", true)]
    {
        let vendor = Vendor::new().await;
        let (admin, app) = (vendor.admin(), vendor.app());
        crate::flows::sign_up(&app, ADA, OTHER).await.must_be(200);
        let body = json!({ "type": kind, "email": ADA, "password": PASSWORD, "data": { "team": 7 } });
        let drawn = admin.post("/auth/v1/admin/generate_link", body).await.must_be(200).json();
        let shown = match by_code {
            true => json!({ "type": kind, "email": ADA, "token": drawn["email_otp"] }),
            false => json!({ "type": kind, "token_hash": drawn["hashed_token"] }),
        };
        let session = app.post("/auth/v1/verify", shown).await.must_be(200).json();
        fails(&sign_in(&app, ADA, OTHER).await, 400, "invalid_credentials");
        if kind == "signup" {
            assert_eq!(session["user"]["user_metadata"]["team"], 7);
            assert!(session["user"]["user_metadata"].get("full_name").is_none(), "the stranger's words");
            sign_in(&app, ADA, PASSWORD).await.must_be(200);
        }
    }
}
