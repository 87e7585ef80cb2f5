//! Times and audiences of tokens.

use crate::text;
use latchstring_proto::jose::{Audience, NumericDate, TimeError, TimeRules, Times};

const LATEST: i64 = 253_402_300_799_000_000;

/// The input is a JSON value; its length is the clock.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Ok(date) = serde_json::from_str::<NumericDate>(text) {
        assert!((0..=LATEST).contains(&date.micros()), "{date:?}");
        let written = serde_json::to_string(&date).expect("a number");
        let again: NumericDate = serde_json::from_str(&written).expect("our own text");
        assert_eq!(again.micros(), date.micros() / 1_000_000 * 1_000_000, "whole seconds, rounded down");
    }
    if let Ok(times) = serde_json::from_str::<Times>(text) {
        let written = serde_json::to_string(&times).expect("JSON");
        let again: Times = serde_json::from_str(&written).expect("our own text");
        assert_eq!(serde_json::to_string(&again).expect("JSON"), written);
        let exp = times.exp.map(NumericDate::micros);
        let nows = [0, 1_700_000_000_000_000, i64::MAX, i64::MIN, exp.unwrap_or_default()];
        for now in nows {
            let rules = TimeRules { leeway_us: 0, ..TimeRules::STRICT };
            let result = times.check(now, &rules);
            match exp {
                None => assert_eq!(result, Err(TimeError::Missing)),
                Some(exp) if exp <= now => assert_eq!(result, Err(TimeError::Expired)),
                Some(_) => assert!(result != Err(TimeError::Expired)),
            }
            if result.is_ok() {
                let begun = |time: Option<NumericDate>| time.is_none_or(|time| time.micros() <= now);
                assert!(begun(times.nbf) && begun(times.iat));
                assert_eq!(times.check(now, &TimeRules::STRICT), Ok(()), "leeway only lets more through");
            }
            let narrow = TimeRules { max_age_us: Some(60), max_ahead_us: Some(60), ..rules };
            assert!(
                times.check(now, &narrow).is_err() || result.is_ok(),
                "a further rule let something through"
            );
        }
    }
    if let Ok(audience) = serde_json::from_str::<Audience>(text) {
        let written = serde_json::to_string(&audience).expect("JSON");
        assert_eq!(serde_json::from_str::<Audience>(&written).expect("our own text"), audience);
        for aud in audience.as_slice() {
            assert!(audience.contains(aud));
            assert_eq!(audience.is_only(aud), audience.as_slice().len() == 1);
        }
    }
}
