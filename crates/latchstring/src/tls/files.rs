//! A certificate and its key from files, read again when they change.

use super::Certificates;
use latchstring_web::App;
use rustls::{
    client::verify_server_name,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::ParsedCertificate,
    sign::CertifiedKey,
};
use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Where they are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The chain, the server's own certificate first.
    pub(crate) cert: PathBuf,
    /// The private key.
    pub(crate) key: PathBuf,
}

/// A certificate that was read.
pub(crate) struct Loaded {
    pub(crate) certified: CertifiedKey,
    pub(crate) until: Until,
    seen: Seen,
}

/// What changes of the two files when one is written.
pub(crate) type Seen = [Option<(u64, u64, i64, i64)>; 2];

/// From when to when a certificate is good, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Until {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(2);
/// Larger files are none of these.
const MOST: u64 = 1024 * 1024;

impl Loaded {
    /// One of no files.
    pub(crate) fn made(certified: CertifiedKey, until: Until) -> Self {
        Self { certified, until, seen: [None; 2] }
    }

    /// What the files were when they were read.
    pub(crate) fn seen(&self) -> Seen {
        self.seen
    }
}

impl Files {
    /// Reads both, and sees that they belong together. What is wrong, in words.
    pub(crate) fn load(&self) -> Result<Loaded, String> {
        let seen = self.seen();
        let cert = self.cert.display();
        let chain = read(&self.cert)?;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<_, _>>()
            .map_err(|e| format!("{cert} is not PEM: {e}"))?;
        let Some(own) = chain.first() else {
            return Err(format!("{cert} has no certificate in it (-----BEGIN CERTIFICATE-----)"));
        };
        let until = until(own).map_err(|e| format!("the certificate in {cert} can't be read: {e}"))?;
        let key = self.key.display();
        let bytes = read(&self.key)?;
        let private = PrivateKeyDer::from_pem_slice(&bytes)
            .map_err(|_| format!("{key} has no private key in it that can be read without a passphrase"))?;
        let signing = aws_lc_rs::sign::any_supported_type(&private).map_err(|_| {
            format!("the key in {key} is of a kind that is not taken (RSA, P-256, P-384 or Ed25519)")
        })?;
        let certified = CertifiedKey::new(chain, signing);
        certified.keys_match().map_err(|_| format!("{key} is not the key of the certificate in {cert}"))?;
        Ok(Loaded { certified, until, seen })
    }

    /// What changes when a file is written anew or another one takes its place.
    fn seen(&self) -> Seen {
        [&self.cert, &self.key].map(|path| {
            let data = fs::metadata(path).ok()?;
            Some((data.ino(), data.len(), data.mtime(), data.mtime_nsec()))
        })
    }
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, String> {
    let can_not = |e: io::Error| format!("{} can't be read: {e}", path.display());
    let length = fs::metadata(path).map_err(can_not)?.len();
    if length > MOST {
        return Err(format!("{} is too large", path.display()));
    }
    fs::read(path).map(Into::into).map_err(can_not)
}

/// When a certificate is good.
pub(crate) fn until(certificate: &CertificateDer<'_>) -> Result<Until, String> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).map_err(|e| e.to_string())?;
    let validity = parsed.validity();
    Ok(Until { from: validity.not_before.timestamp(), to: validity.not_after.timestamp() })
}

/// Whether a certificate is for a host.
pub(crate) fn is_for(certified: &CertifiedKey, host: &str) -> bool {
    let Ok(name) = ServerName::try_from(host.trim_matches(['[', ']'])) else { return false };
    let Some(own) = certified.cert.first() else { return false };
    ParsedCertificate::try_from(own).is_ok_and(|parsed| verify_server_name(&parsed, &name).is_ok())
}

/// Follows the files for as long as the process lives. One that can't be used leaves the certificate from before.
pub(crate) async fn follow(
    files: Files,
    mut used: Seen,
    certificates: Arc<Certificates>,
    app: App,
    host: String,
) {
    let mut before = used;
    loop {
        tokio::time::sleep(LOOK).await;
        let now = files.seen();
        // Two files are not written at once: they are read when they have stood still for a moment.
        let still = std::mem::replace(&mut before, now) == now;
        if now == used || !still {
            continue;
        }
        used = now;
        match files.load() {
            Ok(loaded) => {
                if !is_for(&loaded.certified, &host) {
                    tracing::error!(host, file = %files.cert.display(), "the new certificate is not for this host");
                }
                app.metrics().certificate_ends(loaded.until.to);
                certificates.replace(loaded.certified);
                tracing::info!(file = %files.cert.display(), until = %shown(loaded.until.to), "a new certificate is in use");
            }
            Err(why) => tracing::error!(why, "the new certificate can't be used: the one from before stays"),
        }
    }
}

/// A time, for people.
pub(crate) fn shown(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|at| at.to_string()).unwrap_or_default()
}
