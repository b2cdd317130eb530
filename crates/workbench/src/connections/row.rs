//! Connections as they are kept: one setting with all of them. Keys are not in it.

use std::path::PathBuf;

use loci_api::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{check::Health, features::Lack};
use crate::desk::LOCAL;

/// All connections to servers elsewhere, and which connection is in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rows {
    /// An id below, or `local`.
    pub selected: String,
    #[serde(default)]
    pub remotes: Vec<Row>,
}

impl Default for Rows {
    fn default() -> Self {
        Self { selected: LOCAL.to_owned(), remotes: Vec::new() }
    }
}

impl Rows {
    pub(super) fn find(&self, id: &str) -> Option<&Row> {
        self.remotes.iter().find(|row| row.id == id)
    }

    pub(super) fn find_mut(&mut self, id: &str) -> Option<&mut Row> {
        self.remotes.iter_mut().find(|row| row.id == id)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub id: String,
    pub name: String,
    pub base_url: String,
    pub has_key: bool,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    pub created_at: Timestamp,
    /// What the last look found; kept, so that what a server lacks is known before it is asked again.
    #[serde(default)]
    pub health: Option<Health>,
    /// `None`: not known, as it was never asked or does not say.
    #[serde(default)]
    pub lacks: Option<Vec<Lack>>,
}
