//! Languages and the realm's own look.

use super::*;
use http::Method;
use latchstring_look::brand::LegalLink;
use std::collections::BTreeMap;

fn own_words(name: &str, text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    BTreeMap::from([("en".to_owned(), BTreeMap::from([(name.to_owned(), text.to_owned())]))])
}

fn frame(text: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("door.html".to_owned(), text.to_owned())])
}

#[tokio::test]
async fn people_read_their_own_language() {
    let app = app().await;
    let mut browser = person(&app);
    browser.set("accept-language", "de-AT,de;q=0.9,en;q=0.5");
    let page = browser.get("/sign-in").await.must_be(200);
    says(&page, "<html lang=\"de\" dir=\"ltr\">");
    says(&page, "<h1>Anmelden</h1>");
    // Also where something is wrong, and where nothing is.
    let wrong = format!("{}&identifier=&password=", form(&page));
    says(&browser.form("/sign-in", &wrong).await.must_be(400), "Geben Sie Ihre E-Mail-Adresse");
    says(&browser.get("/nothing").await.must_be(404), "<h1>Hier ist nichts</h1>");
    browser.set("accept-language", "ar");
    says(&browser.get("/sign-in").await.must_be(200), "<html lang=\"ar\" dir=\"rtl\">");
    browser.set("accept-language", "fr, xx;q=0.3");
    says(&browser.get("/sign-in").await.must_be(200), "<html lang=\"en\" dir=\"ltr\">");
}

#[tokio::test]
async fn a_choice_is_remembered() {
    let app = app().await;
    let browser = person(&app);
    let page = browser.get("/sign-in?return_to=/account/data&lang=de").await.must_be(200);
    says(&page, "<h1>Anmelden</h1>");
    says(&page, "href=\"&#x2f;sign-in?return_to=&#x2f;account&#x2f;data&amp;lang=ar\"");
    says(&page, "lang=\"de\" hreflang=\"de\" aria-current=\"true\"");
    says(&browser.get("/recover").await.must_be(200), "<html lang=\"de\"");
    // Nothing but a language of ours is remembered.
    for tag in ["xx", "", "de%0d%0aset-cookie:a=b", "../../", "de-AT'%22%3e%3cb%3e"] {
        let other = person(&app);
        other.get(&format!("/sign-in?lang={tag}")).await.must_be(200);
        // The first part of a tag is a language; what follows is read no further.
        let language = if tag.starts_with("de-AT") { "de" } else { "en" };
        says(&other.get("/sign-in").await.must_be(200), &format!("<html lang=\"{language}\""));
    }
}

#[tokio::test]
async fn a_realm_chooses_its_languages() {
    let app = app().await;
    app.realm.set(|settings| settings.look.languages = vec!["de".into(), "en".into()]).await;
    let mut browser = person(&app);
    says(&browser.get("/sign-in").await.must_be(200), "<html lang=\"de\"");
    browser.set("accept-language", "ar");
    let page = browser.get("/sign-in").await.must_be(200);
    says(&page, "<html lang=\"de\"");
    assert!(!page.text().contains("lang=ar"));
    // With one, there is nothing to choose.
    app.realm.set(|settings| settings.look.languages = vec!["ar".into()]).await;
    let page = browser.get("/sign-in").await.must_be(200);
    says(&page, "dir=\"rtl\"");
    assert!(!page.text().contains("hreflang"));
}

#[tokio::test]
async fn a_realm_looks_like_itself() {
    let app = app().await;
    let png = "data:image/png;base64,iVBORw0KGgo=";
    app.realm
        .set(|settings| {
            settings.look.colour = "#7a1f6b".into();
            settings.look.logo = png.into();
            settings.look.words = own_words("sign-in-lead", "Come in, to { $brand }.");
            settings.look.legal = vec![LegalLink {
                name: "Terms".into(),
                names: BTreeMap::from([("de".to_owned(), "AGB <b>".to_owned())]),
                url: "https://northwind.example/terms".into(),
            }];
        })
        .await;
    let browser = person(&app);
    let page = browser.get("/sign-in").await.must_be(200);
    says(&page, "Come in, to <b><bdi>");
    says(&page, "<a href=\"https:&#x2f;&#x2f;northwind.example&#x2f;terms\">Terms</a>");
    let text = page.text();
    let address = |begins: &str| {
        let found = text
            .replace("&#x2f;", "/")
            .split('"')
            .find(|part| part.starts_with(begins))
            .map(ToOwned::to_owned);
        found.unwrap_or_else(|| panic!("no {begins} in {text}"))
    };
    let (style, logo) = (address("/assets/brand."), address("/assets/logo."));
    let sheet = browser.get(&style).await.must_be(200);
    says(&sheet, ":root{--brand:#7a1f6b;--brand-ink:#ffffff}");
    assert_eq!(sheet.header("content-type"), "text/css; charset=utf-8");
    assert!(sheet.header("cache-control").contains("immutable"));
    let picture = browser.get(&logo).await.must_be(200);
    assert_eq!(picture.header("content-type"), "image/png");
    assert!(picture.header("content-security-policy").contains("sandbox"));
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    says(&browser.get("/sign-in?lang=de").await, ">AGB &lt;b&gt;</a>");
    // What it was before is gone with its address.
    app.realm.set(|settings| settings.look = Default::default()).await;
    browser.get(&style).await.must_be(404);
    browser.get(&logo).await.must_be(404);
    assert!(!browser.get("/sign-in").await.text().contains("assets&#x2f;brand"));
}

