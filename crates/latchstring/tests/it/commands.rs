//! Commands beside a running server, and without one.

use crate::{
    child::{Server, command, dev, run, run_with},
    home::Home,
};
use serde_json::{Value, json};

#[test]
fn users_are_managed_beside_a_running_server() {
    let home = Home::new();
    run(&mut command(&home, &["user", "list"])).expect(
        2,
        &[if home.database.starts_with("sqlite:") {
            "there is no database at"
        } else {
            "LATCHSTRING_SECRET is not set"
        }],
    );
    let server = Server::ready(dev(&home));
    let admin = server.admin();
    let cli = |args: &[&str], input: &str| run_with(&mut command(&home, args), input);

    let made = cli(
        &["user", "create", "--email", "Ada@Example.com", "--name", "Ada", "--password-stdin", "--json"],
        "correct horse battery staple\n",
    )
    .json();
    assert_eq!((made["email"].as_str(), made["status"].as_str()), (Some("Ada@Example.com"), Some("active")));
    assert_eq!(
        (made["email_proven"].as_bool(), made["email_asserted"].as_bool()),
        (Some(false), Some(true)),
        "the operator's word is no proof that we saw"
    );
    let id = made["id"].as_str().expect("an id").to_owned();
    assert_eq!(admin.get(&format!("/api/v1/users/{id}")).expect("answered").status, 200);
    let sign_in = || {
        let body = json!({ "kind": "sign_in", "identifier": "ada@example.com", "password": "correct horse battery staple" });
        server.client().post("/api/v1/attempts", &body).expect("answered")
    };
    let signed_in = sign_in();
    assert_eq!(signed_in.status, 201, "{signed_in:?}");
    let access =
        signed_in.json().pointer("/result/access_token").and_then(Value::as_str).map(ToOwned::to_owned);
    let me = server.client().bearer(&access.expect("a token"));
    assert_eq!(me.get("/api/v1/account").expect("answered").status, 200);

    // A ban by the command ends what the server has handed out, within a second.
    let banned = cli(&["user", "ban", "ada@example.com", "--reason", "test", "--json"], "").json();
    assert_eq!((banned["status"].as_str(), banned["ban_reason"].as_str()), (Some("banned"), Some("test")));
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(me.get("/api/v1/account").expect("answered").status, 401);
    assert_eq!(cli(&["user", "unban", &id, "--json"], "").json()["status"], "active");

    cli(&["user", "create", "--email", "ada@example.com"], "")
        .expect(1, &["--email: a user has “ada@example.com” already", "user show ada@example.com"]);
    cli(&["user", "create", "--username", "grace"], "")
        .expect(0, &["can't sign in yet", "latchstring user set-password grace --password-stdin"]);
    cli(&["user", "set-password", &id, "--password-stdin"], "password1")
        .expect(2, &["the password on standard input: "]);
    cli(&["user", "set-password", &id, "--password-stdin"], "").expect(2, &["no password on standard input"]);
    assert_eq!(
        cli(&["user", "set-password", &id, "--password-stdin"], "another good password 7").code,
        Some(0)
    );
    cli(&["user", "show", "nobody@example.com"], "").expect(1, &["there is no user", "user list"]);
    let list = cli(&["user", "list", "--begins-with", "ada", "--json"], "").json();
    assert_eq!(list["users"].as_array().map(Vec::len), Some(1));
    let shown = cli(&["user", "show", &id], "");
    assert!(shown.out.starts_with("id ") && shown.out.contains("Ada@Example.com"), "{}", shown.out);
    cli(&["user", "delete", &id], "").expect(2, &["--yes"]);
    assert_eq!(cli(&["user", "delete", &id, "--yes", "--json"], "").json()["deleted"], true);
    assert_eq!(admin.get(&format!("/api/v1/users/{id}")).expect("answered").status, 404);
    server.stop();
    let left = cli(&["user", "list", "--json"], "").json();
    assert_eq!(left["users"].as_array().map(Vec::len), Some(1));
    assert_eq!(left["users"][0]["username"], "grace");
}

