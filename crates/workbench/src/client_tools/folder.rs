//! The one folder an agent may use on this machine.

use std::path::{Path, PathBuf};

/// An existing folder by its canonical absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

impl Folder {
    /// Takes what a person typed or picked. The error says what to change. Blocking.
    pub fn choose(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("Name a folder.".to_owned());
        }
        let given = Path::new(text);
        if !given.is_absolute() {
            return Err(format!(
                "{text} is not a whole path. Write it from the root, for example /home/you/notes."
            ));
        }
        let path = given.canonicalize().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("There is no folder {text}."),
            _ => format!("{text} cannot be opened: {error}."),
        })?;
        if !path.is_dir() {
            return Err(format!("{text} is not a folder."));
        }
        if path.parent().is_none() {
            return Err("The whole disk cannot be opened to an agent. Choose a folder.".to_owned());
        }
        // It travels as JSON text, and a lossy copy would name another folder.
        if path.to_str().is_none() {
            return Err(format!(
                "The name of {text} is not valid Unicode. Choose a folder with a plain name."
            ));
        }
        Ok(Self(path))
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
            assert!(problem.contains(wanted), "{text}: {problem}");
        }
        let dotted = format!("{}/.", place.path().display());
        let chosen = Folder::choose(&dotted).expect("a folder");
        assert_eq!(chosen.path(), place.path().canonicalize().expect("canonical"));
    }
}
