//! What holds for all pages.

use super::*;

#[tokio::test]
async fn attack_a142_names_and_addresses_are_escaped() {
    let app = dev().await;
    let evil = "\"><script>alert(1)</script>";
    app.realm.set(|s| s.name = "<img src=x onerror=alert(1)>".into()).await;
    let browser = person(&app);
    // A quoted local part may hold nearly anything.
    let address = "o'ada&<b>@northwind.example";
    let begun = browser
        .post("/api/v1/attempts", json!({"kind": "sign_up", "identifier": address, "name": evil}))
        .await;
    let address = if begun.status == 201 { address } else { ADA };
    begin(&app.program(), json!({"kind": "sign_up", "identifier": address, "name": evil})).await;
    let link = link_to(&app, address).await;
    let mut seen =
        vec![browser.get("/dev/mail").await.must_be(200), open(&browser, &link).await.must_be(200)];
    browser.form("/verify", &form(&seen[1])).await.must_be(303);
    seen.push(browser.get("/verify").await.must_be(200));
    let body = format!("{}&password={}", form(&seen[2]), PASSWORD.replace(' ', "+"));
    browser.form("/verify/password", &body).await.must_be(303);
    for path in PAGES {
        seen.push(browser.get(path).await);
    }
    for page in &seen {
        let text = page.text();
        assert!(!text.contains("<script") && !text.contains("<img") && !text.contains("<b>@"), "{text}");
    }
    assert!(seen[1].text().contains("&lt;img src=x onerror=alert(1)&gt;"));
}

#[tokio::test]
async fn every_page_forbids_what_pages_need_not_do() {
    for app in [app().await, dev().await] {
        let browser = person(&app);
        ada(&app).await;
        begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
        let mut pages = vec![open(&browser, &link_to(&app, ADA).await).await];
        for path in PAGES {
            pages.push(browser.get(path).await);
        }
        if app.app.config().dev {
            pages.push(browser.get("/dev/mail").await);
        }
        pages.push(browser.form("/verify/password", "form=x").await);
        for page in pages.iter().filter(|page| page.status != 303) {
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            assert_eq!(
                page.header("content-security-policy"),
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                 base-uri 'none'"
            );
            assert_eq!(page.header("x-content-type-options"), "nosniff");
            assert_eq!(page.header("x-frame-options"), "DENY");
            assert_eq!(page.header("referrer-policy"), "same-origin");
            assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
            assert_eq!(page.header("access-control-allow-origin"), "", "A145");
        }
    }
}

#[tokio::test]
async fn attack_a149_nothing_personal_is_kept_by_anybody() {
    let app = dev().await;
    let browser = person(&app);
    for path in ["/", "/verify", "/dev/mail", "/dev/mail.json", "/nothing"] {
        assert_eq!(browser.get(path).await.header("cache-control"), "no-store", "{path}");
    }
    ada(&app).await;
    begin(&browser, json!({"kind": "sign_in", "sink": "cookie", "identifier": ADA})).await;
    let link = link_to(&app, ADA).await;
    assert_eq!(browser.get(&link).await.header("cache-control"), "no-store");
    assert_eq!(press(&browser, &link).await.must_be(303).header("cache-control"), "no-store");
    assert_eq!(browser.get("/verify/done").await.must_be(200).header("cache-control"), "no-store");
    assert_eq!(browser.get("/dev/mail/1/html").await.must_be(200).header("cache-control"), "no-store");
    for path in [
        "/verify/x.css",
        "/verify/",
        "/verify.css",
        "/verify/done/x.css",
        "/docs/x.css",
        "/dev/mail/x.css",
        "/dev/mail/1/html/x.css",
        "/verify%2fdone",
        "/Verify",
    ] {
        assert_eq!(browser.get(path).await.must_be(404).header("cache-control"), "no-store", "{path}");
    }
    // What everybody gets alike may be kept: the reference shortly, files for ever under a name that changes.
    let docs = browser.get("/docs").await.must_be(200);
    assert_eq!(docs.header("cache-control"), "public, max-age=300");
    assert!(!docs.text().contains(ADA));
    let text = docs.text();
    let files: Vec<&str> = text
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|h| h.starts_with("/assets/"))
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let file = browser.get(file).await.must_be(200);
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(["text/css; charset=utf-8", "image/svg+xml"].contains(&file.header("content-type").as_str()));
        assert_eq!(file.header("set-cookie"), "");
    }
    assert_eq!(browser.get("/favicon.ico").await.must_be(200).header("content-type"), "image/svg+xml");
    for gone in
        ["/assets/look.css", "/assets/look.000000000000.css", "/assets/..%2f..%2fCargo.toml", "/assets/"]
    {
        browser.get(gone).await.must_be(404);
    }
}

