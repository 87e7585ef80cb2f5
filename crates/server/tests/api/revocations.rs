//! `/api/v1/revocations`

use super::{app, sign_up, tokens};
use latchstring_core::ended;
use serde_json::json;

#[tokio::test]
async fn the_snapshot_holds_what_ended_in_the_order_of_commits() {
    let app = app().await;
    let reader = app.backend(&["revocations:read"]).await;
    let browser = app.browser();
    sign_up(&app, &browser, "ada@northwind.example").await;
    let one = tokens(&app, "ada@northwind.example").await;
    assert_eq!(reader.get("/api/v1/revocations").await.must_be(200).json()["ended"], json!([]));
    let id = one["session_id"].as_str().unwrap();
    browser.delete(&format!("/api/v1/sessions/{id}")).await.must_be(204);
    browser.delete("/api/v1/sessions?scope=all").await.must_be(200);
    ended::publish(app.realm.realm.db()).await.expect("publish");
    let snapshot = reader.get("/api/v1/revocations").await.must_be(200).json();
    let ended = snapshot["ended"].as_array().unwrap();
    let positions: Vec<i64> = ended.iter().map(|e| e["position"].as_i64().unwrap()).collect();
    assert!(positions.is_sorted());
    assert_eq!(ended[0]["id"], one["session_id"]);
    assert_eq!(ended.iter().filter(|e| e["kind"] == "session").count(), 2);
    assert_eq!(ended.iter().filter(|e| e["kind"] == "user").count(), 1);
    assert!(ended.iter().all(|e| e["kind"] != "browser"), "changed cookies are no business of verifiers");
    app.realm.clock.advance(2 * latchstring_core::clock::HOUR);
    assert_eq!(reader.get("/api/v1/revocations").await.json()["ended"], json!([]), "no token can be so old");
}

#[tokio::test]
async fn readers_of_the_feed_authenticate() {
    let app = app().await;
    for path in ["/api/v1/revocations", "/api/v1/revocations/events"] {
        app.program().get(path).await.must_refuse(401, "unusable_api_key");
        app.backend(&["users:read"]).await.get(path).await.must_refuse(403, "missing_permission");
    }
    let reader = app.backend(&["revocations:read"]).await;
    reader.get("/api/v1/revocations/events?after=x").await.must_refuse(400, "invalid_input");
}

#[tokio::test]
async fn events_bring_each_revocation_once_from_where_the_reader_left_off() {
    let app = app().await;
    let reader = app.backend(&["revocations:read"]).await;
    sign_up(&app, &app.browser(), "ada@northwind.example").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let one = tokens(&app, "ada@northwind.example").await;
        super::bearer(&app, &one["access_token"]).delete("/api/v1/session").await.must_be(204);
        ids.push(one["session_id"].as_str().unwrap().to_owned());
    }
    ended::publish(app.realm.realm.db()).await.expect("publish");
    // The feed ends when the process is about to stop, so that the whole answer can be read here.
    let asked = tokio::spawn({
        let reader = reader.clone();
        async move { reader.get("/api/v1/revocations/events?after=1").await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    app.app.stop();
    let text = asked.await.expect("joined").must_be(200).text();
    assert!(!text.contains(&ids[0]), "position 1 had been seen");
    assert!(text.contains(&ids[1]) && text.contains(&ids[2]), "{text}");
    assert!(text.contains("event: ended") && text.contains("id: 2") && text.contains("id: 3"), "{text}");
}

#[tokio::test]
async fn one_key_opens_no_more_than_so_many_feeds() {
    const PATH: &str = "/api/v1/revocations/events?after=0";
    let app = app().await;
    let reader = app.backend(&["revocations:read"]).await;
    let other = app.backend(&["revocations:read"]).await;
    let follow = |reader: &latchstring_web::testing::Client| {
        let reader = reader.clone();
        tokio::spawn(async move { reader.get(PATH).await })
    };
    let feeds: Vec<_> = (0..latchstring_core::ended::feed::READERS).map(|_| follow(&reader)).collect();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let refused = reader.get(PATH).await.must_refuse(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "10");
    let others = follow(&other);
    // Whoever leaves makes room.
    let mut feeds = feeds.into_iter();
    let left = feeds.next().expect("a feed");
    left.abort();
    assert!(left.await.is_err_and(|e| e.is_cancelled()));
    let last = follow(&reader);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    app.app.stop();
    for feed in feeds.chain([others, last]) {
        feed.await.expect("joined").must_be(200);
    }
}
