//! `latchstring doctor`, on good and on bad set-ups.

use crate::{
    child::{Server, command, dev, fit, run, serve},
    home::{Home, OTHER_SECRET},
    sink::Sink,
};
use serde_json::Value;

fn findings(value: &Value, level: &str) -> Vec<String> {
    let all = value["findings"].as_array().cloned().unwrap_or_default();
    all.iter()
        .filter(|f| f["level"] == level)
        .map(|f| f["says"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_good_set_up_passes_and_is_not_changed() {
    let sink = Sink::start();
    let home = Home::new();
    let mut doctor = command(&home, &["doctor", "--json"]);
    fit(&mut doctor, sink.port);
    // Before the first start.
    let ended = run(&mut doctor);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!home.file().exists(), "it changes nothing");

    let server = Server::ready(serve(&home, sink.port));
    let ended = run(&mut doctor);
    let value = ended.json();
    assert_eq!((&value["ok"], value["bad"].as_u64()), (&Value::Bool(true), Some(0)), "{value:#}");
    let good = findings(&value, "good");
    assert!(good.iter().any(|says| says.contains("is writable, with schema")), "{good:?}");
    assert!(
        good.iter().any(|says| says.contains("smtp+plain://127.0.0.1") && says.contains("answers")),
        "{good:?}"
    );
    assert!(sink.mails().is_empty(), "it sends nothing");
    server.stop();

    let mut other = command(&home, &["doctor", "--json"]);
    fit(&mut other, 1);
    other.env("LATCHSTRING_SECRET", OTHER_SECRET);
    let ended = run(&mut other);
    assert_eq!(ended.code, Some(1));
    let value: Value = serde_json::from_str(&ended.out).expect("JSON");
    let bad = findings(&value, "bad");
    assert!(bad.iter().any(|says| says.contains("another secret")), "{bad:?}");
    let weak = findings(&value, "weak");
    assert!(weak.iter().any(|says| says.contains("smtp+plain://127.0.0.1:1")), "{weak:?}");

    let mut moved = command(&home, &["doctor", "--json"]);
    fit(&mut moved, sink.port);
    moved.env("LATCHSTRING_URL", "https://login.example.test");
    let ended = run(&mut moved);
    assert!(ended.code == Some(1) && ended.out.contains("--accept-new-url"), "{ended:?}");
}

#[test]
fn a_place_that_is_not_there_is_told() {
    let home = Home::sqlite();
    let mut doctor = command(&home, &["doctor", "--json"]);
    fit(&mut doctor, 1);
    for (url, part) in [("sqlite:none/x.db", "mkdir -p none"), ("sqlite:data", "data is a folder")] {
        let ended = run(doctor.env("LATCHSTRING_DATABASE", url));
        let value: Value = serde_json::from_str(&ended.out).expect("JSON");
        let bad = findings(&value, "bad");
        assert!(bad.iter().any(|says| says.contains(part)), "{url}: {bad:?}");
    }
}

#[test]
fn every_finding_says_why_and_how() {
    let home = Home::new();
    Server::ready(dev(&home)).stop();
    let ended = run(command(&home, &["doctor"]).env("LATCHSTRING_URL", "https://auth.example.test"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for part in ["✗ secret", "why:", "mend:", "made by `latchstring dev`", "needs the bad ones mended"] {
        assert!(ended.out.contains(part), "`{part}` is missing in:\n{}", ended.out);
    }
    assert!(!ended.out.contains("This is a development database."), "{}", ended.out);
    let ended = run(command(&home, &["doctor", "--json"]).env("LATCHSTRING_LITSEN", "x"));
    assert_eq!(ended.code, Some(1));
    assert!(ended.out.contains("Did you mean LATCHSTRING_LISTEN?"), "{}", ended.out);
}

#[test]
fn in_development_it_says_so_and_what_does_not_apply() {
    let home = Home::new();
    Server::ready(dev(&home)).stop();
    let ended = run(&mut command(&home, &["doctor"]));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.out.contains('✗'), "{}", ended.out);
    for part in ["was made by `latchstring dev`", "This is a development database.", "public address, secret"]
    {
        assert!(ended.out.contains(part), "`{part}` is missing in:\n{}", ended.out);
    }
    let value = run(&mut command(&home, &["doctor", "--json"])).json();
    assert_eq!((&value["ok"], &value["development"]), (&Value::Bool(true), &Value::Bool(true)), "{value:#}");
    assert!(value["not_applicable"].as_array().is_some_and(|checks| checks.iter().any(|c| c == "mail")));
}
