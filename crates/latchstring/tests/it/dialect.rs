//! `latchstring dialect` beside a running server.

use crate::{
    child::{Server, command, dev, fit, run, serve, until},
    home::Home,
    sink::Sink,
};
use serde_json::Value;
use std::{os::unix::fs::PermissionsExt, time::Duration};

const CONFIG: &str = include_str!("../../../../dialects/supabase/tests/it/config.toml");
const SIGNING_KEYS: &str = include_str!("../../../../dialects/supabase/tests/it/signing_keys.json");

fn finding<'a>(doctor: &'a Value, part: &str) -> Option<&'a Value> {
    doctor["findings"].as_array()?.iter().find(|f| f["says"].as_str().is_some_and(|says| says.contains(part)))
}

#[test]
fn a_running_server_answers_at_a_new_mount_within_a_second() {
    let home = Home::new();
    let server = Server::ready(dev(&home));
    let cli = |args: &[&str]| run(&mut command(&home, args));
    let settings = || server.client().get("/auth/v1/settings").expect("answered");
    assert_eq!(settings().status, 404);
    assert_eq!(cli(&["dialect", "list", "--json"]).json()["dialects"][0]["mounts"], serde_json::json!([]));
    cli(&["dialect", "supabase", "show"]).expect(0, &["none yet", "dialect supabase init"]);

    let done = cli(&["dialect", "supabase", "init", "--site-url", "http://localhost:3000", "--json"]).json();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(settings().status, 200);
    assert_eq!(settings().json()["external"]["email"], true);
    assert_eq!(
        (&done["mount"], &done["made"], &done["enumeration"]),
        (&"/auth/v1".into(), &true.into(), &"strict".into())
    );
    assert!(done["url"].as_str().is_some_and(|url| url.starts_with("http://localhost:")), "{done}");
    for key in ["publishable", "secret", "anon", "service_role"] {
        assert!(done["keys"][key].as_str().is_some_and(|key| key.len() > 40), "{key}: {done}");
    }

    // Again: nothing is made anew, and a setting changes where a flag says so.
    let again = cli(&["dialect", "supabase", "init"]);
    assert!(
        again.code == Some(0) && again.out.contains("--new-keys") && !again.out.contains("sb_"),
        "{again:?}"
    );
    let more = cli(&["dialect", "supabase", "init", "--new-keys", "--redirect", "https://*.app.example/**"]);
    for part in
        ["createClient('http", "sb_publishable_", "sb_secret_", "anon ", "service_role ", "shown this once"]
    {
        assert_eq!(
            (more.code, more.out.contains(part)),
            (Some(0), true),
            "`{part}` is missing in:\n{}",
            more.out
        );
    }
    assert_eq!(more.out.matches("sb_secret_").count(), 1, "once");
    let shown = cli(&["dialect", "supabase", "show", "--json"]);
    assert!(!shown.out.contains("sb_") && !shown.out.contains("eyJ"), "{}", shown.out);
    let mount = &shown.json()["mounts"][0];
    assert_eq!(mount["settings"]["site_url"], "http://localhost:3000");
    assert_eq!(mount["settings"]["redirects"][0], "https://*.app.example/**");
    assert_eq!(mount["keys"].as_array().map(Vec::len), Some(8));
    let people = cli(&["dialect", "supabase", "show"]).out;
    assert!(
        people.contains("site URL") && people.contains("service_role") && !people.contains("sb_"),
        "{people}"
    );
    let list = cli(&["dialect", "list"]).out;
    assert!(list.contains("supabase  /auth/v1"), "{list}");

    // Its API keys are the realm's, and its signing keys stand beside ours.
    let keys = cli(&["api-key", "list", "--json"]).json();
    let of_mount = |key: &&Value| key["mount"] == "/auth/v1" && key["role"] == "anon";
    let id =
        keys["api_keys"].as_array().and_then(|all| all.iter().find(of_mount)).expect("one")["id"].clone();
    assert_eq!(cli(&["api-key", "revoke", id.as_str().expect("an id")]).code, Some(0));
    assert!(cli(&["api-key", "list"]).out.contains("/auth/v1"));
    let kid = cli(&["keys", "rotate", "--mount", "/auth/v1", "--json"]).json()["kid"].clone();
    let jwks = || server.client().get("/auth/v1/.well-known/jwks.json").expect("answered").body;
    until("the new key is published", || jwks().contains(kid.as_str().expect("a kid")));
    let table = cli(&["keys", "list"]).out;
    assert!(table.contains("/auth/v1  access") && table.contains("-         native"), "{table}");
    cli(&["keys", "rotate", "--mount", "/auth/v2"])
        .expect(2, &["--mount: There is no such mount. Known: /auth/v1"]);
    cli(&["keys", "rotate", "--ring", "access"]).expect(2, &["--mount: "]);
    cli(&["keys", "rotate", "--ring", "native", "--mount", "/auth/v1"])
        .expect(1, &["has no ring", "keys list"]);
    server.stop();
}

