//! `smtps://user:password@host:465`: the mail server, in one line.

use latchstring_core::mail::smtp::Security;
use std::{fmt, net::IpAddr};
use zeroize::Zeroizing;

/// A parsed mail server.
#[derive(Clone)]
pub(crate) struct SmtpUrl {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) credentials: Option<(String, Zeroizing<String>)>,
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Without user and password.
impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.security {
            Security::Tls => "smtps",
            Security::StartTls => "smtp",
            Security::Plain => "smtp+plain",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

const FORMS: &str = "write smtps://user:password@host:465 (TLS), smtp://user:password@host:587 (STARTTLS, required), \
                     or smtp+plain://127.0.0.1:25 for a server on this machine";

impl SmtpUrl {
    /// Reads one. The message never quotes the text, which may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| FORMS.to_owned())?;
        let (security, usual) = match scheme {
            "smtps" => (Security::Tls, Some(465)),
            "smtp" => (Security::StartTls, Some(587)),
            "smtp+plain" => (Security::Plain, Some(25)),
            _ => return Err(FORMS.to_owned()),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, authority) = match rest.rsplit_once('@') {
            Some((user_info, authority)) => (Some(user_info), authority),
            None => (None, rest),
        };
        let credentials = credentials.map(credentials_of).transpose()?;
        let (host, port) = host_and_port(authority)?;
        let port = port.or(usual).ok_or_else(|| FORMS.to_owned())?;
        if security == Security::Plain && !is_loopback(&host) {
            return Err(format!(
                "smtp+plain:// sends codes and links in clear, so it is for a mail server on this machine only. \
                 For {host}, use smtps:// or smtp://"
            ));
        }
        Ok(Self { host, port, security, credentials })
    }
}

fn credentials_of(user_info: &str) -> Result<(String, Zeroizing<String>), String> {
    let bad = || {
        "user and password must be percent-encoded UTF-8: write %40 for @, %3A for :, %25 for %".to_owned()
    };
    let (user, password) =
        user_info.split_once(':').ok_or("the user has no password: write user:password@host".to_owned())?;
    let user = decode(user).ok_or_else(bad)?;
    let password = decode(password).ok_or_else(bad)?;
    if user.is_empty() || password.is_empty() {
        return Err("user or password is empty: leave both away if the server asks for none".into());
    }
    Ok((user, Zeroizing::new(password)))
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), String> {
    let number = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|p| *p != 0)
            .ok_or_else(|| "the port is no number up to 65535".to_owned())
    };
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or_else(|| FORMS.to_owned())?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| FORMS.to_owned())?;
            let port = match after {
                "" => None,
                after => Some(number(after.strip_prefix(':').ok_or_else(|| FORMS.to_owned())?)?),
            };
            (host, port)
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(number(port)?)),
            None => (authority, None),
        },
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'_');
    if host.is_empty() || !host.bytes().all(plain) {
        return Err(format!("the host is missing or holds what no host name does: {FORMS}"));
    }
    Ok((host.to_ascii_lowercase(), port))
}

/// Whether a host is this machine, by its name or address alone: nobody's answer is trusted for that.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b == b'%' {
            let high = (bytes.next()? as char).to_digit(16)?;
            let low = (bytes.next()? as char).to_digit(16)?;
            out.push((high * 16 + low) as u8);
        } else {
            out.push(b);
        }
    }
    String::from_utf8(out).ok().filter(|text| !text.chars().any(char::is_control))
}
