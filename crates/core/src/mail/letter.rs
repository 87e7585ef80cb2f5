//! What mails say. A letter lies in the outbox without words: it gets them, in its reader's language and as the realm
//! looks then, when it goes out.

use super::Mail;
use crate::{
    clock::{self, Micros},
    realm::Realm,
    secret::Hidden,
};
use latchstring_look::{
    Arg, Language, Say,
    brand::Logo,
    mail::{Draft, Sender},
};
use latchstring_proto::user_agent::{self, Device};
use serde::{Deserialize, Serialize};

/// A mail in the outbox. It may hold a code or a link, which are secrets: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Letter {
    /// The stored form of the address.
    pub to: String,
    /// What its reader reads; else the realm's own language. One that only a newer node speaks is none.
    #[serde(default, deserialize_with = "known")]
    pub language: Option<Language>,
    /// What it says.
    pub says: Says,
}

fn known<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Language>, D::Error> {
    let tag = Option::<String>::deserialize(from)?;
    Ok(tag.and_then(|tag| Language::of_tag(&tag)))
}

/// What a code and a link are for. That an account exists shows in the mail alone.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum For {
    /// Sign in.
    SignIn,
    /// Finish making an account.
    SignUp,
    /// Somebody wanted to make an account with an address that has one.
    SignUpExisting,
    /// Set a new password.
    Recover,
    /// Prove again who you are.
    StepUp,
    /// Confirm a new address.
    Verify,
    /// Agree, from the address before, to a new one.
    VerifyCurrent,
    /// Second factor.
    Factor,
}

/// What a mail says.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Says {
    /// A code, and a link that does the same.
    Code {
        /// What they are for.
        purpose: For,
        /// The code.
        code: Hidden,
        /// The link.
        link: Hidden,
        /// How long they are good for.
        minutes: i64,
    },
    /// To an address that has no account, when somebody tried to sign in or recover with it: under the same limits as
    /// a code, so that neither the answer nor its frequency tells who has an account.
    NoAccount {
        /// Where to make one, if anybody may.
        sign_up: Option<String>,
    },
    /// To an address that belongs to another account, when somebody wanted to add it to theirs.
    AddressTaken,
    /// Something has happened to the account.
    Happened {
        /// What.
        event: What,
        /// How.
        how: How,
        /// The link for whoever did not do it.
        not_me: Option<Hidden>,
    },
    /// To an address that is an account's no more, since the one before it was put back.
    AddressPutBack,
    /// An invitation.
    Invitation {
        /// Its link.
        link: Hidden,
        /// How long it is good for.
        days: i64,
    },
}

/// What has happened to an account.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Somebody signed in with a browser or an app that had not been seen before.
    NewDevice,
    /// The password was set, changed or reset by whoever could.
    Password,
    /// The password was set by an operator.
    PasswordByOperator,
    /// The address was changed to this one, masked. Told to the one before.
    Email(String),
    /// The username was changed to this one, or taken away.
    Username(Option<String>),
    /// The other sessions were ended, or all.
    SignedOut,
    /// The account was deleted.
    DeletionBegun {
        /// When it is gone for good.
        until: Micros,
        /// Where to sign in, to keep it.
        sign_in: String,
    },
    /// It was kept.
    DeletionKept,
}

impl What {
    /// [`What::Email`] to `new`.
    pub fn email(new: &str) -> Self {
        Self::Email(masked(new))
    }

    /// A stable word for it.
    pub fn word(&self) -> &'static str {
        match self {
            What::NewDevice => "new_device",
            What::Password | What::PasswordByOperator => "password",
            What::Email(_) => "email",
            What::Username(_) => "username",
            What::SignedOut => "signed_out",
            What::DeletionBegun { .. } => "deletion_begun",
            What::DeletionKept => "deletion_kept",
        }
    }
}

/// How it has happened.
#[derive(Clone, Serialize, Deserialize)]
pub struct How {
    /// When.
    pub at: Micros,
    /// With what, as far as it is the reader's business: what it says of itself, and what it is.
    pub device: Option<(Option<String>, Held)>,
    /// From where: a place, a network's address, or both.
    pub place: Option<String>,
}

/// What holds a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// A browser.
    Browser,
    /// An app.
    App,
    /// One of the two.
    Device,
}

/// “Chrome on Windows”.
pub fn device(user_agent: Option<&str>, held: Held) -> Say {
    let unknown = Say::new(match held {
        Held::Browser => "device-browser",
        Held::App => "device-app",
        Held::Device => "device-any",
    });
    let on = |browser: Arg, system: &'static str| {
        Say::new("device").with("browser", browser).with("system", system)
    };
    match user_agent::parse(user_agent.unwrap_or_default()) {
        Device { browser: Some(browser), system: Some(system) } => on(browser.into(), system),
        Device { browser: Some(browser), system: None } => Say::new("device-known").with("browser", browser),
        Device { browser: None, system: Some(system) } => on(unknown.into(), system),
        Device { browser: None, system: None } => unknown,
    }
}