#[test]
fn a_projects_file_and_keys_are_taken_over() {
    let home = Home::new();
    let server = Server::ready(dev(&home));
    let write = |name: &str, text: &str, mode: u32| {
        let path = home.path().join(name);
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    write("config.toml", CONFIG, 0o644);
    write("keys.json", SIGNING_KEYS, 0o644);
    let cli = |args: &[&str]| run(&mut command(&home, &[&["dialect", "supabase", "init"], args].concat()));
    let ended = cli(&["--from", "config.toml", "--signing-keys", "keys.json"]);
    ended.expect(0, &["chmod 600 keys.json"]);
    for part in [
        "auth.jwt_secret: tokens are signed by key pairs",
        "auth.external.google (client_id, enabled, secret, skip_nonce_check): no sign-in by other providers",
        "auth.email.otp_expiry: code.seconds: 600, for it is 60 to 600 here",
        "Not about signing in, and left alone:\n    analytics, api, db",
        "password.min_chars        8 → 6",
        "confirm_sign_up           true → false",
        "signs from now on",
        "enumeration vendor",
    ] {
        assert!(ended.out.contains(part), "`{part}` is missing in:\n{}", ended.out);
    }
    assert!(!ended.out.contains("thirty-two characters"), "no secret of the file is repeated");
    let kid = "b81269f1-21d8-4f2e-b719-c2240a840d90";
    let jwks = || server.client().get("/auth/v1/.well-known/jwks.json").expect("answered").body;
    until("their key", || jwks().contains(kid) && jwks().contains("bilbo.baggins@hobbiton.example"));
    write("keys.json", SIGNING_KEYS, 0o600);
    let again = cli(&["--signing-keys", "keys.json", "--json"]);
    assert!(again.err.is_empty(), "{}", again.err);
    assert_eq!(
        again.json()["signing_keys"][0],
        serde_json::json!({"kid": kid, "signs": true, "imported": false})
    );

    for (text, part) in [
        ("[auth]\nminimum_password_length = 100", "auth.minimum_password_length: Between 6 and 64"),
        ("[auth]\njwt_expiry = true", "auth.jwt_expiry: A whole number"),
        (
            "[auth]\nsite_url = 'env(LATCHSTRING_NOWHERE)'",
            "auth.site_url: The variable LATCHSTRING_NOWHERE is not set",
        ),
        ("[auth]\nsite_url = 'https://secret", "--from: The file is no TOML"),
    ] {
        write("bad.toml", text, 0o600);
        let ended = cli(&["--from", "bad.toml"]);
        ended.expect(2, &[part]);
        assert!(!ended.err.contains("https://secret"), "{}", ended.err);
    }
    for (args, part) in [
        (&["--from", "none.toml"][..], "--from: none.toml can't be read"),
        (&["--signing-keys", "config.toml"], "--signing-keys: The file is no JSON array"),
        (&["--host", "a b"], "--host: A host name"),
        (
            &["--host", &format!("127.0.0.1:{}", server.addr.port())],
            "--host: That is the host of our own pages",
        ),
        (&["--redirect", "**"], "--redirect: “**” is no address"),
        (&["--site-url", "x"], "--site-url: An address"),
        (&["--enumeration", "lax"], "strict, vendor"),
    ] {
        cli(args).expect(2, &[part]);
    }
    server.stop();
}

#[test]
fn the_doctor_warns_of_what_a_vendors_app_may_ask_for() {
    let sink = Sink::start();
    let home = Home::new();
    let server = Server::ready(serve(&home, sink.port));
    let command = |args: &[&str]| {
        let mut command = command(&home, args);
        fit(&mut command, sink.port);
        command
    };
    std::fs::write(home.path().join("config.toml"), CONFIG).expect("written");
    let init = ["dialect", "supabase", "init", "--from", "config.toml", "--admit-signed-admins"];
    assert_eq!(run(&mut command(&init)).code, Some(0));
    let doctor = run(&mut command(&["doctor", "--json"])).json();
    for part in [
        "min_chars is 6",
        "confirm_sign_up is off",
        "/auth/v1 tells whether",
        "/auth/v1 admits signed admins",
    ] {
        let found = finding(&doctor, part).unwrap_or_else(|| panic!("`{part}` is missing in {doctor:#}"));
        assert_eq!(found["level"], "weak");
        assert!(found["why"].as_str().is_some_and(|why| !why.is_empty()), "{found}");
        assert!(found["mend"].as_str().is_some_and(|mend| !mend.is_empty()), "{found}");
    }
    let mend = ["dialect", "supabase", "init", "--admit-signed-admins=false", "--enumeration", "strict"];
    assert_eq!(run(&mut command(&mend)).code, Some(0));
    let doctor = run(&mut command(&["doctor", "--json"])).json();
    assert!(finding(&doctor, "/auth/v1").is_none(), "{doctor:#}");
    server.stop();
}
