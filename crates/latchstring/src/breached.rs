//! The file of breached passwords, as the realm asks it.

use crate::failure::Failure;
use latchstring_core::realm::Breached;
use latchstring_proto::breached::SortedFile;
use parking_lot::Mutex;
use std::{fs::File, path::Path, sync::Arc};

struct Listed(Mutex<SortedFile<File>>);

impl Breached for Listed {
    fn contains(&self, password: &str) -> bool {
        match self.0.lock().count(password) {
            Ok(count) => count.is_some(),
            // The other rules still hold; nobody should be kept from signing up by a broken disk.
            Err(error) => {
                tracing::error!(%error, "the file of breached passwords can't be read: this password was not looked up");
                false
            }
        }
    }
}

/// Opens the file and looks into it, so that a file of another sort shows now.
pub(crate) fn open(path: &Path) -> Result<Arc<dyn Breached>, Failure> {
    let opened = File::open(path).and_then(SortedFile::new).and_then(|mut file| {
        file.count("password")?;
        Ok(file)
    });
    match opened {
        Ok(file) => Ok(Arc::new(Listed(Mutex::new(file)))),
        Err(e) => Err(Failure::usage(format!(
            "LATCHSTRING_BREACHED_FILE: {} can't be used: {e}. Give the list of Have I Been Pwned, ordered by hash, \
             or leave the setting away",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_list_is_asked_and_another_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("list");
        let hash = latchstring_proto::breached::sha1_hex("password");
        let mut file = File::create(&path).expect("a file");
        writeln!(file, "{}:42", String::from_utf8_lossy(&hash)).expect("written");
        let list = open(&path).expect("a list");
        assert!(list.contains("password") && !list.contains("correct horse battery staple"));

        std::fs::write(&path, "just some text that is no such list\n").expect("written");
        let refused = open(&path).err().expect("refused");
        assert!(
            refused.text.contains("BREACHED_FILE") && refused.code == crate::failure::USAGE,
            "{refused:?}"
        );
        assert!(open(&folder.path().join("missing")).is_err());
    }
}
