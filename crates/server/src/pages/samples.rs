//! Every template with every sort of content that it has to bear, and what holds for all of them.

use super::{
    docs::Docs,
    door::show::{Account, Choose, Code, Confirm, Recover, SignIn, SignOut, SignUpPage, SignedOut},
    forms::Errors,
    house::checkup::{Card, Change},
    house::show::{Choice, Data, Delete, Device, Profile, Security, Sessions},
    leaving::{Deleted, Grace, Kept, Leaving},
    mailbox::{List, Shown},
    message::{Message, not_that_way, words},
    start::{Start, StartDev},
    templates::{Frame, Legal, Other, Page, TEMPLATES, text},
    verify::{
        not_me::{NotMe, Taken, used_up},
        show::{Done, Elsewhere, Invitation, Link, Policy, SetPassword, no_link, second_step},
    },
};
use latchstring_core::{
    Kind, Refusal, account::not_me, attempt::link::Looked, challenge::Purpose, clock::date,
};
use latchstring_look::{Language, Say, Words};

/// Names that somebody chose to break a page with.
const EVIL: &str = "\"><script>alert(1)</script><!-- {{ 137*241 }} \u{202e}";
const ADDRESSES: [&str; 3] = ["ada@northwind.example", EVIL, "אדה@דוגמה.example"];

fn frames() -> Vec<Frame> {
    let long =
        "The Northwind Trading Company of the Eastern Archipelago and Surroundings, Limited".to_owned();
    let mut frames = Vec::new();
    for brand in ["Northwind".to_owned(), EVIL.to_owned(), long] {
        for dev in [true, false] {
            for language in Language::ALL {
                let frame = Frame::new(brand.clone(), language, &Words::default(), dev);
                let languages = Language::ALL.map(|l| Other {
                    tag: l.tag(),
                    name: l.name(),
                    href: "/sign-in?return_to=%2F&lang=x".into(),
                });
                let legal = vec![Legal { name: EVIL.into(), url: "https://northwind.example/terms".into() }];
                let (languages, legal) = if dev { (languages.into(), legal) } else { Default::default() };
                frames.push(Frame { here: "docs", languages, legal, ..frame });
            }
        }
    }
    frames
}

/// Words with something evil among them.
fn evil() -> Say {
    Say::new("limited-often").with("wait", EVIL)
}

