//! Preparing a realm: flags, the vendor's settings file, and keys from elsewhere.

use latchstring_core::{
    Error, Kind, Refusal,
    audit::{self, Actor, Source},
    key::Purpose,
    mount::Enumeration,
    settings::{Characters, SignUp},
    testing::{ISSUER, TestRealm},
};
use latchstring_proto::jose::{Alg, SigningKey, Unverified};
use latchstring_supabase::{
    config::{Line, MOST_BYTES, Verdict},
    set_up::{self, Done, Wish},
};

/// The vendor's file, with every section that it has; the words between are left out.
const EVERYTHING: &str = include_str!("config.toml");

/// A realm whose password cost an operator could have chosen: `init` checks all settings.
async fn realm() -> TestRealm {
    let test = TestRealm::new().await;
    let usual = serde_json::json!({ "password": { "memory_kib": 19_456, "passes": 2 } });
    patch(&test, usual).await;
    test
}

async fn patch(test: &TestRealm, changes: serde_json::Value) {
    let source = Source::default();
    latchstring_core::admin::settings::patch(&test.realm, Actor::Operator, &source, changes, None)
        .await
        .expect("patched");
}

fn env(name: &str) -> Option<String> {
    match name {
        "SITE" => Some("https://app.example".into()),
        "MINUTE" => Some("60".into()),
        "YES" => Some("true".into()),
        _ => None,
    }
}

async fn init(test: &TestRealm, wish: Wish) -> latchstring_core::Result<Done> {
    set_up::set_up(&test.realm, Actor::Operator, &Source::default(), wish).await
}

async fn from(test: &TestRealm, text: &str) -> latchstring_core::Result<Done> {
    let file = set_up::read(&test.realm, text, false, &env).await?;
    init(test, Wish { file: Some(file), ..Wish::default() }).await
}

async fn sets(test: &TestRealm) -> usize {
    let rows = audit::list(test.realm.db(), None, None, 1_000).await.expect("audit").0;
    rows.iter().filter(|row| row.action == "mount.set").count()
}

fn line<'a>(lines: &'a [Line], setting: &str) -> &'a Line {
    lines.iter().find(|line| line.setting == setting).unwrap_or_else(|| panic!("{setting} is not named"))
}

fn named<T>(result: latchstring_core::Result<T>) -> String {
    match result {
        Err(Error::Refused(Refusal { detail, .. })) => detail.param.unwrap_or_default().into_owned(),
        Err(Error::Fault(fault)) => panic!("{fault:?}"),
        Ok(_) => panic!("it was taken"),
    }
}

#[tokio::test]
async fn again_changes_what_is_said_and_keeps_the_rest() {
    let test = realm().await;
    let wish = Wish {
        site_url: Some("https://app.example".into()),
        redirects: vec!["https://app.example/**".into()],
        ..Wish::default()
    };
    let first = init(&test, wish).await.expect("prepared");
    assert!(first.made && first.good.is_empty() && first.changed.is_empty());
    assert_eq!((first.url.as_str(), first.name.as_str()), (ISSUER, "/auth/v1"));
    assert_eq!((first.issuer, first.enumeration), (format!("{ISSUER}/auth/v1"), Enumeration::Strict));
    let keys = first.keys.expect("shown once");
    assert!(keys.publishable.starts_with("sb_publishable_") && keys.secret.starts_with("sb_secret_"));
    assert!(keys.anon.split('.').count() == 3 && keys.service_role.split('.').count() == 3);
    assert_eq!(sets(&test).await, 1);

    let again = init(&test, Wish::default()).await.expect("again");
    assert!(!again.made && again.keys.is_none() && again.mount == first.mount, "none can be shown again");
    assert_eq!((again.good.len(), sets(&test).await), (4, 1), "nothing changed");
    assert_eq!(again.settings, first.settings);

    let wish = Wish {
        site_url: Some("https://new.example".into()),
        enumeration: Some(Enumeration::Vendor),
        admit_signed_admins: Some(true),
        ..Wish::default()
    };
    let changed = init(&test, wish).await.expect("changed");
    assert_eq!(changed.settings.site_url, "https://new.example");
    assert_eq!(changed.settings.redirects, ["https://app.example/**"], "not said");
    assert!(changed.settings.admit_signed_admins && changed.keys.is_none());
    let kept = init(&test, Wish { new_keys: true, ..Wish::default() }).await.expect("new keys");
    assert!(kept.enumeration == Enumeration::Vendor && kept.settings == changed.settings);
    assert!(kept.keys.is_some_and(|new| *new.secret != *keys.secret));
    let good = set_up::good_keys(&test.realm, first.mount).await.expect("keys");
    assert_eq!(good.len(), 8, "those from before stay good");
    for key in good {
        latchstring_core::api_key::revoke(&test.realm, Actor::Operator, &Source::default(), key.id)
            .await
            .expect("revoked");
    }
    assert!(
        init(&test, Wish::default()).await.expect("again").keys.is_some(),
        "where none is good, some are made"
    );
}

