//! HTTP Basic credentials (RFC 7617), and the form-encoded ones of OAuth clients in them (RFC 6749 2.3.1).

use crate::rfc6750::{AuthorizationError, after_scheme};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::fmt;
use zeroize::Zeroizing;

/// The longest encoded credentials: room for a client id and a password of the longest kind.
pub const MAX_BASIC: usize = 4 * 1024;

/// A user id and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Basic {
    /// What stands before the first colon.
    pub user: String,
    /// All that follows it.
    pub password: Zeroizing<String>,
}

impl Basic {
    /// Reads `Authorization: Basic <token68>`.
    pub fn parse(value: &[u8]) -> Result<Self, AuthorizationError> {
        let text = after_scheme(value, "Basic")?;
        if text.len() > MAX_BASIC {
            return Err(AuthorizationError::TooLong);
        }
        let malformed = AuthorizationError::Malformed;
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(text).map_err(|_| malformed)?);
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed)?;
        // RFC 7617 2: "The user-id and password MUST NOT contain any control characters", and "a user-id containing a
        // colon character is invalid, as the first colon in a user-pass string separates user-id and password".
        if text.chars().any(char::is_control) {
            return Err(malformed);
        }
        let (user, password) = text.split_once(':').ok_or(malformed)?;
        Ok(Self { user: user.to_owned(), password: Zeroizing::new(password.to_owned()) })
    }

    /// RFC 6749 2.3.1: "The client identifier is encoded using the 'application/x-www-form-urlencoded' encoding algorithm
    /// ... and the encoded value is used as the username; the client password is encoded using the same algorithm".
    pub fn form_decoded(&self) -> Result<Self, AuthorizationError> {
        let decode = |text: &str| form_decode(text).ok_or(AuthorizationError::Malformed);
        Ok(Self { user: decode(&self.user)?, password: Zeroizing::new(decode(&self.password)?) })
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Reads a name or value of `application/x-www-form-urlencoded`: plus signs are spaces, `%41` is A; a bare percent sign, invalid UTF-8 and control characters are refused.
pub fn form_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        bytes.push(match b {
            b'+' => b' ',
            b'%' => {
                let digit = |b: u8| char::from(b).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::AuthorizationError::{Malformed, OtherScheme, TooLong};
    use super::*;
    use proptest::prelude::*;

    fn encoded(text: &[u8]) -> Vec<u8> {
        format!("Basic {}", BASE64_STANDARD.encode(text)).into_bytes()
    }

    fn parts(value: &[u8]) -> (String, String) {
        let basic = Basic::parse(value).expect("parses");
        (basic.user, basic.password.to_string())
    }

    #[test]
    fn rfc7617_examples() {
        assert_eq!(parts(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), ("Aladdin".into(), "open sesame".into()));
        assert_eq!(parts("basic dGVzdDoxMjPCow==".as_bytes()), ("test".into(), "123£".into()));
        assert_eq!(parts(&encoded(b"a:b:c")), ("a".into(), "b:c".into()));
        assert_eq!(parts(&encoded(b":")), (String::new(), String::new()));
        assert!(!format!("{:?}", Basic::parse(&encoded(b"a:secret"))).contains("secret"));
    }

    #[test]
    fn rfc6749_2_3_1_form_encoding() {
        let basic = Basic::parse(&encoded(b"my+client%3A1:p%25+%C3%A9"))
            .expect("parses")
            .form_decoded()
            .expect("decodes");
        assert_eq!((basic.user.as_str(), basic.password.as_str()), ("my client:1", "p% é"));
        for bad in ["a:%", "a:%4", "a:%zz", "a:%ff", "%00:a", "a:%0a", "a:%+1"] {
            assert_eq!(
                Basic::parse(&encoded(bad.as_bytes())).expect("parses").form_decoded(),
                Err(Malformed),
                "{bad}"
            );
        }
    }

    #[test]
    fn attack_a156_malformed_headers() {
        for (value, error) in [
            (b"Basic".to_vec(), Malformed),
            (b"Basic ".to_vec(), Malformed),
            (b"Basic %".to_vec(), Malformed),
            (b"Basic QQ==".to_vec(), Malformed),
            (b"Basic YTpi=".to_vec(), Malformed),
            (b"Basic YTo".to_vec(), Malformed),
            (b"Basic YTp=".to_vec(), Malformed),
            (b"Basic YTpi YTpi".to_vec(), Malformed),
            (b"Basic \xff\xff".to_vec(), Malformed),
            (encoded(b"a\0:b"), Malformed),
            (encoded(b"a:b\n"), Malformed),
            (encoded(b"\xff:b"), Malformed),
            (b"Bearer YTpi".to_vec(), OtherScheme),
            (b"".to_vec(), OtherScheme),
            (encoded(&[b':'; 4000]), TooLong),
        ] {
            assert_eq!(
                Basic::parse(&value),
                Err(error),
                "{}",
                String::from_utf8_lossy(&value[..value.len().min(60)])
            );
        }
    }

    proptest! {
        #[test]
        fn never_panics(value in proptest::collection::vec(any::<u8>(), 0..60), text in any::<String>()) {
            let _ = Basic::parse(&value);
            let _ = Basic::parse(&[b"Basic ", value.as_slice()].concat());
            if let Ok(basic) = Basic::parse(&encoded(text.as_bytes())) {
                let _ = basic.form_decoded();
            }
        }

        #[test]
        fn round_trips(user in "[^:\\pC]{0,20}", password in "\\PC{0,20}") {
            let (u, p) = parts(&encoded(format!("{user}:{password}").as_bytes()));
            prop_assert_eq!((u, p), (user, password));
        }
    }
}
