//! A certificate that the server gets by itself, by ACME (RFC 8555): the conversation with the authority. What is kept, when
//! it is due and who gets it is for `core::certificate`.

use super::{Certificates, files};
use crate::failure::chain;
use aws_lc_rs::digest::{SHA256, digest};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use instant_acme::{
    Account, AccountBuilder, AccountCredentials, AuthorizationStatus, BodyWrapper, ChallengeType, Identifier,
    NewAccount, NewOrder, OrderStatus, RetryPolicy,
};
use latchstring_core::{
    certificate::{self, Got, Kept, Wanted},
    clock::SECOND,
    id::AuditId,
    mount::ANY_HOST,
    realm::Realm,
};
use latchstring_web::App;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs as provider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use std::{fs, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Where accounts and certificates come from unless something else is set.
pub(crate) const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// What an operator has set.
#[derive(Clone, Debug)]
pub(crate) struct Acme {
    pub(crate) directory: String,
    pub(crate) contact: Option<String>,
    /// The root certificate that the directory is trusted by, where it is not a public one.
    pub(crate) root: Option<PathBuf>,
    /// Whether http comes here too, on a listener of its own: then the authority may ask by it.
    pub(crate) http: bool,
}

/// Between two looks at what is asked for and what has changed.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two questions whether a certificate is due.
const DUE: u32 = 10;
/// Every node has looked by then.
const SPREAD: Duration = Duration::from_secs(3);
/// Longest time for an order.
const ORDER: Duration = Duration::from_secs(300);

/// A certificate by nobody, until there is one: browsers refuse it, and the authority's questions are answered all the same.
pub(crate) fn placeholder(host: &str) -> Result<CertifiedKey, String> {
    made(host, None)
}

/// What answers a question by TLS (RFC 8737, 3).
fn answering(host: &str, answer: &str) -> Result<CertifiedKey, String> {
    let digest = digest(&SHA256, answer.as_bytes());
    made(host, Some(CustomExtension::new_acme_identifier(digest.as_ref())))
}

fn made(host: &str, extension: Option<CustomExtension>) -> Result<CertifiedKey, String> {
    let says = |e: &dyn std::fmt::Display| format!("a certificate can't be made: {e}");
    let key = KeyPair::generate().map_err(|e| says(&e))?;
    let mut params = CertificateParams::new(vec![host.to_owned()]).map_err(|e| says(&e))?;
    params.distinguished_name = DistinguishedName::new();
    params.custom_extensions = extension.into_iter().collect();
    let cert = params.self_signed(&key).map_err(|e| says(&e))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signing = provider::sign::any_supported_type(&private).map_err(|e| says(&e))?;
    Ok(CertifiedKey::new(vec![cert.der().clone()], signing))
}

/// Keeps the certificate fresh for as long as the process lives, together with all other nodes.
pub(crate) async fn keep(acme: Acme, realm: Realm, app: App, certificates: Arc<Certificates>) {
    let holder = realm.ground().audit_id();
    let mut kept: Option<Kept> = None;
    let mut asked: Vec<(String, String)> = Vec::new();
    let mut looks = 0;
    let acme = Arc::new(acme);
    // Beside the looks: while one is under way, what the authority asks for is answered here too.
    let mut order: Option<JoinHandle<()>> = None;
    loop {
        let rev = kept.as_ref().map_or(-1, |kept| kept.rev);
        match certificate::newer(&realm, rev).await {
            Ok(None) => {}
            Ok(Some(newer)) => {
                match used(&newer) {
                    Ok(certified) => {
                        certificates.replace(certified);
                        app.metrics().certificate_ends(newer.ends_at / SECOND);
                        let until = files::shown(newer.ends_at / SECOND);
                        tracing::info!(until, "a new certificate is in use");
                    }
                    Err(why) => tracing::error!(why, "the certificate that is kept can't be used"),
                }
                kept = Some(newer);
            }
            // A database that is away is told by whoever needs it more.
            Err(error) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the certificate can't be looked at"
                )
            }
        }
        if let Ok(proofs) = certificate::proofs(&realm).await
            && proofs != asked
        {
            certificates.answer(proofs.iter().filter_map(|(host, answer)| {
                let made =
                    answering(host, answer).inspect_err(|why| tracing::error!(why, "no answer by TLS"));
                Some((host.clone(), made.ok()?))
            }));
            asked = proofs;
        }
        if looks == 0 && order.as_ref().is_none_or(JoinHandle::is_finished) {
            let wanted = wanted(&acme, &realm);
            if kept.as_ref().is_none_or(|kept| kept.is_due(&wanted, realm.now())) {
                let (acme, realm) = (acme.clone(), realm.clone());
                order = Some(tokio::spawn(async move { get(&acme, &realm, &wanted, holder).await }));
            }
        }
        looks = (looks + 1) % DUE;
        sleep(LOOK).await;
    }
}

