//! `archival_memory_insert` and `archival_memory_search` as a model calls them.

use jiff::{Timestamp as Moment, tz::TimeZone};
use loci_api::{archive::TagMatchMode, ids::AgentId, time::Timestamp};
use loci_engine::{ports::ToolInvocation, ports::ToolOutcome, search::moment};
use loci_store::table::passage_search::{Hit, Search};
use serde_json::{Map, Value, json};

use super::{NewPassage, insert_for_agent, search};
use crate::App;

const DEFAULT_HITS: u32 = 5;
const MOST_HITS: u32 = 50;

fn text<'a>(arguments: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, String> {
    match arguments.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("The argument '{key}' must be a string.")),
    }
}

/// A list of words; models also write a single one, or the list as text.
fn words(arguments: &Map<String, Value>, key: &str) -> Result<Vec<String>, String> {
    let bad = || format!("The argument '{key}' must be a list of strings.");
    let items = match arguments.get(key) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items.clone(),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Array(items)) => items,
            Ok(_) | Err(_) => vec![json!(text)],
        },
        Some(_) => return Err(bad()),
    };
    let words = items.iter().map(|item| item.as_str().map(|word| word.trim().to_owned()).ok_or_else(bad));
    Ok(words.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|word| !word.is_empty()).collect())
}

/// Files a note.
pub(crate) async fn insert_tool(app: &App, agent_id: &AgentId, call: &ToolInvocation) -> ToolOutcome {
    let new = match (text(&call.arguments, "content"), words(&call.arguments, "tags")) {
        (Ok(Some(content)), Ok(tags)) => {
            NewPassage { text: content.to_owned(), tags, ..NewPassage::default() }
        }
        (Ok(None), _) => return ToolOutcome::error("The argument 'content' must hold the note's text."),
        (Err(sentence), _) | (_, Err(sentence)) => return ToolOutcome::error(sentence),
    };
    match insert_for_agent(app, agent_id.clone(), new).await {
        Ok(_) => success(Value::Null),
        Err(failure) => ToolOutcome::error(format!("Error: the note was not filed: {}", failure.0.message)),
    }
}

fn success(value: Value) -> ToolOutcome {
    ToolOutcome {
        status: loci_api::message::ToolStatus::Success,
        value,
        stdout: Vec::new(),
        stderr: Vec::new(),
    }
}

fn wanted(arguments: &Map<String, Value>, zone: &str) -> Result<Option<Search>, String> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let Some(query) = text(arguments, "query")? else { return Ok(None) };
    let limit = match arguments.get("top_k") {
        None | Some(Value::Null) => DEFAULT_HITS,
        Some(value) => value
            .as_f64()
            .filter(|number| number.fract() == 0.0 && *number >= 1.0)
            .map(|number| (number as u32).min(MOST_HITS))
            .ok_or_else(|| format!("The argument 'top_k' must be a whole number from 1 to {MOST_HITS}."))?,
    };
    let tag_match_mode = match text(arguments, "tag_match_mode")? {
        None | Some("any") => TagMatchMode::Any,
        Some("all") => TagMatchMode::All,
        Some(_) => return Err("The argument 'tag_match_mode' must be \"any\" or \"all\".".to_owned()),
    };
    let start = text(arguments, "start_datetime")?.map(|date| moment(date, &zone, false)).transpose()?;
    let end = text(arguments, "end_datetime")?.map(|date| moment(date, &zone, true)).transpose()?;
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err("start_datetime is after end_datetime, so nothing can be found.".to_owned());
    }
    Ok(Some(Search {
        query: query.to_owned(),
        tags: words(arguments, "tags")?,
        tag_match_mode,
        start,
        end,
        limit,
        ..Search::default()
    }))
}

/// Finds notes. `zone` is the agent's time zone.
pub(crate) async fn search_tool(
    app: &App,
    agent_id: &AgentId,
    zone: &str,
    call: &ToolInvocation,
) -> ToolOutcome {
    let wanted = match wanted(&call.arguments, zone) {
        Ok(Some(wanted)) => Search { agent_id: Some(agent_id.clone()), ..wanted },
        Ok(None) => return success(json!([])),
        Err(sentence) => return ToolOutcome::error(sentence),
    };
    match search(app, wanted).await {
        Ok(hits) => success(Value::Array(hits.iter().map(|hit| shown(hit, zone)).collect())),
        Err(failure) => {
            ToolOutcome::error(format!("Error: the archive could not be searched: {}", failure.0.message))
        }
    }
}

/// A moment in the agent's time zone.
pub(crate) fn local(at: Timestamp, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let local = Moment::from_microsecond(at.0).unwrap_or_default().to_zoned(zone);
    local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn shown(hit: &Hit, zone: &str) -> Value {
    json!({
        "id": hit.passage.id,
        "timestamp": local(hit.passage.created_at.unwrap_or(Timestamp(0)), zone),
        "content": hit.passage.text,
        "tags": hit.passage.tags,
        "relevance": {
            "rrf_score": hit.score,
            "vector_rank": hit.vector_rank,
            "fts_rank": hit.word_rank,
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn read(arguments: Value) -> Result<Option<Search>, String> {
        wanted(arguments.as_object().unwrap(), "UTC")
    }

    #[test]
    fn arguments_are_bounded_or_refused() {
        let search =
            read(json!({"query": " tea ", "tags": "[\"a\", \" b\"]", "top_k": 900})).unwrap().unwrap();
        assert_eq!((search.query.as_str(), search.limit), ("tea", MOST_HITS));
        assert_eq!(search.tags, ["a", "b"]);
        assert_eq!(read(json!({"query": "x", "tags": "one"})).unwrap().unwrap().tags, ["one"]);
        assert!(read(json!({"query": "  "})).unwrap().is_none());
        for bad in [
            json!({"query": 3}),
            json!({"query": "x", "top_k": 0}),
            json!({"query": "x", "tags": [1]}),
            json!({"query": "x", "tag_match_mode": "some"}),
            json!({"query": "x", "start_datetime": "soon"}),
            json!({"query": "x", "start_datetime": "2025-02-01", "end_datetime": "2025-01-01"}),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
