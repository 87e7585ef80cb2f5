//! Every template with every sort of content that it has to bear, and what holds for all of them.

use super::{
    docs::Docs,
    mailbox::{List, Shown},
    message::{Message, words},
    start::{Start, StartDev},
    templates::{Frame, Page, TEMPLATES, text},
    verify::show::{Done, Elsewhere, Invitation, Link, Policy, SetPassword, no_link, second_step},
};
use latchstring_core::{Kind, Refusal, attempt::link::Looked, challenge::Purpose};

/// Names that somebody chose to break a page with.
const EVIL: &str = "\"><script>alert(1)</script><!-- {{ 137*241 }} \u{202e}";
const ADDRESSES: [&str; 3] = ["ada@northwind.example", EVIL, "אדה@דוגמה.example"];

fn frames() -> Vec<Frame> {
    let long =
        "The Northwind Trading Company of the Eastern Archipelago and Surroundings, Limited".to_owned();
    let mut frames = Vec::new();
    for brand in ["Northwind".to_owned(), EVIL.to_owned(), long] {
        for dev in [true, false] {
            frames.push(Frame { brand: brand.clone(), dev, here: "docs" });
        }
    }
    frames
}

/// Template and text of every page with every sample.
fn all() -> Vec<(&'static str, String)> {
    let mut pages = Vec::new();
    for frame in frames() {
        fn put<P: Page>(pages: &mut Vec<(&'static str, String)>, frame: &Frame, page: &P) {
            let text = text(frame, page).unwrap_or_else(|e| panic!("{}: {:?}", P::TEMPLATE, e));
            pages.push((P::TEMPLATE, text));
        }
        put(&mut pages, &frame, &Start {});
        put(&mut pages, &frame, &StartDev::at("http://localhost:8080"));
        put(&mut pages, &frame, &Docs::new().expect("the reference"));
        put(&mut pages, &frame, &no_link());
        put(&mut pages, &frame, &second_step());
        for kind in Kind::ALL {
            let (heading, says) = words(&Refusal::new(*kind));
            put(&mut pages, &frame, &Message { heading, says });
        }
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
                Purpose::Factor,
            ] {
                for here in [true, false] {
                    let looked = Looked { purpose, address: address.clone(), here, usable_here: true };
                    let other = here.then(|| address.clone());
                    put(&mut pages, &frame, &Link::of(looked, "f".repeat(64), other, here));
                }
            }
            put(&mut pages, &frame, &Elsewhere { address: address.clone() });
            let policy = || Policy { least: 8, most: 256, optional: false };
            for recover in [true, false] {
                for wrong in [None, Some(EVIL.to_owned())] {
                    let page = SetPassword {
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
            for wrong in [None, Some(EVIL.to_owned())] {
                let page = Invitation {
                    form: "f".repeat(64),
                    address: address.clone(),
                    name: wrong.clone().unwrap_or_default(),
                    policy: policy(),
                    wrong_name: wrong.clone(),
                    trouble: wrong.clone(),
                    other: wrong.clone(),
                    changed: wrong.is_some(),
                    wrong,
                };
                put(&mut pages, &frame, &page);
            }
            put(&mut pages, &frame, &Done { heading: "You are signed in", address: Some(address) });
        }
        put(&mut pages, &frame, &Done { heading: "Confirmed", address: None });
    }
    pages
}

#[test]
fn every_template_renders_with_every_sample() {
    let pages = all();
    let partial = ["parts.html", "docs_parts.html", "door.html", "sheet.html"];
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
        assert!(text.starts_with("<!doctype html>\n<html lang=\"en\">"), "{template}: {}", &text[..60]);
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
    let frame = Frame { brand: "Latchstring".into(), dev: false, here: "docs" };
    let text = text(&frame, &Docs::new().expect("the reference")).expect("the page");
    for code in Kind::ALL.iter().map(|kind| kind.code()).chain(["internal"]) {
        assert!(text.contains(&format!(" id=\"{code}\"")), "/docs#{code} leads nowhere");
    }
}
