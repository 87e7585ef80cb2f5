//! Wycheproof and the JOSE cookbook, where they are at hand: beside the workspace, not in it.

use super::*;
use std::path::PathBuf;

/// "Valid" vectors that we refuse, and why.
const REFUSED_ON_PURPOSE: &[(&str, u64, &str)] = &[
    ("signature", 346, "the header says PS384 and the key PS256: a key has one algorithm (RFC 8725 3.1)"),
    ("signature", 350, "the header says PS384 and the key PS256: a key has one algorithm (RFC 8725 3.1)"),
    ("signature", 347, "the key declares alg ES521, which is not registered"),
    ("signature", 351, "the key declares alg ES521, which is not registered"),
    ("signature", 372, "a '?' inside base64url: RFC 7515 2 allows no additional characters"),
    ("signature", 373, "a '?' inside base64url: RFC 7515 2 allows no additional characters"),
];

/// "Invalid" vectors that are, character for character, the valid one of the second id: they lost their padding on the
/// way into JSON.
const SAME_AS_VALID: &[(&str, u64, u64)] = &[("signature", 367, 357), ("signature", 370, 357)];

#[allow(clippy::print_stderr, reason = "the one permitted skip says so")]
fn folder(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")).join(name);
    if !folder.is_dir() {
        eprintln!("skipped: vectors not present");
        return None;
    }
    Some(folder)
}

fn read(path: &PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("json")
}

/// Vectors print private keys; ours take public ones.
fn public(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    if let Some(members) = jwk.as_object_mut().filter(|m| m["kty"] != "oct") {
        for private in ["d", "p", "q", "dp", "dq", "qi"] {
            members.remove(private);
        }
    }
    jwk
}

/// A key as our own configuration would take it: secrets as bytes under the one algorithm they are for.
fn verifying(jwk: &Value) -> Option<VerifyingKey> {
    if jwk["kty"] == "oct" {
        return (jwk["alg"] == "HS256")
            .then(|| VerifyingKey::hs256(&B64.decode(jwk["k"].as_str()?).ok()?).ok())?;
    }
    VerifyingKey::from_jwk(&Jwk::from_json(&public(jwk).to_string()).ok()?).ok()
}

fn known_alg(jwk: &Value) -> bool {
    // Without one, the type decides.
    jwk["alg"].as_str().is_none_or(|alg| Alg::parse(alg).is_some() || alg == "ES521")
}

/// As a relying party would: a set of secrets is configured, a set of public keys is fetched, never both in one.
fn accepts(keys: &Value, token: &str) -> bool {
    let Ok(unverified) = Unverified::parse(token) else { return false };
    let key = match keys["keys"].as_array() {
        None => verifying(keys),
        // Ours are configured one by one; of a set of them, the token's `kid` must mean one.
        Some(list) if list.iter().all(|jwk| jwk["kty"] == "oct") => {
            let kid = unverified.header().kid.as_deref();
            let mut fitting = list.iter().filter(|jwk| list.len() == 1 || jwk["kid"].as_str() == kid);
            let first = fitting.next();
            if fitting.next().is_some() { None } else { first.and_then(verifying) }
        }
        Some(list) => {
            let stripped = json!({"keys": list.iter().map(public).collect::<Vec<_>>()});
            let set = JwkSet::from_json(&stripped.to_string()).expect("a set");
            let header = unverified.header();
            set.select(header.kid.as_deref(), header.alg).and_then(|jwk| VerifyingKey::from_jwk(jwk).ok())
        }
    };
    key.is_some_and(|key| unverified.verify(&key).is_ok())
}

fn wycheproof(set: &str, at_least: usize) {
    let Some(folder) = folder("wycheproof") else { return };
    let file = read(&folder.join(format!("json_web_{set}_test.json")));
    let (mut ran, mut wrong) = (0, Vec::new());
    let mut tokens = std::collections::HashMap::new();
    for group in file["testGroups"].as_array().expect("groups") {
        let keys = if group["public"].is_object() { &group["public"] } else { &group["private"] };
        let supported = match keys["keys"].as_array() {
            Some(list) => list.iter().all(known_alg),
            None => known_alg(keys),
        };
        for test in group["tests"].as_array().expect("tests") {
            let id = test["tcId"].as_u64().expect("id");
            let on_purpose =
                REFUSED_ON_PURPOSE.iter().any(|(file, refused, _)| *file == set && *refused == id);
            let token = test["jws"].as_str().expect("token");
            tokens.insert(id, token);
            let same = SAME_AS_VALID.iter().find(|(file, copy, _)| *file == set && *copy == id);
            if let Some((_, _, original)) = same {
                assert_eq!(Some(&token), tokens.get(original));
            }
            let valid = (test["result"] == "valid" && !on_purpose) || same.is_some();
            let accepted = accepts(keys, token);
            // Algorithms that we don't speak must be refused however valid.
            if accepted != (valid && supported) {
                wrong.push((id, test["comment"].clone(), accepted));
            }
            ran += usize::from(supported);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(ran >= at_least, "only {ran}");
}

#[test]
fn wycheproof_signatures() {
    wycheproof("signature", 350);
}

#[test]
fn wycheproof_keys() {
    wycheproof("key", 16);
}

#[test]
fn rfc7520_signatures() {
    let Some(folder) = folder("rfc7520") else { return };
    let mut verified = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        if !(name.starts_with("jws-") || name.starts_with("rfc7797") || name == "curve25519-jws.json") {
            continue;
        }
        let example = read(&path);
        let output = &example["output"];
        for form in ["json", "json_flat"] {
            if output[form].is_object() {
                assert!(
                    Unverified::parse(&output[form].to_string()).is_err(),
                    "{name}: only compact is read"
                );
            }
        }
        let Some(token) = output["compact"].as_str() else { continue };
        // RFC 7520 prints no `alg` in its keys; the example says which one.
        let mut key = example["input"]["key"].clone();
        key["alg"] = example["input"]["alg"].clone();
        let accepted = accepts(&key, token);
        // 4.2 is PS384; 4.5 is detached, so its signature is not over what it shows; RFC 7797 is refused.
        let expect = !["jws-4_2.", "jws-4_5.", "rfc7797"].iter().any(|start| name.starts_with(start));
        assert_eq!(accepted, expect, "{name}");
        if accepted {
            let payload = example["input"]["payload"].as_str().expect("payload");
            let key = verifying(&key).expect("key");
            assert_eq!(verify(token, &key).expect("verifies").payload(), payload.as_bytes());
            verified.push(name);
        }
    }
    assert_eq!(verified.len(), 4, "{verified:?}");
}
