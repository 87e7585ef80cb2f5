//! Where dialects can be reached, as operators say.

use crate::{
    audit::{self, Actor, Entry, Source},
    id::MountId,
    mount::{self, ANY_HOST, Mount},
    realm::Realm,
    refusal::{Kind, Result},
};

/// Reads a host as browsers write it: small letters, and no port that is the scheme's own.
pub fn host(realm: &Realm, text: &str) -> Result<String> {
    let scheme = scheme(realm);
    let host = text.to_ascii_lowercase();
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(usual).unwrap_or(&host);
    // A host that browsers could not name would never be asked for.
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        let port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        if port || host.ends_with(']') { name } else { "" }
    });
    let sound = !name.is_empty()
        && !name.starts_with('.')
        && !name.contains("..")
        && crate::settings::is_origin(&format!("{scheme}://{host}"));
    if !sound {
        return Err(Kind::InputInvalid
            .param("host")
            .says("A host name, with its port if it has one.")
            .into());
    }
    Ok(host.to_owned())
}

/// `https`, or `http` in development.
pub fn scheme(realm: &Realm) -> &str {
    realm.issuer().split_once("://").map_or("https", |(scheme, _)| scheme)
}

/// Whether a host is one under which our own faces answer.
fn is_own(realm: &Realm, host: &str) -> bool {
    let own = realm.issuer().split_once("://").map_or(realm.issuer(), |(_, own)| own);
    if own.eq_ignore_ascii_case(host) {
        return true;
    }
    // A development server answers under every name of its machine.
    let port = |text: &str| text.rsplit_once(':').map(|(_, port)| port.to_owned());
    let here = ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|name| host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')));
    realm.is_dev() && here && port(own) == port(host)
}

/// Refuses a mount where something else stands, before anything is changed for it.
pub fn check(realm: &Realm, mount: &Mount) -> Result<()> {
    if mount.host != ANY_HOST && is_own(realm, &mount.host) {
        return Err(Kind::InputInvalid
            .param("host")
            .says("That is the host of our own pages. Name another one, or none.")
            .into());
    }
    mount::check(mount, realm.mounts().iter())
}

/// Makes a mount, or changes the one that stands there. Gives its id.
pub async fn put(realm: &Realm, actor: Actor, source: &Source, mount: Mount) -> Result<MountId> {
    check(realm, &mount)?;
    let ground = realm.ground();
    let now = ground.now();
    let entry = Entry::new(ground.audit_id(), now, "mount.set", actor)
        .detail(serde_json::json!({ "face": mount.face, "host": mount.host, "path": mount.path }))
        .from(source);
    let id = realm
        .db()
        .write(async move |tx| -> Result<MountId> {
            let id = mount::put(tx, &mount, now).await?;
            audit::write(tx, entry.clone().on("mount", id.0)).await?;
            Ok(id)
        })
        .await?;
    realm.reload_rings().await?;
    Ok(id)
}
