//! `/api/v1/settings`

use super::app;
use http::Method;
use latchstring_core::settings::Settings;
use serde_json::{Value, json};

#[tokio::test]
async fn settings_are_merged_checked_and_in_force_at_once() {
    let app = app().await;
    let admin = app.backend(&["settings:read", "settings:write"]).await;
    let path = "/api/v1/settings";
    let before = admin.get(path).await.must_be(200);
    assert_eq!(before.json()["sign_up"], "open");
    let mut seen = admin.clone();
    seen.set("if-match", &before.header("etag"));
    // The realm of a test hashes cheaper than an operator may.
    let back = json!({"password": {"memory_kib": 19456, "passes": 2}, "sign_up": "closed"});
    seen.json(Method::PATCH, path, back).await.must_be(200);
    seen.json(Method::PATCH, path, json!({"sign_up": "open"})).await.must_refuse(412, "changed_meanwhile");
    let begin = json!({"kind": "sign_up", "identifier": "ada@northwind.example"});
    app.program().post("/api/v1/attempts", begin).await.must_refuse(403, "sign_up_closed");
    let odd = admin
        .json(Method::PATCH, path, json!({"sign_upp": "open"}))
        .await
        .must_refuse(400, "invalid_setting");
    assert!(odd.text().contains("Did you mean"), "{}", odd.text());
    for bad in [
        json!({"password": {"min_chars": 3}}),
        json!({"code": {"seconds": 86_400}}),
        json!({"origins": ["*"]}),
        json!({"sign_up": "sometimes"}),
        json!({"token_endpoint": {"secret": "short"}}),
        json!({"limits": {"attempts_by_address": {"burst": 0, "per_seconds": 1}}}),
    ] {
        admin.json(Method::PATCH, path, bad).await.must_refuse(400, "invalid_setting");
    }
    admin.json(Method::PATCH, path, json!([1])).await.must_refuse(400, "invalid_input");
    assert_eq!(admin.get(path).await.json()["sign_up"], "closed", "a refusal leaves no trace");
}

#[tokio::test]
async fn a_secret_setting_is_written_and_never_read_back() {
    let app = app().await;
    let admin = app.backend(&["*"]).await;
    let secret = "a shared secret of more than thirty-two bytes";
    let body = json!({"password": {"memory_kib": 19456, "passes": 2},
                      "token_endpoint": {"enabled": true, "alg": "HS256", "secret": secret}});
    let answer = admin.json(Method::PATCH, "/api/v1/settings", body).await.must_be(200);
    assert!(!answer.text().contains(secret));
    assert!(!admin.get("/api/v1/settings").await.text().contains(secret));
    assert!(!admin.get("/api/v1/audit").await.text().contains(secret));
}

/// The schema that a property refers to, if it does: at once, or beside `null`.
fn referred<'a>(schemas: &'a Value, property: &Value) -> Option<&'a Value> {
    let one_of = property["oneOf"].as_array().map_or(&[][..], Vec::as_slice);
    let reference = [property].into_iter().chain(one_of).find_map(|schema| schema["$ref"].as_str())?;
    Some(&schemas[reference.rsplit('/').next().expect("a name")])
}

fn names(object: &Value) -> Vec<String> {
    let mut names: Vec<String> = object.as_object().expect("an object").keys().cloned().collect();
    names.sort();
    names
}

/// Gives `found` each leaf of a shape as a pointer, having compared all names with those of the settings.
fn walk(schemas: &Value, shape: &Value, settings: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    let mut known = settings.clone();
    if at == "/token_endpoint" {
        // The one that is never shown.
        known["secret"] = Value::Null;
    }
    assert_eq!(names(&shape["properties"]), names(&known), "{at}");
    for (name, property) in shape["properties"].as_object().expect("an object") {
        let place = format!("{at}/{name}");
        let described = &property["oneOf"][0]["description"];
        let described = property["description"].as_str().or(described.as_str());
        assert!(described.is_some_and(|says| !says.is_empty()), "{place}");
        match referred(schemas, property) {
            Some(group) if known[name].is_object() => walk(schemas, group, &known[name], &place, found),
            _ => found.push((place, property.clone())),
        }
    }
}

#[test]
fn the_document_describes_each_setting_with_its_default_and_range() {
    let document: Value = serde_json::from_str(&latchstring_server::openapi()).expect("JSON");
    let schemas = &document["components"]["schemas"];
    let defaults = serde_json::to_value(Settings::default()).expect("JSON");
    let (mut shown, mut changed) = (Vec::new(), Vec::new());
    walk(schemas, &schemas["SettingsView"], &defaults, "", &mut shown);
    walk(schemas, &schemas["SettingsChange"], &defaults, "", &mut changed);
    assert_eq!(shown.len(), changed.len());
    for shape in ["SettingsView", "PasswordView", "LimitsView"] {
        assert_eq!(
            schemas[shape]["required"].as_array().map(Vec::len),
            schemas[shape]["properties"].as_object().map(serde_json::Map::len),
            "{shape}: all of it is shown"
        );
    }
    assert!(schemas["SettingsChange"]["required"].is_null(), "and none of it has to be sent");
    assert_eq!(schemas["PasswordView"]["properties"]["min_chars"]["default"], 8);
    let rate = &schemas["LimitsView"]["properties"]["sends_by_target"];
    assert_eq!(rate["default"], defaults["limits"]["sends_by_target"]);

    // Some settings bound each other; with these, each can have its whole range.
    let mut usual = defaults.clone();
    usual["password"]["memory_kib"] = 40_000.into();
    usual["password"]["passes"] = 5.into();
    usual["limits"]["free_failures"] = 1.into();
    let takes = |place: &str, value: Value| {
        let mut settings = usual.clone();
        *settings.pointer_mut(place).expect("a setting") = value;
        serde_json::from_value::<Settings>(settings).is_ok_and(|settings| settings.check().is_ok())
    };
    let mut numbers = 0;
    for (place, property) in shown.iter().chain(&changed) {
        let (low, high) = (property["minimum"].as_i64(), property["maximum"].as_i64());
        let number = usual.pointer(place).is_some_and(Value::is_number);
        assert_eq!((low.is_some(), high.is_some()), (number, number), "{place}");
        let (Some(low), Some(high)) = (low, high) else { continue };
        assert!(takes(place, low.into()) && takes(place, high.into()), "{place}: {low} to {high}");
        assert!(
            !takes(place, (low - 1).into()) && !takes(place, (high + 1).into()),
            "{place}: {low} to {high}"
        );
        numbers += 1;
    }
    assert!(numbers > 70, "{numbers}");
    for (place, property) in &shown {
        let words = referred(schemas, property).unwrap_or(property)["enum"].as_array().cloned();
        for word in words.into_iter().flatten() {
            // HS256 wants a secret only where it is switched on.
            assert!(takes(place, word.clone()), "{place}: {word}");
        }
    }
}
