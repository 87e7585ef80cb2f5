//! How the API shows what core knows. Domain types don't cross the wire.

use latchstring_core::{
    attempt::{Attempt, Completed, Outcome, password_at_sign_up},
    audit,
    clock::Micros,
    identifier::Stored,
    realm::Realm,
    session,
    token::mint::{Tokens, acr},
    user::{Full, UserKind},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// RFC 3339 in UTC, to the microsecond.
pub fn time(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at).map_or_else(|_| "9999-12-31T23:59:59Z".into(), |t| t.to_string())
}

/// Reads what [`time`] wrote, and any other RFC 3339 time.
pub fn parse_time(text: &str) -> Option<Micros> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

/// An attempt.
#[derive(Serialize, ToSchema)]
pub struct AttemptView {
    /// Its id.
    pub id: Uuid,
    /// `sign_in`, `sign_up`, `recover`, `step_up` or `verify`; a sign-in and a sign-up can turn into one another.
    pub kind: &'static str,
    /// `open`, `completed` or `cancelled`.
    pub state: &'static str,
    /// The steps that lead on; any one of them.
    pub offers: Vec<&'static str>,
    /// What was typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// The session that came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Uuid>,
    /// Until when it is open or readable.
    pub expires_at: String,
    /// The secret by which its bearer goes on (header `Latchstring-Attempt`); shown once, where no cookie binds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// What came out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultView>,
}

/// What a completed attempt hands out.
#[derive(Serialize, ToSchema)]
pub struct ResultView {
    /// Who signed in.
    pub user_id: Uuid,
    /// By which session.
    pub session_id: Uuid,
    /// What has to be done before the session may be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
    /// Tokens, where they were asked for.
    #[serde(flatten)]
    pub tokens: Option<TokensView>,
}

/// Tokens (RFC 6749, 5.1).
#[derive(Serialize, ToSchema)]
pub struct TokensView {
    /// A JWT (RFC 9068).
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds that the access token lives.
    pub expires_in: i64,
    /// For the next access token; used once.
    pub refresh_token: String,
}

impl TokensView {
    pub(crate) fn of(tokens: &Tokens) -> Self {
        Self {
            access_token: tokens.access.token.to_string(),
            token_type: "Bearer",
            expires_in: tokens.access.expires_in,
            refresh_token: tokens.refresh.to_string(),
        }
    }
}

impl AttemptView {
    pub(crate) fn of(realm: &Realm, attempt: &Attempt) -> Self {
        let state = match (attempt.open, attempt.session) {
            (true, _) => "open",
            (false, Some(_)) => "completed",
            (false, None) => "cancelled",
        };
        Self {
            id: attempt.id.0,
            kind: attempt.kind.word(),
            state,
            offers: attempt.offers(password_at_sign_up(realm)).iter().map(|s| s.word()).collect(),
            identifier: attempt.identifier.as_ref().map(|i| i.typed.clone()),
            session_id: attempt.session.map(|s| s.0),
            expires_at: time(attempt.expires_at),
            handle: None,
            result: None,
        }
    }

    pub(crate) fn of_outcome(realm: &Realm, outcome: &Outcome) -> Self {
        let mut view = Self::of(realm, &outcome.attempt);
        view.result = outcome.completed.as_ref().map(ResultView::of);
        view
    }
}

impl ResultView {
    fn of(completed: &Completed) -> Self {
        Self {
            user_id: completed.user.0,
            session_id: completed.session.0,
            tasks: completed.tasks.clone(),
            tokens: completed.tokens.as_ref().map(TokensView::of),
        }
    }
}

/// An e-mail address or username of a user.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentifierView {
    /// `email` or `username`.
    pub kind: &'static str,
    /// As typed.
    pub value: String,
    /// Whether it is the one to show and to write to.
    pub primary: bool,
    /// When we saw proof.
    pub proven_at: Option<String>,
    /// When an admin or an import said that it is theirs.
    pub asserted_at: Option<String>,
}

impl IdentifierView {
    fn of(stored: &Stored) -> Self {
        Self {
            kind: stored.kind.word(),
            value: stored.typed.clone(),
            primary: stored.is_primary,
            proven_at: stored.proven_at.map(time),
            asserted_at: stored.asserted_at.map(time),
        }
    }
}

/// Metadata bags.
#[derive(Debug, Serialize, ToSchema)]
pub struct MetadataView {
    /// All may read it, admins write it.
    #[schema(value_type = Object)]
    pub public: serde_json::Value,
    /// The user's own.
    #[schema(value_type = Object)]
    pub own: serde_json::Value,
    /// For admins; absent elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub private: Option<serde_json::Value>,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserView {
    /// The id.
    pub id: Uuid,
    /// `person` or `guest`.
    pub kind: &'static str,
    /// `active` or `banned`.
    pub status: &'static str,
    /// Until when a ban lasts; absent: until it is lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned_until: Option<String>,
    /// Why; for admins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned_reason: Option<String>,
    /// The address to show and to write to.
    pub email: Option<String>,
    /// Whether we saw proof that the address is theirs: a mailed code or link was used.
    pub email_proven: bool,
    /// Whether somebody with authority (an admin, an import) said that it is theirs.
    pub email_asserted: bool,
    /// The username.
    pub username: Option<String>,
    /// Every identifier.
    pub identifiers: Vec<IdentifierView>,
    /// The full name.
    pub name: Option<String>,
    /// The given name.
    pub given_name: Option<String>,
    /// The family name.
    pub family_name: Option<String>,
    /// The address of a picture.
    pub picture: Option<String>,
    /// The preferred language (BCP 47).
    pub locale: Option<String>,
    /// Metadata bags.
    pub metadata: MetadataView,
    /// Whether there is a password.
    pub has_password: bool,
    /// When the account was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When they last signed in.
    pub signed_in_at: Option<String>,
    /// When the account is deleted for good, unless its owner keeps it before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_after: Option<String>,
}

