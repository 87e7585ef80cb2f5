//! Mails: what one says, as text and as HTML that mail programs of every age show.

use crate::{
    Arg, Language, Say, Words,
    brand::{Brand, Pair},
    colour::{Colour, DARK},
    template,
};
use minijinja::{context, value::Serde};
use serde::Serialize;

/// A mail without a language. It may hold a code and links, which are secrets: no `Debug`.
#[derive(Clone, Default)]
pub struct Draft {
    /// The subject.
    pub subject: Say,
    /// What it is about, in a few words.
    pub heading: Say,
    /// Sentences above the code and the button.
    pub before: Vec<Say>,
    /// A code to type.
    pub code: Option<String>,
    /// What happened, where and when.
    pub facts: Vec<(Say, Arg)>,
    /// The button: its words, and where it leads.
    pub button: Option<(Say, String)>,
    /// Sentences below.
    pub after: Vec<Say>,
    /// A lesser link, below everything.
    pub second: Option<(Say, String)>,
}

/// A mail as it goes out.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
    /// Why the realm's own frame did not serve, where it has one.
    pub unframed: Option<String>,
}

/// What a mail is rendered with.
pub struct Sender<'a> {
    /// The realm's name.
    pub name: &'a str,
    /// How it looks.
    pub brand: &'a Brand,
    /// The address of its logo, if mails can show it.
    pub logo: Option<String>,
}

/// A [`Draft`] in its language: what both forms are made of.
#[derive(Serialize)]
struct Said<'a> {
    subject: String,
    heading: String,
    before: Vec<String>,
    code: Option<&'a str>,
    facts: Vec<(String, String)>,
    or: Option<String>,
    button: Option<(String, &'a str)>,
    after: Vec<String>,
    second: Option<(String, &'a str)>,
}

impl Draft {
    /// The mail in `language`. Where the realm's own frame fails, ours serves.
    pub fn render(&self, sender: &Sender<'_>, language: Language) -> Rendered {
        let said = self.said(&sender.brand.words, language);
        let legal: Vec<(&str, &str)> = sender.brand.legal(language).collect();
        let [light, dark] = sender.brand.colours.unwrap_or_else(ours);
        let pair = |pair: Pair| context! { colour => pair.colour.to_string(), ink => pair.ink.to_string() };
        let data = context! {
            lang => language.tag(),
            dir => language.direction(),
            start => if language.direction() == "rtl" { "right" } else { "left" },
            brand => context! {
                name => sender.name.to_owned(),
                logo => sender.logo.clone(),
                light => pair(light),
                dark => pair(dark),
                legal => Serde(&legal),
            },
            mail => Serde(&said),
            preview => said.before.first().cloned(),
        };
        let (html, unframed) = template::mail(sender.brand, &data);
        Rendered { text: said.text(sender.name, &legal), subject: said.subject, html, unframed }
    }

    fn said(&self, words: &Words, language: Language) -> Said<'_> {
        let say = |say: &Say| words.say(language, say);
        let all = |list: &[Say]| list.iter().map(say).collect();
        let fact = |(name, fact): &(Say, Arg)| {
            let fact = match fact {
                Arg::Text(text) => text.to_string(),
                Arg::Number(number) => number.to_string(),
                Arg::Say(said) => say(said),
            };
            (say(name), fact)
        };
        Said {
            subject: one_line(&say(&self.subject)),
            heading: say(&self.heading),
            before: all(&self.before),
            code: self.code.as_deref(),
            facts: self.facts.iter().map(fact).collect(),
            or: (self.code.is_some() && self.button.is_some()).then(|| say(&Say::new("mail-or"))),
            button: self.button.as_ref().map(|(label, url)| (say(label), url.as_str())),
            after: all(&self.after),
            second: self.second.as_ref().map(|(label, url)| (say(label), url.as_str())),
        }
    }
}

impl Said<'_> {
    fn text(&self, name: &str, legal: &[(&str, &str)]) -> String {
        let mut parts = self.before.clone();
        parts.extend(self.code.map(|code| format!("    {code}")));
        if !self.facts.is_empty() {
            let facts: Vec<String> =
                self.facts.iter().map(|(name, fact)| format!("{name}: {fact}")).collect();
            parts.push(facts.join("\n"));
        }
        if let Some((label, url)) = &self.button {
            parts.push(self.or.clone().unwrap_or_else(|| format!("{label}:")));
            parts.push(format!("    {url}"));
        }
        parts.extend(self.after.iter().cloned());
        if let Some((label, url)) = &self.second {
            parts.push(format!("{label}:\n\n    {url}"));
        }
        let legal: String = legal.iter().map(|(name, url)| format!("{name}: {url}\n")).collect();
        format!("{}\n\n-- \n{name}\n{legal}", parts.join("\n\n"))
    }
}

/// Words of a realm may run over several lines; a subject may not.
fn one_line(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}

/// Latchstring's own colours, as in the style sheet.
fn ours() -> [Pair; 2] {
    let colour = |text, ink| Pair {
        colour: Colour::parse(text).unwrap_or(Colour::BLACK),
        ink: Colour::parse(ink).unwrap_or(DARK[0]),
    };
    [colour("#14524b", "#ffffff"), colour("#5fb8a9", "#07211d")]
}
