//! Whether a configuration is fit for production. `serve` and `doctor` ask the same judge.

use crate::{
    config::{self, Config, Place, Tls},
    files::{self, Reach},
    finding::Finding,
    listeners::HTTPS,
    tls::{
        acme::can_vouch,
        files::{Files, is_for, shown},
    },
};
use latchstring_core::{
    clock::{Clock, SECOND, SystemClock},
    seal::{Keys, SecretError},
};
use std::{net::SocketAddr, path::Path};

/// Where `serve` listens unless something else is set.
pub(crate) const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// Where it listens with TLS unless something else is set: everywhere, as browsers look for it.
const DEFAULT_LISTEN_TLS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), HTTPS);

/// A certificate that ends within this many seconds should have been renewed: 14 days.
const SOON: i64 = 14 * 24 * 3_600;

/// Where `serve` listens.
pub(crate) fn public(config: &Config) -> SocketAddr {
    let default = if config.tls == Tls::Off { DEFAULT_LISTEN } else { DEFAULT_LISTEN_TLS };
    config.listen.unwrap_or(default)
}

const MAKE_SECRET: &str = "make one with `openssl rand -hex 32`, put it into a file of mode 0600, point \
                           LATCHSTRING_SECRET_FILE at it, and keep a copy apart from the database's backups";

