//! What kept one call within bounds, as it is reported and told.

use std::fmt;

use loci_api::{said::Said, sentences};
use serde::{Deserialize, Serialize};

/// What confined a call. Where something is missing, `gaps` says what and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// The ABI of Landlock that kept it to its folders; None: files were not confined.
    pub landlock: Option<u32>,
    /// Whether dangerous system calls were filtered.
    pub seccomp: bool,
    /// Whether the network was granted.
    pub network_granted: bool,
    /// Whether a network not granted was really out of reach.
    pub network_blocked: bool,
    /// Whether it was kept from signalling processes that are not its own.
    pub signals_scoped: bool,
    /// Processes and threads it could have at one time.
    pub processes: Option<u64>,
    /// Bytes of memory each of its processes could have.
    pub memory_bytes: Option<u64>,
    /// Whether it ran as root.
    pub root: bool,
    /// Sentences for people: what could not be enforced.
    pub gaps: Vec<String>,
}

impl fmt::Display for Confinement {
    /// One line for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = match self.landlock {
            Some(_) => ConfinementPart::FilesConfined,
            None => ConfinementPart::FilesNotConfined,
        };
        let network = match (self.network_granted, self.network_blocked) {
            (true, _) => ConfinementPart::NetworkGranted,
            (false, true) => ConfinementPart::NoNetwork,
            (false, false) => ConfinementPart::NetworkNotBlocked,
        };
        write!(f, "{}; {}", Said::from(files), Said::from(network))?;
        if self.seccomp {
            write!(f, "; {}", Said::from(ConfinementPart::SystemCallsFiltered))?;
        }
        if self.root {
            write!(f, "; {}", Said::from(ConfinementPart::AsRoot))?;
        }
        self.gaps.iter().try_for_each(|gap| write!(f, "; {gap}"))
    }
}

sentences! {
    /// What the line about a confinement is made of. `gaps` are kept as texts and found again among these.
    pub enum ConfinementPart {
        FilesConfined => "files confined to its folder",
        FilesNotConfined => "files not confined",
        NetworkGranted => "network granted",
        NoNetwork => "no network",
        NetworkNotBlocked => "network not granted but not blocked",
        SystemCallsFiltered => "system calls filtered",
        AsRoot => "as root",
        NoLandlock =>
            "files are not confined, because this kernel has no Landlock (Linux 5.13 or newer with it enabled)",
        CanTruncate =>
            "files elsewhere can be truncated, if the file's own permissions allow it (Linux before 6.2)",
        RunsAsRoot { reason: String } =>
            "the tool runs as root and can start any number of processes: {reason}",
        ProcessesNotLimited { reason: String } =>
            "the number of processes is not limited, because this system allows no user namespace: {reason}",
        NotOnThisSystem =>
            "files, network and processes are not confined on this system, only the time limit and the clean environment hold",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_force_and_what_was_not_is_said_in_one_line() {
        let whole =
            Confinement { landlock: Some(6), seccomp: true, network_blocked: true, ..Confinement::default() };
        assert_eq!(whole.to_string(), "files confined to its folder; no network; system calls filtered");
        let gaps = Confinement {
            network_granted: true,
            root: true,
            gaps: vec!["nothing holds here".to_owned()],
            ..Confinement::default()
        };
        assert_eq!(gaps.to_string(), "files not confined; network granted; as root; nothing holds here");
        let neither = Confinement::default().to_string();
        assert_eq!(neither, "files not confined; network not granted but not blocked");
    }
}
