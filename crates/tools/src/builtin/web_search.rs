//! Searching the web by a search service the person has a key for.

use std::collections::BTreeMap;

use loci_api::resource::ToolType;
use serde_json::{Map, Value, json};

use super::Spec;
use crate::{egress::Egress, sandbox::RunResult};

/// The variable that holds the key.
pub const KEY: &str = "EXA_API_KEY";
/// Where the service is; `EXA_BASE_URL` among the agent's variables names another place.
const BASE_URL: &str = "https://api.exa.ai";

pub(super) fn spec() -> Spec {
    Spec {
        name: "web_search",
        tool_type: ToolType::LettaBuiltin,
        parallel: true,
        description: "Search the web. Each result has a title, an address, and what on the page answers the query. \
                      Ask a full question or describe the page you are after.",
        required: &["query"],
        properties: json!({
            "query": {"type": "string", "description": "What to look for, in plain language."},
            "num_results": {
                "type": "integer",
                "default": 10,
                "description": "How many results to get, from 1 to 100.",
            },
            "category": {
                "type": "string",
                "enum": [
                    "company", "research paper", "news", "pdf", "github", "tweet", "personal site", "linkedin profile",
                    "financial report",
                ],
                "description": "Keep to one kind of source.",
            },
            "include_text": {
                "type": "boolean",
                "default": false,
                "description": "Whether to get the full text of the pages, which can be long.",
            },
            "include_domains": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Search only these sites, for example [\"arxiv.org\"].",
            },
            "exclude_domains": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Leave these sites out.",
            },
            "start_published_date": {
                "type": "string",
                "description": "Only pages published on or after this day, ISO 8601.",
            },
            "end_published_date": {
                "type": "string",
                "description": "Only pages published on or before this day, ISO 8601.",
            },
            "user_location": {
                "type": "string",
                "description": "Two-letter country code to search from, such as DE.",
            },
        }),
    }
}

pub(super) async fn run(
    arguments: &Map<String, Value>,
    env: &BTreeMap<String, String>,
    egress: &Egress,
) -> RunResult {
    let Some(query) = arguments.get("query").and_then(Value::as_str).filter(|query| !query.trim().is_empty())
    else {
        return RunResult::error(
            "Error executing function web_search: ValueError: 'query' must not be empty",
        );
    };
    let variable = |name: &str| {
        env.get(name).cloned().or_else(|| std::env::var(name).ok()).filter(|value| !value.trim().is_empty())
    };
    let Some(key) = variable(KEY) else {
        return RunResult::error(format!(
            "web_search is not set up: it needs a key for the search service Exa (exa.ai). Put it into the agent's \
             secrets as {KEY}, or into the server's environment under that name"
        ));
    };
    let base = variable("EXA_BASE_URL").unwrap_or_else(|| BASE_URL.to_owned());
    let url = format!("{}/search", base.trim_end_matches('/'));
    let answer = match egress.post_json(&url, ("x-api-key", key.trim()), &request(query, arguments)).await {
        Ok(page) => page,
        Err(error) => return failed(query, &error.to_string()),
    };
    match serde_json::from_str::<Value>(&answer.text) {
        Ok(answer) => RunResult::success(json!({"query": query, "results": results(&answer)})),
        Err(_) => failed(query, "the search service's answer is not readable"),
    }
}

fn failed(query: &str, reason: &str) -> RunResult {
    RunResult { value: json!({"error": reason, "query": query}), ..RunResult::error("") }
}

/// The service's request for these arguments.
fn request(query: &str, arguments: &Map<String, Value>) -> Value {
    let wanted = arguments.get("num_results").and_then(Value::as_i64).unwrap_or(10).clamp(1, 100);
    let mut body = json!({
        "query": query,
        "type": "auto",
        "numResults": wanted,
        "contents": {"highlights": true, "summary": true},
    });
    if arguments.get("include_text").and_then(Value::as_bool) == Some(true) {
        body["contents"]["text"] = json!(true);
    }
    for (from, to) in [
        ("category", "category"),
        ("include_domains", "includeDomains"),
        ("exclude_domains", "excludeDomains"),
        ("start_published_date", "startPublishedDate"),
        ("end_published_date", "endPublishedDate"),
        ("user_location", "userLocation"),
    ] {
        let given = arguments
            .get(from)
            .filter(|value| !value.is_null() && **value != json!([]) && **value != json!(""));
        if let Some(value) = given {
            body[to] = value.clone();
        }
    }
    body
}

fn results(answer: &Value) -> Vec<Value> {
    let found = answer.get("results").and_then(Value::as_array).cloned().unwrap_or_default();
    found
        .iter()
        .map(|one| {
            let mut result = Map::new();
            for (from, to) in [
                ("title", "title"),
                ("url", "url"),
                ("publishedDate", "published_date"),
                ("author", "author"),
            ] {
                result.insert(to.to_owned(), one.get(from).cloned().unwrap_or(Value::Null));
            }
            for name in ["text", "highlights", "summary"] {
                if let Some(value) = one.get(name).filter(|value| !value.is_null()) {
                    result.insert(name.to_owned(), value.clone());
                }
            }
            Value::Object(result)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::RunStatus;

    fn arguments(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    #[tokio::test]
    async fn without_a_key_it_says_what_to_set() {
        let result = run(&arguments(json!({"query": "x"})), &BTreeMap::new(), &Egress::new(false)).await;
        assert_eq!(result.status, RunStatus::Error);
        assert!(result.value.as_str().is_some_and(|text| text.contains(KEY)), "{:?}", result.value);
        let result = run(&arguments(json!({})), &BTreeMap::new(), &Egress::new(false)).await;
        assert_eq!(result.status, RunStatus::Error);
    }

    #[test]
    fn the_request_says_what_was_asked_for_within_bounds() {
        let given = arguments(json!({
            "query": "q", "num_results": 1000, "include_text": true, "include_domains": ["a.org"], "category": "news",
            "exclude_domains": [], "user_location": null,
        }));
        assert_eq!(
            request("q", &given),
            json!({
                "query": "q", "type": "auto", "numResults": 100,
                "contents": {"highlights": true, "summary": true, "text": true},
                "category": "news", "includeDomains": ["a.org"],
            })
        );
    }

    #[test]
    fn results_are_named_as_the_contract_names_them() {
        let answer = json!({"results": [{"title": "T", "url": "u", "publishedDate": "2025", "score": 1, "summary": "s"}]});
        assert_eq!(
            results(&answer),
            vec![json!({"title": "T", "url": "u", "published_date": "2025", "author": null, "summary": "s"})]
        );
        assert_eq!(results(&json!({"results": "x"})), Vec::<Value>::new());
    }
}
