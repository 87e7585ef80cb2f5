//! Mail: what is said, and by what it goes out. A plain text and a simple HTML form of the same words.

pub mod smtp;

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A message to one address.
#[derive(Clone, Serialize, Deserialize)]
pub struct Mail {
    /// The stored form of the address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
    /// The code inside, for the development mailbox.
    pub code: Option<String>,
    /// The link inside, for the development mailbox.
    pub link: Option<String>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The body holds codes and links, which are secrets.
        write!(f, "Mail({:?})", self.subject)
    }
}

/// Why a message did not go.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server may take it later.
    #[error("the mail server can't take it now: {0}")]
    Later(String),
    /// The server will never take it.
    #[error("the mail server refuses it: {0}")]
    Never(String),
}

/// Sends mail. Called by the outbox only, never by a request.
pub trait Mailer: Send + Sync + 'static {
    /// Sends one message. `realm` is the realm's name now, which people see as the sender.
    fn send<'a>(
        &'a self,
        realm: &'a str,
        mail: &'a Mail,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>>;

    /// How long one message may take, from the first packet to the last answer.
    fn patience(&self) -> Duration {
        Duration::from_secs(20)
    }
}

/// Sends one message, or gives up for now: a server that takes the connection and then says nothing must not stop
/// whoever waits for it. (lettre's own limit covers the connecting alone.)
pub async fn send(mailer: &dyn Mailer, realm: &str, mail: &Mail) -> Result<(), MailError> {
    match tokio::time::timeout(mailer.patience(), mailer.send(realm, mail)).await {
        Ok(sent) => sent,
        Err(_) => Err(MailError::Later("it took too long".into())),
    }
}

/// The job that sends a [`Mail`].
pub const JOB: &str = "mail";

/// What a mail with a code and a link is for; `None` of the account's existence shows outside the mail itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
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
    /// Second factor.
    Factor,
}

/// A mail with a code and a link.
pub fn with_code(realm: &str, to: &str, letter: Letter, code: &str, link: &str, minutes: i64) -> Mail {
    let (subject, lead, ignore) = match letter {
        Letter::SignIn => (
            format!("{code} is your {realm} sign-in code"),
            format!("Use this code to sign in to {realm}:"),
            "If you did not try to sign in, you can ignore this mail. Nobody gets in without the code.",
        ),
        Letter::SignUp => (
            format!("{code} is your {realm} code"),
            format!("Use this code to finish making your {realm} account:"),
            "If you did not ask for an account, you can ignore this mail. None is made without the code.",
        ),
        Letter::SignUpExisting => (
            format!("{code} is your {realm} sign-in code"),
            format!("You already have a {realm} account with this address. Use this code to sign in to it:"),
            "If you did not try to make an account, you can ignore this mail. Nobody gets in without the code.",
        ),
        Letter::Recover => (
            format!("{code} is your {realm} code for a new password"),
            format!("Use this code to set a new password for {realm}:"),
            "If you did not ask for a new password, you can ignore this mail. Your password stays as it is.",
        ),
        Letter::StepUp => (
            format!("{code} is your {realm} code"),
            format!("Use this code to confirm that it is you who changes your {realm} account:"),
            "If it was not you, sign out your other sessions and change your password.",
        ),
        Letter::Verify => (
            format!("{code} confirms your address for {realm}"),
            format!("Use this code to confirm this address for your {realm} account:"),
            "If you did not ask for this, you can ignore this mail. The address is not used without the code.",
        ),
        Letter::Factor => (
            format!("{code} is your {realm} code"),
            format!("Use this code as the second step to sign in to {realm}:"),
            "If you are not signing in, somebody knows your password. Change it.",
        ),
    };
    let until = format!("The code and the link work once, for {minutes} minutes.");
    let text = format!(
        "{lead}\n\n    {code}\n\nOr open this link:\n\n    {link}\n\n{until}\n\n{ignore}\n\n-- \n{realm}\n"
    );
    let html = page(&format!(
        "<p>{}</p><p style=\"font-size:28px;letter-spacing:4px\"><b>{}</b></p><p>Or open this link:<br><a href=\"{}\">{}</a></p><p>{}</p><p>{}</p><p>{}</p>",
        escape(&lead),
        escape(code),
        escape(link),
        escape(link),
        escape(&until),
        escape(ignore),
        escape(realm)
    ));
    Mail { to: to.to_owned(), subject, text, html, code: Some(code.to_owned()), link: Some(link.to_owned()) }
}

/// A mail that only tells.
fn notice(realm: &str, to: &str, subject: String, paragraphs: &[String]) -> Mail {
    let text = format!("{}\n\n-- \n{realm}\n", paragraphs.join("\n\n"));
    let body: String = paragraphs.iter().map(|p| format!("<p>{}</p>", escape(p))).collect();
    let html = page(&format!("{body}<p>{}</p>", escape(realm)));
    Mail { to: to.to_owned(), subject, text, html, code: None, link: None }
}

/// To an address that has no account, when somebody tried to sign in or recover with it: under the same limits as a
/// code, so that neither the answer nor its frequency tells who has an account.
pub fn no_account(realm: &str, to: &str, sign_up_url: Option<&str>) -> Mail {
    let mut paragraphs = vec![format!(
        "Somebody, maybe you, tried to sign in to {realm} with this address. There is no account with it."
    )];
    match sign_up_url {
        Some(url) => paragraphs.push(format!("If you want one, you can make it at {url}")),
        None => paragraphs.push("Perhaps you signed up with another address.".into()),
    }
    paragraphs.push("If it was not you, you can ignore this mail.".into());
    notice(realm, to, format!("No {realm} account with this address"), &paragraphs)
}

