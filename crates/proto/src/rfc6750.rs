//! The `Authorization` header with a token: Bearer (RFC 6750 2.1), and the same form under other schemes (DPoP).

/// The longest credentials that are looked at; a token of ours has its own, equal limit.
pub const MAX_CREDENTIALS: usize = 16 * 1024;

/// Why a header was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// Another scheme than the one asked for.
    #[error("another authentication scheme")]
    OtherScheme,
    /// The scheme, but not the form that it asks for.
    #[error("malformed credentials")]
    Malformed,
    /// Longer than the limit.
    #[error("credentials are too long")]
    TooLong,
}

/// The token of `Authorization: Bearer <token>`.
pub fn bearer(value: &[u8]) -> Result<&str, AuthorizationError> {
    token(value, "Bearer")
}

/// The token under a scheme, `DPoP` (RFC 9449 7.1) for one.
pub fn token<'a>(value: &'a [u8], scheme: &str) -> Result<&'a str, AuthorizationError> {
    let text = after_scheme(value, scheme)?;
    // RFC 6750 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
    let body = text.trim_end_matches('=');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    if body.is_empty() || !body.bytes().all(allowed) {
        return Err(AuthorizationError::Malformed);
    }
    Ok(text)
}

/// What follows the scheme and its spaces, as ASCII text.
pub(crate) fn after_scheme<'a>(value: &'a [u8], scheme: &str) -> Result<&'a str, AuthorizationError> {
    if value.len() > MAX_CREDENTIALS {
        return Err(AuthorizationError::TooLong);
    }
    // RFC 9110 11.4: credentials = auth-scheme [ 1*SP ( token68 / ... ) ]; the scheme is case-insensitive.
    let (found, rest) = value.split_at_checked(scheme.len()).ok_or(AuthorizationError::OtherScheme)?;
    if !found.eq_ignore_ascii_case(scheme.as_bytes()) {
        return Err(AuthorizationError::OtherScheme);
    }
    let text = match rest {
        [] => return Err(AuthorizationError::Malformed),
        [b' ', text @ ..] => text,
        [b, ..] if b.is_ascii_alphanumeric() || *b == b'-' => return Err(AuthorizationError::OtherScheme),
        _ => return Err(AuthorizationError::Malformed),
    };
    let text = std::str::from_utf8(text).map_err(|_| AuthorizationError::Malformed)?;
    let text = text.trim_start_matches(' ');
    if text.is_empty() || !text.is_ascii() { Err(AuthorizationError::Malformed) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::AuthorizationError::{Malformed, OtherScheme, TooLong};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc6750_example() {
        assert_eq!(bearer(b"Bearer mF_9.B5f-4.1JqM"), Ok("mF_9.B5f-4.1JqM"));
        assert_eq!(bearer(b"bearer   abc=="), Ok("abc=="));
        assert_eq!(token(b"DPoP Kz~8mXK1", "DPoP"), Ok("Kz~8mXK1"));
    }

    #[test]
    fn attack_a156_malformed_headers() {
        for (value, error) in [
            (&b"Bearer"[..], Malformed),
            (b"Bearer ", Malformed),
            (b"Bearer  ", Malformed),
            (b"Bearer%", Malformed),
            (b"Bearer\tabc", Malformed),
            (b"Bearer a b", Malformed),
            (b"Bearer a,b", Malformed),
            (b"Bearer abc ", Malformed),
            (b"Bearer =", Malformed),
            (b"Bearer a=b", Malformed),
            (b"Bearer \xff", Malformed),
            (b"Bearer \xc3\xa9", Malformed),
            (b"Bearer a\0b", Malformed),
            (b"Bearer\xff abc", Malformed),
            (b"Bearers abc", OtherScheme),
            (b"Bearer-x abc", OtherScheme),
            (b"Basic", OtherScheme),
            (b"Basic abc", OtherScheme),
            (b"", OtherScheme),
            (b"\xff\xff\xff\xff\xff\xff\xff", OtherScheme),
            (b" Bearer abc", OtherScheme),
        ] {
            assert_eq!(bearer(value), Err(error), "{value:?}");
        }
        let long = [b"Bearer ", vec![b'a'; MAX_CREDENTIALS].as_slice()].concat();
        assert_eq!(bearer(&long), Err(TooLong));
    }

    proptest! {
        #[test]
        fn never_panics(value in proptest::collection::vec(any::<u8>(), 0..60), scheme in "[A-Za-z-]{0,8}") {
            let _ = bearer(&value);
            let _ = token(&value, &scheme);
            let _ = bearer(&[b"Bearer ", value.as_slice()].concat());
        }

        #[test]
        fn round_trips(text in "[A-Za-z0-9._~+/-]{1,60}={0,2}") {
            let value = format!("Bearer {text}");
            prop_assert_eq!(bearer(value.as_bytes()), Ok(text.as_str()));
        }
    }
}
