//! The audit trail: each change to an identity is a row in the same transaction, so that neither exists without the
//! other. Refusals about a known user are rows too, counted together per minute.

pub mod store;

use crate::{
    clock::{MINUTE, Micros},
    id::AuditId,
    page,
    refusal::Result,
    secret::Hashed,
};
use latchstring_db::Tx;
use uuid::Uuid;

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The user themself, or someone who proves to be.
    User(Uuid),
    /// An API key.
    ApiKey(Uuid),
    /// A back end that signs with a key which was imported.
    SigningKey(Uuid),
    /// A command on the server's machine.
    Operator,
    /// Someone who has not proven who they are.
    Anonymous,
    /// The server: a sweeper, an expiry.
    Server,
}

impl Actor {
    /// The word that is stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Actor::User(_) => "user",
            Actor::ApiKey(_) => "api_key",
            Actor::SigningKey(_) => "signing_key",
            Actor::Operator => "operator",
            Actor::Anonymous => "anonymous",
            Actor::Server => "server",
        }
    }

    /// The actor's id, where it has one.
    pub fn id(&self) -> Option<String> {
        match self {
            Actor::User(id) | Actor::ApiKey(id) | Actor::SigningKey(id) => Some(id.to_string()),
            _ => None,
        }
    }
}

/// Where a request came from, for audit rows and limits. The address is the one that trusted proxies vouch for.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The client's address.
    pub address: Option<std::net::IpAddr>,
    /// The User-Agent header, cut to 400 bytes.
    pub user_agent: Option<String>,
    /// The id of the request, as in the logs.
    pub request_id: Option<String>,
    /// What its sender reads, as far as the request says.
    pub language: Option<latchstring_look::Language>,
}

impl Source {
    /// Under what those of one network are counted together: an IPv4 address, or an IPv6 /64.
    pub fn bucket(&self) -> Option<String> {
        self.address.map(|address| latchstring_proto::net::bucket(address).to_string())
    }
}

/// One row to write.
#[derive(Debug, Clone)]
pub struct Entry {
    pub(crate) id: AuditId,
    pub(crate) at: Micros,
    pub(crate) action: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) actor: Actor,
    pub(crate) target_kind: Option<&'static str>,
    pub(crate) target_id: Option<Uuid>,
    pub(crate) detail: serde_json::Value,
    pub(crate) source: Source,
}

impl Entry {
    /// A change that was made.
    pub fn new(id: AuditId, at: Micros, action: &'static str, actor: Actor) -> Self {
        Self {
            id,
            at,
            action,
            outcome: "done",
            actor,
            target_kind: None,
            target_id: None,
            detail: serde_json::json!({}),
            source: Source::default(),
        }
    }

    /// What it was done to.
    #[must_use]
    pub fn on(mut self, kind: &'static str, id: Uuid) -> Self {
        self.target_kind = Some(kind);
        self.target_id = Some(id);
        self
    }

    /// Facts that help a reader. Never secrets.
    #[must_use]
    pub fn detail(mut self, detail: serde_json::Value) -> Self {
        self.detail = detail;
        self
    }

    /// Where the request came from.
    #[must_use]
    pub fn from(mut self, source: &Source) -> Self {
        self.source = source.clone();
        self
    }

    /// Marks the entry as a refusal.
    #[must_use]
    pub fn refused(mut self) -> Self {
        self.outcome = "refused";
        self
    }
}

/// Writes `entry`. Refusals of one action about one target from one address are one row a minute, with a count.
pub async fn write(tx: &mut Tx, entry: Entry) -> Result<()> {
    let coalesce = (entry.outcome == "refused").then(|| {
        let minute = entry.at / MINUTE;
        let target = entry.target_id.unwrap_or_default();
        Hashed::of(format!("{minute}|{}|{target}|{:?}", entry.action, entry.source.address).as_bytes()).0
    });
    store::insert(tx, &entry, coalesce).await
}

/// An audit row as admins and the user read it.
#[derive(Debug, Clone)]
pub struct Row {
    /// The row's id; also the cursor of pages.
    pub id: AuditId,
    /// When.
    pub at: Micros,
    /// What, as `noun.verb`.
    pub action: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// The sort of actor.
    pub actor_kind: String,
    /// The actor's id.
    pub actor_id: Option<String>,
    /// The sort of target.
    pub target_kind: Option<String>,
    /// The target's id.
    pub target_id: Option<Uuid>,
    /// Facts that help.
    pub detail: serde_json::Value,
    /// The client's address.
    pub address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// How often, within one minute.
    pub count: i64,
}

/// A page of rows, newest first, optionally of one target, before a row; and the cursor of the next page.
pub async fn list(
    db: &latchstring_db::Db,
    target: Option<Uuid>,
    before: Option<AuditId>,
    limit: i64,
) -> Result<(Vec<Row>, Option<AuditId>)> {
    let limit = limit.clamp(1, 1_000);
    let mut rows = db.read_slow(async move |tx| store::list(tx, target, before, limit + 1).await).await?;
    let next = page::cut(&mut rows, limit).map(|last| last.id);
    Ok((rows, next))
}