#[tokio::test]
async fn a_host_of_its_own_is_not_the_realms() {
    let test = realm().await;
    let own = ISSUER.split_once("://").expect("a URL").1;
    for host in [own, "a b", "*", ""] {
        let wish = Wish { host: Some(host.into()), ..Wish::default() };
        assert_eq!(named(init(&test, wish).await), "host", "{host}");
    }
    let wish = || Wish { host: Some("Login.Example:443".into()), ..Wish::default() };
    let done = init(&test, wish()).await.expect("prepared");
    assert_eq!((done.url.as_str(), done.name.as_str()), ("https://login.example", "login.example"));
    assert_eq!(init(&test, wish()).await.expect("again").mount, done.mount);
    let beside = init(&test, Wish::default()).await.expect("beside it");
    assert!(beside.made && beside.mount != done.mount);
}

#[tokio::test]
async fn places_that_lead_anywhere_are_refused() {
    let test = realm().await;
    for redirect in ["**", "https://**", "javascript://a.example/%0aalert(1)"] {
        let wish = Wish { redirects: vec![redirect.into()], ..Wish::default() };
        assert_eq!(named(init(&test, wish).await), "redirects");
        let file = format!("[auth]\nadditional_redirect_urls = [\"{redirect}\"]");
        assert_eq!(named(from(&test, &file).await), "auth.additional_redirect_urls");
    }
    assert_eq!(
        named(init(&test, Wish { site_url: Some("app.example".into()), ..Wish::default() }).await),
        "site_url"
    );
    assert!(test.realm.mounts().is_empty(), "a refusal leaves no trace");
}

