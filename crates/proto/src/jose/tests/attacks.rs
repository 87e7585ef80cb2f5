//! One test per attack of the list that ends in this module.

use super::*;
use crate::testing::quick;

/// Every spelling of a public key that a careless server might take for a secret.
fn spellings(jwk: &Jwk) -> Vec<Vec<u8>> {
    let json = serde_json::to_string(jwk).expect("json");
    let mut all = vec![json.clone().into_bytes(), jwk.thumbprint().into_bytes()];
    let value: Value = serde_json::from_str(&json).expect("json");
    for member in ["n", "x", "y"] {
        if let Some(text) = value[member].as_str() {
            all.push(text.as_bytes().to_vec());
            all.push(B64.decode(text).expect("base64"));
        }
    }
    all
}

#[test]
fn attack_a001_public_key_as_hmac_secret() {
    for alg in [Alg::Rs256, Alg::Es256, Alg::EdDSA] {
        let key = any_key(alg);
        let jwk = key.public_jwk().expect("public");
        let public = VerifyingKey::from_jwk(&jwk).expect("key");
        for secret in spellings(&jwk) {
            let Ok(hmac) = SigningKey::hs256(&secret) else { continue };
            let token = hmac
                .with_kid(jwk.kid.clone().expect("kid"))
                .sign(None, &json!({"sub": "root"}))
                .expect("signs");
            assert_eq!(verify(&token, &public).map(|_| ()), Err(JoseError::AlgMismatch));
        }
        // And the set has no key for such a header.
        let set = JwkSet { keys: vec![jwk.clone()] };
        assert_eq!(set.select(jwk.kid.as_deref(), Alg::Hs256), None);
        assert!(VerifyingKey::from_jwk_for(&jwk, Alg::Hs256).is_err());
    }
}

