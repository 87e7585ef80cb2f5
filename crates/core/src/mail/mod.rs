//! Mail: what is said ([`Letter`]), and by what it goes out ([`Mailer`]).

mod letter;
pub mod smtp;

pub(crate) use letter::masked;
pub use letter::{For, Held, How, Letter, Says, What, device, language_of};

use serde::Serialize;
use std::time::Duration;

/// A message to one address, as it goes out.
#[derive(Clone, Serialize)]
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

impl Mailbox {
    /// The newest message to `address` that `wanted` says yes to: what was asked for may be followed by a notice.
    pub fn newest_where(&self, address: &str, wanted: impl Fn(&Mail) -> bool) -> Option<Mail> {
        let kept = self.kept.lock();
        let mut mails = kept.mails.iter().rev().map(|(_, mail)| mail);
        mails.find(|mail| mail.to.eq_ignore_ascii_case(address) && wanted(mail)).cloned()
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
            let mail = Mail {
                to: "ada@a.example".into(),
                subject: format!("No. {n}"),
                text: String::new(),
                html: String::new(),
                code: None,
                link: None,
            };
            mailbox.send("Northwind", &mail).await.expect("kept");
        }
        let all = mailbox.numbered();
        assert_eq!(all.len(), MOST);
        assert!(all.iter().all(|(n, mail)| mail.subject == format!("No. {n}")));
        assert_eq!((all[0].0, all[MOST - 1].0), (503, 4));
        assert!(mailbox.get(3).is_none() && mailbox.get(504).is_none());
        assert_eq!(mailbox.get(4).expect("the oldest").subject, "No. 4");
    }
}
