//! The one folder an agent may use on this machine.

use std::path::{Path, PathBuf};

use crate::sentences::Machine;

/// An existing folder by its canonical absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

impl Folder {
    /// Takes what a person typed or picked. The error says what to change. Blocking.
    pub(crate) fn choose(text: &str) -> Result<Self, Machine> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Machine::FolderNone);
        }
        let (given, path) = (Path::new(text), text.to_owned());
        if !given.is_absolute() {
            return Err(Machine::FolderWholePath { path });
        }
        let found = match given.canonicalize() {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Machine::FolderMissing { path });
            }
            Err(error) => return Err(Machine::FolderUnreadable { path, said: error.to_string() }),
        };
        if !found.is_dir() {
            return Err(Machine::FolderNotOne { path });
        }
        if found.parent().is_none() {
            return Err(Machine::FolderWholeDisk);
        }
        // It travels as JSON text, and a lossy copy would name another folder.
        if found.to_str().is_none() {
            return Err(Machine::FolderName { path });
        }
        Ok(Self(found))
    }

    /// A folder chosen earlier, as it was stored.
    #[must_use]
    pub fn stored(path: String) -> Self {
        Self(PathBuf::from(path))
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// As JSON carries it.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_existing_folder_is_taken() {
        let place = tempfile::tempdir().expect("a folder");
        let file = place.path().join("file");
        std::fs::write(&file, "").expect("write");
        for (text, wanted) in [
            ("", "Name a folder"),
            ("notes", "not a whole path"),
            ("~/notes", "not a whole path"),
            ("/", "whole disk"),
            ("/proc/../", "whole disk"),
            ("/no/such/folder", "There is no folder"),
            (&*file.to_string_lossy(), "not a folder"),
        ] {
            let problem = Folder::choose(text).expect_err(text);
            let problem = loci_api::said::Said::from(problem).message;
            assert!(problem.contains(wanted), "{text}: {problem}");
        }
        let dotted = format!("{}/.", place.path().display());
        let chosen = Folder::choose(&dotted).expect("a folder");
        assert_eq!(chosen.path(), place.path().canonicalize().expect("canonical"));
    }
}
