//! Mail: a realm's name and an address are in it as text, and bring neither markup nor a header nor a recipient.

use crate::email::FROM;
use crate::text;
use latchstring_core::mail::{For, Held, How, Letter, Mail, Says, What, smtp::message};
use latchstring_core::settings::Settings;
use latchstring_look::{Language, brand::Brand, escape, mail::Sender};
use latchstring_proto::email::Email;

/// The first line is the realm's name, the second an address.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let escaped = escape(text);
    assert!(!escaped.contains(['<', '>', '"', '\'']));
    assert_eq!(unescape(&escaped), text);

    let (name, to) = text.split_once('\n').unwrap_or((text, "ada@mycompany.test"));
    let settings = Settings { name: name.to_owned(), ..Settings::default() };
    let Ok(email) = Email::parse(to) else { return };
    if settings.check().is_err() {
        return;
    }
    // A name that stands nowhere in our own words.
    let plain = "QXQXQ";
    for (ours, pattern) in letters(name, email.typed()).iter().zip(letters(plain, email.typed())) {
        assert_eq!(ours.text, pattern.text.replace(plain, name));
        assert_eq!(ours.html, pattern.html.replace(plain, &as_template(name)), "markup by a name");
        assert_eq!(ours.subject, pattern.subject.replace(plain, name));
        sent(ours, &email);
    }
}

/// Text as templates escape it.
fn as_template(text: &str) -> String {
    escape(text).replace("&#39;", "&#x27;").replace('/', "&#x2f;")
}

fn letters(realm: &str, to: &str) -> Vec<Mail> {
    let link = "https://id.mycompany.test/verify?t=x&y";
    let purposes =
        [For::SignIn, For::SignUp, For::SignUpExisting, For::Recover, For::StepUp, For::Verify, For::Factor];
    let code = |purpose| Says::Code { purpose, code: "123456".into(), link: link.into(), minutes: 10 };
    let mut all = Vec::from(purposes.map(code));
    all.push(Says::NoAccount { sign_up: Some(link.into()) });
    all.push(Says::NoAccount { sign_up: None });
    all.push(Says::AddressTaken);
    let how = How { at: 0, device: Some((None, Held::Device)), place: None };
    let told = |event| Says::Happened { event, how: how.clone(), not_me: Some(link.into()) };
    all.extend([What::Password, What::email(to), What::Username(Some(to.into()))].map(told));
    all.push(Says::Invitation { link: link.into(), days: 7 });
    let brand = Brand::default();
    let sender = Sender { name: realm, brand: &brand, logo: None };
    all.into_iter().map(|says| Letter::new(to, None, says).mail(&sender, Language::English, true).0).collect()
}

fn sent(mail: &Mail, email: &Email) {
    let message = message(&FROM, mail).expect("a message");
    let recipients: Vec<String> = message.envelope().to().iter().map(ToString::to_string).collect();
    assert_eq!(recipients, [email.mailbox()]);
    let wire = message.formatted();
    let wire = String::from_utf8_lossy(&wire);
    let (head, _) = wire.split_once("\r\n\r\n").expect("a head and a body");
    let mut names: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split_once(':').expect("a header").0)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["Content-Type", "Date", "From", "MIME-Version", "Subject", "To"]);
}

fn unescape(text: &str) -> String {
    // The ampersand last, or "&amp;lt;" would become a bracket.
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
