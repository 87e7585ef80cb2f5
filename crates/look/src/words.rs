//! The words: Fluent messages in each language, and those that a realm says otherwise.

use crate::{Arg, Language, Say};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use fluent_syntax::ast;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

type Bundle = FluentBundle<FluentResource>;

/// Messages that a realm says otherwise: language, name of the message, text.
pub type Overrides = BTreeMap<Language, BTreeMap<String, String>>;

/// Most characters of a message that a realm says otherwise.
const LONGEST: usize = 1_000;
/// Most opening braces in it: as many places as any message has, plural forms included.
const DEEPEST: usize = 16;

macro_rules! files {
    ($language:literal) => {
        &[
            include_str!(concat!("../locales/", $language, "/common.ftl")),
            include_str!(concat!("../locales/", $language, "/door.ftl")),
            include_str!(concat!("../locales/", $language, "/house.ftl")),
            include_str!(concat!("../locales/", $language, "/mail.ftl")),
            include_str!(concat!("../locales/", $language, "/refusal.ftl")),
        ]
    };
}

fn files(language: Language) -> &'static [&'static str] {
    match language {
        Language::English => files!("en"),
        Language::German => files!("de"),
        Language::Arabic => files!("ar"),
    }
}

#[expect(clippy::expect_used, reason = "the files are in the binary, and a test reads each")]
fn bundle(language: Language) -> Bundle {
    let mut bundle = empty(language);
    for text in files(language) {
        let resource = FluentResource::try_new((*text).to_owned()).expect("a file of ours is well formed");
        bundle.add_resource(resource).expect("a message of ours has its name alone");
    }
    bundle
}

#[expect(clippy::expect_used, reason = "the tags are ours")]
fn empty(language: Language) -> Bundle {
    let mut bundle = Bundle::new_concurrent(vec![language.tag().parse().expect("a language tag")]);
    // What comes from outside is isolated where it is shown, and only where the writing directions may differ: the
    // marks would be copied along with codes and links.
    bundle.set_use_isolating(false);
    bundle
}

/// Read at first use, each language by itself.
static OURS: [LazyLock<Bundle>; 3] = [
    LazyLock::new(|| bundle(Language::English)),
    LazyLock::new(|| bundle(Language::German)),
    LazyLock::new(|| bundle(Language::Arabic)),
];

fn ours(language: Language) -> &'static Bundle {
    &OURS[language as usize]
}

/// Why a realm can't say a message so.
#[derive(Debug, thiserror::Error)]
pub enum WrongWords {
    /// Nothing has this name.
    #[error("there is no message “{0}”")]
    Unknown(String),
    /// It is no Fluent text, or more than one message.
    #[error("“{0}” can’t be read as the text of one message: {1}")]
    Unreadable(String, String),
    /// It leaves a place open that nothing is put into.
    #[error("“{0}” has no place for ${1}; it has: {2}")]
    NoSuchPlace(String, String, String),
    /// It is too long.
    #[error("“{0}” is longer than 1000 characters")]
    TooLong(String),
}

/// The words of one realm.
#[derive(Clone, Default)]
pub struct Words {
    overrides: Arc<BTreeMap<Language, Bundle>>,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({} languages said otherwise)", self.overrides.len())
    }
}

impl Words {
    /// Our words, but for those that a realm says otherwise; and why some of those are left out: a name that is unknown,
    /// a text that can't be read, or one that wants what the message is not given.
    pub fn new(overrides: &Overrides) -> (Self, Vec<WrongWords>) {
        let (mut bundles, mut wrong) = (BTreeMap::new(), Vec::new());
        for (language, messages) in overrides {
            // Fluent knows a message together with its attributes.
            let mut whole: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
            for (name, text) in messages {
                match checked(name, text) {
                    Ok(()) => {
                        let (id, attribute) = name.split_once('.').unwrap_or((name, ""));
                        whole.entry(id).or_default().insert(attribute, text);
                    }
                    Err(e) => wrong.push(e),
                }
            }
            let source: String = whole.iter().map(|(id, parts)| source(id, parts)).collect();
            let mut bundle = empty(*language);
            // Each of its messages was read by itself.
            let resource = FluentResource::try_new(source).unwrap_or_else(|(resource, _)| resource);
            if bundle.add_resource(resource).is_err() {
                wrong.push(WrongWords::Unreadable(
                    language.tag().into(),
                    "a message stands there twice".into(),
                ));
            }
            bundles.insert(*language, bundle);
        }
        (Self { overrides: Arc::new(bundles) }, wrong)
    }

