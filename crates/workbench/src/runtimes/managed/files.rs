//! Model files a person may have: in the folders where programs of this kind keep them.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// Folders below folders that are looked at.
const DEPTH: usize = 5;
/// Files that are shown.
const MOST: usize = 300;
/// Entries that are looked at, so that a huge folder costs little.
const MOST_ENTRIES: usize = 20_000;

/// A model file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ModelFile {
    pub path: PathBuf,
    pub name: String,
    pub bytes: u64,
}

/// The GGUF files of the usual folders, by name.
pub(super) fn list() -> Vec<ModelFile> {
    let Some(home) = dirs::home_dir() else { return Vec::new() };
    let mut folders = vec![
        home.join(".lmstudio/models"),
        home.join(".cache/lm-studio/models"),
        home.join("models"),
        home.join("Models"),
    ];
    folders.extend(dirs::cache_dir().map(|cache| cache.join("llama.cpp")));
    find(&folders)
}

fn find(folders: &[PathBuf]) -> Vec<ModelFile> {
    let mut found = Vec::new();
    let mut left = MOST_ENTRIES;
    for folder in folders {
        walk(folder, DEPTH, &mut left, &mut found);
    }
    found.sort_by_key(|one: &ModelFile| one.name.to_lowercase());
    found.dedup_by(|one, other| one.path == other.path);
    found.truncate(MOST);
    found
}

fn walk(folder: &Path, depth: usize, left: &mut usize, found: &mut Vec<ModelFile>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if *left == 0 {
            return;
        }
        *left -= 1;
        // Links are not followed into folders: they may lead in a circle.
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        if kind.is_dir() && depth > 0 {
            walk(&path, depth - 1, left, found);
        } else if is_first_part(&path)
            && let Ok(meta) = std::fs::metadata(&path)
            && meta.is_file()
        {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            found.push(ModelFile { path, name, bytes: meta.len() });
        }
    }
}

/// A GGUF file that can be chosen: not a projector for images, nor a later part of a split model.
fn is_first_part(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let Some(stem) = name.strip_suffix(".gguf") else { return false };
    if stem.starts_with("mmproj") {
        return false;
    }
    match stem.rsplit_once("-of-") {
        Some((first, total)) if total.bytes().all(|byte| byte.is_ascii_digit()) => first.ends_with("-00001"),
        Some(_) | None => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn models_are_found_and_the_rest_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("maker/model")).unwrap();
        for name in [
            "maker/model/b.Q4_K_M.gguf",
            "A.gguf",
            "mmproj-A.gguf",
            "big-00001-of-00003.gguf",
            "big-00002-of-00003.gguf",
            "read.me",
        ] {
            std::fs::write(folder.path().join(name), b"GGUF").unwrap();
        }
        let names: Vec<_> = find(&[folder.path().to_owned(), folder.path().join("none")])
            .into_iter()
            .map(|file| file.name)
            .collect();
        assert_eq!(names, ["A.gguf", "b.Q4_K_M.gguf", "big-00001-of-00003.gguf"]);
    }
}