/// What somebody reads who has said so (BCP 47).
pub fn language_of(locale: Option<&String>) -> Option<Language> {
    locale.and_then(|locale| Language::of_tag(locale))
}

/// `a…@example.org`: enough to recognise, too little to learn.
pub(crate) fn masked(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}…@{domain}", local.chars().take(1).collect::<String>()),
        None => "…".into(),
    }
}

impl Letter {
    /// A letter to `to`.
    pub fn new(to: &str, language: Option<Language>, says: Says) -> Self {
        Self { to: to.to_owned(), language, says }
    }

    /// The letter in words, as the realm looks now.
    pub fn render(&self, realm: &Realm) -> Mail {
        let (settings, brand) = (realm.settings(), realm.brand());
        let brand = &*brand;
        let language = self.language.filter(|l| brand.languages().contains(l)).unwrap_or(brand.language());
        let name = settings.1.name.as_str();
        let picture = brand.logo.as_ref().filter(|logo| logo.is_for_mail());
        let logo = picture.map(|_| format!("{}{}", realm.issuer(), Logo::PATH));
        let sender = Sender { name, brand, logo };
        let (mail, unframed) = self.mail(&sender, language, settings.1.code.in_subject);
        if let Some(why) = unframed.filter(|_| brand.fails_first()) {
            tracing::error!(why, "the realm's own frame of mails failed; ours serves");
        }
        mail
    }

    /// The letter in words of `language`, as `sender` looks; and why the realm's own frame did not serve.
    pub fn mail(
        &self,
        sender: &Sender<'_>,
        language: Language,
        code_in_subject: bool,
    ) -> (Mail, Option<String>) {
        let rendered = self.says.draft(sender.name, code_in_subject).render(sender, language);
        let (code, link) = match &self.says {
            Says::Code { code, link, .. } => (Some(code), Some(link)),
            Says::Invitation { link, .. } => (None, Some(link)),
            Says::Happened { not_me, .. } => (None, not_me.as_ref()),
            _ => (None, None),
        };
        let text = |secret: &Hidden| String::from(&**secret);
        let mail = Mail {
            to: self.to.clone(),
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
            code: code.map(text),
            link: link.map(text),
        };
        (mail, rendered.unframed)
    }
}

/// The messages of one mail.
#[derive(Clone, Copy)]
struct Messages {
    subject: &'static str,
    /// The subject where it is to have no code.
    plain: &'static str,
    heading: &'static str,
    lead: &'static str,
    button: &'static str,
    note: &'static str,
}

/// The attributes of one message. Not every mail has all of them.
macro_rules! messages {
    ($id:literal) => {
        Messages {
            subject: concat!($id, ".subject"),
            plain: concat!($id, ".plain"),
            heading: concat!($id, ".heading"),
            lead: concat!($id, ".lead"),
            button: concat!($id, ".button"),
            note: concat!($id, ".note"),
        }
    };
}

impl Says {
    fn draft(&self, realm: &str, code_in_subject: bool) -> Draft {
        let say = |id| Say::new(id).with("brand", realm.to_owned());
        match self {
            Says::Code { purpose, code, link, minutes } => {
                let messages = match purpose {
                    For::SignIn => messages!("mail-sign-in"),
                    For::SignUp => messages!("mail-sign-up"),
                    For::SignUpExisting => messages!("mail-existing"),
                    For::Recover => messages!("mail-recover"),
                    For::StepUp => messages!("mail-step-up"),
                    For::Verify => messages!("mail-verify"),
                    For::VerifyCurrent => messages!("mail-verify-current"),
                    For::Factor => messages!("mail-factor"),
                };
                let code = String::from(&**code);
                let subject = match code_in_subject {
                    true => say(messages.subject).with("code", code.clone()),
                    false => say(messages.plain),
                };
                Draft {
                    subject,
                    code: Some(code),
                    button: Some((say(messages.button), String::from(&**link))),
                    after: vec![Say::new("mail-code-until").with("minutes", *minutes), say(messages.note)],
                    ..told(messages, say)
                }
            }
            Says::NoAccount { sign_up } => {
                let messages = messages!("mail-no-account");
                let button = sign_up.clone().map(|url| (say(messages.button), url));
                let way = if button.is_some() { "mail-no-account.sign-up" } else { "mail-no-account.other" };
                Draft { before: vec![say(messages.lead), say(way)], button, ..told(messages, say) }
            }
            Says::AddressTaken => told(messages!("mail-taken"), say),
            Says::Happened { event, how, not_me } => happened(event, how, not_me.as_ref(), say),
            Says::AddressPutBack => told(messages!("mail-put-back"), say),
            Says::Invitation { link, days } => {
                let messages = messages!("mail-invitation");
                Draft {
                    button: Some((say(messages.button), String::from(&**link))),
                    after: vec![say(messages.note).with("days", *days)],
                    ..told(messages, say)
                }
            }
        }
    }
}

