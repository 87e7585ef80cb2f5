//! `latchstring keys`: the keys that sign tokens.

use super::time;
use crate::{cli, config::Config, failure::Failure, open, say};
use latchstring_core::{
    audit::Actor,
    key::{self, PUBLISH_AHEAD, Purpose, Shown},
    realm::Realm,
};
use latchstring_proto::jose::Alg;

/// Runs it.
pub(crate) async fn run(config: Config, what: cli::Keys) -> Result<(), Failure> {
    let realm = open::realm(&config).await?;
    let done = match what {
        cli::Keys::List(args) => list(&realm, args.json).await,
        cli::Keys::Rotate(args) => rotate(&realm, &args).await,
    };
    realm.db().shutdown().await;
    done
}

async fn list(realm: &Realm, json: bool) -> Result<(), Failure> {
    let keys = key::list(realm.db(), realm.mount(), realm.now()).await?;
    if json {
        say::json(&serde_json::json!({ "keys": keys.iter().map(shown).collect::<Vec<_>>() }));
        return Ok(());
    }
    let mut rows =
        vec![["ring", "kid", "alg", "state", "signs from", "published until"].map(String::from).to_vec()];
    rows.extend(keys.iter().map(|key| {
        let until = key.drop_at.map_or_else(|| "-".into(), time);
        vec![
            key.purpose.clone(),
            key.kid.clone(),
            key.alg.clone(),
            key.state.into(),
            time(key.active_at),
            until,
        ]
    }));
    say::out(say::table(&rows));
    Ok(())
}

fn shown(key: &Shown) -> serde_json::Value {
    serde_json::json!({
        "ring": key.purpose, "kid": key.kid, "alg": key.alg, "state": key.state, "created_at": time(key.created_at),
        "active_at": time(key.active_at), "drop_at": key.drop_at.map(time),
    })
}

async fn rotate(realm: &Realm, args: &cli::KeysRotate) -> Result<(), Failure> {
    let rings = [
        Purpose::Native,
        Purpose::TokenEndpoint(Alg::Rs256),
        Purpose::TokenEndpoint(Alg::Es256),
        Purpose::TokenEndpoint(Alg::EdDSA),
    ];
    let known = || rings.map(Purpose::word).join(", ");
    let purpose = rings
        .into_iter()
        .find(|purpose| purpose.word() == args.ring)
        .ok_or_else(|| Failure::usage(format!("there is no ring “{}”. Known: {}", args.ring, known())))?;
    if realm.rings().get(purpose).is_none() {
        return Err(Failure::failed(format!(
            "the ring “{}” is not in use: it is made when something asks for its first token. \
             `latchstring keys list` shows those in use",
            args.ring
        )));
    }
    let ahead = if args.now { 0 } else { PUBLISH_AHEAD };
    let (db, ground) = (realm.db(), realm.ground());
    let kid = key::rotate(db, ground, realm.mount(), purpose, ahead, realm.longest_token(), Actor::Operator)
        .await?;
    if args.json {
        let signs_at = time(realm.now() + ahead);
        say::json(&serde_json::json!({ "ring": args.ring, "kid": kid, "active_at": signs_at }));
        return Ok(());
    }
    say::out(kid);
    say::err(if args.now {
        "It signs from now on. The key before it stays published until its last token is over."
    } else {
        "It is published now and signs in ten minutes. The key before it stays published until its last token is over."
    });
    Ok(())
}
