//! The mail server: connects and says hello, and sends nothing. It does not sign in there.

use crate::{config::Config, failure::chain, finding::Finding};
use latchstring_core::mail::smtp::Security;
use lettre::{
    AsyncSmtpTransport, Tokio1Executor,
    transport::smtp::client::{Tls, TlsParameters},
};
use std::time::Duration;

/// Longest time to wait for it.
const WAIT: Duration = Duration::from_secs(10);

/// Looks.
pub(super) async fn look(config: &Config) -> Option<Finding> {
    const CHECK: &str = "mail server";
    // Its absence is a finding of its own. One that is away is no reason not to start: mail waits for it.
    let server = config.smtp.as_ref()?;
    let weak = |what: String| {
        let why = "codes, links and warnings wait in the outbox until it answers, for two days";
        let mend =
            "check host, port and scheme (smtps:// for 465, smtp:// for 587), and the firewall in between";
        Finding::weak(CHECK, format!("{server}: {what}"), why, mend)
    };
    let parameters = || TlsParameters::new(server.host.clone());
    let tls = match server.security {
        Security::Tls => parameters().map(Tls::Wrapper),
        Security::StartTls => parameters().map(Tls::Required),
        Security::Plain => Ok(Tls::None),
    };
    let tls = match tls {
        Ok(tls) => tls,
        Err(error) => return Some(weak(chain(&error))),
    };
    let transport: AsyncSmtpTransport<Tokio1Executor> =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .tls(tls)
            .timeout(Some(WAIT))
            .build();
    Some(match tokio::time::timeout(WAIT, transport.test_connection()).await {
        Ok(Ok(true)) => Finding::good(CHECK, format!("{server} answers")),
        Ok(Ok(false)) => weak("it hung up".into()),
        Ok(Err(error)) => weak(chain(&error)),
        Err(_) => weak("it did not answer within ten seconds".into()),
    })
}