    /// A message as plain text.
    pub fn say(&self, language: Language, say: &Say) -> String {
        let mut args = FluentArgs::with_capacity(say.args.len());
        for (name, value) in &say.args {
            args.set(*name, self.value(language, value));
        }
        self.format(language, say.id, &args)
    }

    fn value<'a>(&self, language: Language, value: &'a Arg) -> FluentValue<'a> {
        match value {
            Arg::Text(text) => isolated(language, text).into(),
            Arg::Number(number) => FluentValue::from(*number),
            Arg::Say(say) => self.say(language, say).into(),
        }
    }

    /// The message `id`, or `id.attribute`.
    pub(crate) fn format(&self, language: Language, id: &str, args: &FluentArgs<'_>) -> String {
        let own = self.overrides.get(&language);
        own.and_then(|bundle| formatted(bundle, id, args, true))
            .or_else(|| formatted(ours(language), id, args, false))
            .or_else(|| formatted(ours(Language::English), id, args, false))
            // A test looks up each name that stands in our code and templates.
            .unwrap_or_else(|| id.to_owned())
    }
}

/// Text from outside among words of `language`: kept apart where those run from right to left.
pub(crate) fn isolated(language: Language, text: &str) -> Cow<'_, str> {
    match language.direction() {
        // Digits are read the same way everywhere, and a code is copied with what stands around it.
        "rtl" if text.bytes().all(|b| b.is_ascii_digit()) => Cow::Borrowed(text),
        "rtl" => Cow::Owned(format!("\u{2068}{text}\u{2069}")),
        _ => Cow::Borrowed(text),
    }
}

fn formatted(bundle: &Bundle, id: &str, args: &FluentArgs<'_>, whole: bool) -> Option<String> {
    let (id, attribute) = id.split_once('.').map_or((id, None), |(id, attribute)| (id, Some(attribute)));
    let message = bundle.get_message(id)?;
    let pattern = match attribute {
        None => message.value()?,
        Some(attribute) => message.get_attribute(attribute)?.value(),
    };
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
    // A realm's own words are said whole or not at all.
    (!whole || errors.is_empty()).then_some(text)
}

/// A message as it stands in a file. Further lines belong to the text where they are indented.
fn source(id: &str, parts: &BTreeMap<&str, &str>) -> String {
    let indented = |text: &str| text.lines().collect::<Vec<_>>().join("\n        ");
    let mut out = format!("{id} =");
    for (attribute, text) in parts {
        match *attribute {
            "" => out.push_str(&format!(" {}", indented(text))),
            attribute => out.push_str(&format!("\n    .{attribute} = {}", indented(text))),
        }
    }
    out.push('\n');
    out
}

/// Whether a message can be said so.
fn checked(name: &str, text: &str) -> Result<(), WrongWords> {
    if text.chars().count() > LONGEST {
        return Err(WrongWords::TooLong(name.to_owned()));
    }
    let english = MESSAGES.get(name).ok_or_else(|| WrongWords::Unknown(name.to_owned()))?;
    let unreadable = |why: &str| WrongWords::Unreadable(name.to_owned(), why.to_owned());
    // Before anything reads it that goes as deep as the text does.
    if text.matches('{').count() > DEEPEST {
        return Err(unreadable("it has more than 16 braces"));
    }
    let (id, attribute) = name.split_once('.').unwrap_or((name, ""));
    let resource = FluentResource::try_new(source(id, &BTreeMap::from([(attribute, text)])))
        .map_err(|(_, errors)| unreadable(&errors.first().map_or_else(String::new, ToString::to_string)))?;
    let found = places_of(&resource);
    let alone = found.len() == 1 && found.contains_key(name);
    let Some(places) = found.get(name).filter(|_| alone) else {
        return Err(unreadable("it is more than the text of one message"));
    };
    if places.refers {
        return Err(unreadable("it refers to another message, or calls a function"));
    }
    match places.variables.iter().find(|variable| !english.variables.contains(*variable)) {
        Some(variable) => {
            let known: Vec<String> = english.variables.iter().map(|v| format!("${v}")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(WrongWords::NoSuchPlace(name.to_owned(), variable.clone(), known))
        }
        None => Ok(()),
    }
}

/// What a message leaves open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// Its `$names`, those of the messages in it included.
    pub(crate) variables: BTreeSet<String>,
    /// Whether other messages or functions are in it.
    refers: bool,
}

