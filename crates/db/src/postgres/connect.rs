//! How a connection is made: URL, TLS, settings of the session.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use futures_util::future::BoxFuture;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{convert, listen};
use crate::{Error, OpenError, Options};

/// TCP connect to one address.
const CONNECT: Duration = Duration::from_secs(2);
/// All of it: addresses, TLS, password.
pub(super) const CREATE: Duration = Duration::from_secs(4);

/// Makes connections.
pub(crate) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    statement_timeout: Option<Duration>,
}

impl Connector {
    pub(super) fn new(url: &str, options: &Options) -> Result<Self, OpenError> {
        let url = Url::parse(url)?;
        let mut config: Config = url.rest.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            OpenError::BadUrl(cause.unwrap_or_else(|| error.to_string()))
        })?;
        if config.get_hosts().is_empty() {
            return Err(OpenError::BadUrl("it names no host".into()));
        }
        if config.get_application_name().is_none() {
            config.application_name("latchstring");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            // A server that vanished without a word is noticed in seconds, not in the two hours of the default.
            config.tcp_user_timeout(Duration::from_secs(15));
            config.keepalives_idle(Duration::from_secs(10));
            config.keepalives_interval(Duration::from_secs(5));
            config.keepalives_retries(3);
        }
        let tls = match url.mode {
            Mode::Disable => None,
            Mode::Prefer => Some(tls(None, false)?),
            Mode::Require => Some(tls(url.root.as_deref(), true)?),
        };
        config.ssl_mode(match url.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require => SslMode::Require,
        });
        let own = config.get_options().is_some_and(|options| options.contains("statement_timeout"));
        Ok(Self { config, tls, statement_timeout: (!own).then_some(options.statement_timeout) })
    }

    async fn dial(&self) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error> {
        Ok(match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                (client, drive(connection))
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                (client, drive(connection))
            }
        })
    }

    /// Connects, and listens on a channel until the connection ends.
    pub(super) async fn listen(&self, channel: &str, heard: &Notify) -> Result<(), tokio_postgres::Error> {
        match &self.tls {
            Some(tls) => listen::on(self.config.connect(tls.clone()).await?, channel, heard).await,
            None => listen::on(self.config.connect(NoTls).await?, channel, heard).await,
        }
    }

    async fn connect_as(&self, settings: &str) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error> {
        let (client, task) = self.dial().await?;
        client.batch_execute(settings).await?;
        Ok((client, task))
    }

    /// For transactions.
    fn writing(&self) -> String {
        // A transaction that hangs must not hold its locks for ever.
        let mut settings = "SET idle_in_transaction_session_timeout = '30s';".to_owned();
        self.add_statement_timeout(&mut settings);
        settings
    }

    fn add_statement_timeout(&self, settings: &mut String) {
        if let Some(limit) = self.statement_timeout {
            settings.push_str(&format!("SET statement_timeout = {};", limit.as_millis()));
        }
    }

    /// A connection for reads, on which each statement is its own transaction.
    pub(super) async fn reader(&self) -> Result<ClientWrapper, Error> {
        let mut settings = "SET default_transaction_read_only = on;".to_owned();
        self.add_statement_timeout(&mut settings);
        self.within(self.connect_as(&settings)).await
    }

    /// A connection for the migrations, which may take long.
    pub(crate) async fn migrator(&self) -> Result<ClientWrapper, Error> {
        self.within(self.connect_as("SET statement_timeout = 0; SET client_min_messages = warning")).await
    }

    /// Asks the server to stop what runs on a connection. The answer, if any, comes on that connection.
    pub(super) async fn cancel(&self, client: &ClientWrapper) {
        let token = client.cancel_token();
        let cancelled = async {
            match &self.tls {
                Some(tls) => token.cancel_query(tls.clone()).await,
                None => token.cancel_query(NoTls).await,
            }
        };
        if !matches!(tokio::time::timeout(CREATE, cancelled).await, Ok(Ok(()))) {
            tracing::warn!("a statement of a cancelled caller could not be stopped");
        }
    }

    async fn within(
        &self,
        connecting: impl Future<Output = Result<(Client, JoinHandle<()>), tokio_postgres::Error>>,
    ) -> Result<ClientWrapper, Error> {
        match tokio::time::timeout(CREATE, connecting).await {
            Ok(Ok((client, task))) => Ok(ClientWrapper::new(client, task)),
            Ok(Err(error)) => Err(convert::connecting(error)),
            Err(_) => Err(Error::unavailable("the PostgreSQL server did not answer in time")),
        }
    }
}

fn drive<S, T>(connection: Connection<S, T>) -> JoinHandle<()>
where
    Connection<S, T>: Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(error = %error, "a connection to PostgreSQL was lost");
        }
    })
}

/// For the pool.
pub(super) struct Dial(pub(super) Arc<Connector>);

impl deadpool_postgres::Connect for Dial {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), tokio_postgres::Error>> {
        Box::pin(async move { self.0.connect_as(&self.0.writing()).await })
    }
}

enum Mode {
    Disable,
    Prefer,
    Require,
}

/// The options that the driver does not know are taken out of the URL.
struct Url {
    rest: String,
    mode: Mode,
    root: Option<String>,
}

impl Url {
    fn parse(url: &str) -> Result<Self, OpenError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut root) = (Mode::Prefer, None);
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", "disable")) => mode = Mode::Disable,
                Some(("sslmode", "allow" | "prefer")) => mode = Mode::Prefer,
                Some(("sslmode", "require" | "verify-ca" | "verify-full")) => mode = Mode::Require,
                Some(("sslmode", other)) => {
                    return Err(OpenError::BadUrl(format!(
                        "sslmode={other} is unknown; use disable, prefer or require"
                    )));
                }
                Some(("sslrootcert", path)) => root = Some(decode(path)?),
                _ => rest.push(pair),
            }
        }
        let rest = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        Ok(Self { rest, mode, root })
    }
}

fn decode(text: &str) -> Result<String, OpenError> {
    let bad = || OpenError::BadUrl("sslrootcert is not percent-encoded correctly".into());
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16)).ok_or_else(bad);
        let (high, low) = (digit()?, digit()?);
        out.push((high * 16 + low) as u8);
    }
    String::from_utf8(out).map_err(|_| bad())
}

fn tls(root: Option<&str>, verify: bool) -> Result<MakeRustlsConnect, OpenError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::BadUrl(error.to_string()))?;
    let config = if verify {
        builder.with_root_certificates(roots(root)?).with_no_client_auth()
    } else {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer::new(&provider)))
            .with_no_client_auth()
    };
    Ok(MakeRustlsConnect::new(config))
}

fn roots(file: Option<&str>) -> Result<RootCertStore, OpenError> {
    let Some(file) = file else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let bad = |error: String| OpenError::BadUrl(format!("sslrootcert {file} cannot be used: {error}"));
    let mut store = RootCertStore::empty();
    for certificate in
        CertificateDer::pem_file_iter(Path::new(file)).map_err(|error| bad(error.to_string()))?
    {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        store.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(bad("it holds no certificate".into()));
    }
    Ok(store)
}

/// For `sslmode=prefer`, which would also go on without TLS: whoever could show a wrong certificate could as well
/// have denied TLS. It keeps out those who only listen. A fresh Debian server has a self-made certificate, and
/// refusing it would make people write `disable`.
#[derive(Debug)]
struct AnyServer(WebPkiSupportedAlgorithms);

impl AnyServer {
    fn new(provider: &CryptoProvider) -> Self {
        Self(provider.signature_verification_algorithms)
    }
}

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
