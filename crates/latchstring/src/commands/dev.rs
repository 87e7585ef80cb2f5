//! `latchstring dev`: the server for a laptop. Answers this machine only, needs no settings, keeps mail to itself.

use crate::{
    cli,
    config::{self, Config},
    failure::Failure,
    files,
    listeners::Listeners,
    open,
    process::{self, Certificate, Greeting, Plan},
    safety, say, tls,
};
use latchstring_core::{
    challenge::{TEST_CODE, TEST_DOMAIN},
    random::SystemRandom,
    seal::Keys,
};
use std::{
    io::ErrorKind,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use zeroize::Zeroizing;

/// Where it listens unless something else is set.
pub(crate) const DEFAULT_LISTEN: SocketAddr = safety::DEFAULT_LISTEN;

/// Runs it.
pub(crate) async fn run(config: Config, args: &cli::Dev) -> Result<(), Failure> {
    let listen = listen(&config, args.https)?;
    open::place(&config)?;
    let (keys, made) = keys(&config)?;
    let (certificate, fresh) = match args.https {
        true => {
            let (loaded, fresh) = tls::dev::certificate(&folder(&config))?;
            (Some(Certificate::Fixed(loaded)), fresh)
        }
        false => (None, false),
    };
    let listeners = Listeners::bind(&config, listen, "dev").await?;
    let bound = listeners.public.local_addr().map_err(|e| Failure::failed(e.to_string()))?;
    let origin = config.url.clone().unwrap_or_else(|| origin(bound, args.https));
    let authority = args.https.then(|| tls::dev::authority_path(&folder(&config)));
    let mut greet = greeting(&config, origin.clone(), authority.as_deref());
    if let Some(authority) = authority {
        greet = trusting(greet, &authority, fresh);
    }
    let plan = Plan {
        config,
        dev: true,
        accept_new_url: true,
        restored: false,
        origin,
        certificate,
        keys: Arc::new(keys),
        drain: Duration::ZERO,
        new_secret: made,
    };
    process::run(plan, listeners, greet).await
}

/// Where to listen; refuses what others could reach.
fn listen(config: &Config, https: bool) -> Result<SocketAddr, Failure> {
    let scheme = if https { "https://" } else { "http://" };
    const INSTEAD: &str = "`latchstring dev` shows all mail to whoever can reach it, so it answers this machine only. \
                           Leave the setting away, or run `latchstring serve`";
    if let Some(url) = &config.url
        && !(url.starts_with(scheme) && config::is_local(url))
    {
        if config::is_local(url) {
            let says = if https { "http, and --https was asked for" } else { "https: add --https" };
            return Err(Failure::usage(format!("LATCHSTRING_URL is {url}, which is {says}")));
        }
        return Err(Failure::usage(format!("LATCHSTRING_URL is {url}. {INSTEAD}")));
    }
    let by_url = config.url.as_deref().map(|url| {
        let mut listen = DEFAULT_LISTEN;
        if let Ok(ip) = config::host_of(url).trim_matches(['[', ']']).parse() {
            listen.set_ip(ip);
        }
        listen.set_port(config::port_of(url));
        listen
    });
    for (name, listen) in
        [("LATCHSTRING_LISTEN", config.listen), ("LATCHSTRING_METRICS_LISTEN", config.metrics_listen)]
    {
        if let Some(listen) = listen.filter(|l| !l.ip().to_canonical().is_loopback()) {
            return Err(Failure::usage(format!("{name} is {listen}. {INSTEAD}")));
        }
    }
    Ok(config.listen.or(by_url).unwrap_or(DEFAULT_LISTEN))
}

/// The address to click on. `localhost`, where that leads here: browsers allow passkeys for it, and for no bare address.
pub(crate) fn origin(bound: SocketAddr, https: bool) -> String {
    let scheme = if https { "https" } else { "http" };
    let usual = [DEFAULT_LISTEN.ip(), std::net::Ipv6Addr::LOCALHOST.into()];
    match bound {
        bound if usual.contains(&bound.ip()) => format!("{scheme}://localhost:{}", bound.port()),
        bound => format!("{scheme}://{bound}"),
    }
}

/// The folder of the data, where `dev` keeps what it makes for itself.
fn folder(config: &Config) -> PathBuf {
    secret_path(config).parent().map(Path::to_owned).unwrap_or_default()
}

/// Says also how to have browsers and programs trust the server.
fn trusting(greet: Greeting, authority: &Path, fresh: bool) -> Greeting {
    let shown = std::fs::canonicalize(authority).unwrap_or_else(|_| authority.to_owned());
    Box::new(move |token| {
        greet(token);
        let shown = shown.display();
        let made =
            if fresh { "was made for this machine just now" } else { "vouches for this machine alone" };
        say::out(format_args!(
            "\nhttps: the certificate authority {shown} {made}. Until it is trusted, browsers warn:"
        ));
        say::out(format_args!("  curl           curl --cacert {shown} …"));
        say::out(format_args!("  Node           NODE_EXTRA_CA_CERTS={shown}"));
        say::out(format_args!("  Python         SSL_CERT_FILE={shown} (requests: REQUESTS_CA_BUNDLE)"));
        say::out("  Firefox        Settings, Certificates, Authorities, Import; trust it for websites");
        say::out(format_args!(
            "  Chrome, Linux  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n latchstring-dev -i {shown}"
        ));
        say::out(format_args!(
            "  macOS          security add-trusted-cert -k ~/Library/Keychains/login.keychain-db {shown}"
        ));
    })
}

/// Where `dev` keeps the secret that it makes for itself.
pub(crate) fn secret_path(config: &Config) -> PathBuf {
    let folder = config.database_file().and_then(|file| file.parent().map(Path::to_owned));
    folder.unwrap_or_else(|| PathBuf::from("data")).join("dev-secret")
}

/// The configured secret, or one of our own, made at the first start; and its file, if it was made now.
fn keys(config: &Config) -> Result<(Keys, Option<PathBuf>), Failure> {
    if let Some(secret) = &config.secret {
        let parsed = Keys::parse(&secret.text).map(|keys| (keys, None));
        return parsed.map_err(|e| {
            Failure::usage(format!("{}: {e}. Make one with `openssl rand -hex 32`", secret.place))
        });
    }
    let path = secret_path(config);
    let shown = path.display();
    let fresh = Keys::generate(&SystemRandom::default());
    let made = match files::create_private(&path, &fresh) {
        Ok(()) => true,
        Err(e) if e.kind() == ErrorKind::AlreadyExists && path.is_file() => false,
        Err(e) => {
            return Err(Failure::usage(format!(
                "{shown} can't be written: {e}. Run it in a folder of yours, or set LATCHSTRING_DATABASE to a place there"
            )));
        }
    };
    let text =
        std::fs::read_to_string(&path).map_err(|e| Failure::failed(format!("{shown} can't be read: {e}")))?;
    if files::reach(&path) != Some(files::Reach::Owner) {
        tracing::warn!(file = %shown, "others could read the secret of the development server; now they can't");
        files::make_private(&path)
            .map_err(|e| Failure::failed(format!("{shown} can't be made private: {e}")))?;
    }
    let keys = Keys::parse(&Zeroizing::new(text)).map_err(|e| {
        Failure::usage(format!(
            "{shown}: {e}. Restore it; or delete it with the database beside it, and begin anew"
        ))
    })?;
    Ok((keys, made.then_some(path)))
}

/// Prints where to click.
fn greeting(config: &Config, origin: String, authority: Option<&Path>) -> Greeting {
    let trust = authority.map(|path| format!("--cacert {} ", path.display())).unwrap_or_default();
    let database = config.database_shown();
    Box::new(move |token| {
        say::out(format_args!("\nLatchstring {} for development\n", env!("CARGO_PKG_VERSION")));
        say::out(format_args!("  start here    {origin}/"));
        say::out(format_args!(
            "  mail          {origin}/dev/mail   (it sends none: all of it is caught here)"
        ));
        say::out(format_args!("  test code     {TEST_CODE}, for every address at {TEST_DOMAIN}"));
        say::out(format_args!("  API           {origin}/docs"));
        say::out(format_args!("  data          {database}"));
        if let Some(token) = token {
            say::out(format_args!("\nset-up token: {token}\n"));
            say::out("  Spend it once for an API key that may do everything:");
            say::out(format_args!(
                "  curl {trust}{origin}/api/v1/setup -H 'Content-Type: application/json' -d '{{\"token\":\"{token}\"}}'"
            ));
        }
        say::out("\nCtrl-C stops it.");
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_listens_where_only_this_machine_reaches_it() {
        let with = |url: Option<&str>, listen: Option<&str>| {
            let config = Config {
                url: url.map(ToOwned::to_owned),
                listen: listen.map(|l| l.parse().expect("an address")),
                ..Config::default()
            };
            super::listen(&config, false).map(|l| l.to_string()).map_err(|f| f.text)
        };
        assert_eq!(with(None, None).as_deref(), Ok("127.0.0.1:8080"));
        assert_eq!(with(Some("http://localhost:9000"), None).as_deref(), Ok("127.0.0.1:9000"));
        assert_eq!(with(Some("http://[::1]:9000"), None).as_deref(), Ok("[::1]:9000"));
        assert_eq!(with(None, Some("127.0.0.2:0")).as_deref(), Ok("127.0.0.2:0"));
        for refused in [
            with(Some("http://auth.mycompany.test"), None),
            with(None, Some("0.0.0.0:8080")),
            with(None, Some("192.168.1.2:8080")),
            with(None, Some("[::]:8080")),
        ] {
            assert!(refused.is_err_and(|text| text.contains("latchstring serve")));
        }
        let https = with(Some("https://localhost"), None);
        assert!(https.is_err_and(|text| text.contains("add --https")));
    }

    #[test]
    fn the_address_to_click_on() {
        let of = |text: &str| origin(text.parse().expect("an address"), false);
        assert_eq!(of("127.0.0.1:8080"), "http://localhost:8080");
        assert_eq!(of("[::1]:8080"), "http://localhost:8080");
        assert_eq!(of("127.0.0.2:8080"), "http://127.0.0.2:8080");
        let https = origin("127.0.0.1:8443".parse().expect("an address"), true);
        assert_eq!(https, "https://localhost:8443");
    }

    #[test]
    fn the_secret_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}/data/x.db", folder.path().display());
        let config = Config { database: Some(Zeroizing::new(url)), ..Config::default() };
        keys(&config).expect("made");
        let path = secret_path(&config);
        assert_eq!(path, folder.path().join("data/dev-secret"));
        let text = std::fs::read_to_string(&path).expect("there");
        assert_eq!(files::mode(&path), "0600");
        keys(&config).expect("found");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), text);
        std::fs::write(&path, "short").expect("written");
        assert!(keys(&config).is_err());
    }
}