/// A notice: what, when, with what, from where; and the link for whoever did not do it.
fn happened(event: &What, how: &How, not_me: Option<&Hidden>, say: impl Fn(&'static str) -> Say) -> Draft {
    let messages = match event {
        What::NewDevice => messages!("mail-new-device"),
        What::Password => messages!("mail-password"),
        What::PasswordByOperator => Messages { lead: "mail-password-set.lead", ..messages!("mail-password") },
        What::Email(_) => messages!("mail-email"),
        What::Username(Some(_)) => messages!("mail-username"),
        What::Username(None) => Messages { lead: "mail-username-none.lead", ..messages!("mail-username") },
        What::SignedOut => messages!("mail-signed-out"),
        What::DeletionBegun { .. } => messages!("mail-deletion"),
        What::DeletionKept => messages!("mail-kept"),
    };
    let said = |id| match event {
        What::Email(new) => say(id).with("address", new.clone()),
        What::Username(Some(new)) => say(id).with("name", new.clone()),
        What::DeletionBegun { until, .. } => say(id).with("until", clock::date(*until)),
        _ => say(id),
    };
    let facts = [
        Some((Say::new("mail-when"), clock::date(how.at).into())),
        how.device
            .as_ref()
            .map(|(agent, held)| (Say::new("mail-device"), device(agent.as_deref(), *held).into())),
        how.place.as_ref().map(|place| (Say::new("mail-place"), place.clone().into())),
    ];
    let button = match event {
        What::DeletionBegun { sign_in, .. } => Some((said(messages.button), sign_in.clone())),
        _ => None,
    };
    Draft {
        facts: facts.into_iter().flatten().collect(),
        button,
        after: vec![Say::new(if not_me.is_some() { "mail-was-it-you" } else { "mail-was-not-you" })],
        second: not_me.map(|link| (Say::new("not-me-button"), String::from(&**link))),
        ..told(messages, said)
    }
}

/// A mail that only tells: what all of them have.
fn told(messages: Messages, say: impl Fn(&'static str) -> Say) -> Draft {
    Draft {
        subject: say(messages.subject),
        heading: say(messages.heading),
        before: vec![say(messages.lead)],
        after: vec![say(messages.note)],
        ..Draft::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchstring_look::brand::{Brand, LegalLink, LookSettings};

    const EVIL: &str = "\"><script>alert(1)</script>{{ 137*241 }}\r\nBcc: x@y.example\u{202e}";

    /// Every mail with a name in it that somebody chose to break it with.
    fn all() -> Vec<Says> {
        let link = || Hidden::from("https://id.northwind.example/verify?token=x&a=b");
        let purposes = [
            For::SignIn,
            For::SignUp,
            For::SignUpExisting,
            For::Recover,
            For::StepUp,
            For::Verify,
            For::VerifyCurrent,
            For::Factor,
        ];
        let code = |purpose| Says::Code { purpose, code: "123456".into(), link: link(), minutes: 10 };
        purposes
            .map(code)
            .into_iter()
            .chain([
                Says::NoAccount { sign_up: None },
                Says::NoAccount { sign_up: Some("https://id.northwind.example/sign-up".into()) },
                Says::AddressTaken,
                Says::AddressPutBack,
                Says::Invitation { link: link(), days: 1 },
            ])
            .chain(notices())
            .collect()
    }

    fn notices() -> Vec<Says> {
        let events = [
            What::NewDevice,
            What::Password,
            What::PasswordByOperator,
            What::Email(EVIL.into()),
            What::Username(Some(EVIL.into())),
            What::Username(None),
            What::SignedOut,
            What::DeletionBegun { until: 0, sign_in: "https://id.northwind.example/sign-in".into() },
            What::DeletionKept,
        ];
        let held = [Held::Browser, Held::App, Held::Device];
        let notice = |(n, event): (usize, What)| Says::Happened {
            event,
            how: How {
                at: 1_767_225_600_000_000,
                device: (n % 4 > 0).then(|| (Some(EVIL.into()), held[n % 3])),
                place: (n % 2 == 0).then(|| EVIL.into()),
            },
            not_me: (n % 3 > 0).then(|| "https://id.northwind.example/verify?not_me=x&a=b".into()),
        };
        events.into_iter().enumerate().map(notice).collect()
    }

    #[test]
    fn devices_have_the_names_that_people_use() {
        let said =
            |agent, held| latchstring_look::Words::default().say(Language::English, &device(agent, held));
        assert_eq!(said(Some("Firefox/133.0 Windows"), Held::Browser), "Firefox on Windows");
        assert_eq!(said(Some("<script>alert(1)</script>"), Held::Browser), "A browser");
        assert_eq!(said(None, Held::App), "An app");
        assert_eq!(said(Some("x (iPad)"), Held::App), "An app on iPad");
        assert_eq!(said(None, Held::Device), "A device");
    }

    fn brands() -> Vec<Brand> {
        let own = LookSettings {
            colour: "#7a1f6b".into(),
            legal: vec![LegalLink {
                name: EVIL.replace(char::is_control, ""),
                url: "https://a.example/x".into(),
                ..LegalLink::default()
            }],
            ..LookSettings::default()
        };
        vec![Brand::default(), Brand::new(&own).expect("a brand")]
    }

    fn each(mut see: impl FnMut(&Says, Language, &latchstring_look::mail::Rendered)) {
        for says in all() {
            for brand in &brands() {
                for in_subject in [true, false] {
                    for language in Language::ALL {
                        let logo = in_subject.then(|| "https://id.northwind.example/assets/logo.png".into());
                        let sender = Sender { name: EVIL, brand, logo };
                        see(&says, language, &says.draft(EVIL, in_subject).render(&sender, language));
                    }
                }
            }
        }
    }

    #[test]
    fn attack_a142_a143_no_name_brings_markup_or_a_header_into_mail() {
        each(|_, _, mail| {
            assert!(!mail.subject.contains(['\r', '\n']), "{:?}", mail.subject);
            assert!(!mail.html.contains("<script") && !mail.html.contains("33017"), "{}", mail.html);
        });
    }

    #[test]
    fn every_mail_says_the_same_as_text_and_as_html() {
        each(|says, language, mail| {
            assert!(mail.html.starts_with("<!doctype html>\n<html lang=\""), "{}", mail.html);
            assert!(mail.html.contains(&format!("dir=\"{}\"", language.direction())));
            for text in [&mail.text, &mail.html, &mail.subject] {
                assert!(!text.contains("mail-"), "a message has no words: {text}");
            }
            if let Says::Code { code, link, .. } = says {
                assert!(mail.text.contains(&**code) && mail.html.contains(&**code));
                assert!(mail.text.contains(&**link));
                assert!(
                    mail.html.contains(&latchstring_look::escape(link).replace('/', "&#x2f;")),
                    "{}",
                    mail.html
                );
            }
        });
    }

    #[test]
    fn a_code_stands_in_the_subject_only_where_the_realm_lets_it() {
        let says = &all()[0];
        let brand = Brand::default();
        let sender = Sender { name: "Northwind", brand: &brand, logo: None };
        let subject = |shown| says.draft("Northwind", shown).render(&sender, Language::English).subject;
        assert_eq!(subject(true), "123456 is your Northwind sign-in code");
        assert_eq!(subject(false), "Your Northwind sign-in code");
    }

    /// Gmail drops the style sheet of long or odd mails, Outlook for Windows knows neither `max-width` nor rounded
    /// corners nor flexible boxes: what they leave must still be laid out, coloured and legible.
    #[test]
    fn a_mail_needs_nothing_that_mail_programs_drop() {
        each(|says, _, mail| {
            let html = &mail.html;
            let sheet = html.find("<style>").zip(html.find("</style>")).expect("a style sheet");
            let body = format!("{}{}", &html[..sheet.0], &html[sheet.1..]);
            for never in [
                "<div class",
                "display:flex",
                "display:grid",
                "position:",
                "<svg",
                "<form",
                "@import",
                "url(",
            ] {
                assert!(!body.contains(never), "{never}");
            }
            // Tables that are no tables, with their widths and colours as attributes too.
            assert_eq!(body.matches("<table").count(), body.matches("<table role=\"presentation\"").count());
            assert!(body.contains("width=\"480\"") && body.contains("bgcolor=\"#ffffff\""));
            for text in body.split("<p ").skip(1).chain(body.split("<td ").skip(1)) {
                let open = text.split('>').next().unwrap_or_default();
                assert!(open.contains("style="), "{open}");
            }
            for picture in body.split("<img ").skip(1) {
                assert!(picture.contains("alt=") && picture.contains("height=\"32\""));
            }
            if matches!(says, Says::Code { .. } | Says::Invitation { .. }) {
                let button = body.split("class=\"act\"").nth(1).expect("a button");
                assert!(button.starts_with(" align=\"center\" bgcolor=\"#"), "{button}");
            }
            // Gmail cuts what is longer.
            assert!(html.len() < 20_000, "{}", html.len());
        });
    }
}
