//! What people will write, rightly and wrongly, and what they are told.

use super::*;
use std::path::Path;

fn read(env: &[(&str, &str)], file: &str) -> Result<Config, Vec<Problem>> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse(&env, Some((Path::new("latchstring.toml"), file)), &|path| match path.to_str() {
        Some("/run/secret") => Ok("from a file\n".into()),
        Some("/run/smtp") => Ok("smtp://user:pa%40ss@mail.test\n".into()),
        _ => Err("No such file".into()),
    })
}

fn good(env: &[(&str, &str)], file: &str) -> Config {
    read(env, file).unwrap_or_else(|problems| panic!("{problems:?}"))
}

#[track_caller]
fn said(env: &[(&str, &str)], file: &str, expected: &[&str]) {
    let problems = read(env, file).err().unwrap_or_default();
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts, expected);
}

#[test]
fn nothing_is_needed() {
    let config = good(&[], "");
    assert_eq!(config.database(), DEFAULT_DATABASE);
    assert_eq!(config.database_file().as_deref(), Some(Path::new("./data/latchstring.db")));
    assert!(config.secret.is_none() && config.url.is_none() && config.listen.is_none());
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "url = \"https://file.mycompany.test\"\nlisten = \"127.0.0.1:1\"\npool = 3\nlog_format = \"json\"\n\
                trusted_proxies = [\"10.0.0.0/8\", \"::1\"]";
    let config = good(&[("LATCHSTRING_URL", "https://env.mycompany.test/"), ("LATCHSTRING_POOL", "4")], file);
    assert_eq!(config.url.as_deref(), Some("https://env.mycompany.test"));
    assert_eq!(config.listen.map(|l| l.port()), Some(1));
    assert_eq!(config.pool, Some(4));
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.trusted_proxies.len(), 2);
    let config = good(&[("LATCHSTRING_TRUSTED_PROXIES", " 10.0.0.0/8 , 192.168.1.1,")], file);
    assert_eq!(config.trusted_proxies[1].to_string(), "192.168.1.1/32");
    let config = good(&[("LATCHSTRING_URL", "")], file);
    assert_eq!(config.url.as_deref(), Some("https://file.mycompany.test"), "an empty variable is not set");
}

#[test]
fn a_secret_may_stand_in_a_file_of_its_own() {
    let config = good(&[("LATCHSTRING_SECRET_FILE", "/run/secret")], "secret = \"in the settings\"");
    let secret = config.secret.expect("set");
    assert_eq!(
        (secret.text.as_str(), secret.place.to_string().as_str()),
        ("from a file", "the file /run/secret")
    );
    assert!(!config.file_has_secrets);
    assert!(good(&[], "secret = \"in the settings\"").file_has_secrets);
    let smtp = good(&[], "smtp_url_file = \"/run/smtp\"").smtp.expect("set");
    assert_eq!(smtp.credentials.map(|(u, p)| format!("{u} {}", *p)).as_deref(), Some("user pa@ss"));
    said(
        &[("LATCHSTRING_SECRET_FILE", "/run/nothing")],
        "",
        &["LATCHSTRING_SECRET_FILE: /run/nothing can't be read: No such file"],
    );
    said(
        &[("LATCHSTRING_SECRET_FILE", "/run/secret"), ("LATCHSTRING_SECRET", "x")],
        "",
        &["LATCHSTRING_SECRET: LATCHSTRING_SECRET_FILE is set too. Keep one of the two"],
    );
}

#[test]
fn unknown_names_are_told_the_nearest() {
    said(
        &[
            ("LATCHSTRING_DATABSE", "x"),
            ("LATCHSTRING_PORT", "80"),
            ("LATCHSTRING_QUANTUM_FLUX", "on"),
            ("HOME", "/"),
        ],
        "lsten = \"x\"\nissuer = \"x\"\n",
        &[
            "LATCHSTRING_DATABSE: there is no such variable. Did you mean LATCHSTRING_DATABASE?",
            "LATCHSTRING_PORT: there is no such variable. Did you mean LATCHSTRING_LISTEN?",
            "LATCHSTRING_QUANTUM_FLUX: there is no such variable. `latchstring serve --help` lists them all",
            "issuer in latchstring.toml: there is no such setting. Did you mean url?",
            "lsten in latchstring.toml: there is no such setting. Did you mean listen?",
        ],
    );
    good(
        &[
            ("LATCHSTRING_TEST_DATABASE", "postgres"),
            ("LATCHSTRING_ADMIN_KEY", "x"),
            ("LATCHSTRING_CONFIG", "x"),
        ],
        "",
    );
}

