//! Mounts: where a face of a realm can be reached, and what differs there. The native mount is the realm's own origin;
//! each dialect has one of its own, with an issuer, a key ring and settings that only it can read.

pub mod store;

use crate::{
    id::MountId,
    key,
    refusal::{Fault, Kind, Result},
};
use latchstring_db::Tx;
use serde::de::DeserializeOwned;
use std::{
    any::Any,
    sync::{Arc, OnceLock},
};

/// The face of our own.
pub const NATIVE: &str = "native";
/// The host of a mount that answers under every name of this server.
pub const ANY_HOST: &str = "*";

/// How much a face tells of whether an account exists (ARCHITECTURE.md, invariant 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enumeration {
    /// Nothing.
    Strict,
    /// What the vendor's SDK needs to be told.
    Vendor,
}

impl Enumeration {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Enumeration::Strict => "strict",
            Enumeration::Vendor => "vendor",
        }
    }

    /// Reads the stored word. What a newer binary has written is taken for the stricter one.
    pub fn parse(word: &str) -> Self {
        if word == "vendor" { Enumeration::Vendor } else { Enumeration::Strict }
    }
}

/// Where a face can be reached.
pub struct Mount {
    /// Its id.
    pub id: MountId,
    /// The host (with its port, where it is not the scheme's own), or [`ANY_HOST`].
    pub host: String,
    /// The path below which it stands, without a slash at the end: `/auth/v1`, or empty for a whole host.
    pub path: String,
    /// Which face: `native`, or a dialect's name.
    pub face: String,
    /// The issuer of its tokens, character for character.
    pub issuer: String,
    /// How much it tells.
    pub enumeration: Enumeration,
    /// The face's own settings, as JSON.
    pub body: String,
    /// What the face has read of them.
    read: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl std::fmt::Debug for Mount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Its settings may hold secrets.
        f.debug_struct("Mount").field("id", &self.id).field("face", &self.face).finish_non_exhaustive()
    }
}

impl Mount {
    /// A mount.
    pub fn new(id: MountId, host: &str, path: &str, face: &str, issuer: &str) -> Self {
        Self {
            id,
            host: host.to_owned(),
            path: path.trim_end_matches('/').to_owned(),
            face: face.to_owned(),
            issuer: issuer.to_owned(),
            enumeration: Enumeration::Strict,
            body: "{}".to_owned(),
            read: OnceLock::new(),
        }
    }

    /// What operators call it: its host and path, `/auth/v1` or `login.example`.
    pub fn name(&self) -> String {
        match (self.host.as_str(), self.path.as_str()) {
            (ANY_HOST, "") => "/".to_owned(),
            (ANY_HOST, path) => path.to_owned(),
            (host, path) => format!("{host}{path}"),
        }
    }

    /// Whether a request could be for both, at the same host. Where one has the host for itself and the other any, the
    /// first goes before ([`Mounts`]), and nothing is unclear.
    fn overlaps(&self, other: &Mount) -> bool {
        let inside = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.host.eq_ignore_ascii_case(&other.host)
            && (inside(&self.path, &other.path) || inside(&other.path, &self.path))
    }

    /// The face's settings, read once. Each face reads its own mounts as one type.
    pub fn settings<T: DeserializeOwned + Send + Sync + 'static>(&self) -> Result<Arc<T>> {
        let read = match self.read.get() {
            Some(read) => read.clone(),
            None => {
                let read: Arc<dyn Any + Send + Sync> = Arc::new(serde_json::from_str::<T>(&self.body)?);
                self.read.get_or_init(|| read).clone()
            }
        };
        Ok(read.downcast().map_err(|_| Fault::bug("a mount's settings are read as two types"))?)
    }

    /// Whether a request for `path` at `host` is for this mount, and what is left of the path then.
    fn rest<'p>(&self, host: &str, path: &'p str) -> Option<&'p str> {
        if self.host != ANY_HOST && !self.host.eq_ignore_ascii_case(host) {
            return None;
        }
        let rest = path.strip_prefix(self.path.as_str())?;
        (rest.starts_with('/') || rest.is_empty()).then_some(rest)
    }
}

/// The mounts of a realm that are not native, as loaded at one moment.
#[derive(Default)]
pub struct Mounts {
    mounts: Vec<Arc<Mount>>,
}

impl Mounts {
    /// Puts mounts together: a host of its own before every host, a longer path before a shorter one.
    pub fn new(mut mounts: Vec<Arc<Mount>>) -> Self {
        mounts.sort_by_key(|m| (m.host == ANY_HOST, std::cmp::Reverse(m.path.len())));
        Self { mounts }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.mounts.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Mount>> {
        self.mounts.iter()
    }

    /// The mount that a request is for, and its path there.
    pub fn find<'p>(&self, host: &str, path: &'p str) -> Option<(&Arc<Mount>, &'p str)> {
        self.mounts.iter().find_map(|mount| Some((mount, mount.rest(host, path)?)))
    }

    /// A mount.
    pub fn get(&self, id: MountId) -> Option<&Arc<Mount>> {
        self.mounts.iter().find(|mount| mount.id == id)
    }

    /// The mount that operators call so.
    pub fn named(&self, name: &str) -> Option<&Arc<Mount>> {
        self.mounts.iter().find(|mount| mount.name().eq_ignore_ascii_case(name.trim_end_matches('/')))
    }

    /// Whether a mount has this host for itself.
    pub fn has_host(&self, host: &str) -> bool {
        self.mounts.iter().any(|m| m.host != ANY_HOST && m.host.eq_ignore_ascii_case(host))
    }
}

