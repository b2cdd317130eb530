//! The paging parameters all lists share: `before`, `after`, `limit`, `order` and the older `ascending`.

use loci_store::Page;

use crate::{error::Answer, extract::Params};

/// The most a list returns at once.
pub const MAX_LIMIT: i64 = 1_000;

/// What a list does when the request does not say.
#[derive(Debug, Clone, Copy)]
pub struct Defaults {
    pub limit: u32,
    pub ascending: bool,
}

/// Reads `before`, `after`, `limit` (1 to 1000) and `order`. Cursors are ids as text: an unknown one is ignored
/// by most lists, so its shape is not checked here.
pub fn page(params: &Params, defaults: Defaults) -> Answer<Page> {
    let limit = params.integer("limit", 1, MAX_LIMIT)?;
    let ascending = match params.choice("order", &[("asc", true), ("desc", false)])? {
        Some(ascending) => Some(ascending),
        None => params.flag("ascending")?,
    };
    Ok(Page {
        before: params.text("before").map(str::to_owned),
        after: params.text("after").map(str::to_owned),
        limit: limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(defaults.limit),
        ascending: ascending.unwrap_or(defaults.ascending),
    })
}