/// The host of the server's own address, and those of mounts.
fn wanted(acme: &Acme, realm: &Realm) -> Wanted {
    let own = crate::config::host_of(realm.issuer()).to_owned();
    let mut hosts: Vec<String> = realm
        .mounts()
        .iter()
        .filter(|mount| mount.host != ANY_HOST)
        .map(|mount| mount.host.split(':').next().unwrap_or_default().to_owned())
        // One that no authority vouches for must not keep the others from their certificate.
        .filter(|host| can_vouch(host))
        .collect();
    hosts.push(own);
    hosts.sort();
    hosts.dedup();
    Wanted { directory: acme.directory.clone(), hosts }
}

/// Whether a public name can lead to a host: an authority is asked for no other.
pub(crate) fn can_vouch(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']);
    let local = host == "localhost" || host.ends_with(".localhost");
    bare.contains('.') && bare.parse::<IpAddr>().is_err() && !local
}

fn used(kept: &Kept) -> Result<CertifiedKey, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(kept.chain.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let key =
        PrivateKeyDer::from_pem_slice(kept.key.as_bytes()).map_err(|_| "the key can't be read".to_owned())?;
    let signing = provider::sign::any_supported_type(&key).map_err(|e| e.to_string())?;
    Ok(CertifiedKey::new(chain, signing))
}

/// Gets a certificate, if it is this node's turn.
async fn get(acme: &Acme, realm: &Realm, wanted: &Wanted, holder: AuditId) {
    let account = match certificate::begin(realm, wanted, holder.0).await {
        Ok(Some(account)) => account,
        Ok(None) => return,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "an order can't be begun");
            return;
        }
    };
    tracing::info!(hosts = wanted.hosts.join(" "), directory = wanted.directory, "a certificate is ordered");
    let ordered = timeout(ORDER, order(acme, realm, wanted, account)).await;
    let why = match ordered.unwrap_or_else(|_| Err("the authority took too long".to_owned())) {
        Ok(got) => match certificate::keep(realm, wanted, got, holder.0).await {
            Ok(()) => return,
            Err(error) => chain(&error),
        },
        Err(why) => why,
    };
    match certificate::failed(realm, holder.0).await {
        Ok(next) => {
            let next = files::shown(next / SECOND);
            tracing::error!(why, next, "no certificate was got; it is tried again then");
        }
        Err(error) => {
            tracing::error!(why, error = &error as &dyn std::error::Error, "no certificate was got")
        }
    }
}

