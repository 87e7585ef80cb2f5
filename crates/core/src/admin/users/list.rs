//! Lists of users: by cursor, as our own faces page, and by number, as some vendors' clients do.

use crate::{
    id::UserId,
    identifier,
    identity::{self, Identity},
    page,
    realm::Realm,
    refusal::{Kind, Result},
    user::{self, Full},
};

/// A page of users and the cursor of the next one.
pub struct Page {
    /// The users.
    pub users: Vec<Full>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// Users, oldest first, or those one of whose identifiers begins with `query`, in the identifiers' order.
pub async fn list(realm: &Realm, query: Option<&str>, cursor: Option<&str>, limit: i64) -> Result<Page> {
    let limit = page::limit(limit);
    let bad = || Kind::InputInvalid.param("cursor").says("Use the cursor of the page before, unchanged.");
    if let Some(query) = query.filter(|q| !q.is_empty()) {
        for text in [query, cursor.unwrap_or_default()] {
            if text.len() > 254 || text.chars().any(char::is_control) {
                return Err(Kind::InputInvalid
                    .param("q")
                    .says("At most 254 bytes, without control characters.")
                    .into());
            }
        }
        // As addresses are folded, and as usernames are.
        let (address, name) = identifier::prefixes(query.trim());
        let after = cursor.unwrap_or_default().to_owned();
        let mut found = realm
            .db()
            .read_slow(async move |tx| {
                let mut found = user::store::search(tx, &address, &after, limit + 1).await?;
                if name != address {
                    found.extend(user::store::search(tx, &name, &after, limit + 1).await?);
                    found.sort_by(|(_, a), (_, b)| a.cmp(b));
                    found.dedup_by(|(a, x), (b, y)| a.user.id == b.user.id && x == y);
                }
                Ok::<_, crate::Error>(found)
            })
            .await?;
        let next = page::cut(&mut found, limit).map(|(_, normal)| normal);
        let mut users: Vec<Full> = Vec::with_capacity(found.len());
        for (full, _) in found {
            if users.iter().all(|u| u.user.id != full.user.id) {
                users.push(full);
            }
        }
        return Ok(Page { users, next });
    }
    let after = cursor.map(|c| c.parse::<UserId>().map_err(|_| bad())).transpose()?;
    let mut users =
        realm.db().read_slow(async move |tx| user::store::page(tx, after, limit + 1).await).await?;
    let next = page::cut(&mut users, limit).map(|last| last.user.id.to_string());
    Ok(Page { users, next })
}

/// Most users of one page that has a number.
pub const PER_PAGE: i64 = 1_000;
/// How many users may come before such a page: they are counted each time. An export reads more.
pub const DEEPEST: i64 = 10_000_000;
/// Most bytes of what is searched for.
const SEARCHED: usize = 254;

/// A page that has a number.
#[derive(Debug, Clone, Default)]
pub struct Numbered {
    /// Which, from 1.
    pub page: i64,
    /// How many users each has, up to [`PER_PAGE`].
    pub per_page: i64,
    /// Only those one of whose identifiers has this in it.
    pub part: Option<String>,
    /// The oldest first in place of the newest.
    pub oldest_first: bool,
    /// The kind of mount whose notes about them are read too.
    pub note: Option<String>,
}

/// Users, and how many there are on all pages.
pub struct NumberedPage {
    /// Each with what is noted about them, as JSON.
    pub users: Vec<(Full, Option<String>)>,
    /// Who they are at upstreams.
    pub identities: Vec<Identity>,
    /// On all pages.
    pub total: i64,
}

/// A page of users in the order in which their accounts were made.
pub async fn numbered(realm: &Realm, ask: Numbered) -> Result<NumberedPage> {
    let per_page = ask.per_page.clamp(1, PER_PAGE);
    let offset = (ask.page.max(1) - 1).saturating_mul(per_page);
    if offset > DEEPEST {
        return Err(Kind::InputInvalid.param("page").says("There are no pages so far behind.").into());
    }
    let part = ask.part.as_deref().map(str::trim).filter(|part| !part.is_empty());
    if part.is_some_and(|part| part.len() > SEARCHED || part.chars().any(char::is_control)) {
        return Err(Kind::InputInvalid
            .param("filter")
            .says("At most 254 bytes, without control characters.")
            .into());
    }
    // As addresses are folded, and as usernames are.
    let patterns =
        part.map(identifier::prefixes).map(|(address, name)| [contains(&address), contains(&name)]);
    let (oldest_first, kind) = (ask.oldest_first, ask.note.unwrap_or_default());
    realm
        .db()
        .read_slow(async move |tx| {
            let patterns = patterns.as_ref();
            let total = user::store::count(tx, patterns).await?;
            let users = user::store::numbered(tx, patterns, &kind, oldest_first, per_page, offset).await?;
            let ids: Vec<UserId> = users.iter().map(|(full, _)| full.user.id).collect();
            let identities = identity::store::of_some(tx, &ids).await?;
            Ok::<_, crate::Error>(NumberedPage { users, identities, total })
        })
        .await
}

/// A pattern for texts that have `part` in them, with `!` before what would mean something.
fn contains(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for c in part.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
