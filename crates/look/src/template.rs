//! The environment that templates live in: escaped without exception, strict about what they name, and with `t`, which
//! says a message in the reader's language.

use crate::{Language, Words, brand::Brand, escape};
use fluent_bundle::{FluentArgs, FluentValue};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value, context,
    syntax::SyntaxConfig,
    value::{Kwargs, Object, ValueKind, from_args},
};
use std::sync::{Arc, LazyLock};

/// An environment with the frames, and no page yet.
#[expect(clippy::expect_used, reason = "the delimiters are the usual ones, the frames are in the binary")]
pub fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the usual delimiters"));
    environment.add_filter("prose", prose);
    environment.add_filter("address", address);
    environment.add_filter("initial", initial);
    environment.add_filter("parts", parts);
    environment.add_filter("bdi", bdi);
    for (name, text) in FRAMES {
        environment.add_template(name, text).expect("a template of ours is well formed");
    }
    environment
}

/// What pages are made of, and what is around mails.
const FRAMES: [(&str, &str); 3] = [
    ("parts.html", include_str!("../templates/parts.html")),
    ("door.html", include_str!("../templates/door.html")),
    ("mail.html", include_str!("../templates/mail.html")),
];

/// The frames that a realm may say otherwise.
pub const FRAMES_OF_REALMS: [&str; 2] = ["door.html", "mail.html"];

/// Most work for a page with a frame of the realm's own, in minijinja's measure. A test holds it at several times what
/// ours take.
const FUEL: u64 = 20_000;
/// Most bytes of such a page or mail.
const LONGEST: usize = 128 * 1024;
/// Most bytes of a frame.
const FRAME: usize = 32 * 1024;

/// `environment` with a frame of the realm's own, and an end to its patience.
///
/// # Errors
/// What is wrong with the frame, with the line.
pub fn with_frame(
    mut environment: Environment<'static>,
    name: &str,
    text: &str,
) -> Result<Environment<'static>, String> {
    environment.set_fuel(Some(FUEL));
    environment.add_template_owned(name.to_owned(), text.to_owned()).map_err(|e| said(&e))?;
    Ok(environment)
}

fn said(error: &Error) -> String {
    let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
    let line = error.line().map_or_else(String::new, |line| format!(" (line {line})"));
    format!("{}{detail}{line}", error.kind())
}

static OURS: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// A template in an environment with a frame of the realm's own.
///
/// # Errors
/// Why it can't be rendered.
pub fn render(environment: &Environment<'static>, name: &str, data: &Value) -> Result<String, String> {
    let text = environment.get_template(name).and_then(|it| it.render(data)).map_err(|e| said(&e))?;
    if text.len() > LONGEST { Err(format!("it makes more than {LONGEST} bytes")) } else { Ok(text) }
}

/// A mail in its frame, and why it is not the realm's own.
pub(crate) fn mail(brand: &Brand, data: &Value) -> (String, Option<String>) {
    let why = match brand.mail().map(|own| render(&own, "mail.html", data)) {
        Some(Ok(text)) => return (text, None),
        Some(Err(why)) => Some(why),
        None => None,
    };
    let ours = OURS.get_template("mail.html").and_then(|mail| mail.render(data));
    #[expect(clippy::expect_used, reason = "our own frame; tests render every mail in it")]
    (ours.expect("our own frame renders"), why)
}

/// Refuses a frame that doesn't render, or leaves out what has to be there.
pub(crate) fn check(name: &str, text: &str, brand: &Brand) -> Result<(), String> {
    if !FRAMES_OF_REALMS.contains(&name) {
        return Err(format!("There is no frame “{name}”. Known: {}.", FRAMES_OF_REALMS.join(", ")));
    }
    if text.len() > FRAME {
        return Err(format!("{name}: at most 32 KiB."));
    }
    let mut environment = with_frame(environment(), name, text).map_err(|e| format!("{name}: {e}."))?;
    let sample = "{% extends \"door.html\" %}{% block title %}~title~{% endblock %}{% block lead %}~lead~{% endblock %}\
                  {% block body %}~body~{% endblock %}{% block foot %}~foot~{% endblock %}";
    environment.add_template("sample.html", sample).map_err(|e| said(&e))?;
    environment.add_global("assets", context! { look => "~look~", mark => "~mark~" });
    for language in brand.languages() {
        for full in [true, false] {
            let (template, data, needs) = if name == "mail.html" {
                (name, sample_mail(*language, full), if full { FULL_MAIL } else { &FULL_MAIL[..4] })
            } else {
                let t = Speaker::value(*language, brand.words.clone());
                let page = context! { t, frame => sample_frame(*language, full), page => context! {} };
                ("sample.html", page, PAGE)
            };
            let out = render(&environment, template, &data).map_err(|e| format!("{name}: {e}."))?;
            if let Some(missing) = needs.iter().find(|needed| !out.contains(**needed)) {
                let missing = missing.trim_matches('~');
                return Err(format!(
                    "{name}: it leaves out “{missing}”, which every such page or mail needs."
                ));
            }
            let plain = out.to_ascii_lowercase();
            if plain.contains("<script") {
                return Err(format!("{name}: a script would not run there. Take it out."));
            }
            if plain.contains("http-equiv") {
                return Err(format!(
                    "{name}: a page that leads elsewhere by itself is none of ours. Take http-equiv out."
                ));
            }
        }
    }
    Ok(())
}

