//! Finding tools by words: in their names first, then in what they are described with.

use std::collections::BTreeSet;

use loci_api::{
    error::ApiError,
    resource::{Tool, ToolType},
    tool::{ToolSearchRequest, ToolSearchResult},
};
use loci_store::{
    Connection, Page,
    table::tool::{self, ToolFilter},
};
use serde_json::Value;

use crate::error::Answer;

/// More tools than anybody has.
const ALL: u32 = 100_000;
/// The constant of reciprocal rank, as elsewhere.
const RANK_OFFSET: f64 = 60.0;

/// The tools that fit best, the best first; without a query the newest.
///
/// # Errors
/// 422 for bounds and unknown types, 400 for a search by vectors alone: tools have none.
pub fn search(conn: &Connection, request: &ToolSearchRequest) -> Answer<Vec<ToolSearchResult>> {
    request.check()?;
    let query = request.query.as_deref().map(str::trim).filter(|query| !query.is_empty());
    if request.search_mode.as_deref() == Some("vector") && query.is_some() {
        return Err(ApiError::bad_request(
            "Tools have no vectors on this server; search_mode 'fts' or 'hybrid' finds them by words",
        )
        .into());
    }
    let types = request.tool_types.iter().flatten().map(|word| kind(word)).collect::<Result<_, _>>()?;
    let filter = ToolFilter { tool_types: types, ..ToolFilter::default() };
    let mut tools = tool::list(conn, &filter, &Page::oldest(ALL))?;
    tools.reverse();
    if let Some(tags) = request.tags.as_ref().filter(|tags| !tags.is_empty()) {
        tools.retain(|tool| tool.tags.iter().any(|tag| tags.contains(tag)));
    }
    let limit = usize::try_from(request.limit).unwrap_or(50);
    let Some(query) = query else {
        let all = tools.into_iter().take(limit);
        return Ok(all.map(|tool| result(tool, None)).collect());
    };
    let wanted = words(query);
    let mut found: Vec<(u32, Tool)> = tools
        .into_iter()
        .map(|tool| (score(&tool, &wanted, query), tool))
        .filter(|(score, _)| *score > 0)
        .collect();
    // Stable: among equals the newest stays first.
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let ranked = found.into_iter().take(limit).zip(1_i64..);
    Ok(ranked.map(|((_, tool), rank)| result(tool, Some(rank))).collect())
}

fn kind(word: &str) -> Result<ToolType, ApiError> {
    serde_json::from_value(Value::String(word.to_owned())).map_err(|_| {
        let shown: String = word.chars().take(80).collect();
        ApiError::bad_request(format!("Tool type '{shown}' in tool_types is not one of the known types"))
    })
}

fn result(tool: Tool, fts_rank: Option<i64>) -> ToolSearchResult {
    let embedded_text = Some(described(&tool));
    #[expect(clippy::cast_precision_loss, reason = "a rank is small")]
    let combined_score = fts_rank.map_or(0.0, |rank| 1.0 / (RANK_OFFSET + rank as f64));
    ToolSearchResult { tool, embedded_text, fts_rank, vector_rank: None, combined_score }
}

/// Everything of a tool that words are looked for in, besides its name.
fn described(tool: &Tool) -> String {
    let mut text = tool.name.clone().unwrap_or_default();
    if let Some(description) = &tool.description {
        text.push('\n');
        text.push_str(description);
    }
    let parameters =
        tool.json_schema.as_ref().and_then(|schema| schema.get("parameters")?.get("properties")?.as_object());
    for (name, property) in parameters.into_iter().flatten() {
        text.push('\n');
        text.push_str(name);
        if let Some(about) = property.get("description").and_then(Value::as_str) {
            text.push_str(": ");
            text.push_str(about);
        }
    }
    if !tool.tags.is_empty() {
        text.push('\n');
        text.push_str(&tool.tags.join(", "));
    }
    text
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// How well a tool fits; 0 is not at all.
fn score(tool: &Tool, wanted: &BTreeSet<String>, query: &str) -> u32 {
    let name = tool.name.as_deref().unwrap_or_default().to_lowercase();
    let (in_name, in_text) = (words(&name), words(&described(tool)));
    let whole = if name == query.to_lowercase() { 100 } else { 0 };
    let each = wanted.iter().map(|word| {
        if in_name.contains(word) {
            10
        } else if name.contains(word.as_str()) {
            6
        } else if in_text.contains(word) {
            3
        } else if word.len() > 2 && in_text.iter().any(|known| known.starts_with(word.as_str())) {
            1
        } else {
            0
        }
    });
    whole + each.sum::<u32>()
}