impl UserView {
    pub(crate) fn of(full: &Full, now: Micros, admin: bool) -> Self {
        let user = &full.user;
        let banned = user.is_banned(now);
        let email = full.email();
        Self {
            id: user.id.0,
            kind: if user.kind == UserKind::Guest { "guest" } else { "person" },
            status: if banned { "banned" } else { "active" },
            banned_until: user.status_until.filter(|_| banned).map(time),
            banned_reason: user.status_reason.clone().filter(|_| banned && admin),
            email: email.map(|e| e.typed.clone()),
            email_proven: email.is_some_and(|e| e.proven_at.is_some()),
            email_asserted: email.is_some_and(|e| e.asserted_at.is_some()),
            username: full.username().map(|u| u.typed.clone()),
            identifiers: full.identifiers.iter().map(IdentifierView::of).collect(),
            name: user.name.clone(),
            given_name: user.given_name.clone(),
            family_name: user.family_name.clone(),
            picture: user.picture.clone(),
            locale: user.locale.clone(),
            metadata: MetadataView {
                public: user.meta_public.clone(),
                own: user.meta_own.clone(),
                private: admin.then(|| user.meta_private.clone()),
            },
            has_password: full.has_password,
            created_at: time(user.created_at),
            updated_at: time(user.updated_at),
            signed_in_at: user.signed_in_at.map(time),
            delete_after: user.delete_after.map(time),
        }
    }
}

/// The ETag of a user: its revision.
pub fn etag(full: &Full) -> String {
    format!("\"{}\"", full.user.rev)
}

/// Reads an `If-Match` header that [`etag`] wrote. `*` asks for nothing.
pub fn if_match(headers: &http::HeaderMap) -> Result<Option<i64>, latchstring_core::Refusal> {
    let Some(value) = headers.get(http::header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    text.strip_prefix('"')
        .and_then(|t| t.strip_suffix('"'))
        .and_then(|t| t.parse().ok())
        .map(Some)
        .ok_or_else(|| {
            latchstring_core::Kind::InputInvalid.param("If-Match").says("Send the ETag as you got it.")
        })
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// `browser` (held by a cookie) or `token`.
    pub kind: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When it began.
    pub created_at: String,
    /// When a proof was last given.
    pub auth_at: String,
    /// Last use, to the minute.
    pub active_at: String,
    /// When it ends in any case.
    pub ends_at: Option<String>,
    /// How they signed in (RFC 8176 values).
    pub amr: Vec<String>,
    /// Level of assurance.
    pub acr: &'static str,
    /// What has to be done before it may be used.
    pub tasks: Vec<String>,
    /// The User-Agent at sign-in.
    pub user_agent: Option<String>,
    /// The address at sign-in.
    pub address: Option<String>,
}

impl SessionView {
    pub(crate) fn of(shown: &session::Shown, current: Option<latchstring_core::id::SessionId>) -> Self {
        Self {
            id: shown.id.0,
            user_id: shown.user.0,
            kind: shown.kind.clone(),
            current: current == Some(shown.id),
            created_at: time(shown.created_at),
            auth_at: time(shown.auth_at),
            active_at: time(shown.active_at),
            ends_at: shown.ends_at.map(time),
            amr: shown.methods.clone(),
            acr: acr(shown.assurance),
            tasks: shown.tasks.clone(),
            user_agent: shown.user_agent.clone(),
            address: shown.address.clone(),
        }
    }
}

/// A row of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    /// Its id; the cursor of pages.
    pub id: Uuid,
    /// When.
    pub at: String,
    /// What.
    pub action: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// The sort of actor.
    pub actor_kind: String,
    /// The actor.
    pub actor_id: Option<String>,
    /// The sort of target.
    pub target_kind: Option<String>,
    /// The target.
    pub target_id: Option<Uuid>,
    /// Facts that help.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
    /// The client's address.
    pub address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// How often within the minute, for refusals.
    pub count: i64,
}

impl AuditView {
    pub(crate) fn of(row: audit::Row) -> Self {
        Self {
            id: row.id.0,
            at: time(row.at),
            action: row.action,
            outcome: row.outcome,
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            target_kind: row.target_kind,
            target_id: row.target_id,
            detail: row.detail,
            address: row.address,
            request_id: row.request_id,
            count: row.count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_their_text() {
        assert_eq!(time(1_700_000_000_123_456), "2023-11-14T22:13:20.123456Z");
        assert_eq!(parse_time("2023-11-14T22:13:20.123456Z"), Some(1_700_000_000_123_456));
        assert_eq!(parse_time("2023-11-14T23:13:20.123456+01:00"), Some(1_700_000_000_123_456));
        assert_eq!(parse_time("yesterday"), None);
    }
}
