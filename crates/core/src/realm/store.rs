//! Statements on `facts` and the first row of `settings` and `mounts`: what makes an empty database a realm.

use super::{OpenError, Opening};
use crate::{
    id::MountId,
    refusal::{Fault, Result},
    seal::Keys,
    settings,
};
use latchstring_db::Tx;

const CANARY_PLACE: &str = "facts/bytes/canary";
const CANARY: &[u8] = b"latchstring";
/// The mark of a database that `latchstring dev` made.
const DEV: &str = "dev";
/// The mark of one that `latchstring serve` made.
const SERVE: &str = "serve";

/// What a realm says about itself.
pub struct Found {
    canary: Vec<u8>,
    mode: String,
    /// The native mount.
    pub mount: MountId,
    /// Its issuer.
    pub issuer: String,
}

/// That a realm is for development: its database bears the mark, and whoever opened it knows. Nobody else can make
/// one, so what asks for it can't happen in production.
#[derive(Debug, Clone, Copy)]
pub struct Dev(());

impl Found {
    /// Whether it was made by `latchstring dev`.
    pub fn dev(&self) -> Option<Dev> {
        (self.mode == DEV).then_some(Dev(()))
    }

    /// Whether it may be opened so, as it stands.
    pub fn fits(&self, opening: &Opening) -> bool {
        self.dev().is_some() == opening.dev
            && self.issuer == opening.issuer
            && self.check_secret(&opening.ground.keys).is_ok()
    }

    /// Refuses keys that it was not sealed under.
    pub fn check_secret(&self, keys: &Keys) -> Result<(), OpenError> {
        match keys.open(CANARY_PLACE, &self.canary) {
            Ok(plain) if plain.as_slice() == CANARY => Ok(()),
            _ => Err(OpenError::OtherSecret),
        }
    }
}

/// What is there; `None` before the first start.
pub async fn find(tx: &mut Tx) -> Result<Option<Found>> {
    let canary = tx.one("SELECT bytes FROM facts WHERE name = 'canary'", &[]).await?;
    let mode = tx.one("SELECT text FROM facts WHERE name = 'mode'", &[]).await?;
    let mount = tx.one("SELECT id, issuer FROM mounts WHERE host = '*' AND path = '/'", &[]).await?;
    let (Some(canary), Some(mode), Some(mount)) = (canary, mode, mount) else { return Ok(None) };
    Ok(Some(Found {
        canary: canary.get(0)?,
        mode: mode.get(0)?,
        mount: MountId(mount.get(0)?),
        issuer: mount.get(1)?,
    }))
}

/// Writes what a new realm needs, and checks what an old one says: the canary under the secret, the dev mark, the
/// issuer.
pub async fn prepare(opening: &Opening) -> Result<Found, OpenError> {
    let Opening { db, ground, issuer, dev, accept_new_url, .. } = opening;
    let now = ground.now();
    let canary = ground.keys.seal(CANARY_PLACE, CANARY).map_err(crate::Error::from)?;
    let mount = MountId::new(now, ground.random());
    let dev = *dev;
    let body = serde_json::to_string(&settings::Settings::default()).map_err(crate::Error::from)?;
    let given = issuer.clone();
    let keys = ground.keys.clone();
    // A dev server's port may change from run to run, and nobody else knows its address.
    let replace = *accept_new_url || dev;
    let found = db
        .write(async move |tx| -> Result<Found> {
            let mode = if dev { DEV } else { SERVE };
            tx.exec(
                "INSERT INTO facts (name, bytes) VALUES ('canary', $1) ON CONFLICT (name) DO NOTHING",
                &[&canary],
            )
            .await?;
            tx.exec(
                "INSERT INTO facts (name, text) VALUES ('mode', $1) ON CONFLICT (name) DO NOTHING",
                &[&mode],
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
            let found = find(tx).await?.ok_or(Fault::bug("a first row is missing"))?;
            // A realm that is refused below stays as it is: `dev` by mistake must not move production's issuer.
            let ours = found.mode == mode && found.check_secret(&keys).is_ok();
            if ours && replace && found.issuer != given {
                tx.exec("UPDATE mounts SET issuer = $1 WHERE host = '*' AND path = '/'", &[&given]).await?;
            }
            Ok(found)
        })
        .await?;
    // The mark first: who starts the wrong kind of server shall not look for its secret.
    match (found.dev().is_some(), dev) {
        (true, false) => return Err(OpenError::DevDatabase),
        (false, true) => return Err(OpenError::ServeDatabase),
        _ => {}
    }
    found.check_secret(&ground.keys)?;
    if found.issuer != *issuer && !replace {
        return Err(OpenError::OtherIssuer { stored: found.issuer, given: issuer.clone() });
    }
    Ok(found)
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
