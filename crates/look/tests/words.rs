//! The words of each language, beside those of English, and beside what code and templates say.

use latchstring_look::{Language, Overrides, Say, Words, WrongWords};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What a language's files have: name of a message, and what it leaves open.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    latchstring_look::messages(language)
}

#[test]
fn every_language_has_every_message() {
    let english = messages(Language::English);
    assert!(english.len() > 200, "{}", english.len());
    for language in Language::ALL {
        let own = messages(language);
        for (name, places) in &english {
            let found = own.get(name).unwrap_or_else(|| panic!("{language:?} has no “{name}”"));
            assert!(found.is_subset(places), "{language:?}, “{name}”: {found:?} is not of {places:?}");
            // A number may be said in words, a name or a link never left out.
            let numbers = ["n", "others", "hours", "minutes", "days"];
            for place in places.iter().filter(|place| !numbers.contains(&place.as_str())) {
                assert!(found.contains(place), "{language:?}, “{name}” leaves out ${place}");
            }
        }
        for name in own.keys() {
            assert!(english.contains_key(name), "{language:?} has “{name}”, which English has not");
        }
    }
}

#[test]
fn every_message_is_translated() {
    let (words, english) = (Words::default(), messages(Language::English));
    // The same in both, as it happens.
    let same = ["profile-name", "device-known", "month-4", "month-8", "month-9", "month-11"];
    for language in [Language::German, Language::Arabic] {
        for (name, places) in &english {
            let say = Say::new(name.clone().leak());
            let say = places.iter().fold(say, |say, place| say.with(place.clone().leak(), 3));
            let (said, own) = (words.say(Language::English, &say), words.say(language, &say));
            assert!(said != own || same.contains(&name.as_str()), "{language:?}, “{name}”: {own}");
            assert!(!own.contains('!') && !said.contains('!'), "“{name}”: no exclamation marks");
            assert!(!own.contains("{$") && !own.contains("{ $"), "{language:?}, “{name}”: {own}");
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.extension().and_then(|e| e.to_str()) {
            _ if path.is_dir() => sources(&path, found),
            Some("rs" | "html") => found.push(path),
            _ => {}
        }
    }
}

/// The names in calls such as `t("…")`, and every other text in quotes that could be one.
fn said() -> (BTreeSet<String>, BTreeSet<String>) {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of the crates").to_owned();
    let mut files = Vec::new();
    for folder in ["look/src", "look/templates", "core/src", "server/src", "server/templates"] {
        sources(&crates.join(folder), &mut files);
    }
    let (mut called, mut quoted) = (BTreeSet::new(), BTreeSet::new());
    let is_name = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
    };
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        for (i, part) in text.split('"').enumerate().skip(1) {
            if !is_name(part) {
                continue;
            }
            quoted.insert(part.to_owned());
            let before = text.split('"').nth(i - 1).unwrap_or_default();
            if before.ends_with("Say::new(") || before.ends_with("{{ t(") || before.ends_with("=t(") {
                called.insert(part.to_owned());
            }
        }
    }
    (called, quoted)
}

#[test]
fn what_is_said_exists_and_what_exists_is_said() {
    let english = messages(Language::English);
    let (called, quoted) = said();
    assert!(called.len() > 100, "{}", called.len());
    for name in &called {
        assert!(english.contains_key(name), "nothing is called “{name}”");
    }
    for name in english.keys() {
        // Mails are made of the attributes of one message.
        let whole = name.split('.').next().unwrap_or(name);
        let used = quoted.contains(name) || whole.starts_with("mail-") && quoted.contains(whole);
        assert!(used, "“{name}” is never said");
    }
}

fn all_otherwise(messages: &[(&str, &str)]) -> Result<Words, WrongWords> {
    let messages = messages.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let (words, wrong) = Words::new(&Overrides::from([(Language::English, messages)]));
    wrong.into_iter().next().map_or(Ok(words), Err)
}

fn otherwise(name: &str, text: &str) -> Result<Words, WrongWords> {
    all_otherwise(&[(name, text)])
}

#[test]
fn every_part_of_a_message_can_be_said_otherwise_at_once() {
    let words = all_otherwise(&[
        ("limited", "Slowly"),
        ("limited.says", "In { $wait }.\nNot before."),
        ("mail-sign-in.subject", "Code { $code }"),
        ("mail-sign-in.heading", "In"),
        ("mail-sign-in.lead", "Here:"),
    ])
    .expect("words");
    let said =
        |id| words.say(Language::English, &Say::new(id).with("wait", "an hour").with("code", "123456"));
    assert_eq!(said("limited"), "Slowly");
    assert_eq!(said("limited.says"), "In an hour.\nNot before.");
    assert_eq!(said("mail-sign-in.subject"), "Code 123456");
    assert_eq!(said("mail-sign-in.heading"), "In");
    assert_eq!(said("mail-sign-in.lead"), "Here:");
    assert_eq!(said("mail-sign-in.button"), "Sign in");
}

#[test]
fn one_message_that_is_no_more_takes_no_other_with_it() {
    let messages = [("renamed-long-ago", "x"), ("sign-in", "Come in")];
    let messages = messages.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let (words, wrong) = Words::new(&Overrides::from([(Language::English, messages)]));
    assert_eq!(wrong.len(), 1);
    assert_eq!(words.say(Language::English, &Say::new("sign-in")), "Come in");
}

#[test]
fn a_realm_may_say_it_otherwise() {
    let words = otherwise("sign-in-lead", "Hello at { $brand }.").expect("words");
    let say = Say::new("sign-in-lead").with("brand", "Northwind");
    assert_eq!(words.say(Language::English, &say), "Hello at Northwind.");
    // Another language, and other messages, stay as they are.
    assert_eq!(words.say(Language::German, &say), Words::default().say(Language::German, &say));
    let words = otherwise("limited.says", "One moment.\nThen again, in { $wait }.").expect("words");
    let say = Say::new("limited.says").with("wait", "a minute");
    assert_eq!(words.say(Language::English, &say), "One moment.\nThen again, in a minute.");
    assert_eq!(words.say(Language::English, &Say::new("limited")), "Too many tries");
}

#[test]
fn words_that_would_not_do_are_refused() {
    for (name, text) in [
        ("no-such-message", "x"),
        ("sign-in-lead", "{ $password }"),
        ("sign-in-lead", "{ sign-in }"),
        ("sign-in-lead", "{ DATETIME($brand) }"),
        ("sign-in-lead", "{ -term }"),
        ("sign-in-lead", "{ $brand"),
        ("sign-in-lead", ""),
        ("sign-in-lead", "x\n.attribute = y"),
        ("limited.says", "x\n.more = y"),
    ] {
        assert!(otherwise(name, text).is_err(), "{name} = {text}");
    }
    // Whatever begins a line, it stays text.
    let words = otherwise("sign-in-lead", "x\nsign-in = y\n# z").expect("words");
    assert_eq!(words.say(Language::English, &Say::new("sign-in-lead")), "x\nsign-in = y\n# z");
    assert_eq!(words.say(Language::English, &Say::new("sign-in")), "Sign in");
    let long = "x".repeat(1_001);
    assert!(matches!(otherwise("sign-in-lead", &long), Err(WrongWords::TooLong(_))));
    let deep = "{ ".repeat(200) + "$brand" + &" }".repeat(200);
    assert!(matches!(otherwise("sign-in-lead", &deep), Err(WrongWords::Unreadable(..))));
}