const FRAME: &str = "<!doctype html><html lang=\"{{ frame.lang }}\"><link rel=\"stylesheet\" href=\"{{ assets.look }}\">\
                     <body class=\"door\"><p>Own frame</p><main><h1>{{ self.title() }}</h1>\
                     <title>{% block title %}{% endblock %}</title>{% block lead %}{% endblock %}\
                     {% block body %}{% endblock %}</main>{% block foot %}{% endblock %}";

#[tokio::test]
async fn a_realm_has_a_frame_of_its_own() {
    let app = app().await;
    let client = app.backend(&["settings:write", "users:write"]).await;
    let frame = |text: &str| json!({ "look": { "templates": { "door.html": text } } });
    let patch = async |json| client.json(Method::PATCH, "/api/v1/settings", json).await;
    // Tests hash more cheaply than an operator may have it.
    patch(json!({ "password": { "memory_kib": 19_456, "passes": 2 } })).await.must_be(200);
    patch(frame(FRAME)).await.must_be(200);
    let browser = person(&app);
    says(&browser.get("/sign-in").await.must_be(200), "Own frame");
    says(&browser.get("/nothing").await.must_be(404), "Own frame");
    let head = FRAME.split("<main>").next().expect("a head");
    for (text, why) in [
        ("{{ frame.nothing }}", "undefined value"),
        ("{% if %}", "syntax error"),
        (head, "leaves out “title”"),
        (&format!("{FRAME}<script>alert(1)</script>"), "a script"),
        (
            &format!(
                "{FRAME}{{% for a in range(1000) %}}{{% for b in range(1000) %}}{{% endfor %}}{{% endfor %}}"
            ),
            "fuel",
        ),
        (&"x".repeat(33_000), "32 KiB"),
    ] {
        let refused = patch(frame(text)).await.must_be(400);
        assert_eq!(refused.json()["param"], "look.templates");
        let says = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(says.contains(why), "{says}");
    }
    let mistyped =
        json!({ "look": { "legal": [{ "name": "Terms", "url": "https://a.example", "nmaes": {} }] } });
    let refused = patch(mistyped).await.must_be(400).json();
    assert_eq!(refused["detail"], "There is no setting “nmaes”. Did you mean “names”?");
    let none = json!({ "look": { "templates": { "house.html": FRAME } } });
    let refused = patch(none).await.must_be(400);
    assert!(refused.json()["detail"].as_str().unwrap_or_default().contains("Known: door.html, mail.html"));
    says(&browser.get("/sign-in").await.must_be(200), "Own frame");
    // Taken back.
    patch(json!({ "look": { "templates": { "door.html": null } } })).await.must_be(200);
    assert!(!browser.get("/sign-in").await.text().contains("Own frame"));
}

#[tokio::test]
async fn a_frame_that_fails_later_gives_way_to_ours() {
    let app = app().await;
    // It renders the sample, and fails where a page has what the sample has not.
    let text =
        FRAME.replace("Own frame", "{% if page.heading is defined %}{{ frame.nothing }}{% endif %}Own");
    app.realm.set(move |settings| settings.look.templates = frame(&text)).await;
    says(&person(&app).get("/sign-in").await.must_be(200), "<p>Own</p>");
    let page = person(&app).get("/nothing").await.must_be(404);
    says(&page, "<h1>Nothing is here</h1>");
    assert!(!page.text().contains("<p>Own</p>"));
    // And one that can't even be read, as if a newer server had saved it, takes nothing else with it.
    app.realm.set(|settings| settings.look.templates = frame("{% new %}")).await;
    app.realm.set(|settings| settings.look.colour = "#7a1f6b".into()).await;
    let page = person(&app).get("/sign-in").await.must_be(200);
    says(&page, "&#x2f;assets&#x2f;brand.");
    assert!(!page.text().contains("<p>Own</p>"));
}

