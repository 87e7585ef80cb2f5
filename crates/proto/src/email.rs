//! E-mail addresses: what is accepted, what is kept, and what is compared.
//!
//! Three forms of one address. `typed` is what somebody wrote and is shown back. `normal` is what uniqueness and look-up
//! use. `mailbox` is what a mail is sent to: the local part as typed, the domain as DNS knows it. The rule of identity,
//! in full: the domain by UTS 46, the local part by NFC and lower case. Dots and plus signs count (`a.b@` is not `ab@`),
//! and nothing is folded by looks.
//!
//! This is stricter than RFC 5321: every form refused here has made some mail library deliver to somebody else.

use crate::text::{imitates_ascii, is_ignorable, is_word};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;

/// RFC 5321 4.5.3.1.3 gives a path 256 octets, two of which are its brackets (erratum 1690 of RFC 3696 counts so).
pub const MAX_ADDRESS: usize = 254;
/// RFC 5321 4.5.3.1.1: "The maximum total length of a user name or other local-part is 64 octets".
pub const MAX_LOCAL: usize = 64;

/// Why an address was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// The address or its local part is too long.
    #[error("the address is too long")]
    TooLong,
    /// Not one local part, one `@` and one domain.
    #[error("the address needs exactly one @")]
    Shape,
    /// A character that the local part may not hold, or dots where they may not stand.
    #[error("the part before the @ is not allowed")]
    Local,
    /// Not a public domain name.
    #[error("the part after the @ is not a domain name")]
    Domain,
    /// Invisible, or an imitation of another character.
    #[error("the address contains a misleading character")]
    Misleading,
}

/// An address that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    typed: String,
    normal: String,
    mailbox: String,
}

impl Email {
    /// Checks and normalises. Nothing is trimmed: white space is the caller's to remove, if it wants to.
    pub fn parse(typed: &str) -> Result<Self, EmailError> {
        if typed.len() > MAX_ADDRESS {
            return Err(EmailError::TooLong);
        }
        if typed.chars().any(|c| c.is_control() || is_ignorable(c) || imitates_ascii(c)) {
            return Err(EmailError::Misleading);
        }
        let (local, domain) = typed.split_once('@').ok_or(EmailError::Shape)?;
        if local.is_empty() || domain.is_empty() || domain.contains('@') {
            return Err(EmailError::Shape);
        }
        let local = check_local(local)?;
        let domain = check_domain(domain)?;
        let folded = fold(&local);
        // A few letters are longer in lower case.
        if folded.len() > MAX_LOCAL {
            return Err(EmailError::TooLong);
        }
        let normal = format!("{folded}@{domain}");
        let mailbox = format!("{local}@{domain}");
        if normal.len() > MAX_ADDRESS || mailbox.len() > MAX_ADDRESS {
            return Err(EmailError::TooLong);
        }
        Ok(Self { typed: typed.to_owned(), normal, mailbox })
    }

    /// As it was written; for showing it back, never for sending or comparing.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// The form that is unique and looked up by.
    pub fn normal(&self) -> &str {
        &self.normal
    }

    /// The form that a mail is sent to.
    pub fn mailbox(&self) -> &str {
        &self.mailbox
    }

    /// The domain in ASCII and lower case.
    pub fn domain(&self) -> &str {
        self.normal.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

/// The local part in NFC, case kept.
fn check_local(local: &str) -> Result<String, EmailError> {
    let nfc: String = local.nfc().collect();
    if nfc.len() > MAX_LOCAL {
        return Err(EmailError::TooLong);
    }
    // A compatibility form is another spelling that some later step may fold.
    if !nfc.chars().eq(local.nfkc()) {
        return Err(EmailError::Misleading);
    }
    // RFC 5322 3.2.3: atext, and dots between; outside ASCII (RFC 6531 3.3) words alone. This leaves out quoted strings,
    // comments, lists, routes and brackets without naming them.
    let allowed = |c: char| {
        if c.is_ascii() {
            c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&(c as u8))
        } else {
            is_word(c)
        }
    };
    let dots = nfc.starts_with('.') || nfc.ends_with('.') || nfc.contains("..");
    // RFC 2047 2: an encoded word can be all atext, and some mail libraries decode it in an address.
    let encoded_word = nfc.contains("=?") || nfc.contains("?=");
    let lone_mark = nfc.chars().next().is_some_and(unicode_normalization::char::is_combining_mark);
    if dots || encoded_word || lone_mark || !nfc.chars().all(allowed) {
        return Err(EmailError::Local);
    }
    Ok(nfc)
}

/// Lower case by character, so that a word's end doesn't matter: both small sigmas are one.
fn fold(nfc: &str) -> String {
    nfc.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).nfc().collect()
}

