//! Changing realm settings.

use crate::{
    audit::{self, Actor, Entry, Source},
    id::AuditId,
    realm::Realm,
    refusal::{Kind, Result},
    settings::{Settings, check_look, check_names, merge, mistyped, seal_secret, store},
};
use latchstring_look::brand::LookSettings;

/// The permissions that a key needs for such changes. A frame stands around codes and links: whoever may write one may be
/// everybody.
pub fn permissions(patch: &serde_json::Value) -> &'static [&'static str] {
    let frames = patch.get("look").is_some_and(|look| look.is_null() || look.get("templates").is_some());
    if frames { &["settings:write", "users:write"] } else { &["settings:write"] }
}

/// Takes a JSON object of changes (RFC 7396 merge patch), checks the result and stores it. `seen` is the revision the
/// caller read, if it wants to be sure.
pub async fn patch(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    patch: serde_json::Value,
    seen: Option<i64>,
) -> Result<(i64, Settings)> {
    if !patch.is_object() {
        return Err(Kind::InputInvalid
            .param("body")
            .says("The body must be a JSON object of settings.")
            .into());
    }
    check_names(&patch)?;
    // Before the transaction: a look takes longer to check than everything else, and SQLite has one writer.
    let look = match patch.get("look") {
        Some(change) => {
            // `null` brings the default back.
            let mut document = serde_json::to_value(&realm.settings().1.look)?;
            if change.is_null() {
                document = serde_json::json!({});
            } else {
                merge(&mut document, change);
            }
            let look: LookSettings = serde_json::from_value(document).map_err(|e| mistyped(&e))?;
            check_look(&look)?;
            Some(look)
        }
        None => None,
    };
    let ground = realm.ground();
    let now = ground.now();
    let audit_id = AuditId::new(now, ground.random());
    let keys = ground.keys.clone();
    let source = source.clone();
    let (rev, settings) = realm
        .db()
        .write(async move |tx| -> Result<(i64, Settings)> {
            let (rev, body) = store::lock(tx, now).await?;
            if seen.is_some_and(|seen| seen != rev - 1) {
                return Err(Kind::RevChanged.into());
            }
            let mut document: serde_json::Value = serde_json::from_str(&body)?;
            let mut changes = patch.clone();
            seal_secret(&keys, &mut changes)?;
            merge(&mut document, &changes);
            let settings: Settings = serde_json::from_value(document.clone()).map_err(|e| mistyped(&e))?;
            let opened = settings.clone().opened(&keys)?;
            opened.check()?;
            // Somebody else changed another part of it meanwhile.
            if look.as_ref().is_some_and(|look| *look != opened.look) {
                check_look(&opened.look)?;
            }
            // What a newer node has set and this one does not know stays as it is.
            merge(&mut document, &serde_json::to_value(&settings)?);
            store::save(tx, &document.to_string()).await?;
            // Names only: values may be secret.
            let names = names(&patch, "");
            audit::write(
                tx,
                Entry::new(audit_id, now, "settings.changed", actor.clone())
                    .detail(serde_json::json!({ "changed": names }))
                    .from(&source),
            )
            .await?;
            Ok((rev, opened))
        })
        .await?;
    realm.use_settings(rev, settings.clone());
    Ok((rev, settings))
}

/// The settings that a patch names, such as `look.colour`.
fn names(patch: &serde_json::Value, under: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (name, value) in patch.as_object().into_iter().flatten() {
        let name = if under.is_empty() { name.clone() } else { format!("{under}.{name}") };
        // Rates are one thing; below that stand names of the operator's own.
        match value
            .as_object()
            .filter(|members| !members.contains_key("burst") && name.matches('.').count() < 2)
        {
            Some(members) if !members.is_empty() => all.extend(names(value, &name)),
            _ => all.push(name),
        }
    }
    all
}