/// Judges for `latchstring serve`. Looks at the modes of files that the configuration names, and at nothing else.
pub(crate) fn judge(config: &Config) -> Vec<Finding> {
    [
        url(config),
        secret(config),
        settings_file(config),
        listen(config),
        tls(config),
        metrics(config),
        mail(config),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Hosts that stand for nobody (RFC 2606): an example was copied.
fn is_example(host: &str) -> bool {
    ["example.com", "example.org", "example.net", "mycompany.com"]
        .iter()
        .any(|example| host == *example || host.strip_suffix(example).is_some_and(|rest| rest.ends_with('.')))
        || host == "example"
        || host.ends_with(".example")
}

fn url(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "public address";
    let set = "set LATCHSTRING_URL to the https address under which people reach the server";
    let Some(url) = &config.url else {
        let why = "links in mail, cookies and the issuer of every token are made from it";
        return vec![Finding::bad(CHECK, "LATCHSTRING_URL is not set", why, set)];
    };
    let host = config::host_of(url);
    if !url.starts_with("https://") {
        let why = "passwords, cookies and tokens would travel in clear, and browsers refuse the cookie without https";
        let mend = format!(
            "{set}; TLS is done here (LATCHSTRING_TLS=files) or by a proxy in front. For trying things out, use `latchstring dev`"
        );
        return vec![Finding::bad(CHECK, format!("LATCHSTRING_URL is {url}, not https"), why, mend)];
    }
    if is_example(host) {
        let why = "the issuer can't change later without a word to every app";
        return vec![Finding::bad(CHECK, format!("LATCHSTRING_URL is an example ({url})"), why, set)];
    }
    if config::is_local(url) {
        let why = "nobody but this machine can open it";
        return vec![Finding::weak(CHECK, format!("LATCHSTRING_URL is {url}"), why, set)];
    }
    vec![Finding::good(CHECK, url.clone())]
}

/// Judges the root secret and the file that it stands in.
fn secret(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "secret";
    let why = "signing keys, codes and everything reversible in the database are sealed under it";
    let Some(secret) = &config.secret else {
        return vec![Finding::bad(CHECK, "LATCHSTRING_SECRET is not set", why, MAKE_SECRET)];
    };
    let mut findings = match Keys::parse(&secret.text) {
        Ok(_) => vec![],
        Err(e @ (SecretError::Encoding | SecretError::Short(_) | SecretError::Weak)) => {
            let says = format!("{} is not usable: {e}", secret.place);
            vec![Finding::bad(CHECK, says, format!("{why}; a guessable one opens them all"), MAKE_SECRET)]
        }
    };
    if let Place::File(path) = &secret.place {
        findings.extend(private(CHECK, path, "whoever reads it can forge tokens and open the database"));
    }
    if findings.is_empty() {
        findings.push(Finding::good(CHECK, format!("in {}, and looks random", secret.place)));
    }
    findings
}

/// A finding if a file with something secret in it can be read by others.
pub(crate) fn private(check: &'static str, path: &Path, why: &str) -> Option<Finding> {
    let shown = path.display();
    let says = |who: &str| format!("{shown} can be read by {who} (mode {})", files::mode(path));
    let mend = format!("chmod 600 {shown} (for a secret of Docker or Kubernetes: give it the mode 0400)");
    match files::reach(path)? {
        Reach::Owner => None,
        // A group of its own is how systemd and Kubernetes hand secrets over.
        Reach::Group => Some(Finding::weak(check, says("its group"), why, mend)),
        Reach::Everyone => Some(Finding::bad(check, says("everyone"), why, mend)),
    }
}

fn settings_file(config: &Config) -> Vec<Finding> {
    let Some(path) = config.file.as_ref().filter(|_| config.file_has_secrets) else { return Vec::new() };
    private("settings file", path, "it holds a password or the secret").into_iter().collect()
}

fn listen(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "listener";
    let listen = public(config);
    let everyone = config.trusted_proxies.iter().find(|range| range.to_string().ends_with("/0"));
    if let Some(range) = everyone {
        let why = "everyone could write any address into X-Forwarded-For, and limits count by address";
        let mend = "set LATCHSTRING_TRUSTED_PROXIES to the addresses of your own proxies";
        return vec![Finding::bad(CHECK, format!("LATCHSTRING_TRUSTED_PROXIES holds {range}"), why, mend)];
    }
    if config.tls != Tls::Off {
        return vec![Finding::good(CHECK, format!("{listen}, with TLS"))];
    }
    if !listen.ip().to_canonical().is_loopback() && config.trusted_proxies.is_empty() {
        let says = format!("LATCHSTRING_LISTEN is {listen}, which others reach without TLS");
        let why = "the server itself speaks plain http; a proxy with TLS has to stand in front of it";
        let mend =
            "listen on 127.0.0.1, or set LATCHSTRING_TRUSTED_PROXIES to the address of the proxy in front";
        return vec![Finding::bad(CHECK, says, why, mend)];
    }
    if config.trusted_proxies.is_empty() {
        let says = format!("LATCHSTRING_TRUSTED_PROXIES is not set, and only this machine reaches {listen}");
        let why =
            "behind a proxy every client then has the proxy's address, so one flood locks everybody out";
        let mend = "set LATCHSTRING_TRUSTED_PROXIES=127.0.0.1 if the proxy runs on this machine";
        return vec![Finding::weak(CHECK, says, why, mend)];
    }
    let proxies: Vec<String> = config.trusted_proxies.iter().map(ToString::to_string).collect();
    vec![Finding::good(CHECK, format!("{listen}, behind {}", proxies.join(", ")))]
}

fn tls(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "TLS";
    let why = "without a certificate that browsers take, nobody can sign in";
    match config.tls {
        Tls::Off => return Vec::new(),
        Tls::Files => {}
        Tls::Acme => return acme(config),
    }
    let Some(files) = certificate(config) else {
        let mend = "set LATCHSTRING_TLS_CERT and LATCHSTRING_TLS_KEY to the files of the chain and of the key (certbot: \
                    fullchain.pem and privkey.pem), or LATCHSTRING_TLS=off behind a proxy";
        let says = "LATCHSTRING_TLS is files, and LATCHSTRING_TLS_CERT or LATCHSTRING_TLS_KEY is not set";
        return vec![Finding::bad(CHECK, says, why, mend)];
    };
    let mut findings = Vec::new();
    findings.extend(private(CHECK, &files.key, "whoever reads it can pretend to be this server"));
    let loaded = match files.load() {
        Ok(loaded) => loaded,
        Err(says) => {
            findings.push(Finding::bad(CHECK, says, why, "mend the file, or name another one"));
            return findings;
        }
    };
    let host = config.url.as_deref().map(config::host_of).unwrap_or_default();
    let (from, to) = (loaded.until.from, loaded.until.to);
    let now = SystemClock.now() / SECOND;
    let cert = files.cert.display();
    let renew = "have it renewed: certbot renew, or whatever made it. The server reads it again by itself";
    let until = shown(to);
    if now >= to || now < from {
        let says = match now < from {
            true => format!("the certificate in {cert} begins {}", shown(from)),
            false => format!("the certificate in {cert} ended {until}"),
        };
        findings.push(Finding::bad(CHECK, says, why, renew));
    } else if to - now < SOON {
        let says = format!("the certificate in {cert} ends {until}");
        findings.push(Finding::weak(CHECK, says, "from then on browsers refuse it", renew));
    }
    if !is_for(&loaded.certified, host) {
        let says = format!("the certificate in {cert} is not for {host}");
        let mend = "take one that has the host of LATCHSTRING_URL among its names";
        findings.push(Finding::bad(CHECK, says, "browsers refuse it there", mend));
    }
    if findings.is_empty() {
        findings.push(Finding::good(CHECK, format!("{cert} is for {host}, until {until}")));
    }
    findings
}

/// Whether an authority can be asked for a certificate.
fn acme(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "TLS";
    let host = config.url.as_deref().map(config::host_of).unwrap_or_default();
    let mut findings = Vec::new();
    if !can_vouch(host) {
        let mend = "set LATCHSTRING_URL to a name that leads here from everywhere, or LATCHSTRING_TLS=files";
        let says = format!("LATCHSTRING_TLS is acme, and no authority vouches for {host}");
        findings.push(Finding::bad(CHECK, says, "it asks for the server by its public name", mend));
    }
    if let Some(path) = config.acme_root.as_ref().filter(|path| !path.is_file()) {
        let says = format!("LATCHSTRING_ACME_ROOT: {} is not there", path.display());
        findings.push(Finding::bad(
            CHECK,
            says,
            "the authority's directory would not be trusted",
            "name the file",
        ));
    }
    if config.acme_contact.is_none() && findings.is_empty() {
        let mend = "set LATCHSTRING_ACME_CONTACT to an address that somebody reads";
        let why = "the authority has nobody to write to when something is wrong with the certificates";
        findings.push(Finding::weak(CHECK, "LATCHSTRING_ACME_CONTACT is not set", why, mend));
    }
    if findings.is_empty() {
        findings.push(Finding::good(CHECK, format!("a certificate for {host} is got by ACME")));
    }
    findings
}

/// The files of the certificate, where TLS is done here by files.
pub(crate) fn certificate(config: &Config) -> Option<Files> {
    let (cert, key) = (config.tls_cert.clone()?, config.tls_key.clone()?);
    (config.tls == Tls::Files).then_some(Files { cert, key })
}

fn metrics(config: &Config) -> Vec<Finding> {
    let Some(listen) = config.metrics_listen.filter(|l| !l.ip().to_canonical().is_loopback()) else {
        return Vec::new();
    };
    let says = format!("LATCHSTRING_METRICS_LISTEN is {listen}");
    let why = "figures about sign-ins are readable by whoever reaches that port";
    vec![Finding::weak(
        "metrics",
        says,
        why,
        "listen on 127.0.0.1 or a private address, or see that a firewall does it",
    )]
}

fn mail(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "mail";
    let why = "people prove their address and recover their account by mail; without it nobody can sign up";
    let mut findings = Vec::new();
    match &config.smtp {
        None => {
            let mend =
                "set LATCHSTRING_SMTP_URL (or _FILE), such as smtps://user:password@smtp.your-provider:465";
            findings.push(Finding::bad(CHECK, "LATCHSTRING_SMTP_URL is not set", why, mend));
        }
        Some(smtp) if is_example(&smtp.host) => {
            let says = format!("LATCHSTRING_SMTP_URL is an example ({smtp})");
            findings.push(Finding::bad(CHECK, says, why, "set it to the server of your mail provider"));
        }
        Some(_) => {}
    }
    match &config.mail_from {
        None => {
            let mend = "set LATCHSTRING_MAIL_FROM to an address that your mail server may send from";
            findings.push(Finding::bad(CHECK, "LATCHSTRING_MAIL_FROM is not set", why, mend));
        }
        Some(from) if from.rsplit_once('@').is_some_and(|(_, domain)| is_example(domain)) => {
            let mend = "set it to an address that your mail server may send from";
            let says = format!("LATCHSTRING_MAIL_FROM is an example ({from})");
            findings.push(Finding::bad(
                CHECK,
                says,
                "receivers drop mail from domains that don't exist",
                mend,
            ));
        }
        Some(_) => {}
    }
    match (&config.smtp, &config.mail_from, findings.is_empty()) {
        (Some(smtp), Some(from), true) => vec![Finding::good(CHECK, format!("{smtp}, from {from}"))],
        _ => findings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::SmtpUrl, finding::Level};
    use latchstring_core::random::SystemRandom;
    use zeroize::Zeroizing;

    fn fit() -> Config {
        Config {
            url: Some("https://auth.mycompany.test".into()),
            secret: Some(config::Secret {
                text: Keys::generate(&SystemRandom::default()),
                place: Place::Variable("LATCHSTRING_SECRET".into()),
            }),
            listen: Some(SocketAddr::from(([0, 0, 0, 0], 8080))),
            trusted_proxies: vec!["10.0.0.1".parse().expect("a range")],
            smtp: Some(SmtpUrl::parse("smtps://smtp.mycompany.test").expect("a server")),
            mail_from: Some("auth@mycompany.test".into()),
            ..Config::default()
        }
    }

    /// The worst finding after a change, and its words.
    fn after(change: impl FnOnce(&mut Config)) -> (Level, String) {
        let mut config = fit();
        change(&mut config);
        let worst = judge(&config).into_iter().max_by_key(|f| f.level).expect("findings");
        assert!(worst.level == Level::Good || !(worst.why.is_empty() || worst.mend.is_empty()), "{worst}");
        (worst.level, worst.says)
    }

    #[test]
    fn a_fit_configuration_passes() {
        assert_eq!(after(|_| {}).0, Level::Good);
    }

    #[test]
    fn attack_a159_what_is_unsafe_is_refused() {
        let set_secret = |text: &str| {
            let text = Zeroizing::new(text.to_owned());
            move |c: &mut Config| {
                c.secret = Some(config::Secret { text, place: Place::Variable("LATCHSTRING_SECRET".into()) })
            }
        };
        let bad = |(level, says): (Level, String), part: &str| {
            assert!(level == Level::Bad && says.contains(part), "{level:?} {says}");
        };
        bad(after(|c| c.url = None), "LATCHSTRING_URL is not set");
        bad(after(|c| c.url = Some("http://auth.mycompany.test".into())), "not https");
        bad(after(|c| c.url = Some("http://localhost:8080".into())), "not https");
        bad(after(|c| c.url = Some("https://auth.example.com".into())), "an example");
        bad(after(|c| c.url = Some("https://auth.mycompany.com".into())), "an example");
        bad(after(|c| c.secret = None), "LATCHSTRING_SECRET is not set");
        bad(after(set_secret("changeme")), "LATCHSTRING_SECRET is not usable");
        bad(after(set_secret(&"00".repeat(32))), "does not look random");
        bad(after(|c| c.trusted_proxies = vec![]), "without TLS");
        bad(after(|c| c.trusted_proxies = vec!["0.0.0.0/0".parse().expect("a range")]), "0.0.0.0/0");
        bad(after(|c| c.trusted_proxies = vec!["::/0".parse().expect("a range")]), "::/0");
        let acme = |url: &'static str| {
            after(move |c| {
                (c.tls, c.acme_contact) = (Tls::Acme, Some("ops@mycompany.test".into()));
                c.url = Some(url.into());
            })
        };
        assert_eq!(acme("https://auth.mycompany.test").0, Level::Good);
        for url in ["https://192.0.2.7", "https://[2001:db8::1]", "https://auth", "https://localhost"] {
            bad(acme(url), "no authority vouches for");
        }
        bad(after(|c| c.tls = Tls::Files), "LATCHSTRING_TLS_CERT or LATCHSTRING_TLS_KEY is not set");
        bad(after(|c| c.smtp = None), "LATCHSTRING_SMTP_URL is not set");
        bad(after(|c| c.mail_from = None), "LATCHSTRING_MAIL_FROM is not set");
        bad(after(|c| c.mail_from = Some("auth@example.org".into())), "an example");
    }

    #[test]
    fn what_is_merely_weak_starts() {
        let weak = |(level, _): (Level, String)| assert_eq!(level, Level::Weak);
        weak(after(|c| (c.listen, c.trusted_proxies) = (None, vec![])));
        weak(after(|c| c.url = Some("https://localhost".into())));
        weak(after(|c| c.metrics_listen = Some(SocketAddr::from(([0, 0, 0, 0], 9090)))));
    }

    #[test]
    fn examples_are_known_and_their_look_alikes_are_not() {
        for example in ["example.com", "a.b.example.com", "x.example", "smtp.example.org"] {
            assert!(is_example(example), "{example}");
        }
        for real in
            ["auth.example.test", "notexample.com", "example.com.evil.test", "auth.counterexample.org"]
        {
            assert!(!is_example(real), "{real}");
        }
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        files::create_private(&path, "x").expect("written");
        let from_file = |c: &mut Config| {
            if let Some(secret) = &mut c.secret {
                secret.place = Place::File(path.clone());
            }
        };
        assert_eq!(after(from_file).0, Level::Good);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("changed");
        assert_eq!(after(from_file).0, Level::Weak);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("changed");
        let (level, says) = after(from_file);
        assert!(level == Level::Bad && says.contains("can be read by everyone (mode 0644)"), "{says}");
    }
}