/// The beginning of a normal form, from what somebody typed of it: for searching. Nothing is refused; what is no domain
/// yet stays as it is, since the ASCII form of a beginning is not the beginning of the ASCII form.
pub fn fold_prefix(typed: &str) -> String {
    let nfc = |text: &str| fold(&text.nfc().collect::<String>());
    match typed.split_once('@') {
        None => nfc(typed),
        Some((local, domain)) => {
            let ascii = Uts46::new().to_ascii(
                domain.as_bytes(),
                AsciiDenyList::EMPTY,
                Hyphens::Allow,
                DnsLength::Ignore,
            );
            format!("{}@{}", nfc(local), ascii.map_or_else(|_| nfc(domain), |d| d.into_owned()))
        }
    }
}

fn check_domain(domain: &str) -> Result<String, EmailError> {
    // UTS 46, non-transitional, with STD3 rules: letters, digits and hyphens, each label checked, lengths of DNS.
    let ascii = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| EmailError::Domain)?;
    let (_, top) = ascii.rsplit_once('.').ok_or(EmailError::Domain)?;
    // RFC 3696 2: top-level domain names must "not be all-numeric"; so no IP address passes either.
    if top.bytes().all(|b| b.is_ascii_digit()) {
        return Err(EmailError::Domain);
    }
    Ok(ascii.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::quick;
    use proptest::prelude::*;

    fn normal(typed: &str) -> String {
        Email::parse(typed).unwrap_or_else(|e| panic!("{typed}: {e}")).normal
    }

    fn refused(typed: &str) -> EmailError {
        match Email::parse(typed) {
            Ok(email) => panic!("{typed:?} became {:?}", email.normal()),
            Err(error) => error,
        }
    }

    #[test]
    fn forms() {
        let email = Email::parse("Ada.Lovelace+x@Bücher.Example").expect("parses");
        assert_eq!(email.typed(), "Ada.Lovelace+x@Bücher.Example");
        assert_eq!(email.normal(), "ada.lovelace+x@xn--bcher-kva.example");
        assert_eq!(email.mailbox(), "Ada.Lovelace+x@xn--bcher-kva.example");
        assert_eq!(email.domain(), "xn--bcher-kva.example");
        assert_eq!(normal("o'brien@x.ie"), "o'brien@x.ie");
        assert_eq!(normal("a@b.c.d.example"), "a@b.c.d.example");
        assert_eq!(normal("用户@例子.广告"), "用户@xn--fsqu00a.xn--4rr70v");
    }

    #[test]
    fn attack_a103_several_recipients() {
        for bad in [
            "victim@corp.test,attacker@evil.test",
            "victim@corp.test;attacker@evil.test",
            "victim@corp.test attacker@evil.test",
            "victim@corp.test\nBcc: attacker@evil.test",
            "victim@corp.test\r\nBcc:attacker@evil.test",
            "victim@corp.test%0aBcc:attacker@evil.test",
            "[\"victim@corp.test\",\"attacker@evil.test\"]",
            "{\"email\":\"victim@corp.test\"}",
        ] {
            refused(bad);
        }
    }

    #[test]
    fn attack_a104_forms_that_mail_libraries_read_otherwise() {
        for bad in [
            "\"a@evil.test x\"@good.test",
            "\"quoted\"@good.test",
            "a(comment)@good.test",
            "a@good.test(comment)",
            "<a@good.test>",
            "Ada <a@good.test>",
            "@evil.test:a@good.test",
            "a@b@good.test",
            "a\\@evil.test@good.test",
            "=?utf-8?q?a=40evil.test?=@good.test",
            "=?x?=@good.test",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "a@127.0.0.1",
            "a@localhost",
            "a@",
            "@good.test",
            "@",
            "",
            "a",
            " a@good.test",
            "a@good.test ",
            "a@good.test.",
            "a@.good.test",
            "a@good..test",
            "a@-good.test",
            "a@good-.test",
            "a@go_od.test",
            "a@good.test/x",
            ".a@good.test",
            "a.@good.test",
            "a..b@good.test",
            "a:b@good.test",
            "a@xn--a.test",
        ] {
            refused(bad);
        }
        assert_eq!(refused(&format!("{}@good.test", "a".repeat(65))), EmailError::TooLong);
        normal(&format!("{}@good.test", "a".repeat(64)));
        // In lower case it is a byte longer, and its normal form would be no address.
        assert_eq!(refused(&format!("{}İ@good.test", "a".repeat(62))), EmailError::TooLong);
        assert_eq!(refused(&format!("a@{}.test", "b".repeat(250))), EmailError::TooLong);
        assert_eq!(refused(&format!("a@{}.test", "b".repeat(64))), EmailError::Domain);
    }

    #[test]
    fn attack_a105_no_folding_onto_ascii() {
        let victims =
            ["admin@corp.test", "kate@corp.test", "strasse@corp.test", "fish@corp.test"].map(normal);
        for attempt in [
            "admın@corp.test",
            "ADMİN@corp.test",
            "\u{212a}ate@corp.test",
            "straße@corp.test",
            "straẞe@corp.test",
            "ﬁsh@corp.test",
            "ｋate@corp.test",
            "kate@ｃorp.test",
            "kate＠corp.test",
            "admin@corp\u{ff0e}test",
            "аdmin@corp.test",
            "kate@cor\u{2119}.test",
            "ſtrasse@corp.test",
        ] {
            if let Ok(email) = Email::parse(attempt) {
                assert!(!victims.contains(&email.normal), "{attempt} is a victim's");
            }
        }
        assert_eq!(refused("\u{212a}ate@corp.test"), EmailError::Misleading);
    }

    #[test]
    fn attack_a114_one_identity_by_the_rule() {
        assert_eq!(normal("Victim@X.test"), normal("victim@x.TEST"));
        assert_eq!(normal("jos\u{e9}@x.test"), normal("JOSE\u{301}@x.test"));
        assert_eq!(normal("νίκος@x.test"), normal("ΝΊΚΟΣ@x.test"));
        assert_ne!(normal("strasse@x.test"), normal("straße@x.test"));
        assert_eq!(normal("a@straße.test"), "a@xn--strae-oqa.test");
    }

    #[test]
    fn attack_a116_invisible_characters() {
        for c in [
            '\0',
            '\t',
            '\u{7f}',
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2060}',
            '\u{feff}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{e0041}',
        ] {
            for bad in [
                format!("a{c}b@x.test"),
                format!("a@x{c}.test"),
                format!("{c}a@x.test"),
                format!("a@x.test{c}"),
            ] {
                assert_eq!(refused(&bad), EmailError::Misleading, "{c:?}");
            }
        }
    }

    #[test]
    fn attack_a119_tags_and_dots_count() {
        let all = ["a@x.test", "a+1@x.test", "a.b@x.test", "ab@x.test"].map(normal);
        for (i, one) in all.iter().enumerate() {
            assert!(!all[i + 1..].contains(one));
        }
    }

    #[test]
    fn attack_a152_long_input() {
        for text in [
            "a".repeat(100_000),
            "a@".repeat(50_000),
            ".".repeat(100_000),
            format!("a@{}", "a.".repeat(50_000)),
        ] {
            assert_eq!(quick(|| refused(&text)), EmailError::TooLong);
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in any::<String>(), domain in any::<String>()) {
            let _ = Email::parse(&text);
            let _ = Email::parse(&format!("{text}@{domain}.test"));
        }

        #[test]
        fn normal_is_stable(local in "[\\pL\\pM\\pN._+-]{1,12}", domain in "[\\pL\\pN-]{1,8}") {
            if let Ok(email) = Email::parse(&format!("{local}@{domain}.example")) {
                let again = Email::parse(email.normal()).expect("a normal form is an address");
                prop_assert_eq!(again.normal(), email.normal());
                let sent = Email::parse(email.mailbox()).expect("a mailbox is an address");
                prop_assert_eq!(sent.normal(), email.normal());
                prop_assert!(email.domain().is_ascii());
                if email.normal().is_ascii() {
                    // Only what was ASCII before `@` is ASCII after.
                    prop_assert!(local.is_ascii());
                }
            }
        }
    }
}