/// What stands in every mail (the first four), and in one that has everything.
const FULL_MAIL: &[&str] = &[
    "~subject~",
    "~heading~",
    "~before~",
    "~after~",
    "~code~",
    "~fact~",
    "~is~",
    "~button~",
    "~link~",
    "~second~",
    "~other~",
];
/// What stands in every page.
const PAGE: &[&str] = &["~title~", "~lead~", "~body~", "~foot~", "~look~", "<main", "<h1"];

fn sample_frame(language: Language, full: bool) -> Value {
    let other = context! { tag => "de", name => "Deutsch", href => "/sign-in?lang=de" };
    context! {
        brand => "~brand~", dev => full, here => "", lang => language.tag(), dir => language.direction(),
        languages => if full { vec![other] } else { vec![] },
        legal => if full { vec![context! { name => "~legal~", url => "https://legal.example" }] } else { vec![] },
        logo => full.then_some("/assets/logo.png"), style => full.then_some("/assets/brand.css"),
    }
}

fn sample_mail(language: Language, full: bool) -> Value {
    let pair = || context! { colour => "#000000", ink => "#ffffff" };
    let legal = if full { vec![("~legal~", "https://legal.example")] } else { vec![] };
    context! {
        lang => language.tag(), dir => language.direction(), start => "left",
        brand => context! {
            name => "~brand~", logo => full.then_some("/assets/logo"), light => pair(), dark => pair(), legal => legal,
        },
        mail => context! {
            subject => "~subject~", heading => "~heading~", before => vec!["~before~"],
            code => full.then_some("~code~"), or => full.then_some("~or~"),
            facts => if full { vec![("~fact~", "~is~")] } else { vec![] },
            button => full.then_some(("~button~", "~link~")), second => full.then_some(("~second~", "~other~")),
            after => vec!["~after~"],
        },
        preview => "~preview~",
    }
}

/// Text with `code` between backticks.
fn prose(text: &str) -> Value {
    let parts = text.split('`').enumerate().map(|(i, part)| match i % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    });
    Value::from_safe_string(parts.collect())
}

/// An e-mail address, which may break in the middle if it has to.
fn address(text: &str) -> Value {
    Value::from_safe_string(escape(text).replace('@', "@<wbr>"))
}

/// A name of several words, which may break between them.
fn parts(text: &str) -> Value {
    Value::from_safe_string(escape(text).replace('_', "_<wbr>"))
}

/// Text that runs in its own direction, whatever is around it.
fn bdi(text: &Value) -> Value {
    Value::from_safe_string(format!("<bdi>{}</bdi>", html(text)))
}

/// The letter by which an account is known at a glance.
fn initial(text: &str) -> String {
    text.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "·".into(), |c| c.to_uppercase().collect())
}

/// A value as HTML: markup of ours as it is, everything else escaped.
fn html(value: &Value) -> String {
    let text = value.to_string();
    if value.is_safe() { text } else { escape(&text) }
}

/// The first of the characters that stand for markup while a message is put together. They are private to whoever uses
/// them; where text from outside has one, it is replaced.
const MARKUP: u32 = 0xE000;
/// More markup than that is in no message.
const MOST: usize = 16;

/// What templates call as `t`: `{{ t("sign-in-lead", brand=frame.brand|bdi) }}`. The message itself is text; what is put
/// into it may be markup of ours.
#[derive(Debug)]
pub struct Speaker {
    language: Language,
    words: Words,
}

impl Speaker {
    /// Who says `words` in `language`.
    pub fn value(language: Language, words: Words) -> Value {
        Value::from_object(Self { language, words })
    }

    /// A message as HTML.
    fn html(&self, id: &str, args: &[(&str, Value)]) -> String {
        let mut markup: Vec<String> = Vec::new();
        let mut fluent = FluentArgs::with_capacity(args.len());
        for (name, value) in args {
            let value = match i64::try_from(value.clone()) {
                Ok(number) if value.is_number() => FluentValue::from(number),
                _ if value.is_safe() && markup.len() < MOST => {
                    markup.push(value.to_string());
                    let place = u32::try_from(markup.len() - 1).unwrap_or(0);
                    let place = char::from_u32(MARKUP + place).unwrap_or(char::REPLACEMENT_CHARACTER);
                    FluentValue::from(place.to_string())
                }
                _ => {
                    let text: String = value.to_string();
                    let text = text.replace(is_markup, "\u{fffd}");
                    FluentValue::from(crate::words::isolated(self.language, &text).into_owned())
                }
            };
            fluent.set((*name).to_owned(), value);
        }
        let said = escape(&self.words.format(self.language, id, &fluent));
        if markup.is_empty() {
            return said;
        }
        let mut out = String::with_capacity(said.len() + 64);
        for c in said.chars() {
            let place = (c as u32).checked_sub(MARKUP).and_then(|place| markup.get(place as usize));
            match place {
                Some(text) => out.push_str(text),
                None => out.push(c),
            }
        }
        out
    }
}