#[test]
fn everything_wrong_is_told_at_once_and_no_value_that_may_be_secret() {
    said(
        &[
            ("LATCHSTRING_URL", "auth.mycompany.test"),
            ("LATCHSTRING_LISTEN", "8080"),
            ("LATCHSTRING_DATABASE", "mysql://user:hunter2@host/db"),
            ("LATCHSTRING_TRUSTED_PROXIES", "10.1.2.3/8"),
            ("LATCHSTRING_TLS", "on"),
            ("LATCHSTRING_LOG", "a=b=c"),
            ("LATCHSTRING_SMTP_URL", "mail.test:hunter2@25"),
            ("LATCHSTRING_MAIL_FROM", "Us <us@mycompany.test>"),
            ("LATCHSTRING_HASH_THREADS", "0"),
        ],
        "",
        &[
            "LATCHSTRING_URL: write it with its scheme, such as https://auth.mycompany.com",
            "LATCHSTRING_LISTEN: write an address and a port, such as 127.0.0.1:8080, or 0.0.0.0:8080 for every address",
            "LATCHSTRING_DATABASE: write sqlite:path/to/file.db or postgres://user@host/database",
            "LATCHSTRING_TRUSTED_PROXIES: “10.1.2.3/8” is not an address range such as 10.0.0.0/8 or fd00::/8",
            "LATCHSTRING_TLS: it is off, files or acme",
            "LATCHSTRING_LOG: not a filter: write error, warn, info, debug, trace, or latchstring_core=debug,info",
            "LATCHSTRING_SMTP_URL: write smtps://user:password@host:465 (TLS), smtp://user:password@host:587 (STARTTLS, required), or smtp+plain://127.0.0.1:25 for a server on this machine",
            "LATCHSTRING_MAIL_FROM: the part before the @ is not allowed. Write the bare address; the name goes into mail_from_name",
            "LATCHSTRING_HASH_THREADS: it is a number from 1 to 256",
        ],
    );
}

#[test]
fn a_file_that_is_not_toml_is_not_quoted() {
    let problems = read(&[], "url = \"https://a.test\"\nsecret = hunter2\n").err().unwrap_or_default();
    assert_eq!(problems.len(), 1);
    let text = problems[0].to_string();
    assert!(text.starts_with("latchstring.toml: line 2 is not TOML"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    said(&[], "pool = \"4\"", &["pool: expected a number, found string"]);
    said(
        &[],
        "trusted_proxies = \"10.0.0.0/8\"",
        &["trusted_proxies: expected a list, such as [\"10.0.0.0/8\"], found string"],
    );
}

#[test]
fn origins() {
    let url = |text: &str| read(&[("LATCHSTRING_URL", text)], "").map(|c| c.url.unwrap_or_default());
    for (text, expected) in [
        ("https://auth.mycompany.test", "https://auth.mycompany.test"),
        ("https://auth.mycompany.test/", "https://auth.mycompany.test"),
        ("https://auth.mycompany.test:8443", "https://auth.mycompany.test:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ] {
        assert_eq!(url(text).ok().as_deref(), Some(expected), "{text}");
    }
    for bad in [
        "https://",
        "https://Auth.MyCompany.test",
        "https://auth.mycompany.test/path",
        "https://auth.mycompany.test?x",
        "https://user@auth.mycompany.test",
        "https://auth.mycompany.test:443",
        "http://localhost:80",
        "https://auth.mycompany.test:99999",
        "ftp://auth.mycompany.test",
        "https://bücher.test",
    ] {
        assert!(url(bad).is_err(), "{bad}");
    }
    assert_eq!(keys::host_of("http://[::1]:8080"), "[::1]");
    assert_eq!((keys::port_of("http://[::1]:8080"), keys::port_of("https://a.test")), (8080, 443));
    assert!(
        keys::is_local("http://[::1]:8080")
            && keys::is_local("http://127.9.9.9")
            && !keys::is_local("http://a.test")
    );
}

#[test]
fn mail_servers() {
    use latchstring_core::mail::smtp::Security;
    let ok = |text: &str| SmtpUrl::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let tls = ok("smtps://us%40mycompany.test:p%3Aa@smtp.mycompany.test");
    assert_eq!((tls.host.as_str(), tls.port, tls.security), ("smtp.mycompany.test", 465, Security::Tls));
    assert_eq!(tls.credentials.map(|(u, _)| u).as_deref(), Some("us@mycompany.test"));
    assert_eq!(ok("smtp://smtp.mycompany.test:2525").to_string(), "smtp://smtp.mycompany.test:2525");
    assert_eq!(ok("smtp+plain://127.0.0.1:1025").security, Security::Plain);
    assert_eq!(ok("smtp+plain://[::1]:1025").host, "::1");
    for bad in [
        "smtp+plain://mail.mycompany.test:25",
        "smtp+plain://127.0.0.1.evil.test:25",
        "smtps://user@host.test",
        "smtps://:p@host.test",
        "smtps://u:%zz@host.test",
        "smtps://u:%0a@host.test",
        "smtps://host.test:0",
        "smtps://host.test/path",
        "smtps://",
        "http://host.test",
        "host.test",
    ] {
        let error = SmtpUrl::parse(bad).err().unwrap_or_else(|| panic!("{bad} must be refused"));
        assert!(!error.contains("%zz"), "{error}");
    }
}

#[test]
fn a_database_is_shown_without_its_password() {
    let shown = |url: &str| good(&[("LATCHSTRING_DATABASE", url)], "").database_shown();
    assert_eq!(shown("postgres://user:p@ss@db.test:5432/name?password=x"), "postgres://db.test:5432/name");
    assert_eq!(shown("sqlite:data/x.db"), "data/x.db");
}

#[test]
fn every_key_is_described_and_named_once() {
    let mut names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), KEYS.len());
    assert!(KEYS.iter().all(|key| !key.about.is_empty() && key.about.len() < 100));
}

#[test]
fn a_log_level_that_does_not_exist_is_no_filter() {
    for fine in ["info", "WARN", "off", "latchstring_core=debug,info", "latchstring=trace"] {
        assert!(read(&[("LATCHSTRING_LOG", fine)], "").is_ok(), "{fine}");
    }
    for bad in ["loud", "latchstring=loud", "info,loud", "latchstring_core"] {
        assert!(read(&[("LATCHSTRING_LOG", bad)], "").is_err(), "{bad}");
    }
}
