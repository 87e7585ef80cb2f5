//! `latchstring keys`: the keys that sign tokens.

use super::time;
use crate::{
    cli,
    config::Config,
    failure::{Failure, typed},
    open, say,
};
use latchstring_core::{
    Kind,
    admin::keys::{self, Listed},
    audit::{Actor, Source},
    key::{PUBLISH_AHEAD, Purpose},
    realm::Realm,
};

const OPTIONS: [(&str, &str); 2] = [("mount", "--mount"), ("ring", "--ring")];

/// Runs it.
pub(crate) async fn run(config: Config, what: cli::Keys) -> Result<(), Failure> {
    let realm = open::realm(&config).await?;
    let done = match what {
        cli::Keys::List(args) => list(&realm, args.json).await,
        cli::Keys::Rotate(args) => rotate(&realm, &args).await,
        cli::Keys::Revoke(args) => revoke(&realm, &args).await,
    };
    realm.db().shutdown().await;
    done
}

async fn revoke(realm: &Realm, args: &cli::KeysRevoke) -> Result<(), Failure> {
    let kid = args.kid.as_str();
    let done = keys::revoke(realm, Actor::Operator, &Source::default(), args.mount.as_deref(), kid).await;
    done.map_err(|e| match e.kind() {
        Some(Kind::NotFound) => Failure::failed(format!(
            "there is no key “{kid}” that is published. `latchstring keys list` shows those that are"
        )),
        Some(Kind::LastOne) => Failure::failed(format!(
            "“{kid}” signs now, and its ring needs one that does: first `latchstring keys rotate --now`, with --ring or \
             --mount for another ring than the native one"
        )),
        _ => typed(e, &OPTIONS),
    })?;
    say::err(
        "Taken back. Tokens that it signed are refused, by this server within a second, by apps as soon as they read the \
         key set again; apps refresh theirs. Cookie sessions and refresh tokens go on.",
    );
    Ok(())
}

async fn list(realm: &Realm, json: bool) -> Result<(), Failure> {
    let keys = keys::list(realm).await?;
    if json {
        say::json(&serde_json::json!({ "keys": keys.iter().map(shown).collect::<Vec<_>>() }));
        return Ok(());
    }
    let mut rows = vec![
        ["mount", "ring", "kid", "alg", "state", "signs from", "published until"].map(String::from).to_vec(),
    ];
    rows.extend(keys.iter().map(|Listed { mount, key }| {
        let until = key.drop_at.map_or_else(|| "-".into(), time);
        vec![
            mount.clone().unwrap_or_else(|| "-".into()),
            key.purpose.clone(),
            key.kid.clone(),
            key.alg.clone(),
            format!("{}{}", key.state.replace('_', " "), if key.imported { ", imported" } else { "" }),
            time(key.active_at),
            until,
        ]
    }));
    say::out(say::table(&rows));
    Ok(())
}

fn shown(Listed { mount, key }: &Listed) -> serde_json::Value {
    serde_json::json!({
        "mount": mount, "imported": key.imported, "ring": key.purpose, "kid": key.kid, "alg": key.alg, "state": key.state, "created_at": time(key.created_at),
        "active_at": time(key.active_at), "drop_at": key.drop_at.map(time),
    })
}

async fn rotate(realm: &Realm, args: &cli::KeysRotate) -> Result<(), Failure> {
    let known = || Purpose::ALL.map(Purpose::word).join(", ");
    let usual = if args.mount.is_some() { Purpose::Access } else { Purpose::Native };
    let ring = args.ring.as_deref().unwrap_or(usual.word());
    let purpose = Purpose::parse(ring)
        .ok_or_else(|| Failure::usage(format!("there is no ring “{ring}”. Known: {}", known())))?;
    if args.mount.is_none() && purpose != Purpose::Access && realm.rings().get(purpose).is_none() {
        return Err(Failure::failed(format!(
            "the ring “{ring}” is not in use: it is made when something asks for its first token. \
             `latchstring keys list` shows those in use"
        )));
    }
    let (source, mount) = (Source::default(), args.mount.as_deref());
    let rotated = keys::rotate(realm, Actor::Operator, &source, mount, ring, args.now).await;
    let kid = rotated.map_err(|e| match (e.kind(), mount) {
        (Some(Kind::NotFound), Some(mount)) => Failure::failed(format!(
            "{mount} has no ring “{ring}”. `latchstring keys list` shows those in use"
        )),
        _ => typed(e, &OPTIONS),
    })?;
    if args.json {
        let ahead = if args.now { 0 } else { PUBLISH_AHEAD };
        let signs_at = time(realm.now() + ahead);
        say::json(&serde_json::json!({ "mount": mount, "ring": ring, "kid": kid, "active_at": signs_at }));
        return Ok(());
    }
    say::out(kid);
    say::err(if args.now {
        "It signs from now on. The key before it stays published until its last token is over; if it may have got out, \
         `latchstring keys revoke` takes it back at once."
    } else {
        "It is published now and signs in ten minutes. The key before it stays published until its last token is over."
    });
    Ok(())
}