#[test]
fn attack_a002_alg_none() {
    let payload = B64.encode(r#"{"sub":"root"}"#);
    for alg in [r#""none""#, r#""None""#, r#""nOnE""#, r#""NONE""#, r#""""#, "null", "0", "[\"HS256\"]", "{}"]
    {
        let header = B64.encode(format!(r#"{{"alg":{alg}}}"#));
        for signature in ["", "AAAA"] {
            let error = parse_error(&format!("{header}.{payload}.{signature}"));
            assert!(matches!(error, JoseError::UnsupportedAlg | JoseError::Header), "{alg}: {error:?}");
        }
    }
    assert_eq!(parse_error(&format!("{}.{payload}.", B64.encode("{}"))), JoseError::Header);
    // An empty signature under a real algorithm is no signature.
    for &alg in Alg::ALL {
        let key = any_key(alg).verifying_key().expect("public");
        let token = format!("{}.{payload}.", B64.encode(format!(r#"{{"alg":"{alg}"}}"#)));
        assert_eq!(verify(&token, &key).map(|_| ()), Err(JoseError::Signature));
    }
}

#[test]
fn attack_a003_kid_injection() {
    let key = hs256();
    let long = "k".repeat(MAX_KID + 1);
    let huge = "k".repeat(64 * 1024);
    for (kid, refused) in [
        ("../../dev/null", false),
        ("' UNION SELECT 'x", false),
        ("a\0b", true),
        ("a\nb", true),
        (long.as_str(), true),
        (huge.as_str(), true),
    ] {
        let token = key.clone().with_kid(kid).sign(None, &json!({})).expect("signs");
        match Unverified::parse(&token) {
            Err(error) => {
                assert!(refused, "{kid}");
                assert!(matches!(error, JoseError::Header | JoseError::TooLong));
            }
            // It is a string like others, and finds nothing.
            Ok(unverified) => {
                assert!(!refused);
                assert_eq!(unverified.header().kid.as_deref(), Some(kid));
                assert_eq!(JwkSet::default().select(Some(kid), Alg::Hs256), None);
            }
        }
    }
    for kid in ["1", "null", "[]", "{}"] {
        let token = forge(&key, &format!(r#"{{"alg":"HS256","kid":{kid}}}"#), "{}");
        assert_eq!(parse_error(&token), JoseError::Header);
    }
}

#[test]
fn attack_a004_psychic_signatures() {
    let order = [
        (Alg::Es256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        (
            Alg::Es384,
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        ),
        (
            Alg::Es512,
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        ),
    ];
    for (alg, n) in order {
        let key = any_key(alg).verifying_key().expect("public");
        let n: Vec<u8> =
            (0..n.len()).step_by(2).map(|i| u8::from_str_radix(&n[i..i + 2], 16).expect("hex")).collect();
        let zero = vec![0; n.len()];
        let mut one = zero.clone();
        *one.last_mut().expect("not empty") = 1;
        let der_zero = vec![0x30, 6, 2, 1, 0, 2, 1, 0];
        let mut bad = vec![der_zero, vec![0; n.len() * 2 + 1], vec![0; n.len()], vec![]];
        for r in [&zero, &n, &one] {
            for s in [&zero, &n, &one] {
                bad.push([r.as_slice(), s].concat());
            }
        }
        for signature in bad {
            let header = B64.encode(format!(r#"{{"alg":"{alg}"}}"#));
            let token = format!("{header}.{}.{}", B64.encode("{}"), B64.encode(signature));
            assert_eq!(verify(&token, &key).map(|_| ()), Err(JoseError::Signature));
        }
    }
}

#[test]
fn attack_a008_json_serialisation() {
    let key = hs256();
    let token = key.sign(None, &json!({"sub": "ada"})).expect("signs");
    let parts: Vec<&str> = token.split('.').collect();
    let general = json!({"payload": parts[1], "signatures": [
        {"protected": parts[0], "signature": parts[2]},
        {"protected": "e30", "signature": "AA"},
    ]});
    let flat = json!({"payload": parts[1], "protected": parts[0], "signature": parts[2]});
    for value in [general, flat] {
        assert_eq!(parse_error(&value.to_string()), JoseError::NotCompact);
    }
}

#[test]
fn attack_a009_jwe_where_a_jws_is_expected() {
    let header = B64.encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    assert_eq!(parse_error(&format!("{header}.AA.AA.AA.AA")), JoseError::NotCompact);
    // Three parts do not make it a JWS.
    assert_eq!(parse_error(&format!("{header}.AA.AA")), JoseError::UnsupportedAlg);
    assert_eq!(
        parse_error(&format!("{}.AA.AA", B64.encode(r#"{"alg":"HS256","zip":"DEF"}"#))),
        JoseError::Extension
    );
}

#[test]
fn attack_a010_empty_or_short_secret() {
    for secret in ["", "null", "undefined", "secret", "0123456789abcdef0123456789abcde"] {
        assert_eq!(SigningKey::hs256(secret.as_bytes()).map(|_| ()), Err(JoseError::Key));
        assert_eq!(VerifyingKey::hs256(secret.as_bytes()).map(|_| ()), Err(JoseError::Key));
    }
}

#[test]
fn attack_a011_crit_b64_zip() {
    let key = hs256();
    for header in [
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":null}"#,
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","b64":false}"#,
        r#"{"alg":"HS256","b64":true}"#,
        r#"{"alg":"HS256","zip":"DEF"}"#,
        r#"{"alg":"HS256","\u0063rit":["exp"]}"#,
    ] {
        assert_eq!(parse_error(&forge(&key, header, "{}")), JoseError::Extension, "{header}");
    }
    for header in [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","x":1,"x":2}"#,
        r#"{"alg":"HS256","\u0061lg":"HS256"}"#,
        r#"["HS256"]"#,
        r#""HS256""#,
        r#"{"alg":"HS256"} {}"#,
        r#"{"alg":"HS256",}"#,
        "",
    ] {
        assert_eq!(parse_error(&forge(&key, header, "{}")), JoseError::Header, "{header}");
    }
}

#[test]
fn attack_a015_many_dots() {
    for token in [".".repeat(1 << 20), "a.".repeat(1 << 19), ".".repeat(MAX_TOKEN), String::new()] {
        let error = quick(|| parse_error(&token));
        assert!(matches!(error, JoseError::TooLong | JoseError::NotCompact));
    }
}

#[test]
fn attack_a153_a_million_segments() {
    let token = "e30.".repeat(1_000_000);
    let result = quick(|| Unverified::parse_capped(&token, usize::MAX).map(|_| ()));
    assert_eq!(result, Err(JoseError::NotCompact));
    // A header of many members is refused before the end is read.
    let members: Vec<String> = (0..300).map(|i| format!(r#""{i}":0"#)).collect();
    let token = forge(&hs256(), &format!(r#"{{"alg":"HS256",{}}}"#, members.join(",")), "{}");
    assert_eq!(parse_error(&token), JoseError::Header);
}

#[test]
fn attack_a016_times_that_are_no_times() {
    let now = 1_800_000_000 * 1_000_000;
    let rules = TimeRules { max_ahead_us: Some(3600 * 1_000_000), ..TimeRules::STRICT };
    let check = |claims: &str| -> Result<Result<(), TimeError>, JoseError> {
        let key = hs256();
        let verified = verify(&forge(&key, r#"{"alg":"HS256"}"#, claims), &key.verifying_key()?)?;
        Ok(verified.claims::<Times>()?.check(now, &rules))
    };
    for malformed in [
        r#"{"exp":"1800000060"}"#,
        r#"{"exp":1e400}"#,
        r#"{"exp":-1}"#,
        r#"{"exp":-1.5}"#,
        r#"{"exp":true}"#,
        r#"{"exp":[1800000060]}"#,
        r#"{"exp":{"$gt":0}}"#,
        r#"{"exp":18446744073709551615}"#,
        r#"{"exp":9223372036854775807}"#,
        r#"{"exp":1e300}"#,
        r#"{"exp":NaN}"#,
        r#"{"exp":1800000060,"exp":1900000000}"#,
        r#"{"exp":1800000060,"nbf":"0"}"#,
        r#"{"exp":1800000060,"iat":"0"}"#,
    ] {
        assert_eq!(check(malformed), Err(JoseError::Claims), "{malformed}");
    }
    for (claims, expect) in [
        (r#"{"exp":1800000060}"#, Ok(())),
        (r#"{"exp":1800000060.5}"#, Ok(())),
        (r#"{"exp":1.80000006e9}"#, Ok(())),
        (r#"{"exp":1799999995}"#, Ok(())),
        (r#"{"exp":1799999990}"#, Err(TimeError::Expired)),
        (r#"{"exp":0}"#, Err(TimeError::Expired)),
        (r#"{}"#, Err(TimeError::Missing)),
        (r#"{"exp":null}"#, Err(TimeError::Missing)),
        (r#"{"exp":1800003600}"#, Ok(())),
        (r#"{"exp":1800003700}"#, Err(TimeError::TooLong)),
        (r#"{"exp":1800000060,"nbf":1800000010}"#, Ok(())),
        (r#"{"exp":1800000060,"nbf":1800000011}"#, Err(TimeError::NotYet)),
        (r#"{"exp":1800000060,"iat":1800000011}"#, Err(TimeError::FromTheFuture)),
        (r#"{"exp":1800000060,"iat":0}"#, Ok(())),
    ] {
        assert_eq!(check(claims), Ok(expect), "{claims}");
    }
    let aged = TimeRules { max_age_us: Some(60_000_000), exp_required: false, ..TimeRules::STRICT };
    let times = |iat: i64| Times { iat: Some(NumericDate::from_micros(iat)), ..Times::default() };
    assert_eq!(times(now - 60_000_000).check(now, &aged), Ok(()));
    assert_eq!(times(now - 71_000_000).check(now, &aged), Err(TimeError::TooOld));
    assert_eq!(Times::default().check(now, &aged), Err(TimeError::Missing));
}

#[test]
fn keys_in_headers_are_not_followed() {
    let attacker = SigningKey::generate(Alg::Es256).expect("key");
    let ours = SigningKey::generate(Alg::Es256).expect("key");
    let jwk = serde_json::to_string(&attacker.public_jwk()).expect("json");
    let header = format!(
        r#"{{"alg":"ES256","jku":"https://evil.test/","x5u":"https://evil.test/","x5c":["AA"],"jwk":{jwk}}}"#
    );
    let token = forge(&attacker, &header, "{}");
    let unverified = Unverified::parse(&token).expect("parses");
    assert_eq!(unverified.verify(&ours.verifying_key().expect("key")).map(|_| ()), Err(JoseError::Signature));
    // Only the DPoP reader sees it, and never with a private part (RFC 9449 4.3).
    assert_eq!(unverified.dpop_jwk().expect("public").thumbprint(), attacker.thumbprint().expect("public"));
    let private = jwk.replacen('{', r#"{"d":"AA","#, 1);
    let token = forge(&attacker, &format!(r#"{{"alg":"ES256","jwk":{private}}}"#), "{}");
    assert_eq!(Unverified::parse(&token).expect("parses").dpop_jwk(), Err(JoseError::Key));
    let token = forge(&hs256(), r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AA"}}"#, "{}");
    assert_eq!(Unverified::parse(&token).expect("parses").dpop_jwk(), Err(JoseError::Key));
}

#[test]
fn a_token_has_one_spelling() {
    let key = hs256();
    let token = key.sign(None, &json!({"sub": "ada"})).expect("signs");
    let public = key.verifying_key().expect("key");
    let last = token.pop_last();
    for changed in [format!("{token}="), format!("{token} "), format!("{token}\n"), format!(" {token}"), last]
    {
        assert!(verify(&changed, &public).is_err(), "{changed}");
    }
}

trait PopLast {
    fn pop_last(&self) -> String;
}

impl PopLast for String {
    /// The same token with a bit set that base64url does not use: 32 bytes leave two of them.
    fn pop_last(&self) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut bytes = self.clone().into_bytes();
        let last = bytes.last_mut().expect("not empty");
        let value = ALPHABET.iter().position(|b| b == last).expect("base64url");
        *last = ALPHABET[value | 1];
        String::from_utf8(bytes).expect("ascii")
    }
}
