//! Realm settings: patches by an administrator, merged as RFC 7396 says, sealed and opened, and checked.

use crate::body::{SECRET, names_hold};
use crate::text;
use latchstring_core::Refusal;
use latchstring_core::seal::Keys;
use latchstring_core::settings::{Settings, check_names, is_origin, merge, mistyped, seal_secret};
use serde_json::Value;
use std::sync::LazyLock;

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    Keys::parse("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f").expect("a secret")
});

/// The input is a patch, and an origin.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if is_origin(text) {
        assert!(
            text.len() <= 268
                && text.starts_with("http")
                && !text[8..].contains(['/', '@', '?', '#', '*', ' '])
        );
    }
    let Ok(patch) = serde_json::from_str::<Value>(text) else { return };
    let full = serde_json::to_value(Settings::default()).expect("JSON");
    for document in
        [full, serde_json::json!({}), serde_json::json!({"password": {"min_chars": 12}, "name": "x"})]
    {
        let mut merged = document.clone();
        merge(&mut merged, &patch);
        assert_eq!(merged, reference(document.clone(), &patch), "not RFC 7396");
        let once = merged.clone();
        merge(&mut merged, &patch);
        assert_eq!(merged, once, "twice is not once");
        if patch.is_object() {
            stored(document, &patch);
        }
    }
}

/// As an administrator's patch goes into the database and out again.
fn stored(mut document: Value, patch: &Value) {
    let mut sealed = patch.clone();
    let plain = patch.pointer("/token_endpoint/secret").and_then(Value::as_str);
    if seal_secret(&KEYS, &mut sealed).is_err() {
        return;
    }
    let told = |refusal: Refusal| {
        let says = refusal.detail.says.unwrap_or_default();
        assert!(says.chars().count() <= 400, "{says:?}");
        assert!(names_hold(patch, SECRET) || !says.contains(SECRET), "a value was quoted: {says:?}");
    };
    if let Err(latchstring_core::Error::Refused(refusal)) = check_names(patch) {
        return told(refusal);
    }
    merge(&mut document, &sealed);
    let settings: Settings = match serde_json::from_value(document) {
        Ok(settings) => settings,
        Err(error) => return told(mistyped(&error)),
    };
    let text = serde_json::to_string(&settings).expect("JSON");
    assert_eq!(Settings::from_json(&text).expect("our own text"), settings);
    let opened = settings.opened(&KEYS).expect("our own seal");
    assert_eq!(opened.token_endpoint.secret.as_deref(), plain);
    if let Some(plain) = plain {
        assert!(!text.contains(plain), "a secret in clear");
    }
    assert_eq!(opened.shown().token_endpoint.secret, None);
    if opened.check().is_ok() {
        assert!(opened.password.min_chars >= 8 && opened.code.seconds <= 600 && opened.code.tries <= 10);
        assert!(opened.origins.iter().all(|origin| is_origin(origin)));
        assert!(!opened.name.contains(char::is_control));
    }
}

/// RFC 7396 2, word for word.
fn reference(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut target = match target {
        Value::Object(target) => target,
        _ => serde_json::Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let old = target.remove(name).unwrap_or(Value::Null);
            target.insert(name.clone(), reference(old, value));
        }
    }
    Value::Object(target)
}