#[tokio::test]
async fn every_setting_of_the_vendors_file_is_named() {
    let test = realm().await;
    let done = from(&test, EVERYTHING).await.expect("taken over");
    let settings = test.realm.settings();
    assert_eq!(done.settings.site_url, "http://127.0.0.1:3000");
    assert_eq!(done.settings.redirects, ["https://127.0.0.1:3000", "http://localhost:5173"]);
    assert_eq!(done.settings.jwt_seconds, 3_600);
    assert!(done.settings.email && done.settings.double_confirm);
    assert!(settings.1.guests && !settings.1.confirm_sign_up);
    assert_eq!(done.enumeration, Enumeration::Vendor, "a sign-up tells now");
    assert_eq!((settings.1.password.min_chars, settings.1.code.seconds), (6, 600));
    assert_eq!((settings.1.session.absolute_seconds, settings.1.session.idle_seconds), (86_400, 28_800));
    assert_eq!(settings.1.sign_up, SignUp::Open);

    // Whatever stands below [auth] in the file.
    let file: toml::Table = EVERYTHING.parse().expect("TOML");
    let mut all = Vec::new();
    fn leaves(table: &toml::Table, at: &str, all: &mut Vec<String>) {
        for (name, value) in table {
            match value {
                toml::Value::Table(below) => leaves(below, &format!("{at}.{name}"), all),
                _ => all.push(format!("{at}.{name}")),
            }
        }
    }
    leaves(file["auth"].as_table().expect("a section"), "auth", &mut all);
    let told: Vec<&str> = done.lines.iter().map(|line| line.setting.as_str()).collect();
    assert_eq!(told, all);
    let unknown = |line: &&Line| line.verdict == Verdict::Unknown;
    assert_eq!(done.lines.iter().find(unknown), None, "and each has a row of its own or its section's");
    for (setting, verdict) in [
        ("auth.site_url", Verdict::Taken),
        ("auth.jwt_secret", Verdict::Never),
        ("auth.signing_keys_path", Verdict::Never),
        ("auth.enable_manual_linking", Verdict::NotYet),
        ("auth.rate_limit.email_sent", Verdict::Never),
        ("auth.sms.test_otp.1234567890", Verdict::NotYet),
        ("auth.sms.twilio.account_sid", Verdict::Off),
        ("auth.external.google.client_id", Verdict::NotYet),
        ("auth.web3.solana.enabled", Verdict::Off),
        ("auth.email.otp_length", Verdict::Taken),
        ("auth.email.otp_expiry", Verdict::Taken),
    ] {
        assert_eq!(line(&done.lines, setting).verdict, verdict, "{setting}");
    }
    assert!(
        line(&done.lines, "auth.email.otp_expiry").says.contains("60 to 600"),
        "what is nearest, and why"
    );
    for section in ["project_id", "api", "db", "storage"] {
        assert!(done.others.iter().any(|other| other == section), "{section}");
    }
    assert!(done.imported.is_empty(), "signing keys only when they are named");
    let again = from(&test, EVERYTHING).await.expect("again");
    assert!(again.changed.is_empty() && again.keys.is_none());
}