/// Every message and attribute, with what it leaves open, as it is in English.
static MESSAGES: LazyLock<BTreeMap<String, Places>> = LazyLock::new(|| messages(Language::English));

/// The names of all messages, with what they leave open in `language`.
pub(crate) fn messages(language: Language) -> BTreeMap<String, Places> {
    let mut all: BTreeMap<String, Places> = BTreeMap::new();
    let mut inner: Vec<(String, String)> = Vec::new();
    for text in files(language) {
        let Ok(resource) = FluentResource::try_new((*text).to_owned()) else { continue };
        all.extend(places_of(&resource));
        for entry in resource.entries() {
            let ast::Entry::Message(message) = entry else { continue };
            each_pattern(message, |name, pattern| {
                walk(pattern, &mut |inline| {
                    if let ast::InlineExpression::MessageReference { id, .. } = inline {
                        inner.push((name.clone(), id.name.to_owned()));
                    }
                });
            });
        }
    }
    // References are one deep.
    for (outer, inner) in inner {
        let variables = all.get(&inner).map(|places| places.variables.clone()).unwrap_or_default();
        if let Some(places) = all.get_mut(&outer) {
            places.variables.extend(variables);
        }
    }
    all
}

fn places_of(resource: &FluentResource) -> BTreeMap<String, Places> {
    let mut found = BTreeMap::new();
    for entry in resource.entries() {
        match entry {
            ast::Entry::Message(message) => each_pattern(message, |name, pattern| {
                let mut places = Places::default();
                walk(pattern, &mut |inline| match inline {
                    ast::InlineExpression::VariableReference { id } => {
                        places.variables.insert(id.name.to_owned());
                    }
                    ast::InlineExpression::MessageReference { .. }
                    | ast::InlineExpression::TermReference { .. }
                    | ast::InlineExpression::FunctionReference { .. } => places.refers = true,
                    _ => {}
                });
                found.insert(name, places);
            }),
            ast::Entry::Comment(_) | ast::Entry::GroupComment(_) | ast::Entry::ResourceComment(_) => {}
            _ => {
                found.insert("?".to_owned(), Places::default());
            }
        }
    }
    found
}

fn each_pattern<'a>(
    message: &'a ast::Message<&'a str>,
    mut visit: impl FnMut(String, &'a ast::Pattern<&'a str>),
) {
    if let Some(value) = &message.value {
        visit(message.id.name.to_owned(), value);
    }
    for attribute in &message.attributes {
        visit(format!("{}.{}", message.id.name, attribute.id.name), &attribute.value);
    }
}

fn walk<'a>(pattern: &'a ast::Pattern<&'a str>, visit: &mut impl FnMut(&'a ast::InlineExpression<&'a str>)) {
    for element in &pattern.elements {
        let ast::PatternElement::Placeable { expression } = element else { continue };
        expressions(expression, visit);
    }
}

fn expressions<'a>(
    expression: &'a ast::Expression<&'a str>,
    visit: &mut impl FnMut(&'a ast::InlineExpression<&'a str>),
) {
    let inline = match expression {
        ast::Expression::Inline(inline) => inline,
        ast::Expression::Select { selector, variants } => {
            for variant in variants {
                // As deep as there are braces, which are counted before.
                for element in &variant.value.elements {
                    if let ast::PatternElement::Placeable { expression } = element {
                        expressions(expression, &mut *visit);
                    }
                }
            }
            selector
        }
    };
    visit(inline);
    if let ast::InlineExpression::Placeable { expression } = inline {
        expressions(expression, visit);
    }
}