/// What our own faces answer at, by the first segment of its path. No mount may stand there.
pub const OWN: &[&str] = &[
    ".well-known",
    "account",
    "api",
    "assets",
    "authorize",
    "consent",
    "console",
    "dev",
    "device",
    "docs",
    "favicon.ico",
    "healthz",
    "metrics",
    "oauth",
    "oidc",
    "org",
    "readyz",
    "recover",
    "sign-in",
    "sign-out",
    "sign-up",
    "token",
    "userinfo",
    "verify",
];

/// Refuses a mount at a path of our own faces, or where another stands.
pub fn check<'m>(mount: &Mount, others: impl IntoIterator<Item = &'m Arc<Mount>>) -> Result<()> {
    let refuse = |kind: Kind, says: String| Err(kind.param("path").says(says).into());
    if mount.host == ANY_HOST && mount.path.is_empty() {
        return refuse(
            Kind::InputInvalid,
            "The root is for our own pages: give the face a host of its own.".into(),
        );
    }
    let first = mount.path.trim_start_matches('/').split('/').next().unwrap_or_default();
    if OWN.iter().any(|own| own.eq_ignore_ascii_case(first)) {
        return refuse(Kind::InputInvalid, format!("/{first} is for faces of our own."));
    }
    let stands = |other: &&Arc<Mount>| {
        let same = mount.face == other.face
            && mount.path == other.path
            && mount.host.eq_ignore_ascii_case(&other.host);
        !same && mount.overlaps(other)
    };
    match others.into_iter().find(stands) {
        Some(other) => {
            refuse(Kind::Exists, format!("The face “{}” stands at {} already.", other.face, other.name()))
        }
        None => Ok(()),
    }
}

/// Stores a mount, or changes what is stored where it stands; nodes follow within a poll. Gives its id.
pub async fn put(tx: &mut Tx, mount: &Mount, now: crate::clock::Micros) -> Result<MountId> {
    // First: it holds a row, so that of two at once the second sees the first.
    key::store::bump(tx).await?;
    check(mount, &store::all(tx).await?)?;
    store::put(tx, mount, now).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(host: &str, path: &str) -> Arc<Mount> {
        Arc::new(Mount::new(MountId(uuid::Uuid::nil()), host, path, "supabase", "https://a.example/auth/v1"))
    }

    #[test]
    fn a_request_finds_its_mount_by_host_and_whole_segments() {
        let mounts = Mounts::new(vec![mount("*", "/auth/v1"), mount("auth.example", "/")]);
        let found = |host, path| mounts.find(host, path).map(|(m, rest)| (m.host.clone(), rest));
        assert_eq!(found("a.example", "/auth/v1/token"), Some(("*".into(), "/token")));
        assert_eq!(found("a.example", "/auth/v1"), Some(("*".into(), "")));
        assert_eq!(found("AUTH.example", "/auth/v1/token"), Some(("auth.example".into(), "/auth/v1/token")));
        assert_eq!(found("auth.example", "/token"), Some(("auth.example".into(), "/token")));
        for other in ["/auth/v10", "/auth/v1x/token", "/auth", "/", "/AUTH/V1/token", "//auth/v1/token"] {
            assert_eq!(found("a.example", other), None, "{other}");
        }
    }

    #[test]
    fn a_mount_stands_where_nothing_else_does() {
        let all = [mount("*", "/auth/v1"), mount("auth.example", "/")];
        let face = |face: &str, host: &str, path: &str| {
            let mount = Mount::new(MountId(uuid::Uuid::nil()), host, path, face, "https://a.example");
            check(&mount, &all).err().and_then(|error| error.kind())
        };
        for (host, path) in [("*", "/auth/v1"), ("auth.example", "/"), ("AUTH.example", "/")] {
            assert_eq!(face("supabase", host, path), None, "{host}{path} again");
            assert_eq!(face("other", host, path), Some(Kind::Exists), "{host}{path}");
        }
        for (host, path) in
            [("*", "/auth/v1/x"), ("*", "/auth"), ("auth.example", "/x"), ("Auth.Example", "/auth/v1")]
        {
            assert_eq!(face("supabase", host, path), Some(Kind::Exists), "{host}{path}");
        }
        for (host, path) in
            [("*", "/auth/v10"), ("*", "/auth2"), ("other.example", "/auth/v1"), ("b.example", "/")]
        {
            assert_eq!(face("supabase", host, path), None, "{host}{path}");
        }
        for (host, path) in
            [("*", "/"), ("*", "/api"), ("*", "/api/v2"), ("b.example", "/sign-in"), ("*", "/API/x")]
        {
            assert_eq!(face("other", host, path), Some(Kind::InputInvalid), "{host}{path}");
        }
    }

    #[test]
    fn a_mount_is_called_by_its_host_and_path() {
        let mounts = Mounts::new(vec![mount("*", "/auth/v1"), mount("auth.example", "/")]);
        for name in ["/auth/v1", "auth.example", "Auth.Example", "auth.example/"] {
            assert!(mounts.named(name).is_some(), "{name}");
        }
        for name in ["", "/", "auth/v1", "/auth"] {
            assert!(mounts.named(name).is_none(), "{name}");
        }
    }

    #[test]
    fn settings_are_read_once_and_as_one_type() {
        let mount = mount("*", "/auth/v1");
        let first: Arc<serde_json::Value> = mount.settings().expect("JSON");
        assert!(Arc::ptr_eq(&first, &mount.settings().expect("the same")));
        assert!(mount.settings::<Vec<u8>>().is_err());
    }
}
