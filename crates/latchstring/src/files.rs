//! Modes of files that others must not read, and files made so from the start.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Who beside the owner can reach a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Nobody.
    Owner,
    /// The group too.
    Group,
    /// Anyone on the machine.
    Everyone,
}

/// Who can read or write a file by its mode; `None` when there is none, or it can't be looked at.
pub(crate) fn reach(path: &Path) -> Option<Reach> {
    let mode = std::fs::metadata(path).ok()?.mode();
    Some(match mode {
        mode if mode & 0o007 != 0 => Reach::Everyone,
        mode if mode & 0o070 != 0 => Reach::Group,
        _ => Reach::Owner,
    })
}

/// The mode of a file, as `chmod` writes it.
pub(crate) fn mode(path: &Path) -> String {
    std::fs::metadata(path).map_or_else(|_| "?".into(), |meta| format!("{:04o}", meta.mode() & 0o7777))
}

/// Takes a file away from group and others.
pub(crate) fn make_private(path: &Path) -> std::io::Result<()> {
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600))
}

/// Writes a new file that only its owner can read. Fails when there is one already.
pub(crate) fn create_private(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = open_private(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Opens a new file that only its owner can read. Fails when there is one already.
pub(crate) fn open_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_private_and_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/secret");
        create_private(&path, "x").expect("written");
        assert_eq!((reach(&path), mode(&path).as_str()), (Some(Reach::Owner), "0600"));
        assert!(create_private(&path, "y").is_err());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("changed");
        assert_eq!(reach(&path), Some(Reach::Group));
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o604)).expect("changed");
        assert_eq!(reach(&path), Some(Reach::Everyone));
        make_private(&path).expect("changed");
        assert_eq!(reach(&path), Some(Reach::Owner));
        assert_eq!(reach(&folder.path().join("none")), None);
    }
}
