//! Mails: what one says, as text and as HTML that mail programs of every age show.

use crate::{
    Arg, Language, Say,
    brand::{Brand, Pair},
    colour::{Colour, DARK},
    template,
};
use minijinja::{Value, context};

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

impl Draft {
    /// The mail in `language`. Where the realm's own frame fails, ours serves.
    pub fn render(&self, sender: &Sender<'_>, language: Language) -> Rendered {
        let words = &sender.brand.words;
        let say = |say: &Say| words.say(language, say);
        let subject = one_line(&say(&self.subject));
        let data = self.data(sender, language, &subject);
        let (html, unframed) = template::mail(sender.brand, &data);
        Rendered { subject, text: self.text(sender, language), html, unframed }
    }

    fn data(&self, sender: &Sender<'_>, language: Language, subject: &str) -> Value {
        let words = &sender.brand.words;
        let say = |say: &Say| words.say(language, say);
        let all = |list: &[Say]| list.iter().map(say).collect::<Vec<_>>();
        let link = |link: &(Say, String)| (say(&link.0), link.1.clone());
        let before = all(&self.before);
        let legal: Vec<(String, String)> =
            sender.brand.legal(language).map(|(name, url)| (name.to_owned(), url.to_owned())).collect();
        let [light, dark] = sender.brand.colours.unwrap_or_else(ours);
        let pair = |pair: Pair| context! { colour => pair.colour.to_string(), ink => pair.ink.to_string() };
        let facts: Vec<(String, String)> =
            self.facts.iter().map(|(name, fact)| (say(name), fact_text(fact, &say))).collect();
        context! {
            lang => language.tag(),
            dir => language.direction(),
            start => if language.direction() == "rtl" { "right" } else { "left" },
            brand => context! {
                name => sender.name.to_owned(),
                logo => sender.logo.clone(),
                light => pair(light),
                dark => pair(dark),
                legal => legal,
            },
            mail => context! {
                subject => subject.to_owned(),
                heading => say(&self.heading),
                preview => before.first(),
                before => before,
                code => self.code.clone(),
                facts => facts,
                or => (self.code.is_some() && self.button.is_some()).then(|| say(&Say::new("mail-or"))),
                button => self.button.as_ref().map(link),
                after => all(&self.after),
                second => self.second.as_ref().map(link),
            },
        }
    }

    fn text(&self, sender: &Sender<'_>, language: Language) -> String {
        let words = &sender.brand.words;
        let say = |say: &Say| words.say(language, say);
        let mut parts: Vec<String> = self.before.iter().map(say).collect();
        if let Some(code) = &self.code {
            parts.push(format!("    {code}"));
        }
        let facts: Vec<String> = self
            .facts
            .iter()
            .map(|(name, fact)| format!("{}: {}", say(name), fact_text(fact, &say)))
            .collect();
        if !facts.is_empty() {
            parts.push(facts.join("\n"));
        }
        if let Some((label, url)) = &self.button {
            let label =
                if self.code.is_some() { say(&Say::new("mail-or")) } else { format!("{}:", say(label)) };
            parts.push(label);
            parts.push(format!("    {url}"));
        }
        parts.extend(self.after.iter().map(say));
        if let Some((label, url)) = &self.second {
            parts.push(format!("{}:\n\n    {url}", say(label)));
        }
        let legal: String =
            sender.brand.legal(language).map(|(name, url)| format!("{name}: {url}\n")).collect();
        format!("{}\n\n-- \n{}\n{legal}", parts.join("\n\n"), sender.name)
    }
}

fn fact_text(fact: &Arg, say: &impl Fn(&Say) -> String) -> String {
    match fact {
        Arg::Text(text) => text.to_string(),
        Arg::Number(number) => number.to_string(),
        Arg::Say(said) => say(said),
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