type Pages = Vec<(&'static str, String)>;

fn put<P: Page>(pages: &mut Pages, frame: &Frame, page: &P) {
    let text = text(frame, page).unwrap_or_else(|e| panic!("{}: {:?}", P::TEMPLATE, e));
    pages.push((P::TEMPLATE, text));
}

/// What can be wrong with a form: nothing, the whole, and each field that any form has.
fn errors() -> Vec<Errors> {
    let fields = ["identifier", "password", "current_password", "code", "name", "email", "username"];
    let fields = fields.map(|field| Errors::at(field, evil()));
    [Errors::default(), Errors::whole(evil())].into_iter().chain(fields).collect()
}

/// Whether the page has the fields that something is wrong with: no other error comes to it.
fn has(errors: &Errors, fields: &[&str]) -> bool {
    errors.fields.keys().all(|field| fields.contains(field))
}

fn door(pages: &mut Pages, frame: &Frame, name: &str, errors: &Errors, yes: bool) {
    let (form, name, errors) = ("f".repeat(64), name.to_owned(), errors.clone());
    let (return_to, query) = match yes {
        true => ("https://app.northwind.example/?a=b&c=d".to_owned(), "?return_to=x".to_owned()),
        false => (String::new(), String::new()),
    };
    if has(&errors, &["identifier", "password"]) {
        let (form, return_to, query) = (form.clone(), return_to.clone(), query.clone());
        let (identifier, errors) = (name.clone(), errors.clone());
        put(pages, frame, &SignIn { form, return_to, query, identifier, errors, open: yes });
    }
    if has(&errors, &["identifier"]) {
        let page = Recover {
            form: form.clone(),
            return_to: return_to.clone(),
            query: query.clone(),
            identifier: name.clone(),
            errors: errors.clone(),
        };
        put(pages, frame, &page);
        let page = SignUpPage {
            form: form.clone(),
            return_to: return_to.clone(),
            query: query.clone(),
            identifier: name.clone(),
            errors: errors.clone(),
            open: true,
            invite: false,
        };
        put(pages, frame, &page);
        put(pages, frame, &SignUpPage { open: false, invite: yes, ..SignUpPage::default() });
    }
    if has(&errors, &["code"]) {
        let page = Code {
            form: form.clone(),
            action: "/sign-in/x".into(),
            heading: "code",
            identifier: name.clone(),
            maybe: yes,
            button: "sign-in",
            sent: yes,
            minutes: if yes { 10 } else { 1 },
            ended: yes,
            errors: errors.clone(),
            start: if yes { "/account" } else { "/sign-in" },
        };
        put(pages, frame, &page);
    }
    if has(&errors, &["password"]) {
        let page = Confirm {
            form: form.clone(),
            action: "/account/confirm/x".into(),
            name: name.clone(),
            has_password: yes || !errors.fields.is_empty(),
            has_email: true,
            errors,
            back: "/account".into(),
        };
        put(pages, frame, &page);
    }
    let account = |current| Account { session: "x".into(), name: name.clone(), current };
    let accounts = vec![account(yes), account(false), account(false)];
    let query = "x".to_owned();
    put(pages, frame, &Choose { form: form.clone(), accounts, current: yes, return_to, query });
    put(pages, frame, &SignOut { form, name });
}

fn checkup(yes: bool, some: bool) -> Option<Card> {
    let actions = [
        "password.set",
        "password.changed",
        "password.reset",
        "email.changed",
        "email.put_back",
        "email.lost",
        "username.changed",
        "session.began",
        "user.deletion_begun",
        "user.deletion_kept",
        "user.not_me",
    ];
    let change = |what: &str| {
        let when = Say::new("ago-days").with("n", 3);
        Change::of(what, when, "2026-01-01T00:00:00Z".into())
    };
    let changes = if yes { actions.map(change).into() } else { Vec::new() };
    let card = match some {
        true => {
            Card { unproven: yes, no_password: yes, unused: 1 + usize::from(yes), changes, in_order: false }
        }
        false => Card { changes, in_order: true, ..Card::default() },
    };
    (yes || some).then_some(card)
}

fn house(pages: &mut Pages, frame: &Frame, name: &str, errors: &Errors, yes: bool) {
    let (form, name, errors) = ("f".repeat(64), name.to_owned(), errors.clone());
    let fresh = yes || !errors.fields.is_empty();
    let done = yes.then_some("profile-done-name");
    if has(&errors, &["name", "email", "username"]) {
        let page = Profile {
            form: form.clone(),
            fresh,
            done,
            name: name.clone(),
            email: yes.then(|| name.clone()),
            proven: !fresh,
            username: yes.then(|| name.clone()),
            languages: if yes {
                vec![Choice { tag: "de", name: "Deutsch", chosen: true }]
            } else {
                Vec::new()
            },
            new_email: name.clone(),
            new_username: name.clone(),
            checkup: checkup(yes, fresh),
            errors: errors.clone(),
        };
        put(pages, frame, &page);
    }
    if has(&errors, &["password", "current_password"]) {
        let page = Security {
            form: form.clone(),
            fresh,
            done,
            has_password: fresh,
            name: name.clone(),
            policy: Policy { least: 8, optional: false },
            errors: errors.clone(),
        };
        put(pages, frame, &page);
    }
    let device = |current| Device {
        session: "x".into(),
        name: Say::new("device").with("browser", "Firefox").with("system", "Linux"),
        current,
        used: Say::new("ago-minutes").with("n", 5),
        used_at: "2026-01-01T00:00:00Z".into(),
        began: Say::new("ago-days").with("n", 3),
        began_at: "2026-01-01T00:00:00Z".into(),
        place: yes.then(|| name.clone()),
        address: Some("2001:db8::1".into()),
    };
    let devices = if yes { vec![device(true), device(false)] } else { vec![device(true)] };
    let errors = Errors { fields: [].into(), ..errors };
    put(pages, frame, &Sessions { form: form.clone(), done, errors, devices, more: usize::from(yes) });
    put(pages, frame, &Data { form: form.clone(), fresh: yes });
    for seconds in [0, 600, 86_400, 604_800] {
        let (form, name) = (form.clone(), name.clone());
        put(
            pages,
            frame,
            &Delete { form, fresh: yes, name, grace: Grace::seconds(seconds).map(Grace::before) },
        );
    }
    let (until, way_on) = (date(1_767_225_600_000_000), "/account".to_owned());
    put(pages, frame, &Leaving { form, name: name.clone(), until, return_to: way_on.clone() });
    put(pages, frame, &Kept { name, way_on });
}

/// Template and text of every page with every sample.
fn all() -> Vec<(&'static str, String)> {
    let mut pages = Vec::new();
    for frame in frames() {
        for open in [true, false] {
            let account = open.then(|| EVIL.to_owned());
            put(&mut pages, &frame, &Start { account, open });
            put(&mut pages, &frame, &Start { account: None, open });
        }
        for seconds in [0, 600, 3_600, 7_200, 86_400, 604_800] {
            put(&mut pages, &frame, &Deleted { grace: Grace::seconds(seconds).map(Grace::after) });
        }
        for others in [0, 1, 7] {
            put(&mut pages, &frame, &SignedOut { others });
        }
        // Pages for developers speak English.
        if frame.lang == "en" && frame.dev {
            put(&mut pages, &frame, &StartDev::at("http://localhost:8080"));
            put(&mut pages, &frame, &Docs::new().expect("the reference"));
        }
        put(&mut pages, &frame, &no_link());
        put(&mut pages, &frame, &second_step());
        put(&mut pages, &frame, &used_up());
        let told = [
            "new_device",
            "password",
            "email",
            "username",
            "signed_out",
            "deletion_begun",
            "deletion_kept",
            EVIL,
        ];
        for (n, what) in told.into_iter().enumerate() {
            let address = ADDRESSES[n % 3].to_owned();
            put(&mut pages, &frame, &Taken { address: address.clone() });
            let (what, at) = (what.to_owned(), 1_767_225_600_000_000);
            let looked = not_me::Looked { what, address, at, moved: n % 2 == 0 };
            put(&mut pages, &frame, &NotMe::of(looked, "f".repeat(64), n % 3 == 0));
        }
        for kind in Kind::ALL {
            let (heading, says) = words(&Refusal::new(*kind));
            let way_on = ("/sign-in", "begin-again");
            put(&mut pages, &frame, &Message { heading, says, way_on });
        }
        put(&mut pages, &frame, &not_that_way());
        put(&mut pages, &frame, &List { mails: Vec::new(), more: 0 });
        for address in ADDRESSES {
            let address = address.to_owned();
            let mail = |n: u64, code: bool, link: bool| Shown {
                n,
                to: address.clone(),
                subject: address.clone(),
                code: code.then(|| "123456".into()),
                link: link.then(|| "http://localhost:8080/verify?token=x".into()),
                text: address.clone(),
            };
            let mails = vec![mail(7, true, true), mail(6, false, true), mail(5, false, false)];
            put(&mut pages, &frame, &List { mails, more: 3 });
            for purpose in [
                Purpose::SignIn,
                Purpose::SignUp,
                Purpose::Recover,
                Purpose::StepUp,
                Purpose::Verify,
                Purpose::VerifyCurrent,
                Purpose::Factor,
            ] {
                for here in [true, false] {
                    let account = (here && purpose == Purpose::Verify).then(|| "a…@b.example".to_owned());
                    let ends_at = here.then(|| format!("https://{address}/back"));
                    let looked = Looked {
                        purpose,
                        address: address.clone(),
                        here,
                        usable_here: true,
                        ends_at,
                        account,
                    };
                    let other = here.then(|| address.clone());
                    put(&mut pages, &frame, &Link::of(looked, "f".repeat(64), other, here));
                }
            }
            put(&mut pages, &frame, &Elsewhere { address: address.clone() });
            let policy = || Policy { least: 8, optional: false };
            for recover in [true, false] {
                for wrong in [None, Some(evil())] {
                    let page = SetPassword {
                        action: "/verify/password".into(),
                        form: "f".repeat(64),
                        recover,
                        address: address.clone(),
                        policy: policy(),
                        trouble: wrong.clone(),
                        wrong,
                    };
                    put(&mut pages, &frame, &page);
                }
            }
            for wrong in [None, Some(evil())] {
                let page = Invitation {
                    form: "f".repeat(64),
                    address: address.clone(),
                    name: wrong.as_ref().map(|_| EVIL.to_owned()).unwrap_or_default(),
                    policy: policy(),
                    wrong_name: wrong.clone(),
                    trouble: wrong.clone(),
                    other: wrong.as_ref().map(|_| EVIL.to_owned()),
                    changed: wrong.is_some(),
                    wrong,
                };
                put(&mut pages, &frame, &page);
            }
            for errors in errors() {
                for yes in [true, false] {
                    door(&mut pages, &frame, &address, &errors, yes);
                    house(&mut pages, &frame, &address, &errors, yes);
                }
            }
            for way_on in [None, Some("/account".to_owned())] {
                let address = Some(address.clone());
                put(&mut pages, &frame, &Done { heading: "done-sign-in", address, way_on });
            }
        }
        put(&mut pages, &frame, &Done { heading: "done-confirm", address: None, way_on: None });
    }
    pages
}

#[test]
fn every_template_renders_with_every_sample() {
    let pages = all();
    let partial = ["docs_parts.html", "house/checkup.html", "house.html", "sheet.html"];
    for (name, _) in TEMPLATES.iter().filter(|(name, _)| !partial.contains(name)) {
        assert!(
            pages.iter().any(|(template, _)| template == name),
            "{name} has no sample: add one to this file"
        );
    }
}

#[test]
fn attack_a142_a143_names_bring_no_markup() {
    for (template, text) in all() {
        assert!(!text.contains("<script"), "{template}");
        assert!(!text.contains("<!-- {"), "{template}");
        assert!(!text.contains("33017"), "{template}: a name was taken for a template");
    }
}

#[test]
fn every_page_has_what_every_page_has() {
    for (template, text) in all() {
        let once = |what: &str| assert_eq!(text.matches(what).count(), 1, "{template}: {what}");
        let begins = Language::ALL.map(|language| {
            format!("<!doctype html>\n<html lang=\"{}\" dir=\"{}\">", language.tag(), language.direction())
        });
        assert!(begins.iter().any(|begins| text.starts_with(begins)), "{template}: {}", &text[..60]);
        once("<title>");
        once("<h1>");
        once("<main");
        once("name=\"viewport\"");
        once("rel=\"stylesheet\"");
        // No script, no style but the sheet, nothing from elsewhere.
        for never in ["<style", " style=", " onclick=", "javascript:", "src=\"http", "<link rel=\"preconnect"]
        {
            assert!(!text.contains(never), "{template}: {never}");
        }
        // Every field has its label, and every id is there once.
        for id in text.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            once(&format!(" id=\"{id}\""));
        }
        for input in text.split("<input ").skip(1).filter_map(|rest| rest.split('>').next()) {
            let hidden = input.contains("type=\"hidden\"") || input.contains("aria-hidden=\"true\"");
            let id = input.split("id=\"").nth(1).and_then(|rest| rest.split('"').next());
            assert!(
                hidden || id.is_some_and(|id| text.contains(&format!("<label for=\"{id}\""))),
                "{template}: {input}"
            );
        }
        // What points into the page arrives.
        for anchor in text.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            once(&format!(" id=\"{anchor}\""));
        }
        let forms = text.matches("<form").count();
        assert_eq!(forms, text.matches("name=\"form\"").count(), "{template}: a form without its token");
    }
}

#[test]
fn problems_are_described_where_their_documents_say() {
    let frame = Frame::new("Latchstring".into(), Language::English, &Words::default(), false);
    let text = text(&frame, &Docs::new().expect("the reference")).expect("the page");
    for code in
        Kind::ALL.iter().map(|kind| kind.code()).chain(latchstring_web::problem::OWN.map(|own| own.code))
    {
        assert!(text.contains(&format!(" id=\"{code}\"")), "/docs#{code} leads nowhere");
    }
}
