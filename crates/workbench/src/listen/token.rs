//! The bearer token of this machine's API: made once, kept in the data folder for its owner only.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// The token's name in a data folder.
const FILE: &str = "token";

/// A token and how it came to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Token {
    Given(String),
    /// Made just now: the only time it is shown.
    Made(String, PathBuf),
    Kept(String, PathBuf),
}

impl Token {
    /// As it stands in a link.
    #[must_use]
    pub fn encoded(&self) -> String {
        encoded(self.text())
    }

    /// Where it is kept, if it is.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Given(_) => None,
            Self::Made(_, path) | Self::Kept(_, path) => Some(path),
        }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Given(text) | Self::Made(text, _) | Self::Kept(text, _) => text,
        }
    }
}

/// The token given on the command line, the one kept in `data_dir`, or a new one.
///
/// # Errors
/// If the given one cannot be used, or the kept one is readable by others or cannot be read.
pub fn token(given: Option<String>, data_dir: &Path) -> anyhow::Result<Token> {
    if let Some(text) = given {
        check_token(&text).context("the token given cannot be used")?;
        return Ok(Token::Given(text));
    }
    let path = data_dir.join(FILE);
    let about =
        || format!("the token in {} cannot be used; delete the file to get a new one", path.display());
    match fs::read_to_string(&path) {
        Ok(text) => {
            let text = text.trim().to_owned();
            check_token(&text).with_context(about)?;
            owner_only(&path).with_context(about)?;
            Ok(Token::Kept(text, path))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = new_token();
            write(&path, &text).with_context(|| format!("writing the token to {}", path.display()))?;
            Ok(Token::Made(text, path))
        }
        Err(error) => Err(error).with_context(about),
    }
}

/// A secret that nobody guesses: twice 122 random bits from the system.
#[must_use]
pub fn new_token() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}

/// A new token in place of the one kept in `data_dir`.
///
/// # Errors
/// If the file cannot be written.
pub fn rotate_token(data_dir: &Path) -> anyhow::Result<Token> {
    let path = data_dir.join(FILE);
    let beside = data_dir.join("token.new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("replacing {}", beside.display()));
        }
        Ok(()) | Err(_) => {}
    }
    let text = new_token();
    write(&beside, &text)
        .and_then(|()| fs::rename(&beside, &path))
        .with_context(|| format!("writing the token to {}", path.display()))?;
    Ok(Token::Made(text, path))
}

/// Percent-encoded where a link needs it.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// It travels in an HTTP header.
///
/// # Errors
/// A sentence.
pub fn check_token(text: &str) -> anyhow::Result<()> {
    if text.len() < 8 {
        bail!("it is shorter than 8 characters");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("it holds spaces or characters other than plain ASCII");
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

/// A token others can read is none.
fn owner_only(path: &Path) -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path)?.permissions().mode();
        if mode & 0o077 != 0 {
            bail!("other users of this machine can read it (mode {:o})", mode & 0o777);
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_made_once_and_kept_for_its_owner() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = token(None, folder.path()).expect("made");
        assert!(matches!(first, Token::Made(..)));
        assert_eq!(first.text().len(), 64);
        let second = token(None, folder.path()).expect("kept");
        assert!(matches!(second, Token::Kept(..)));
        assert_eq!(first.text(), second.text());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let path = folder.path().join("token");
            let mut rights = fs::metadata(&path).expect("there").permissions();
            assert_eq!(rights.mode() & 0o777, 0o600);
            rights.set_mode(0o644);
            fs::set_permissions(&path, rights).expect("set");
            let problem = format!("{:#}", token(None, folder.path()).expect_err("others can read it"));
            assert!(problem.contains("other users"), "{problem}");
        }
    }

    #[test]
    fn a_new_token_takes_the_old_ones_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = token(None, folder.path()).expect("made");
        let second = rotate_token(folder.path()).expect("replaced");
        assert_ne!(first.text(), second.text());
        assert_eq!(token(None, folder.path()).expect("kept").text(), second.text());
    }

    #[test]
    fn a_token_survives_a_link() {
        assert_eq!(encoded("abc-123_x.~"), "abc-123_x.~");
        assert_eq!(encoded("a+b/c=#%"), "a%2Bb%2Fc%3D%23%25");
    }

    #[test]
    fn a_given_token_must_fit_a_header() {
        let folder = tempfile::tempdir().expect("a folder");
        for (given, fine) in
            [("long-enough", true), ("short", false), ("with space!", false), ("schl\u{fc}ssel", false)]
        {
            assert_eq!(token(Some(given.to_owned()), folder.path()).is_ok(), fine, "{given}");
        }
        assert!(!folder.path().join("token").exists(), "a given token is not kept");
    }
}