fn is_markup(c: char) -> bool {
    (MARKUP..MARKUP + 16).contains(&(c as u32))
}

impl Object for Speaker {
    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (what, kwargs): (Value, Kwargs) = from_args(args)?;
        if let Some(id) = what.as_str() {
            let mut args = Vec::new();
            let names: Vec<String> = kwargs.args().map(ToOwned::to_owned).collect();
            for name in &names {
                args.push((name.as_str(), kwargs.get::<Value>(name)?));
            }
            return Ok(Value::from_safe_string(self.html(id, &args)));
        }
        kwargs.assert_all_used()?;
        self.said(&what).map(Value::from_safe_string)
    }
}

impl Speaker {
    /// A [`Say`] as it stands in a page's data.
    fn said(&self, say: &Value) -> Result<String, Error> {
        let id = say.get_attr("id")?;
        let id = id.as_str().ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no message"))?;
        let mut names = Vec::new();
        for pair in say.get_attr("args")?.try_iter()? {
            let (name, value) = (pair.get_item(&Value::from(0))?, pair.get_item(&Value::from(1))?);
            let value = match value.kind() {
                ValueKind::Map => Value::from_safe_string(self.said(&value)?),
                _ => value,
            };
            names.push((name.to_string(), value));
        }
        let args: Vec<(&str, Value)> =
            names.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        Ok(self.html(id, &args))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Say;
    use minijinja::{context, value::Serde};

    fn render(template: &str, language: Language, context: Value) -> String {
        let mut environment = environment();
        environment.add_template_owned("x", template.to_owned()).expect("well formed");
        let t = Speaker::value(language, Words::default());
        environment.get_template("x").and_then(|x| x.render(context! { t, ..context })).expect("rendered")
    }

    #[test]
    fn prose_escapes_what_it_marks_up() {
        let said = prose("a <b> `<script>` c");
        assert_eq!(said.to_string(), "a &lt;b&gt; <code>&lt;script&gt;</code> c");
        assert_eq!(address("<a.b@c.d>").to_string(), "&lt;a.b@<wbr>c.d&gt;");
    }

    #[test]
    fn our_own_frames_take_a_fraction_of_what_a_realms_may() {
        for (name, text) in FRAMES.iter().filter(|(name, _)| FRAMES_OF_REALMS.contains(name)) {
            check(name, text, &Brand::default()).expect("our own frame passes");
            let mut environment = with_frame(environment(), name, text).expect("our own frame");
            environment.set_fuel(Some(FUEL / 5));
            environment.add_global("assets", context! { look => "", mark => "" });
            let t = Speaker::value(Language::English, Words::default());
            let page = context! { t, frame => sample_frame(Language::English, true), page => context! {} };
            let data = if *name == "mail.html" { sample_mail(Language::English, true) } else { page };
            super::render(&environment, name, &data).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }

    #[test]
    fn a_message_takes_markup_of_ours_and_no_other() {
        let evil = "<i>\u{e000}\u{e001}{ $to }";
        let page = "{{ t(\"code-sent\", to=to|bdi) }}|{{ t(\"code-sent\", to=to) }}";
        let said = render(page, Language::English, context! { to => evil });
        let (marked, plain) = said.split_once('|').expect("two");
        assert!(marked.contains("<bdi>&lt;i&gt;\u{e000}\u{e001}{ $to }</bdi>"), "{marked}");
        assert!(plain.contains("&lt;i&gt;\u{fffd}\u{fffd}{ $to }"), "{plain}");
    }

    #[test]
    fn a_say_is_said_in_the_language_of_the_page() {
        let say = Say::new("limited-often").with("wait", Say::new("wait").with("minutes", 5));
        let said = |language| render("{{ t(say) }}", language, context! { say => Serde(&say) });
        assert_eq!(said(Language::English), "That was often. Wait 5 minutes, then try again.");
        assert_ne!(said(Language::English), said(Language::German));
        assert_eq!(said(Language::German), escape(&Words::default().say(Language::German, &say)));
    }

    #[test]
    fn what_is_put_in_keeps_its_direction() {
        let said = render("{{ t(\"code-sent\", to=\"ada@a.example\") }}", Language::Arabic, context! {});
        assert!(said.contains("\u{2068}ada@a.example\u{2069}"), "{said}");
    }
}
