//! `latchstring api-key`: the keys by which backends call the API.

use super::time;
use crate::{
    cli,
    config::Config,
    failure::{Failure, typed},
    open, say,
};
use latchstring_core::{
    api_key::{self, ApiKey},
    audit::{Actor, Source},
    clock::Micros,
    id::ApiKeyId,
    realm::Realm,
};

/// Runs it.
pub(crate) async fn run(config: Config, what: cli::ApiKey) -> Result<(), Failure> {
    let realm = open::realm(&config).await?;
    let done = match what {
        cli::ApiKey::Create(args) => create(&realm, args).await,
        cli::ApiKey::List(args) => list(&realm, args.json).await,
        cli::ApiKey::Revoke(args) => revoke(&realm, &args).await,
    };
    realm.db().shutdown().await;
    done
}

async fn create(realm: &Realm, args: cli::ApiKeyCreate) -> Result<(), Failure> {
    let expires = args.expires.map(|at| at.as_microsecond());
    let source = Source::default();
    let (key, text) = api_key::create(realm, Actor::Operator, &source, &args.name, args.permissions, expires)
        .await
        .map_err(|e| {
            let options = [("name", "NAME"), ("permissions", "--permission"), ("expires_at", "--expires")];
            typed(e, &options)
        })?;
    if args.json {
        let mut value = shown(realm, &key, realm.now());
        value["key"] = text.as_str().into();
        say::json(&value);
        return Ok(());
    }
    // Alone on standard output, so that a script can take it.
    say::out(text.as_str());
    say::err(format_args!("It is shown this once. `latchstring api-key revoke {}` takes it back.", key.id));
    Ok(())
}

pub(super) fn state(key: &ApiKey, now: Micros) -> &'static str {
    if key.revoked_at.is_some() {
        "revoked"
    } else if key.expires_at.is_some_and(|at| at <= now) {
        "expired"
    } else {
        "good"
    }
}

/// The name of the mount that a key is for.
fn mount(realm: &Realm, key: &ApiKey) -> Option<String> {
    let mounts = realm.mounts();
    key.mount.map(|id| mounts.get(id).map_or_else(|| id.to_string(), |mount| mount.name()))
}

fn shown(realm: &Realm, key: &ApiKey, now: Micros) -> serde_json::Value {
    serde_json::json!({
        "mount": mount(realm, key), "role": key.role,
        "id": key.id, "name": key.name, "permissions": key.permissions, "state": state(key, now),
        "created_at": time(key.created_at), "created_by": key.created_by, "expires_at": key.expires_at.map(time),
        "used_at": key.used_at.map(time), "revoked_at": key.revoked_at.map(time),
    })
}

async fn list(realm: &Realm, json: bool) -> Result<(), Failure> {
    let keys = api_key::list(realm).await?;
    let now = realm.now();
    if json {
        say::json(
            &serde_json::json!({ "api_keys": keys.iter().map(|key| shown(realm, key, now)).collect::<Vec<_>>() }),
        );
        return Ok(());
    }
    if keys.is_empty() {
        say::err("There is none yet. `latchstring api-key create NAME --permission '*'` makes one.");
        return Ok(());
    }
    let mut rows =
        vec![["id", "name", "mount", "state", "last used", "permissions"].map(String::from).to_vec()];
    rows.extend(keys.iter().map(|key| {
        let used = key.used_at.map_or_else(|| "never".into(), time);
        let mount = mount(realm, key).unwrap_or_else(|| "-".into());
        let name = key.role.as_ref().unwrap_or(&key.name).clone();
        vec![key.id.to_string(), name, mount, state(key, now).into(), used, key.permissions.join(" ")]
    }));
    say::out(say::table(&rows));
    Ok(())
}

async fn revoke(realm: &Realm, args: &cli::ApiKeyRevoke) -> Result<(), Failure> {
    let id: ApiKeyId = args.id.parse().map_err(|_| {
        Failure::usage(format!("“{}” is no id of a key. `latchstring api-key list` shows the ids", args.id))
    })?;
    api_key::revoke(realm, Actor::Operator, &Source::default(), id).await.map_err(|e| match e.kind() {
        Some(latchstring_core::Kind::NotFound) => Failure::failed(format!(
            "there is no key {id} that is still good. `latchstring api-key list` shows all"
        )),
        _ => e.into(),
    })?;
    if args.json {
        say::json(&serde_json::json!({ "id": id, "revoked": true }));
    } else {
        say::out(format_args!("{id} is revoked."));
    }
    Ok(())
}
