//! The Authorization header: Bearer, DPoP and Basic, and OAuth's form encoding inside Basic.

use crate::text;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use latchstring_proto::rfc6750::{AuthorizationError, MAX_CREDENTIALS, bearer, token};
use latchstring_proto::rfc7617::{Basic, MAX_BASIC};

/// The input is a header's value, and what a Basic header encodes.
pub fn check(data: &[u8]) {
    let schemes = [bearer(data).is_ok(), token(data, "DPoP").is_ok(), Basic::parse(data).is_ok()];
    assert!(schemes.iter().filter(|fits| **fits).count() <= 1, "a header of two schemes");
    for scheme in ["Bearer", "DPoP"] {
        let Ok(found) = token(data, scheme) else { continue };
        assert!(data.len() <= MAX_CREDENTIALS && data.ends_with(found.as_bytes()));
        assert!(found.bytes().all(|b| b.is_ascii_graphic() && !b"\",;'<>()\\".contains(&b)));
        for spelled in [scheme.to_ascii_lowercase(), scheme.to_ascii_uppercase()] {
            assert_eq!(token(format!("{spelled} {found}").as_bytes(), scheme), Ok(found));
        }
    }
    if let Ok(found) = Basic::parse(data) {
        basic(&found);
    }
    let encoded = format!("Basic {}", BASE64_STANDARD.encode(data));
    match Basic::parse(encoded.as_bytes()) {
        Ok(found) => {
            assert_eq!(format!("{}:{}", found.user, *found.password).as_bytes(), data);
            basic(&found);
        }
        Err(AuthorizationError::TooLong) => assert!(encoded.len() - 6 > MAX_BASIC),
        Err(error) => {
            assert_eq!(error, AuthorizationError::Malformed);
            let fine = |text: &str| text.contains(':') && !text.contains(char::is_control);
            assert!(!text(data).is_some_and(fine), "credentials were refused");
        }
    }
}

fn basic(found: &Basic) {
    assert!(!found.user.contains(':'));
    assert!(!found.user.contains(char::is_control) && !found.password.contains(char::is_control));
    assert!(!format!("{found:?}").contains("password"), "its Debug is for logs");
    if let Ok(decoded) = found.form_decoded() {
        for (encoded, plain) in [(&found.user, &decoded.user), (&*found.password, &*decoded.password)] {
            assert!(!plain.contains(char::is_control));
            // Another reader of forms agrees, where it sees one value.
            if !encoded.contains(['&', '=']) {
                let form = format!("x={encoded}");
                let theirs: Vec<(String, String)> = serde_urlencoded::from_str(&form).expect("a form");
                assert_eq!(&theirs[0].1, plain);
            }
        }
    }
    let form = |text: &str| serde_urlencoded::to_string([("", text)]).expect("a form")[1..].to_owned();
    let encoded = Basic { user: form(&found.user), password: form(&found.password).into() };
    assert!(encoded.form_decoded() == Ok(found.clone()), "encoded and decoded it is another");
}
