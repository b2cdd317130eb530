//! Where client tools may look and write: the folders a person opened to an agent, and paths that stay in them.
//!
//! Names are resolved below an open handle of the folder. So no `..` and no symbolic link leads out, not even one
//! that is swapped in between a check and its use.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir};
use loci_store::table::work_folder::WorkFolder;

use super::Folder;

/// The folders opened to an agent; the first is where relative paths begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    folders: Vec<Opened>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub folder: Folder,
    pub read_only: bool,
}

/// A path that lies in one of the folders, with the folder's handle.
#[derive(Debug)]
pub struct Located<'a> {
    pub opened: &'a Opened,
    pub dir: Dir,
    /// Below the folder; empty for the folder itself.
    pub inside: PathBuf,
    /// As the model wrote it.
    pub shown: String,
}

impl Place {
    #[must_use]
    pub fn new(folders: Vec<WorkFolder>) -> Self {
        let opened = |one: WorkFolder| Opened { folder: Folder::stored(one.path), read_only: one.read_only };
        Self { folders: folders.into_iter().map(opened).collect() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty()
    }

    #[must_use]
    pub fn folders(&self) -> &[Opened] {
        &self.folders
    }

    /// As decisions are bound to it: another folder is another call.
    #[must_use]
    pub fn text(&self) -> Vec<String> {
        let text = |one: &Opened| {
            let mark = if one.read_only { " (read-only)" } else { "" };
            format!("{}{mark}", one.folder.text())
        };
        self.folders.iter().map(text).collect()
    }

    /// Finds the folder a path lies in and opens that folder. Touches nothing else. Blocking.
    pub fn locate(&self, path: &str) -> Result<Located<'_>, String> {
        let (opened, inside) = self.split(path)?;
        Ok(Located { opened, dir: open_folder(&opened.folder)?, inside, shown: path.to_owned() })
    }

    /// As [`Self::locate`], for writing.
    pub fn locate_to_write(&self, path: &str) -> Result<Located<'_>, String> {
        let located = self.locate(path)?;
        if located.opened.read_only {
            let folder = located.opened.folder.path().display();
            return Err(format!("{path} cannot be written: the person opened {folder} for reading only."));
        }
        if located.inside.as_os_str().is_empty() {
            return Err(format!("{path} is a folder. Name a file in it."));
        }
        Ok(located)
    }

    /// The path as rules compare it: relative in the first folder, absolute in another. What leads nowhere stays
    /// as it was written.
    #[must_use]
    pub fn normal(&self, path: &str) -> String {
        match self.split(path) {
            Ok((opened, inside)) if self.folders.first() == Some(opened) => {
                as_named(&inside).to_string_lossy().into_owned()
            }
            Ok((opened, inside)) => opened.folder.path().join(inside).to_string_lossy().into_owned(),
            Err(_) => path.to_owned(),
        }
    }

    fn split(&self, path: &str) -> Result<(&Opened, PathBuf), String> {
        let Some(first) = self.folders.first() else {
            return Err("No folder is opened to you. Ask the person to open one.".to_owned());
        };
        if path.trim().is_empty() {
            return Err("path is empty. Name a file in the opened folder.".to_owned());
        }
        if path.contains('\0') {
            return Err("path holds a NUL character.".to_owned());
        }
        let given = Path::new(path);
        let (opened, below) = if given.is_absolute() {
            self.folders
                .iter()
                .find_map(|one| Some((one, given.strip_prefix(one.folder.path()).ok()?)))
                .ok_or_else(|| self.outside(path))?
        } else {
            (first, given)
        };
        let mut inside = PathBuf::new();
        for component in below.components() {
            match component {
                Component::Normal(name) => inside.push(name),
                Component::CurDir => {}
                // `a/../b` is refused as well: with links it need not mean `b`.
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(self.outside(path));
                }
            }
        }
        Ok((opened, inside))
    }

    fn outside(&self, path: &str) -> String {
        let folders: Vec<String> = self.folders.iter().map(|one| one.folder.text()).collect();
        let (noun, verb) = if folders.len() == 1 { ("folder", "it") } else { ("folders", "them") };
        format!(
            "{path} is outside the opened {noun} {}. Only files in {verb} can be reached.",
            folders.join(", ")
        )
    }
}

