//! E-mail addresses: one normal form, one mailbox, and a mail library that reads the same one.

use crate::text;
use latchstring_core::identifier::{Identifier, IdentifierKind};
use latchstring_core::mail::{Mail, smtp::message};
use latchstring_proto::email::{Email, MAX_ADDRESS};
use lettre::message::Mailbox;
use std::sync::LazyLock;

pub(crate) static FROM: LazyLock<Mailbox> =
    LazyLock::new(|| Mailbox::new(Some("Us".into()), "us@mycompany.test".parse().expect("an address")));

/// The input is an address as somebody typed it.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let any = Identifier::any(text).ok();
    let Ok(email) = Email::parse(text) else {
        assert!(any.is_none_or(|any| any.kind == IdentifierKind::Username));
        return;
    };
    assert_eq!(any, Identifier::email(text).ok(), "what is typed to sign in is what was stored");
    assert_eq!(email.typed(), text);
    assert_eq!(any.map(|any| any.normal).as_deref(), Some(email.normal()));
    for form in [email.normal(), email.mailbox()] {
        assert!(form.len() <= MAX_ADDRESS);
        assert!(!form.contains(|c: char| c.is_control() || c.is_whitespace() || "<>,;:\"()[]\\".contains(c)));
        let again = Email::parse(form).unwrap_or_else(|e| panic!("{form:?} is a form of {text:?}, but {e}"));
        assert_eq!(again.normal(), email.normal(), "one identity");
    }
    assert_eq!(Email::parse(email.mailbox()).expect("parsed above").mailbox(), email.mailbox());
    let domain = email.domain();
    assert!(domain.is_ascii() && domain.contains('.') && !domain.contains(|c: char| c.is_ascii_uppercase()));
    // In another case it is the same, if it is one at all.
    for other in [text.to_ascii_uppercase(), text.to_ascii_lowercase()] {
        if let Ok(other) = Email::parse(&other) {
            assert_eq!(other.normal(), email.normal(), "case counted");
        }
    }
    // A mail can be written, and goes to this mailbox and to nobody else.
    let mail = message(&FROM, &letter(text)).expect("an address that can get mail");
    let recipients: Vec<String> = mail.envelope().to().iter().map(ToString::to_string).collect();
    assert_eq!(recipients, [email.mailbox()]);
    // A reader of addresses that refuses more reads the same in what it takes.
    if let Ok(address) = email.mailbox().parse::<lettre::Address>() {
        assert_eq!((address.to_string().as_str(), address.domain()), (email.mailbox(), domain));
    }
}

fn letter(to: &str) -> Mail {
    let (to, text) = (to.to_owned(), "Hello".to_owned());
    Mail { to, subject: text.clone(), html: text.clone(), text, code: None, link: None }
}
