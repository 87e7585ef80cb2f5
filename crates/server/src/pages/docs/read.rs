//! Reads an OpenAPI document into what a page shows. Knows only the forms that our own document has.

use serde::Serialize;
use serde_json::{Map, Value};

/// The document.
pub(super) struct Reference {
    pub about: String,
    pub groups: Vec<Group>,
    pub shapes: Vec<Shape>,
}

/// The operations of a tag.
#[derive(Serialize)]
pub(super) struct Group {
    anchor: String,
    title: String,
    about: String,
    operations: Vec<Operation>,
}

/// A method of a path.
#[derive(Serialize)]
struct Operation {
    anchor: String,
    method: String,
    /// The method in small letters, for its colour.
    verb: String,
    path: String,
    /// Its line in the table of contents.
    short: String,
    summary: String,
    about: String,
    needs: String,
    parameters: Vec<Member>,
    body: Option<Body>,
    answers: Vec<Answer>,
}

/// What is sent.
#[derive(Serialize)]
struct Body {
    /// `JSON` or `a form`.
    form: &'static str,
    members: Vec<Member>,
}

/// What comes back.
#[derive(Serialize)]
struct Answer {
    status: String,
    kind: Option<Of>,
    says: String,
}

/// A member of an object, or a parameter.
#[derive(Serialize)]
struct Member {
    name: String,
    kind: Of,
    required: bool,
    about: String,
}

impl Member {
    /// In what is sent, `null` is the same as leaving it out, and goes without saying.
    fn sent(&mut self) {
        if let Some(rest) = self.kind.after.strip_suffix(" or null") {
            self.kind.after = rest.to_owned();
        }
    }
}

/// An object that answers have.
#[derive(Serialize)]
pub(super) struct Shape {
    anchor: String,
    name: String,
    about: String,
    members: Vec<Member>,
}

/// A type, in words.
#[derive(Default, Serialize)]
struct Of {
    before: String,
    name: String,
    href: Option<String>,
    values: Vec<String>,
    after: String,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

pub(super) fn reference(document: &Value) -> Reference {
    let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let mut used = Vec::new();
    let mut groups = Vec::new();
    for tag in list(&document["tags"]) {
        let name = text(&tag["name"]);
        let mut operations = Vec::new();
        for (path, methods) in document["paths"].as_object().into_iter().flatten() {
            for method in METHODS {
                let op = &methods[method];
                if list(&op["tags"]).iter().any(|t| t.as_str() == Some(&name)) {
                    operations.push(operation(path, method, op, &schemas, &mut used));
                }
            }
        }
        let anchor = format!("calls-{name}");
        groups.push(Group { anchor, title: capital(&name), about: text(&tag["description"]), operations });
    }
    // What a shape names is shown too; the list grows while it is gone through.
    let mut shapes = Vec::new();
    let mut next = 0;
    while let Some(name) = used.get(next).cloned() {
        next += 1;
        let Some(schema) = schemas.get(&name) else { continue };
        let members = members(schema, &schemas, &mut used);
        if !members.is_empty() {
            let about = text(&schema["description"]);
            shapes.push(Shape { anchor: format!("shape-{name}"), name, about, members });
        }
    }
    shapes.sort_by(|a, b| a.name.cmp(&b.name));
    Reference { about: text(&document["info"]["description"]), groups, shapes }
}

fn operation(
    path: &str,
    method: &str,
    op: &Value,
    schemas: &Map<String, Value>,
    used: &mut Vec<String>,
) -> Operation {
    let parameters = list(&op["parameters"])
        .iter()
        .map(|parameter| {
            let mut member = Member {
                name: text(&parameter["name"]),
                kind: kind(&parameter["schema"], schemas, used),
                required: parameter["required"] == true,
                about: text(&parameter["description"]),
            };
            member.sent();
            member.kind.after.push_str(&format!(", in the {}", text(&parameter["in"])));
            member
        })
        .collect();
    let body = op["requestBody"]["content"].as_object().and_then(|content| content.iter().next()).map(
        |(media, body)| {
            let form = if media == "application/json" { "JSON" } else { "a form" };
            let mut members = members(&body["schema"], schemas, used);
            members.iter_mut().for_each(Member::sent);
            Body { form, members }
        },
    );
    let answers = op["responses"].as_object().into_iter().flatten();
    let answers = answers.map(|(status, answer)| self::answer(status, answer, schemas, used)).collect();
    let needs: Vec<&str> = list(&op["security"])
        .iter()
        .filter_map(Value::as_object)
        .flat_map(Map::keys)
        .map(|k| means(k))
        .collect();
    let short = path.strip_prefix("/api/v1").unwrap_or(path);
    Operation {
        anchor: anchor(method, path),
        method: method.to_uppercase(),
        verb: method.to_owned(),
        path: path.to_owned(),
        short: format!("{} {short}", method.to_uppercase()),
        summary: text(&op["summary"]),
        about: text(&op["description"]),
        needs: needs.join(" or "),
        parameters,
        body,
        answers,
    }
}

/// `post-api-v1-attempts-id-code`.
fn anchor(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    [method].into_iter().chain(words).collect::<Vec<_>>().join("-")
}

fn means(scheme: &str) -> &'static str {
    match scheme {
        "cookie" => "the browser’s cookie",
        "access_token" => "an access token (`Authorization: Bearer …`)",
        "api_key" => "an API key (`Authorization: Bearer lsk_…`)",
        _ => "something else",
    }
}