#[tokio::test]
async fn attack_a132_a_frame_is_written_only_by_who_may_be_everybody() {
    let app = app().await;
    let client = app.backend(&["settings:write"]).await;
    let patch = async |json| client.json(Method::PATCH, "/api/v1/settings", json).await;
    patch(json!({ "password": { "memory_kib": 19_456, "passes": 2 } })).await.must_be(200);
    let refused = patch(json!({ "look": { "templates": { "mail.html": "x" } } })).await;
    refused.must_refuse(403, "missing_permission");
    patch(json!({ "look": { "colour": "#7a1f6b" } })).await.must_be(200);
    // That would take frames away, too.
    patch(json!({ "look": null })).await.must_refuse(403, "missing_permission");
    let both = app.backend(&["settings:write", "users:write"]).await;
    let reset =
        both.json(Method::PATCH, "/api/v1/settings", json!({ "look": null })).await.must_be(200).json();
    assert_eq!(reset["look"]["colour"], "");
}

#[tokio::test]
async fn a_word_that_is_no_more_stands_in_nobodys_way() {
    let app = app().await;
    app.realm
        .set(|settings| {
            let mut words = own_words("renamed-long-ago", "x");
            words.entry("en".into()).or_default().insert("sign-in".into(), "Come in".into());
            settings.look.words = words;
        })
        .await;
    says(&person(&app).get("/sign-in").await.must_be(200), "<h1>Come in</h1>");
    let client = app.backend(&["settings:write"]).await;
    let patch = async |json| client.json(Method::PATCH, "/api/v1/settings", json).await;
    let tests_hash_cheaply = json!({ "memory_kib": 19_456, "passes": 2 });
    patch(json!({ "sign_up": "closed", "password": tests_hash_cheaply })).await.must_be(200);
    let refused = patch(json!({ "look": { "colour": "#7a1f6b" } })).await.must_be(400).json();
    assert!(refused["detail"].as_str().unwrap_or_default().contains("renamed-long-ago"), "{refused}");
    let mended = json!({ "look": { "words": { "en": { "renamed-long-ago": null } }, "colour": "#7a1f6b" } });
    patch(mended).await.must_be(200);
}

/// The links at the foot lead to the page that is shown, also below the answer to a form.
#[tokio::test]
async fn a_language_is_chosen_where_one_is() {
    let app = app().await;
    ada(&app).await;
    let browser = person(&app);
    let to = |page: &Answer| {
        let text = page.text().replace("&#x2f;", "/").replace("&amp;", "&");
        let link =
            text.split("href=\"").find(|rest| rest.split('"').next().is_some_and(|l| l.ends_with("lang=de")));
        link.and_then(|rest| rest.split('"').next()).expect("a link").to_owned()
    };
    let page = browser.get("/sign-in?return_to=/account/data").await.must_be(200);
    let wrong = format!("{}&return_to=/account/data&identifier={ADA}&password=wrong", form(&page));
    let page = browser.form("/sign-in", &wrong).await.must_be(403);
    assert_eq!(to(&page), "/sign-in?return_to=/account/data&lang=de");
    let page = browser.get("/sign-in").await.must_be(200);
    let sent =
        browser.form("/sign-in", &format!("{}&identifier={ADA}&by=code", form(&page))).await.must_be(303);
    let place = sent.header("location");
    let page = browser.get(&place).await.must_be(200);
    let step = place.split('?').next().expect("a path");
    let page = browser.form(step, &format!("{}&step=code&code=000000", form(&page))).await;
    assert_eq!(to(&page), format!("{step}?by=code&lang=de"));
    says(&browser.get(&to(&page)).await.must_be(200), "<html lang=\"de\"");
    // From another site it is chosen for as long as the browser is open.
    let mut other = person(&app);
    other.set("sec-fetch-site", "cross-site");
    let page = other.get("/sign-in?lang=de").await.must_be(200);
    let set = page.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let chosen: Vec<&str> = set.filter(|value| value.contains("-lang=")).collect();
    assert_eq!(chosen, ["__Host-latchstring-lang=de; Path=/; HttpOnly; SameSite=Lax; Secure"]);
    says(&other.get("/sign-in").await.must_be(200), "<html lang=\"de\"");
}