impl Located<'_> {
    /// The whole path on disk, for people.
    #[must_use]
    pub fn whole(&self) -> PathBuf {
        self.opened.folder.path().join(&self.inside)
    }

    /// The path for calls on [`Self::dir`]: the folder itself has an empty relative path, which systems do not take.
    #[must_use]
    pub fn named(&self) -> &Path {
        as_named(&self.inside)
    }

    /// What went wrong, for the model.
    #[must_use]
    pub fn refusal(&self, error: &io::Error) -> String {
        refusal(error, &self.shown)
    }
}

fn open_folder(folder: &Folder) -> Result<Dir, String> {
    Dir::open_ambient_dir(folder.path(), ambient_authority()).map_err(|error| {
        format!(
            "The opened folder {} cannot be read any more: {error}. Ask the person to choose it again.",
            folder.path().display()
        )
    })
}

fn as_named(inside: &Path) -> &Path {
    if inside.as_os_str().is_empty() { Path::new(".") } else { inside }
}

/// What went wrong with a path, for the model.
pub fn refusal(error: &io::Error, path: &str) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("There is no {path} in the opened folder."),
        // Also how a link that leads out of the folder is refused.
        io::ErrorKind::PermissionDenied => {
            format!(
                "{path} may not be used: it leads outside the opened folder, or its permissions forbid it."
            )
        }
        io::ErrorKind::NotADirectory => format!("A part of {path} is a file, not a folder."),
        io::ErrorKind::StorageFull => format!("{path} cannot be written: the disk is full."),
        _ => format!("{path} cannot be used: {error}."),
    }
}

#[cfg(test)]
pub mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// A folder that tools may use, in another one that they may not.
    pub struct Scene {
        pub outer: tempfile::TempDir,
        pub place: Place,
    }

    impl Scene {
        pub fn new() -> Self {
            let outer = tempfile::tempdir().unwrap();
            std::fs::create_dir(outer.path().join("opened")).unwrap();
            std::fs::write(outer.path().join("secret.txt"), "outside").unwrap();
            let path = outer.path().canonicalize().unwrap().join("opened").to_string_lossy().into_owned();
            Self { place: Place::new(vec![WorkFolder { path, read_only: false }]), outer }
        }

        /// The same, for reading only.
        pub fn read_only(&self) -> Place {
            let mut place = self.place.clone();
            place.folders[0].read_only = true;
            place
        }

        pub fn path(&self, inside: &str) -> PathBuf {
            self.outer.path().canonicalize().unwrap().join("opened").join(inside)
        }

        pub fn write(&self, inside: &str, text: impl AsRef<[u8]>) {
            let path = self.path(inside);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        pub fn read(&self, inside: &str) -> String {
            std::fs::read_to_string(self.path(inside)).unwrap()
        }

        /// Links that lead out: to a file, to a folder, to the folder above.
        #[cfg(unix)]
        pub fn link_out(&self) {
            use std::os::unix::fs::symlink;
            symlink("../secret.txt", self.path("link-out")).unwrap();
            symlink("..", self.path("folder-out")).unwrap();
            symlink("/etc", self.path("etc")).unwrap();
        }
    }

    #[test]
    fn a_path_is_found_in_the_folder_it_lies_in() {
        let scene = Scene::new();
        let other = tempfile::tempdir().unwrap();
        let other = other.path().canonicalize().unwrap();
        let mut folders = scene.place.folders.clone();
        folders
            .push(Opened { folder: Folder::stored(other.to_string_lossy().into_owned()), read_only: true });
        let place = Place { folders };
        let whole = |path: &str| place.locate(path).map(|located| located.whole());
        assert_eq!(whole("a/./b"), Ok(scene.path("a/b")));
        assert_eq!(whole(&scene.path("a").to_string_lossy()), Ok(scene.path("a")));
        assert_eq!(whole(&other.join("a").to_string_lossy()), Ok(other.join("a")));
        assert!(
            place.locate_to_write(&other.join("a").to_string_lossy()).unwrap_err().contains("reading only")
        );
        assert_eq!(place.normal(&scene.path("a").to_string_lossy()), "a");
        assert_eq!(place.normal("./a/b"), "a/b");
        assert_eq!(place.normal("."), ".");
        assert_eq!(place.normal("../a"), "../a");
        for path in ["../secret.txt", "a/../../secret.txt", "a/../b", "/etc/passwd"] {
            assert!(whole(path).unwrap_err().contains("outside the opened folders"), "{path}");
        }
        assert!(Place::default().locate("a").unwrap_err().contains("No folder"));
    }
}
