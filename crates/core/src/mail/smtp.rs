//! SMTP, by lettre over rustls.

use super::{Mail, MailError, Mailer};
use latchstring_proto::email::Email;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{Mailbox, MultiPart},
    transport::smtp::{PoolConfig, authentication::Credentials, client::Tls, client::TlsParameters},
};
use std::time::Duration;

/// How the connection is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 465).
    Tls,
    /// STARTTLS, required (port 587).
    StartTls,
    /// None: only to a server on this machine.
    Plain,
}

/// Where mail goes out.
pub struct Config {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// User name and password, if the server asks.
    pub credentials: Option<(String, String)>,
    /// The sender's address.
    pub from: String,
    /// The name shown beside it; `None`: the realm's.
    pub from_name: Option<String>,
}

/// Sends by SMTP.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
    from_name: Option<String>,
}

/// Connections that wait for the next mail: as many as mails are sent at once.
const KEPT: u32 = 4;
/// For how long they wait. Servers give up on silent clients after minutes (RFC 5321, 4.5.3.2.7).
const IDLE: Duration = Duration::from_secs(30);

impl Smtp {
    /// Prepares a connection pool; connects when the first mail goes. Needs a runtime, now and when it is dropped.
    pub fn new(config: Config) -> Result<Self, String> {
        let from = config.from.parse().map_err(|e| format!("the sender's address is not usable: {e}"))?;
        let tls =
            || TlsParameters::new(config.host.clone()).map_err(|e| format!("TLS for the mail server: {e}"));
        let tls = match config.security {
            Security::Tls => Tls::Wrapper(tls()?),
            Security::StartTls => Tls::Required(tls()?),
            Security::Plain => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .tls(tls)
            .pool_config(PoolConfig::new().max_size(KEPT).idle_timeout(IDLE))
            .timeout(Some(Duration::from_secs(20)));
        if let Some((user, password)) = config.credentials {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: builder.build(), from, from_name: config.from_name })
    }

    fn from(&self, realm: &str) -> Mailbox {
        Mailbox::new(Some(self.from_name.as_deref().unwrap_or(realm).to_owned()), self.from.clone())
    }
}

/// A message as it goes on the wire, with its envelope.
pub fn message(from: &Mailbox, mail: &Mail) -> Result<Message, MailError> {
    // The address is one mailbox and the envelope's only recipient; what it holds can't become a header or a second
    // recipient. Its domain goes out as DNS knows it: few servers take another form.
    let email =
        Email::parse(&mail.to).map_err(|_| MailError::Never("the address can't be written".into()))?;
    // "Dangerous" is an address that nobody has checked. Ours has passed a stricter check than lettre's, which refuses
    // the marks of several scripts; such an address would make an account and never get its mail.
    let (local, domain) = email.mailbox().rsplit_once('@').unwrap_or_default();
    let to = Address::new_dangerous(local, domain);
    let unwritable = |e: lettre::error::Error| MailError::Never(format!("the message can't be written: {e}"));
    // The envelope is given, because lettre would read it out of the header again, by its own check.
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.clone()]).map_err(unwritable)?;
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .envelope(envelope)
        .subject(&mail.subject)
        .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
        .map_err(unwritable)
}

impl Mailer for Smtp {
    fn send<'a>(
        &'a self,
        realm: &'a str,
        mail: &'a Mail,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + 'a>> {
        Box::pin(async move {
            let message = message(&self.from(realm), mail)?;
            match self.transport.send(message).await {
                Ok(_) => Ok(()),
                // RFC 5321, 4.2.1: a 5yz asks not to send the same again, so the outbox gives this mail up at once. All else
                // (4yz, no connection, no TLS) it tries for two days.
                Err(e) if e.is_permanent() => Err(MailError::Never(e.to_string())),
                Err(e) => Err(MailError::Later(e.to_string())),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(from_name: Option<&str>) -> Smtp {
        Smtp::new(Config {
            host: "localhost".into(),
            port: 25,
            security: Security::Plain,
            credentials: None,
            from: "id@northwind.example".into(),
            from_name: from_name.map(ToOwned::to_owned),
        })
        .expect("a sender")
    }

    fn mail(to: &str) -> Mail {
        let none = String::new();
        Mail {
            to: to.into(),
            subject: "Hello".into(),
            text: none.clone(),
            html: none,
            code: None,
            link: None,
        }
    }

    #[tokio::test]
    async fn the_sender_is_called_as_the_realm_is_now_unless_a_name_was_set() {
        for (set, realm, shown) in [
            (None, "Northwind", "From: Northwind <id@northwind.example>"),
            (None, "Southwind", "From: Southwind <id@northwind.example>"),
            (Some("Our House"), "Southwind", "From: \"Our House\" <id@northwind.example>"),
        ] {
            let message = message(&smtp(set).from(realm), &mail("ada@good.test")).expect("a message");
            let text = String::from_utf8(message.formatted()).expect("ASCII");
            assert!(text.lines().any(|line| line == shown), "{text}");
        }
    }

    #[tokio::test]
    async fn a_domain_is_written_as_dns_knows_it() {
        for (stored, sent) in [
            ("ada@northwind.example", "ada@northwind.example"),
            ("Ada@B\u{fc}cher.example", "Ada@xn--bcher-kva.example"),
            // Marks that compose with no letter, which lettre's own reader of addresses does not know.
            (
                "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}@northwind.example",
                "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}@northwind.example",
            ),
        ] {
            let message = message(&smtp(None).from("Northwind"), &mail(stored)).expect("a message");
            let to: Vec<_> = message.envelope().to().iter().map(ToString::to_string).collect();
            assert_eq!(to, [sent]);
        }
    }

    #[tokio::test]
    async fn attack_a104_a_mail_has_one_recipient_and_no_headers_of_others() {
        for bad in [
            "victim@good.test,attacker@evil.test",
            "<victim@good.test>",
            "victim@good.test\r\nBcc: attacker@evil.test",
            "\"a@evil.test x\"@good.test",
        ] {
            assert!(
                matches!(message(&smtp(None).from("Northwind"), &mail(bad)), Err(MailError::Never(_))),
                "{bad}"
            );
        }
        let mut mail = mail("ada@good.test");
        mail.subject = "Hello\r\nBcc: attacker@evil.test".into();
        let message = message(&smtp(None).from("Northwind"), &mail).expect("a message");
        let text = String::from_utf8(message.formatted()).expect("ASCII");
        assert!(!text.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc:")), "{text}");
        assert_eq!(message.envelope().to().len(), 1);
    }
}
