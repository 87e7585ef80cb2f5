//! Nothing panics, what is signed is read back, and what is changed is refused.

use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;

static KEYS: LazyLock<Vec<(SigningKey, VerifyingKey)>> = LazyLock::new(|| {
    Alg::ALL
        .iter()
        .map(|&alg| {
            let key = any_key(alg);
            let public = key.verifying_key().expect("public");
            (key, public)
        })
        .collect()
});

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z0-9]{1,5}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_never_panics(text in any::<String>()) {
        let _ = Unverified::parse(&text);
        let _ = Jwk::from_json(&text);
        let _ = JwkSet::from_json(&text);
        let _ = serde_json::from_str::<Times>(&text);
        let _ = serde_json::from_str::<Audience>(&text);
    }

    #[test]
    fn token_shapes_never_panic(header in "[ -~]{0,60}", parts in proptest::collection::vec("[A-Za-z0-9_=-]{0,20}", 0..6)) {
        let token = format!("{}.{}", B64.encode(header), parts.join("."));
        if let Ok(unverified) = Unverified::parse(&token) {
            let _ = unverified.untrusted_claims::<Value>();
            let _ = unverified.dpop_jwk();
            for (_, public) in KEYS.iter() {
                prop_assert!(unverified.verify(public).is_err());
            }
        }
    }

    #[test]
    fn header_objects_never_panic(members in proptest::collection::vec(("alg|kid|typ|jwk|crit|[a-z]{1,4}", any_json()), 0..8)) {
        let body: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let _ = Unverified::parse(&format!("{}.e30.AA", B64.encode(format!("{{{}}}", body.join(",")))));
    }

    #[test]
    fn what_is_signed_is_read_back(which in 0..Alg::ALL.len(), kid in "\\PC{1,40}", typ in "[a-z+]{1,20}", claims in any_json()) {
        let (key, public) = &KEYS[which];
        let key = key.clone().with_kid(kid.clone());
        let token = key.signer(typ.as_str()).sign(&claims).expect("signs");
        let verified = verify(&token, public).expect("verifies");
        prop_assert_eq!(verified.header().kid.as_deref(), Some(kid.as_str()));
        prop_assert!(verified.typ_is(&typ));
        prop_assert_eq!(verified.payload(), serde_json::to_vec(&claims).expect("json"));
    }

    #[test]
    fn one_changed_character_is_refused(which in 0..Alg::ALL.len(), at in any::<prop::sample::Index>(), with in "[A-Za-z0-9_.-]") {
        let (key, public) = &KEYS[which];
        let token = key.sign(Some("JWT"), &json!({"sub": "ada", "admin": false})).expect("signs");
        let i = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(i..=i, &with);
        prop_assume!(changed != token);
        prop_assert!(verify(&changed, public).is_err());
    }

    #[test]
    fn dates_survive(seconds in 0i64..=253_402_300_799) {
        let date = NumericDate::from_micros(seconds * 1_000_000);
        let text = serde_json::to_string(&date).expect("json");
        prop_assert_eq!(&text, &seconds.to_string());
        prop_assert_eq!(serde_json::from_str::<NumericDate>(&text).expect("date"), date);
    }

    #[test]
    fn checking_times_never_overflows(exp in any::<i64>(), now in any::<i64>(), leeway in any::<i64>(), max in any::<i64>()) {
        let date = Some(NumericDate::from_micros(exp));
        let rules = TimeRules { leeway_us: leeway, skew_us: leeway, exp_required: true, max_age_us: Some(max), max_ahead_us: Some(max) };
        let _ = Times { exp: date, nbf: date, iat: date }.check(now, &rules);
    }
}