#[tokio::test]
async fn what_is_said_is_what_is_set() {
    let test = realm().await;
    let text = r#"
        [auth]
        site_url = "env(SITE)"
        jwt_expiry = 604800
        enable_signup = false
        enable_anonymous_sign_ins = "env(YES)"
        minimum_password_length = 10
        password_requirements = "lower_upper_letters_digits"
        brand_new = 1
        [auth.email]
        enable_signup = false
        enable_confirmations = true
        double_confirm_changes = false
        secure_password_change = true
        otp_expiry = "env(MINUTE)"
        [auth.sessions]
        timebox = "1s"
        inactivity_timeout = "0"
    "#;
    let done = from(&test, text).await.expect("taken over");
    let settings = test.realm.settings();
    assert_eq!((done.settings.site_url.as_str(), done.settings.jwt_seconds), ("https://app.example", 3_600));
    assert!(line(&done.lines, "auth.jwt_expiry").says.contains("an hour"));
    assert!(!done.settings.email && !done.settings.double_confirm);
    assert_eq!(done.enumeration, Enumeration::Strict);
    assert_eq!((settings.1.sign_up, settings.1.guests), (SignUp::Closed, true));
    assert_eq!(settings.1.password.characters, Characters::LowerUpperLettersDigits);
    assert_eq!((settings.1.password.min_chars, settings.1.code.seconds), (10, 60));
    assert_eq!((settings.1.session.absolute_seconds, settings.1.session.idle_seconds), (300, 14 * 86_400));
    assert_eq!(line(&done.lines, "auth.brand_new").verdict, Verdict::Unknown);
    assert_eq!(line(&done.lines, "auth.sessions.inactivity_timeout").verdict, Verdict::Kept);
    let mut names: Vec<&str> = done.changed.iter().map(|(name, ..)| name.as_str()).collect();
    names.sort_unstable();
    let expect = [
        "code.seconds",
        "guests",
        "password.characters",
        "password.min_chars",
        "session.absolute_seconds",
        "sign_up",
    ];
    assert_eq!(names, expect);
    // The policy holds.
    let password = latchstring_core::testing::secret("walrus gulls sing low");
    match latchstring_core::credential::check_policy(&test.realm, &password, &[]).await {
        Err(Error::Refused(refusal)) => {
            assert_eq!(
                (refusal.kind, &*refusal.detail.reasons),
                (Kind::PasswordWeak, &["characters".into()][..])
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn sign_up_is_opened_by_the_file_only_where_nobody_is_yet() {
    let test = realm().await;
    let open = "[auth]\nenable_signup = true";
    patch(&test, serde_json::json!({ "sign_up": "invite" })).await;
    assert_eq!(from(&test, open).await.expect("fresh").changed.len(), 1);
    test.app().sign_up("ada@northwind.example", "walrus gulls sing low").await;
    patch(&test, serde_json::json!({ "sign_up": "invite" })).await;
    let kept = from(&test, open).await.expect("kept");
    assert!(kept.changed.is_empty() && test.realm.settings().1.sign_up == SignUp::Invite);
    let said = line(&kept.lines, "auth.enable_signup");
    assert!(said.verdict == Verdict::Kept && said.says.contains("--open-sign-up"), "{said:?}");
    let file = set_up::read(&test.realm, open, true, &env).await.expect("read");
    init(&test, Wish { file: Some(file), ..Wish::default() }).await.expect("opened");
    assert_eq!(test.realm.settings().1.sign_up, SignUp::Open);
}

#[tokio::test]
async fn what_cannot_be_read_refuses_the_whole_and_is_named() {
    let test = realm().await;
    let rev = test.realm.settings().0;
    for (text, name) in [
        ("auth = 5", "auth"),
        ("[auth]\nsite_url = 5", "auth.site_url"),
        ("[auth]\nsite_url = 'env(NOWHERE)'", "auth.site_url"),
        ("[auth]\nsite_url = '**'", "auth.site_url"),
        ("[auth]\nadditional_redirect_urls = 'https://a.example'", "auth.additional_redirect_urls"),
        ("[auth]\nadditional_redirect_urls = [5]", "auth.additional_redirect_urls"),
        ("[auth]\njwt_expiry = 'an hour'", "auth.jwt_expiry"),
        ("[auth]\njwt_expiry = -1", "auth.jwt_expiry"),
        ("[auth]\nenable_signup = 'yes'", "auth.enable_signup"),
        ("[auth]\nguests = 1\nenable_anonymous_sign_ins = 1", "auth.enable_anonymous_sign_ins"),
        ("[auth]\npassword_requirements = 'letters'", "auth.password_requirements"),
        ("[auth]\nminimum_password_length = 6.5", "auth.minimum_password_length"),
        ("[auth]\nminimum_password_length = [[6]]", "auth.minimum_password_length"),
        ("[auth.sessions]\ntimebox = 24", "auth.sessions.timebox"),
        ("[auth.sessions]\ntimebox = '1 day'", "auth.sessions.timebox"),
        ("[auth.email]\notp_expiry = 1979-05-27T07:32:00Z", "auth.email.otp_expiry"),
        // What the realm refuses is called as the realm calls it; the command knows the file's name.
        ("[auth]\nenable_anonymous_sign_ins = true\nminimum_password_length = 100", "password.min_chars"),
        ("[auth", "from"),
        ("\0", "from"),
        ("a = 1\na = 2", "from"),
    ] {
        assert_eq!(named(from(&test, text).await), name, "{text}");
    }
    let deep = format!("[auth]\nx = {}{}", "[".repeat(20_000), "]".repeat(20_000));
    let tables = format!("[auth.{}]\ny = 1", vec!["x"; 20_000].join("."));
    let inline = format!("[auth]\nx = {}1{}", "{ a = ".repeat(10_000), "}".repeat(10_000));
    for text in [deep, tables, inline, "#".repeat(MOST_BYTES + 1)] {
        assert_eq!(named(from(&test, &text).await), "from");
    }
    let many: String = (0..5_000).map(|i| format!("k{i} = 1\n")).collect();
    assert_eq!(named(from(&test, &format!("[auth]\n{many}")).await), "auth");
    assert!(test.realm.mounts().is_empty() && test.realm.settings().0 == rev, "refusals leave no trace");

    // What is strange and not ours is no reason to refuse.
    let odd = format!("[auth]\nexternal = 5\n\"a\\u0007{}\" = 1\n[x]\ny = 1", "b".repeat(5_000));
    let done = from(&test, &odd).await.expect("read");
    assert!(
        done.lines.iter().all(|line| line.verdict == Verdict::Unknown && line.setting.len() < 200),
        "{:?}",
        done.lines
    );
    assert_eq!(from(&test, "").await.expect("empty").lines, []);
}

#[tokio::test]
async fn strict_cannot_be_had_where_sign_up_tells() {
    let test = realm().await;
    let file = set_up::read(&test.realm, "[auth.email]\nenable_confirmations = false", false, &env)
        .await
        .expect("read");
    let wish = Wish { file: Some(file), enumeration: Some(Enumeration::Strict), ..Wish::default() };
    assert_eq!(named(init(&test, wish).await), "enumeration");
    assert!(test.realm.settings().1.confirm_sign_up, "a refusal leaves no trace");
}

/// Made for this test, as the vendor's tool writes them.
const SIGNING_KEYS: &str = include_str!("signing_keys.json");

#[tokio::test]
async fn signing_keys_of_a_project_sign_on() {
    let test = realm().await;
    let wish = || Wish { signing_keys: set_up::signing_keys(SIGNING_KEYS).expect("keys"), ..Wish::default() };
    let done = init(&test, wish()).await.expect("imported");
    assert_eq!(
        done.imported.iter().map(|key| (key.signs, key.known)).collect::<Vec<_>>(),
        [(true, false), (false, false)]
    );
    let kid = done.imported[0].kid.clone();
    assert!(SIGNING_KEYS.contains(&kid), "its name is kept");
    let ring = test.realm.ring_of(done.mount, Purpose::Access).await.expect("a ring");
    let anon = done.keys.expect("keys").anon;
    let unverified = Unverified::parse(&anon).expect("a token");
    assert_eq!(
        unverified.header().kid.as_deref(),
        Some(kid.as_str()),
        "keys of the older kind are signed by it too"
    );
    unverified.verify(ring.verifying(&kid).expect("there")).expect("verifies");
    let rev = test.realm.rings().rev;
    let again = init(&test, wish()).await.expect("again");
    assert!(again.imported.iter().all(|key| key.known) && test.realm.rings().rev == rev);
}

#[tokio::test]
async fn a_key_that_is_refused_leaves_no_trace() {
    let test = realm().await;
    let done = init(&test, Wish::default()).await.expect("prepared");
    let (key, other) = (set_up::signing_keys(SIGNING_KEYS).expect("keys"), SigningKey::generate(Alg::Es256));
    let wish = |signing_keys: Vec<SigningKey>| Wish { signing_keys, ..Wish::default() };
    init(&test, wish(key.clone())).await.expect("imported");
    let same_name = other.expect("a key").with_kid(key[0].kid().expect("a name"));
    let twice = vec![key[0].clone(), key[0].clone()];
    for keys in [vec![same_name], twice] {
        let file = set_up::read(&test.realm, "[auth]\nenable_anonymous_sign_ins = true", false, &env).await;
        let wish = Wish {
            file: Some(file.expect("read")),
            site_url: Some("https://b.example".into()),
            ..wish(keys)
        };
        assert_eq!(named(init(&test, wish).await), "signing_keys");
    }
    assert!(!test.realm.settings().1.guests);
    let after = init(&test, Wish::default()).await.expect("again");
    assert_eq!(after.settings, done.settings);
}

#[test]
fn files_of_signing_keys_are_read_strictly() {
    let one = SIGNING_KEYS.trim().trim_start_matches('[').trim_end_matches(']');
    let many = format!("[{}]", [one; 6].join(","));
    for bad in [
        "",
        "{}",
        "[]",
        "null",
        "[1]",
        "[{}]",
        r#"[{"kty":"oct","k":"AAAA","alg":"HS256"}]"#,
        &many,
        r#"{"keys":[]}"#,
        &"[".repeat(50_000),
        &"[".repeat(MOST_BYTES + 1),
    ] {
        assert_eq!(named(set_up::signing_keys(bad).map_err(Error::from)), "signing_keys");
    }
}
