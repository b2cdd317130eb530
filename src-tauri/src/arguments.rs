//! What can be said when the desktop program is started.

use std::ffi::OsString;

pub const HELP: &str = "Loci: agents that remember, on this machine.

Usage: loci-desktop [--browser] [--safe-display] [loci://…]

  --browser       open the workbench in the browser instead of a window; works where the window does not
  --safe-display  draw the window without the graphics card
  loci://…        open the window at that place, for example loci://approvals

The data folder is LOCI_DATA_DIR, the place for keys LOCI_SECRETS (keyring, memory or file).";

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    pub help: bool,
    pub browser: bool,
    pub safe_display: bool,
    pub link: Option<String>,
}

impl Arguments {
    /// # Errors
    /// A sentence about what was not understood.
    pub fn parse(given: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut arguments = Self::default();
        for argument in given {
            match argument.to_str() {
                Some("--help" | "-h") => arguments.help = true,
                Some("--browser") => arguments.browser = true,
                Some("--safe-display") => arguments.safe_display = true,
                Some(link) if link.starts_with("loci:") => arguments.link = Some(link.to_owned()),
                _ => {
                    return Err(format!(
                        "{} is not understood; --help lists what is",
                        argument.to_string_lossy()
                    ));
                }
            }
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood_or_refused() {
        let parse = |words: &[&str]| Arguments::parse(words.iter().map(OsString::from));
        assert_eq!(parse(&[]), Ok(Arguments::default()));
        assert_eq!(parse(&["--browser"]).map(|given| given.browser), Ok(true));
        let link = parse(&["loci://approvals", "--safe-display"]).expect("fine");
        assert_eq!((link.link.as_deref(), link.safe_display), (Some("loci://approvals"), true));
        assert!(parse(&["--browse"]).is_err());
        assert!(parse(&["file.txt"]).is_err());
    }
}