/// What the rules name are members of the API's input; whoever typed the command knows its options.
#[test]
fn what_is_wrong_is_told_by_the_option_that_was_typed() {
    let home = Home::sqlite();
    Server::ready(dev(&home)).stop();
    let told = |args: &[&str], input: &str, code: i32, part: &str| {
        let ended = run_with(&mut command(&home, args), input);
        ended.expect(code, &[part]);
        for word in ["member", "param", "identifier", "expires_at", "(email)", "_", "Input not usable"] {
            assert!(!ended.err.contains(word), "`{word}` is the API's, in:\n{}", ended.err);
        }
    };
    let long = "x".repeat(600);
    assert_eq!(run(&mut command(&home, &["user", "create", "--username", "grace"])).code, Some(0));
    let create = ["user", "create"];
    let with = |more: &[&'static str]| [&create[..], more].concat();
    told(&with(&["--email", "not an address"]), "", 2, "--email: the address needs exactly one @");
    told(&with(&["--username", "a b"]), "", 2, "--username: a user name has letters");
    told(&[&with(&["--username", "ada", "--name"])[..], &[&long]].concat(), "", 2, "--name: too long");
    told(&with(&["--username", "Grace"]), "", 1, "--username: a user has “Grace” already");
    let weak = with(&["--username", "ada", "--password-stdin"]);
    told(&weak, "password1", 2, "the password on standard input: ");
    told(&weak, &long, 2, "the password on standard input: At most 256 characters");
    told(&["user", "show", "a b"], "", 2, "“a b” is no id, address or username");
    told(&["user", "ban", "grace", "--reason", &long], "", 2, "--reason: too long");
    told(&["user", "ban", "grace", "--until", "2001-01-01T00:00:00Z"], "", 2, "--until: ");
    told(&["user", "ban", "grace", "--until", "soon"], "", 2, "--until");
    told(&["user", "list", "--begins-with", &long], "", 2, "--begins-with: At most 254 bytes");
    told(&["api-key", "create", "", "--permission", "*"], "", 2, "NAME: A key needs a name");
    let expired = ["api-key", "create", "x", "--permission", "*", "--expires", "2001-01-01T00:00:00Z"];
    told(&expired, "", 2, "--expires: ");
    for kid in ["none", "-Hnone", "--none"] {
        told(&["keys", "revoke", kid], "", 1, &format!("there is no key “{kid}”"));
    }
    let list = run(&mut command(&home, &["keys", "list", "--json"])).json();
    let signing = list["keys"][0]["kid"].as_str().expect("a key").to_owned();
    run(&mut command(&home, &["keys", "revoke", &signing])).expect(1, &["signs now", "keys rotate --now"]);
}

#[test]
fn keys_are_managed_beside_a_running_server() {
    let home = Home::new();
    let server = Server::ready(dev(&home));
    let cli = |args: &[&str]| run(&mut command(&home, args));

    let text = cli(&["api-key", "create", "reader", "--permission", "users:read"]).out.trim().to_owned();
    assert!(text.starts_with("lsk_"), "{text}");
    let reader = server.client().bearer(&text);
    assert_eq!(reader.get("/api/v1/users").expect("answered").status, 200);
    assert_eq!(reader.get("/api/v1/settings").expect("answered").status, 403);
    cli(&["api-key", "create", "x", "--permission", "everything"])
        .expect(2, &["--permission: There is no permission", "users:read"]);
    let list = cli(&["api-key", "list", "--json"]).json();
    let id = list["api_keys"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(list["api_keys"][0]["state"], "good");
    assert!(!list.to_string().contains(&text), "the text is not kept");
    assert_eq!(cli(&["api-key", "revoke", &id]).code, Some(0));
    assert_eq!(reader.get("/api/v1/users").expect("answered").status, 401);
    cli(&["api-key", "revoke", &id]).expect(1, &["no key", "api-key list"]);
    cli(&["api-key", "revoke", "x"]).expect(2, &["no id of a key"]);

    let kids = || {
        let answer = server.client().get("/.well-known/jwks.json").expect("answered");
        let keys = answer.json()["keys"].as_array().cloned().unwrap_or_default();
        keys.into_iter().filter_map(|key| key["kid"].as_str().map(ToOwned::to_owned)).collect::<Vec<_>>()
    };
    let before = kids();
    let kid = cli(&["keys", "rotate", "--json"]).json()["kid"].as_str().expect("a kid").to_owned();
    crate::child::until("the new key is published", || kids().contains(&kid));
    assert!(before.iter().all(|kid| kids().contains(kid)), "the old one stays");
    let list = cli(&["keys", "list", "--json"]).json();
    let states: Vec<_> =
        list["keys"].as_array().into_iter().flatten().filter_map(|k| k["state"].as_str()).collect();
    assert!(states.contains(&"next") && states.contains(&"active"), "{list}");
    assert_eq!(cli(&["keys", "rotate", "--now"]).code, Some(0));
    cli(&["keys", "rotate", "--ring", "nativ"]).expect(2, &["there is no ring", "native"]);
    cli(&["keys", "rotate", "--ring", "token_endpoint_es256"]).expect(1, &["not in use"]);
    server.stop();
}

#[test]
fn the_openapi_document_is_printed() {
    let home = Home::sqlite();
    let document = run(&mut command(&home, &["openapi"])).json();
    assert!(document["openapi"].as_str().is_some_and(|v| v.starts_with("3.")), "{document}");
    assert!(document["paths"]["/api/v1/users"].is_object());
}

#[test]
fn help_shows_the_way() {
    let home = Home::sqlite();
    let help = run(&mut command(&home, &["--help"]));
    assert_eq!(help.code, Some(0));
    for part in ["serve", "doctor", "Examples:", "Exit codes"] {
        assert!(help.out.contains(part), "{}", help.out);
    }
    let asked = run(&mut command(&home, &["help"]));
    assert_eq!((asked.code, &asked.out), (Some(0), &help.out), "as a person types it first");
    for of in [&["help", "user"][..], &["user", "help"]] {
        let user = run(&mut command(&home, of));
        assert!(user.code == Some(0) && user.out.contains("set-password"), "{user:?}");
    }
    let serve = run(&mut command(&home, &["serve", "--help"]));
    assert!(serve.out.contains("LATCHSTRING_SECRET (or …_FILE)"), "{}", serve.out);
}