/// To an address that belongs to another account, when somebody wanted to add it to theirs.
pub fn address_taken(realm: &str, to: &str) -> Mail {
    let paragraphs = [
        format!(
            "Somebody tried to add this address to a {realm} account. It belongs to another account already, so nothing was changed."
        ),
        "If that was you, sign in with this address instead. If not, you can ignore this mail.".into(),
    ];
    notice(realm, to, format!("This address already has a {realm} account"), &paragraphs)
}

/// After a password was set or changed.
pub fn password_changed(realm: &str, to: &str) -> Mail {
    let paragraphs = [
        format!("The password of your {realm} account was changed, and all other sessions were signed out."),
        "If it was you, nothing is left to do. If not, ask for a new password at once: whoever did this knows your old one or reads your mail.".into(),
    ];
    notice(realm, to, format!("Your {realm} password was changed"), &paragraphs)
}

/// To the old address, after it was replaced.
pub fn email_changed(realm: &str, to: &str, new: &str) -> Mail {
    let paragraphs = [
        format!("The address of your {realm} account was changed to {}.", masked(new)),
        "If it was you, nothing is left to do. If not, write to the people who run this service.".into(),
    ];
    notice(realm, to, format!("The address of your {realm} account was changed"), &paragraphs)
}

/// An invitation.
pub fn invitation(realm: &str, to: &str, link: &str, days: i64) -> Mail {
    let lead = format!("You are invited to {realm}.");
    let until = format!("The invitation is good for {days} days, for this address.");
    let text =
        format!("{lead}\n\nOpen this link to make your account:\n\n    {link}\n\n{until}\n\n-- \n{realm}\n");
    let html = page(&format!(
        "<p>{}</p><p><a href=\"{}\">{}</a></p><p>{}</p>",
        escape(&lead),
        escape(link),
        escape(link),
        escape(&until)
    ));
    Mail {
        to: to.to_owned(),
        subject: format!("You are invited to {realm}"),
        text,
        html,
        code: None,
        link: Some(link.to_owned()),
    }
}

/// `a…@example.org`: enough to recognise, too little to learn.
fn masked(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}…@{domain}", local.chars().take(1).collect::<String>()),
        None => "another address".into(),
    }
}

fn page(body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><body style=\"font-family:sans-serif;line-height:1.5\">{body}</body></html>"
    )
}

/// Escapes text for HTML, attribute values included.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Keeps the last messages in memory: what `/dev/mail` shows, and what tests read.
#[derive(Default)]
pub struct Mailbox {
    kept: parking_lot::Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// With the number of each.
    mails: std::collections::VecDeque<(u64, Mail)>,
    /// The number of the last that came.
    last: u64,
}

/// Most messages that a mailbox keeps.
const MOST: usize = 500;

impl Mailbox {
    /// The messages, newest first.
    pub fn list(&self) -> Vec<Mail> {
        self.numbered().into_iter().map(|(_, mail)| mail).collect()
    }

    /// The messages with their numbers, newest first. Numbers count what has come; a message keeps its own when older
    /// ones are let go.
    pub fn numbered(&self) -> Vec<(u64, Mail)> {
        self.kept.lock().mails.iter().rev().cloned().collect()
    }

    /// The message with this number, while it is kept.
    pub fn get(&self, number: u64) -> Option<Mail> {
        self.kept.lock().mails.iter().find(|(n, _)| *n == number).map(|(_, mail)| mail.clone())
    }

    /// The newest message to `address` (compared without case).
    pub fn newest_to(&self, address: &str) -> Option<Mail> {
        let kept = self.kept.lock();
        kept.mails.iter().rev().find(|(_, m)| m.to.eq_ignore_ascii_case(address)).map(|(_, m)| m.clone())
    }
}

impl Mailer for Mailbox {
    fn send<'a>(
        &'a self,
        _: &'a str,
        mail: &'a Mail,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>> {
        let mut kept = self.kept.lock();
        if kept.mails.len() == MOST {
            kept.mails.pop_front();
        }
        kept.last += 1;
        let number = kept.last;
        kept.mails.push_back((number, mail.clone()));
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_mailbox_lets_go_of_its_first_and_numbers_stay() {
        let mailbox = Mailbox::default();
        for n in 1..=MOST + 3 {
            let mail = notice("Northwind", "ada@a.example", format!("No. {n}"), &[]);
            mailbox.send("Northwind", &mail).await.expect("kept");
        }
        let all = mailbox.numbered();
        assert_eq!(all.len(), MOST);
        assert!(all.iter().all(|(n, mail)| mail.subject == format!("No. {n}")));
        assert_eq!((all[0].0, all[MOST - 1].0), (503, 4));
        assert!(mailbox.get(3).is_none() && mailbox.get(504).is_none());
        assert_eq!(mailbox.get(4).expect("the oldest").subject, "No. 4");
    }

    #[test]
    fn attack_a142_names_can_not_bring_markup_into_mail() {
        let mail = with_code(
            "<script>alert(1)</script>",
            "a@b.example",
            Letter::SignIn,
            "123456",
            "https://x/?a=1&b=2",
            10,
        );
        assert!(!mail.html.contains("<script>"));
        assert!(mail.html.contains("&amp;b=2"));
        assert!(mail.text.contains("https://x/?a=1&b=2"));
    }
}