fn answer(status: &str, answer: &Value, schemas: &Map<String, Value>, used: &mut Vec<String>) -> Answer {
    let schema =
        answer["content"].as_object().and_then(|content| content.values().next()).map(|c| &c["schema"]);
    let status = status.replace("XX", "xx");
    let says = text(&answer["description"]);
    match schema {
        Some(schema) if schema["$ref"] == "#/components/schemas/Document" => {
            let href = Some("#problems".to_owned());
            let kind = Of { name: "a problem".into(), href, ..Of::default() };
            Answer { status, kind: Some(kind), says: String::new() }
        }
        Some(schema) => Answer { status, kind: Some(kind(schema, schemas, used)), says: String::new() },
        None => Answer { status, kind: None, says },
    }
}

/// The members of an object, those of its parts included.
fn members(schema: &Value, schemas: &Map<String, Value>, used: &mut Vec<String>) -> Vec<Member> {
    if let Some(name) = reference_of(schema) {
        return schemas.get(name).map(|schema| members(schema, schemas, used)).unwrap_or_default();
    }
    let mut found = Vec::new();
    for part in ["allOf", "oneOf"] {
        for part in list(&schema[part]) {
            found.extend(members(part, schemas, used));
        }
    }
    let required: Vec<&str> = list(&schema["required"]).iter().filter_map(Value::as_str).collect();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        found.push(Member {
            name: name.clone(),
            kind: kind(member, schemas, used),
            required: required.contains(&name.as_str()),
            about: about(member),
        });
    }
    found
}

/// What a member says of itself. One that may be `null` and is an object says it beside the object's name.
fn about(member: &Value) -> String {
    let mut places = [member].into_iter().chain(list(&member["oneOf"]));
    places.find_map(|place| place["description"].as_str()).unwrap_or_default().to_owned()
}

fn kind(schema: &Value, schemas: &Map<String, Value>, used: &mut Vec<String>) -> Of {
    if let Some(name) = reference_of(schema) {
        let Some(target) = schemas.get(name) else { return plain(name) };
        if target["enum"].is_array() {
            return kind(target, schemas, used);
        }
        if !used.iter().any(|u| u == name) {
            used.push(name.to_owned());
        }
        return Of { name: name.to_owned(), href: Some(format!("#shape-{name}")), ..Of::default() };
    }
    if let Some(values) = schema["enum"].as_array() {
        let values =
            values.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned)).collect();
        return Of { before: "one of ".into(), values, ..Of::default() };
    }
    for part in ["oneOf", "anyOf", "allOf"] {
        let parts = list(&schema[part]);
        if let Some(inner) = parts.iter().find(|p| p["type"] != "null") {
            let mut of = kind(inner, schemas, used);
            if parts.iter().any(|p| p["type"] == "null") {
                of.after.push_str(" or null");
            }
            return of;
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec!["anything"],
    };
    let named = types.iter().copied().find(|t| *t != "null").unwrap_or("null");
    let mut of = match (named, schema["format"].as_str()) {
        ("array", _) => {
            let mut of = kind(&schema["items"], schemas, used);
            of.before = format!("list of {}", of.before);
            of
        }
        ("string", Some("uuid")) => plain("UUID"),
        ("string", _) => plain("text"),
        ("integer", _) => plain("number"),
        ("boolean", _) => plain("true or false"),
        ("object", _) => plain("object"),
        (other, _) => plain(other),
    };
    if types.len() > 1 && types.contains(&"null") {
        of.after.push_str(" or null");
    }
    of
}

fn plain(name: &str) -> Of {
    Of { name: name.to_owned(), ..Of::default() }
}

fn reference_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn anchors_are_words() {
        assert_eq!(anchor("post", "/api/v1/attempts/{id}/code"), "post-api-v1-attempts-id-code");
        assert_eq!(anchor("get", "/.well-known/jwks.json"), "get-well-known-jwks-json");
    }

    #[test]
    fn types_are_said_in_words() {
        let schemas = json!({"Kind": {"type": "string", "enum": ["a", "b"]}, "View": {"type": "object"}});
        let schemas = schemas.as_object().expect("an object");
        let said = |schema: Value| {
            let of = kind(&schema, schemas, &mut Vec::new());
            format!("{}{}{}{}", of.before, of.name, of.values.join(", "), of.after)
        };
        assert_eq!(said(json!({"type": ["string", "null"], "format": "uuid"})), "UUID or null");
        assert_eq!(said(json!({"$ref": "#/components/schemas/Kind"})), "one of a, b");
        assert_eq!(
            said(json!({"type": "array", "items": {"$ref": "#/components/schemas/View"}})),
            "list of View"
        );
        let member = json!({"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/View", "description": "Mine."}]});
        assert_eq!(about(&member), "Mine.");
        let nullable = json!({"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/View"}]});
        assert_eq!(said(nullable), "View or null");
    }
}
