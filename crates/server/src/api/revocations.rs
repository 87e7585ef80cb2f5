//! `/api/v1/revocations`: the feed by which verifiers of tokens learn of revocations without asking about each token.

use axum::{
    extract::Query,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::{self, Stream};
use http::HeaderMap;
use latchstring_core::{
    Kind, Result, api_key,
    ended::{self, Published, feed::Place},
    id::ApiKeyId,
};
use latchstring_web::{App, Ctx, Problem, problem::Document};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, convert::Infallible, time::Duration};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Something that ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedView {
    /// Its position: grows by one, in the order of commits.
    pub position: i64,
    /// `session`, `user`, `client` or `realm`.
    pub kind: String,
    /// Which: for a session, tokens whose `sid` is this are dead.
    pub id: Uuid,
    /// For the other kinds: tokens with an `iat` before this (Unix seconds) are dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<i64>,
    /// When, in Unix seconds.
    pub at: i64,
}

impl EndedView {
    fn of(p: &Published) -> Self {
        Self {
            position: p.position,
            kind: p.kind.clone(),
            id: p.object,
            not_before: (p.kind != "session").then_some(p.number / 1_000_000),
            at: p.at / 1_000_000,
        }
    }
}

/// Everything that still matters.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotView {
    /// Follow the events from here.
    pub position: i64,
    /// What ended, and what a token could still claim.
    pub ended: Vec<EndedView>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SnapshotQuery {
    /// `next` of the page before.
    cursor: Option<i64>,
}

/// Everything that still matters, for a cold start: up to 10,000 endings a page. Then follow
/// `/api/v1/revocations/events?after=position`, with the position of the first page.
#[utoipa::path(get, path = "/api/v1/revocations", tag = "realm", params(SnapshotQuery), security(("api_key" = [])),
    responses((status = 200, body = SnapshotView), (status = "4XX", body = Document)))]
pub async fn snapshot(
    ctx: Ctx,
    query: Result<Query<SnapshotQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<SnapshotView>, Problem> {
    ctx.key("revocations:read").await?;
    let Query(query) = query.map_err(|_| Kind::InputInvalid.param("query").says("Known: cursor."))?;
    let page = ended::snapshot(ctx.realm.db(), ctx.realm.now(), query.cursor.unwrap_or(0)).await?;
    let ended = page.ended.iter().map(EndedView::of).collect();
    Ok(axum::Json(SnapshotView { position: page.position, ended, next: page.next }))
}

/// From where to follow.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// The last position that was seen. The header `Last-Event-ID` counts before it.
    after: Option<i64>,
}

/// How often a reader looks for news in what all of them share, and how often the feed says that it lives.
const LOOK: Duration = Duration::from_millis(100);
/// In how many looks the reader's key is looked at again.
const LOOKS_A_KEY: u32 = 10;
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Follow revocations as server-sent events: each `ended` event has its position as id. A comment every ten seconds
/// says that the feed lives. One API key may have 20 feeds open at a node.
#[utoipa::path(get, path = "/api/v1/revocations/events", tag = "realm", params(EventsQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "text/event-stream", content_type = "text/event-stream", body = EndedView),
              (status = "4XX", body = Document)))]
pub async fn events(
    ctx: Ctx,
    headers: HeaderMap,
    query: Result<Query<EventsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let key = ctx.key("revocations:read").await?;
    let Query(query) =
        query.map_err(|_| Kind::InputInvalid.param("after").says("The position is a number."))?;
    let last =
        match headers.get("last-event-id") {
            Some(id) => Some(id.to_str().ok().and_then(|id| id.parse::<i64>().ok()).ok_or_else(|| {
                Kind::InputInvalid.param("Last-Event-ID").says("The position is a number.")
            })?),
            None => query.after,
        };
    let place = ctx.realm.feed().place(key.id)?;
    let after = match last {
        Some(position) => position,
        None => ended::position(ctx.realm.db()).await?,
    };
    let feed = follow(ctx.app.clone(), key.id, place, after);
    Ok(Sse::new(feed).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("lives")).into_response())
}

struct Follow {
    app: App,
    key: ApiKeyId,
    _place: Place,
    looks: u32,
    after: i64,
    waiting: VecDeque<Published>,
}

fn follow(
    app: App,
    key: ApiKeyId,
    place: Place,
    after: i64,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let follow = Follow { app, key, _place: place, looks: 0, after, waiting: VecDeque::new() };
    stream::unfold(follow, async |mut state| {
        loop {
            if let Some(next) = state.waiting.pop_front() {
                state.after = next.position;
                let data = serde_json::to_string(&EndedView::of(&next)).unwrap_or_default();
                let event = Event::default().event("ended").id(next.position.to_string()).data(data);
                return Some((Ok(event), state));
            }
            if state.app.is_stopping() {
                return None;
            }
            tokio::time::sleep(LOOK).await;
            let realm = state.app.realm()?;
            // The database is away: the reader notices by the missing heartbeat no later than by a closed feed.
            let list = realm.feed().after(realm.db(), state.after).await.ok()?;
            state.looks += 1;
            // A key that was taken back reads nothing more, and its feed is closed within a second.
            let due = !list.is_empty() || state.looks.is_multiple_of(LOOKS_A_KEY);
            if due && !api_key::is_good(realm, state.key).await.ok()? {
                return None;
            }
            state.waiting.extend(list);
        }
    })
}