#[tokio::test]
async fn attack_a021_a146_no_page_sends_anybody_elsewhere() {
    let app = app().await;
    let browser = person(&app);
    for path in [
        "//evil.test/",
        "/%5cevil.test",
        "/%2fevil.test",
        "///evil.test",
        "/.//evil.test",
        "/verify//evil.test",
        "/%09/evil.test",
        "/assets//evil.test",
    ] {
        let answer = browser.get(path).await.must_be(404);
        assert_eq!(answer.header("location"), "", "{path}");
    }
    let evil = "https://evil.test";
    for query in ["return_to", "next", "rd", "redirect_uri", "url"] {
        for path in
            ["/", "/verify", "/verify/done", "/docs", "/sign-in", "/sign-up", "/recover", "/sign-out/done"]
        {
            let answer = browser.get(&format!("{path}?{query}={evil}")).await;
            assert!(["", "/"].contains(&answer.header("location").as_str()), "{path}?{query}");
            assert!(!answer.text().contains("evil.test"));
        }
    }
    let mut host = person(&app);
    host.set("x-forwarded-host", "evil.test");
    let moved = host.get(&format!("/verify?token={}", "A".repeat(64))).await.must_be(303);
    assert_eq!(moved.header("location"), "/verify", "A102: no header of a request comes into an address");
}

#[tokio::test]
async fn nothing_is_a_page_to_people_and_a_document_to_programs() {
    let app = app().await;
    says(&person(&app).get("/sign-inn").await.must_be(404), "Nothing is here");
    app.program().get("/sign-inn").await.must_refuse(404, "not_found");
    person(&app).get("/api/v1/nothing").await.must_refuse(404, "not_found");
    says(&person(&app).form("/nothing", "a=b").await.must_be(404), "Nothing is here");
    app.program().post_nothing("/nothing").await.must_refuse(404, "not_found");
    for form in ["/verify/password", "/verify/invitation"] {
        assert_eq!(person(&app).get(form).await.must_be(303).header("location"), "/verify");
    }
    assert_eq!(person(&app).get("/verify/done").await.must_be(303).header("location"), "/");
    let wrong = person(&app).json(http::Method::PUT, "/verify", json!({})).await.must_be(405);
    assert_eq!(wrong.header("allow"), "GET,HEAD,POST");
    says(&wrong, "This address is not opened like that");
    app.program().json(http::Method::PUT, "/verify", json!({})).await.must_refuse(405, "method_not_allowed");
}

#[tokio::test]
async fn production_shows_no_mail_and_nothing_of_the_inside() {
    let app = app().await;
    ada(&app).await;
    begin(&app.program(), json!({"kind": "sign_in", "identifier": ADA})).await;
    app.realm.deliver().await;
    for path in ["/dev/mail", "/dev/mail.json", "/dev/mail/1/html", "/dev", "/dev/"] {
        person(&app).get(path).await.must_be(404);
    }
    let page = person(&app).get("/").await.must_be(200);
    says(&page, "open the app that you want to use");
    for never in ["/dev/mail", "/docs", "/api/", "curl", "0.0.1", "SQLite", "Postgre"] {
        assert!(!page.text().contains(never), "{never}");
    }
    assert!(!person(&app).get("/docs").await.must_be(200).text().contains("/dev/mail"));
}
