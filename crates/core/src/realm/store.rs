//! Statements on `facts` and the first row of `settings` and `mounts`: what makes an empty database a realm.

use super::OpenError;
use crate::{
    ground::Ground,
    id::MountId,
    refusal::{Fault, Result},
    settings,
};
use latchstring_db::{Db, Tx};

const CANARY_PLACE: &str = "facts/bytes/canary";
const CANARY: &[u8] = b"latchstring";

/// Writes what a new realm needs, and checks what an old one says: the canary under the secret, the dev mark, the
/// issuer. Gives the native mount.
pub async fn prepare(
    db: &Db,
    ground: &Ground,
    issuer: &str,
    dev: bool,
    accept_new_url: bool,
) -> Result<MountId, OpenError> {
    let now = ground.now();
    let canary = ground.keys.seal(CANARY_PLACE, CANARY).map_err(crate::Error::from)?;
    let mount = MountId::new(now, ground.random());
    let mode_given = if dev { "dev" } else { "serve" };
    let body = serde_json::to_string(&settings::Settings::default()).map_err(crate::Error::from)?;
    let given = issuer.to_owned();
    let keys = ground.keys.clone();
    // A dev server's port may change from run to run, and nobody else knows its address.
    let replace = accept_new_url || dev;
    let (stored_canary, stored_mode, stored_issuer, mount) = db
        .write(async move |tx| -> Result<(Vec<u8>, String, String, MountId)> {
            tx.exec(
                "INSERT INTO facts (name, bytes) VALUES ('canary', $1) ON CONFLICT (name) DO NOTHING",
                &[&canary],
            )
            .await?;
            tx.exec(
                "INSERT INTO facts (name, text) VALUES ('mode', $1) ON CONFLICT (name) DO NOTHING",
                &[&mode_given],
            )
            .await?;
            settings::store::init(tx, &body, now).await?;
            tx.exec(
                "INSERT INTO mounts (id, host, path, face, issuer, profile, cors, enumeration, body, created_at)
                 VALUES ($1, '*', '/', 'native', $2, 'native', '{}', 'strict', '{}', $3)
                     ON CONFLICT (host, path) DO NOTHING",
                &[&mount.0, &given, &now],
            )
            .await?;
            let missing = || Fault::bug("a first row is missing");
            let canary = tx.one("SELECT bytes FROM facts WHERE name = 'canary'", &[]).await?.ok_or_else(missing)?;
            let mode = tx.one("SELECT text FROM facts WHERE name = 'mode'", &[]).await?.ok_or_else(missing)?;
            let row = tx
                .one("SELECT id, issuer FROM mounts WHERE host = '*' AND path = '/'", &[])
                .await?
                .ok_or_else(missing)?;
            let stored: String = row.get(1)?;
            let canary: Vec<u8> = canary.get(0)?;
            let stored_mode: String = mode.get(0)?;
            // A realm that is refused below stays as it is: `dev` by mistake must not move production's issuer.
            let ours = stored_mode == mode_given && keys.open(CANARY_PLACE, &canary).is_ok();
            if ours && replace && stored != given {
                tx.exec("UPDATE mounts SET issuer = $1 WHERE host = '*' AND path = '/'", &[&given]).await?;
            }
            Ok((canary, stored_mode, stored, MountId(row.get(0)?)))
        })
        .await?;
    match ground.keys.open(CANARY_PLACE, &stored_canary) {
        Ok(plain) if plain.as_slice() == CANARY => {}
        _ => return Err(OpenError::OtherSecret),
    }
    match (stored_mode.as_str(), dev) {
        ("dev", false) => return Err(OpenError::DevDatabase),
        ("serve", true) => return Err(OpenError::ServeDatabase),
        _ => {}
    }
    if stored_issuer != issuer && !replace {
        return Err(OpenError::OtherIssuer { stored: stored_issuer, given: issuer.to_owned() });
    }
    Ok(mount)
}

/// The revisions of settings and key rings.
pub async fn revs(tx: &mut Tx) -> Result<(i64, i64)> {
    let settings = tx.one("SELECT rev FROM settings WHERE id = 1", &[]).await?;
    let rings = tx.one("SELECT number FROM facts WHERE name = 'rings_rev'", &[]).await?;
    Ok((
        settings.map(|row| row.get(0)).transpose()?.unwrap_or(0),
        rings.map(|row| row.get(0)).transpose()?.unwrap_or(0),
    ))
}
