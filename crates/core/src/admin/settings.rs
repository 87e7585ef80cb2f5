//! Changing realm settings.

use crate::{
    audit::{self, Actor, Entry, Source},
    id::AuditId,
    realm::Realm,
    refusal::{Kind, Result},
    settings::{Settings, check_names, merge, mistyped, seal_secret, store},
};

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
            // What a newer node has set and this one does not know stays as it is.
            merge(&mut document, &serde_json::to_value(&settings)?);
            store::save(tx, &document.to_string()).await?;
            // Names only: values may be secret.
            let names: Vec<String> =
                patch.as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default();
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