async fn order(
    acme: &Acme,
    realm: &Realm,
    wanted: &Wanted,
    kept: certificate::Account,
) -> Result<Got, String> {
    let says = |e: instant_acme::Error| chain(&e);
    let account = account(acme, realm, kept).await?;
    let hosts: Vec<Identifier> = wanted.hosts.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&hosts)).await.map_err(says)?;
    // By http where that comes here, and else by TLS.
    let kind = if acme.http { ChallengeType::Http01 } else { ChallengeType::TlsAlpn01 };
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.map_err(says)?;
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            other => return Err(format!("the authority has an authorization that is {other:?}")),
        }
        let host = match &authorization.identifier().identifier {
            Identifier::Dns(host) => host.clone(),
            other => return Err(format!("the authority asks about {other:?}")),
        };
        let mut challenge = authorization
            .challenge(kind.clone())
            .ok_or_else(|| format!("the authority does not ask by {kind:?}"))?;
        let answer = challenge.key_authorization();
        certificate::put_proof(realm, &challenge.token, &host, answer.as_str())
            .await
            .map_err(|e| chain(&e))?;
        if kind == ChallengeType::TlsAlpn01 {
            sleep(SPREAD).await;
        }
        challenge.set_ready().await.map_err(says)?;
    }
    let policy = RetryPolicy::new().timeout(Duration::from_secs(90));
    let ready = order.poll_ready(&policy).await;
    let why = match ready {
        Ok(OrderStatus::Ready | OrderStatus::Valid) => None,
        Ok(status) => Some(format!("the order is {status:?}")),
        Err(error) => Some(chain(&error)),
    };
    if let Some(why) = why {
        let (port, leads) = match kind {
            ChallengeType::Http01 => (80, " (it leads to LATCHSTRING_HTTP_LISTEN)"),
            _ => (443, ""),
        };
        return Err(format!(
            "the authority refuses: {why}. It has to reach this server under {} on port {port}{leads}",
            wanted.hosts.join(" and ")
        ));
    }
    let key = KeyPair::generate().map_err(|e| e.to_string())?;
    let mut params = CertificateParams::new(wanted.hosts.clone()).map_err(|e| e.to_string())?;
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key).map_err(|e| e.to_string())?;
    order.finalize_csr(request.der()).await.map_err(says)?;
    let chain = order.poll_certificate(&policy).await.map_err(says)?;
    let own = CertificateDer::from_pem_slice(chain.as_bytes()).map_err(|e| e.to_string())?;
    let until = files::until(&own)?;
    Ok(Got {
        chain,
        key: key.serialize_pem().into(),
        begins_at: until.from * SECOND,
        ends_at: until.to * SECOND,
    })
}

/// The account at the authority: the one that is kept, or a new one.
async fn account(acme: &Acme, realm: &Realm, kept: certificate::Account) -> Result<Account, String> {
    let says = |e: instant_acme::Error| chain(&e);
    if let Some(kept) = kept.0 {
        let credentials: AccountCredentials = serde_json::from_slice(&kept).map_err(|e| e.to_string())?;
        return client(acme)?.from_credentials(credentials).await.map_err(says);
    }
    let contact = acme.contact.as_ref().map(|address| format!("mailto:{address}"));
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) =
        client(acme)?.create(&new, acme.directory.clone(), None).await.map_err(says)?;
    let text = zeroize::Zeroizing::new(serde_json::to_vec(&credentials).map_err(|e| e.to_string())?);
    certificate::keep_account(realm, &acme.directory, &text).await.map_err(|e| chain(&e))?;
    Ok(account)
}

/// A client that trusts the public roots, or the one root of a private authority.
fn client(acme: &Acme) -> Result<AccountBuilder, String> {
    let mut roots = RootCertStore::empty();
    match &acme.root {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let read = |e: &dyn std::fmt::Display| format!("{} can't be read: {e}", path.display());
            let pem = fs::read(path).map_err(|e| read(&e))?;
            let root = CertificateDer::from_pem_slice(&pem).map_err(|e| read(&e))?;
            roots.add(root).map_err(|e| read(&e))?;
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
    let http: Client<_, BodyWrapper<axum::body::Bytes>> =
        Client::builder(TokioExecutor::new()).build(connector);
    Ok(Account::builder_with_http(Box::new(http)))
}
