//! `latchstring dev --https`: a certificate authority of this machine, which can vouch for this machine alone.

use super::files::{self, Loaded, Until};
use crate::{
    failure::Failure,
    files::{Reach, create_private, reach},
};
use jiff::{Timestamp, ToSpan, civil::Date};
use latchstring_core::clock::{Clock, SystemClock};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType, date_time_ymd,
};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
};

/// Years that the authority is good for: as long as somebody may work on an app, and no longer.
const AUTHORITY_YEARS: i64 = 5;
/// Days that the server's certificate is good for: browsers refuse more than 398. A start makes a new one.
const SERVER_DAYS: i64 = 397;

/// The authority's certificate, which a browser has to trust.
pub(crate) fn authority_path(folder: &Path) -> PathBuf {
    folder.join("dev-ca.pem")
}

/// A certificate for `localhost` and the loopback addresses, by the authority in `folder`, which is made at the first time.
/// Gives also whether it was made now.
pub(crate) fn certificate(folder: &Path) -> Result<(Loaded, bool), Failure> {
    let (issuer, made) = authority(folder)?;
    let broken = |e: rcgen::Error| Failure::failed(format!("a certificate can't be made: {e}"));
    let key = KeyPair::generate().map_err(broken)?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).map_err(broken)?;
    params.subject_alt_names.extend([
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ]);
    params.distinguished_name = named("localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let today = today();
    let ((y, m, d), (to_y, to_m, to_d)) = (ymd(before(today)), ymd(in_days(today, SERVER_DAYS - 1)));
    (params.not_before, params.not_after) = (date_time_ymd(y, m, d), date_time_ymd(to_y, to_m, to_d));
    let cert = params.signed_by(&key, &issuer).map_err(broken)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signing = aws_lc_rs::sign::any_supported_type(&private)
        .map_err(|e| Failure::failed(format!("a key can't be used: {e}")))?;
    let until = files::until(cert.der()).map_err(Failure::failed)?;
    Ok((Loaded::made(CertifiedKey::new(vec![cert.der().clone()], signing), until), made))
}

/// The authority: its certificate and its key, read or made.
fn authority(folder: &Path) -> Result<(Issuer<'static, KeyPair>, bool), Failure> {
    let (cert_path, key_path) = (authority_path(folder), folder.join("dev-ca.key"));
    let again = format!("Delete {} and {} to have new ones made", cert_path.display(), key_path.display());
    let unread = |path: &Path, e: &dyn std::fmt::Display| {
        Failure::failed(format!("{} can't be read: {e}. {again}", path.display()))
    };
    if cert_path.exists() || key_path.exists() {
        if reach(&key_path).is_some_and(|reach| reach != Reach::Owner) {
            return Err(Failure::usage(format!(
                "{} can be read by others, who could pretend to be this machine to you. {again}, and trust the new one in \
                 place of the old one",
                key_path.display()
            )));
        }
        let cert = fs::read_to_string(&cert_path).map_err(|e| unread(&cert_path, &e))?;
        let key = fs::read_to_string(&key_path).map_err(|e| unread(&key_path, &e))?;
        let key = KeyPair::from_pem(&key).map_err(|e| unread(&key_path, &e))?;
        let ends = ends(&cert).map_err(|e| unread(&cert_path, &e))?;
        if ends.to < now().as_second() {
            return Err(Failure::failed(format!(
                "the authority in {} is over. {again}",
                cert_path.display()
            )));
        }
        let issuer = Issuer::from_ca_cert_pem(&cert, key).map_err(|e| unread(&cert_path, &e))?;
        return Ok((issuer, false));
    }
    let broken = |e: rcgen::Error| Failure::failed(format!("a certificate authority can't be made: {e}"));
    let key = KeyPair::generate().map_err(broken)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = named("Latchstring development, this machine alone");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Whoever steals the key can pretend to be this machine to those who trust it, and nobody else (RFC 5280, 4.2.1.10).
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(Ipv6Addr::LOCALHOST.octets(), 128)),
        ],
        excluded_subtrees: Vec::new(),
    });
    let today = today();
    let ((y, m, d), (to_y, to_m, to_d)) = (ymd(before(today)), ymd(in_days(today, 365 * AUTHORITY_YEARS)));
    (params.not_before, params.not_after) = (date_time_ymd(y, m, d), date_time_ymd(to_y, to_m, to_d));
    let cert = params.self_signed(&key).map_err(broken)?;
    let written =
        |path: &Path, e: std::io::Error| Failure::failed(format!("{} can't be written: {e}", path.display()));
    create_private(&key_path, &key.serialize_pem()).map_err(|e| written(&key_path, e))?;
    fs::write(&cert_path, cert.pem()).map_err(|e| written(&cert_path, e))?;
    Ok((Issuer::new(params, key), true))
}

fn ends(pem: &str) -> Result<Until, String> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let cert = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| e.to_string())?;
    files::until(&cert)
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn now() -> Timestamp {
    Timestamp::from_microsecond(SystemClock.now()).unwrap_or_default()
}

fn today() -> Date {
    jiff::tz::Offset::UTC.to_datetime(now()).date()
}

/// Clocks of browsers may be somewhat behind.
fn before(today: Date) -> Date {
    today.checked_sub(1.day()).unwrap_or(today)
}

fn in_days(today: Date, days: i64) -> Date {
    today.checked_add(days.days()).unwrap_or(today)
}

fn ymd(date: Date) -> (i32, u8, u8) {
    (date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
}
