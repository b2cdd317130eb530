//! Searching the web by a service the person has set up: Exa, Brave, or a SearXNG server of their own.

use std::{collections::BTreeMap, sync::LazyLock};

use loci_api::resource::ToolType;
use serde_json::{Map, Value, json};

use super::Spec;
use crate::{egress::Egress, sandbox::RunResult};

/// The variable that holds the key of Exa, and where it is; `EXA_BASE_URL` names another place.
const EXA_KEY: &str = "EXA_API_KEY";
const EXA_URL: &str = "https://api.exa.ai";
/// The same for Brave; `BRAVE_BASE_URL` names another place.
const BRAVE_KEY: &str = "BRAVE_API_KEY";
const BRAVE_URL: &str = "https://api.search.brave.com";
/// The variable that holds the address of a SearXNG server.
const SEARXNG: &str = "SEARXNG_URL";

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
    let service = match Service::chosen(env, |name| std::env::var(name).ok()) {
        Ok(service) => service,
        Err(sentence) => return RunResult::error(sentence),
    };
    match service.search(query, arguments, egress).await {
        Ok(results) => RunResult::success(json!({"query": query, "results": results})),
        Err(reason) => failed(query, &reason),
    }
}

fn failed(query: &str, reason: &str) -> RunResult {
    RunResult { value: json!({"error": reason, "query": query}), ..RunResult::error("") }
}

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Service {
    Exa {
        base: String,
        key: String,
    },
    Brave {
        base: String,
        key: String,
    },
    /// `own`: named in the server's environment, by the person themselves, so it may be on this machine.
    Searxng {
        base: String,
        own: bool,
    },
}

impl Service {
    /// The first that is set up: by the agent's variables, else by the server's environment. `WEB_SEARCH_SERVICE`
    /// names one where several are.
    ///
    /// # Errors
    /// A sentence that says what to set.
    fn chosen(
        env: &BTreeMap<String, String>,
        of_server: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let clean = |value: String| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        let variable =
            |name: &str| env.get(name).cloned().and_then(clean).or_else(|| of_server(name).and_then(clean));
        let base = |name: &str, usual: &str| {
            let base = variable(name).unwrap_or_else(|| usual.to_owned());
            base.trim_end_matches('/').to_owned()
        };
        let exa = || variable(EXA_KEY).map(|key| Self::Exa { base: base("EXA_BASE_URL", EXA_URL), key });
        let brave =
            || variable(BRAVE_KEY).map(|key| Self::Brave { base: base("BRAVE_BASE_URL", BRAVE_URL), key });
        let searxng = || {
            variable(SEARXNG).map(|url| Self::Searxng {
                base: url.trim_end_matches('/').to_owned(),
                own: !env.contains_key(SEARXNG),
            })
        };
        let found = match variable("WEB_SEARCH_SERVICE").map(|name| name.to_ascii_lowercase()).as_deref() {
            None => exa().or_else(brave).or_else(searxng),
            Some("exa") => exa(),
            Some("brave") => brave(),
            Some("searxng") => searxng(),
            Some(_) => return Err("WEB_SEARCH_SERVICE must be 'exa', 'brave' or 'searxng'".to_owned()),
        };
        found.ok_or_else(|| {
            format!(
                "web_search is not set up. Put one of these into the agent's secrets or the server's environment: \
                 {EXA_KEY} (a key of exa.ai), {BRAVE_KEY} (a key of the Brave Search API), or {SEARXNG} (the address \
                 of a SearXNG server that allows format=json)"
            )
        })
    }

    async fn search(
        &self,
        query: &str,
        arguments: &Map<String, Value>,
        egress: &Egress,
    ) -> Result<Vec<Value>, String> {
        let answer = match self {
            Self::Exa { base, key } => {
                let url = format!("{base}/search");
                egress.post_json(&url, ("x-api-key", key), &request(query, arguments)).await
            }
            Self::Brave { base, key } => {
                let url = with_query(
                    &format!("{base}/res/v1/web/search"),
                    &[("q", &narrowed(query, arguments)), ("count", &wanted(arguments).min(20).to_string())],
                )?;
                egress.get_json(&url, Some(("x-subscription-token", key))).await
            }
            Self::Searxng { base, own } => {
                let url = with_query(
                    &format!("{base}/search"),
                    &[("q", &narrowed(query, arguments)), ("format", "json")],
                )?;
                if *own { PERSONS_OWN.get_json(&url, None).await } else { egress.get_json(&url, None).await }
            }
        };
        let page = answer.map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&page.text)
            .map_err(|_| "the search service's answer is not readable".to_owned())?;
        Ok(match self {
            Self::Exa { .. } => results(&answer),
            Self::Brave { .. } => {
                plain_results(&answer["web"]["results"], "description", "page_age", arguments)
            }
            Self::Searxng { .. } => plain_results(&answer["results"], "content", "publishedDate", arguments),
        })
    }
}

/// For a server the person named themselves, wherever it is.
static PERSONS_OWN: LazyLock<Egress> = LazyLock::new(|| Egress::new(true));

fn with_query(url: &str, pairs: &[(&str, &str)]) -> Result<String, String> {
    reqwest::Url::parse_with_params(url, pairs)
        .map(String::from)
        .map_err(|_| "the address of the search service is not a web address".to_owned())
}

fn wanted(arguments: &Map<String, Value>) -> usize {
    let wanted = arguments.get("num_results").and_then(Value::as_i64).unwrap_or(10).clamp(1, 100);
    usize::try_from(wanted).unwrap_or(10)
}

fn texts<'a>(arguments: &'a Map<String, Value>, name: &str) -> Vec<&'a str> {
    arguments.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The query with the sites it is narrowed to, as search engines read them.
fn narrowed(query: &str, arguments: &Map<String, Value>) -> String {
    let mut query = query.to_owned();
    let sites: Vec<String> =
        texts(arguments, "include_domains").iter().map(|site| format!("site:{site}")).collect();
    if !sites.is_empty() {
        query.push_str(&format!(" ({})", sites.join(" OR ")));
    }
    for site in texts(arguments, "exclude_domains") {
        query.push_str(&format!(" -site:{site}"));
    }
    query
}

/// Results of an engine that gives a title, an address and a few sentences.
fn plain_results(found: &Value, text: &str, date: &str, arguments: &Map<String, Value>) -> Vec<Value> {
    let bound = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    // ISO dates: of what both say, the order of the letters is that of time.
    let day = |text: &str| text.get(..10).unwrap_or(text).to_owned();
    let (from, to) = (day(bound("start_published_date")), day(bound("end_published_date")));
    // What has no date may be of any.
    let within = |one: &&Value| {
        one[date]
            .as_str()
            .map(day)
            .is_none_or(|at| (from.is_empty() || at >= from) && (to.is_empty() || at <= to))
    };
    found
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["url"].is_string())
        .filter(within)
        .take(wanted(arguments))
        .map(|one| {
            json!({
                "title": one["title"],
                "url": one["url"],
                "published_date": one[date],
                "author": one["author"],
                "highlights": one[text].as_str().map(|text| vec![text]).unwrap_or_default(),
            })
        })
        .collect()
}

/// The service's request for these arguments.
fn request(query: &str, arguments: &Map<String, Value>) -> Value {
    let mut body = json!({
        "query": query,
        "type": "auto",
        "numResults": wanted(arguments),
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
    async fn an_empty_query_is_refused() {
        for given in [json!({}), json!({"query": " "})] {
            let result = run(&arguments(given), &BTreeMap::new(), &Egress::new(false)).await;
            assert_eq!(result.status, RunStatus::Error);
        }
    }

    #[test]
    fn the_service_is_the_one_set_up_and_without_any_it_says_what_to_set() {
        let env = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let none = |_: &str| None;
        let sentence = Service::chosen(&env(&[(EXA_KEY, " ")]), none).expect_err("nothing is set");
        for name in [EXA_KEY, BRAVE_KEY, SEARXNG] {
            assert!(sentence.contains(name), "{sentence}");
        }
        let all = [(EXA_KEY, "e"), (BRAVE_KEY, "b"), (SEARXNG, "http://s/")];
        let exa = Service::Exa { base: EXA_URL.to_owned(), key: "e".to_owned() };
        assert_eq!(Service::chosen(&env(&all), none), Ok(exa));
        let brave = Service::Brave { base: BRAVE_URL.to_owned(), key: "b".to_owned() };
        assert_eq!(Service::chosen(&env(&all[1..]), none), Ok(brave));
        let named = env(&[all.as_slice(), &[("WEB_SEARCH_SERVICE", "SearXNG")]].concat());
        let searxng = |own| Service::Searxng { base: "http://s".to_owned(), own };
        assert_eq!(Service::chosen(&named, none), Ok(searxng(false)));
        let of_server = |name: &str| (name == SEARXNG).then(|| "http://s".to_owned());
        assert_eq!(Service::chosen(&BTreeMap::new(), of_server), Ok(searxng(true)));
        assert!(Service::chosen(&env(&[("WEB_SEARCH_SERVICE", "x")]), none).is_err());
    }

    /// Answers one request; what was asked.
    async fn serve(body: Value) -> (String, tokio::task::JoinHandle<String>) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut buffer = vec![0; 8192];
            let count = socket.read(&mut buffer).await.expect("a request");
            let body = body.to_string();
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            socket.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
            String::from_utf8_lossy(&buffer[..count]).into_owned()
        });
        (url, asked)
    }

    #[tokio::test]
    async fn every_service_is_asked_in_its_own_way_and_answers_alike() {
        let one = |title: &str, at: &str| json!({"title": title, "url": "http://u", "content": "c", "description": "c", "publishedDate": at, "page_age": at});
        let found = json!([one("Old", "2020-01-01"), one("T", "2025-02-03T00:00"), {"title": "no address"}]);
        let expected = json!({
            "title": "T", "url": "http://u", "published_date": "2025-02-03T00:00", "author": null, "highlights": ["c"],
        });
        let given = arguments(json!({
            "query": "a b", "include_domains": ["x.org", "y.org"], "exclude_domains": ["z.org"], "num_results": 3,
            "start_published_date": "2024-06-01",
        }));
        let question = "q=a+b+%28site%3Ax.org+OR+site%3Ay.org%29+-site%3Az.org";
        for (key, base, answer, parts) in [
            (
                (BRAVE_KEY, "k"),
                "BRAVE_BASE_URL",
                json!({"web": {"results": found}}),
                ["GET /res/v1/web/search?", question, "count=3", "x-subscription-token: k"],
            ),
            (
                ("X", ""),
                SEARXNG,
                json!({"results": found}),
                ["GET /search?", question, "format=json", "accept: application/json"],
            ),
        ] {
            let (url, asked) = serve(answer).await;
            let env = [(key.0.to_owned(), key.1.to_owned()), (base.to_owned(), url.clone())].into();
            let result = run(&given, &env, &Egress::new(true)).await;
            assert_eq!(result.value, json!({"query": "a b", "results": [expected]}));
            let asked = asked.await.expect("the server");
            for part in parts {
                assert!(asked.contains(part), "{part}: {asked}");
            }
            // An agent's variables lead to no private address unless that is allowed.
            let result = run(&given, &env, &Egress::new(false)).await;
            let error = result.value["error"].as_str().expect("a sentence");
            assert!(error.contains("private network"), "{error}");
        }
        let (url, asked) = serve(json!({"results": [{"title": "T", "url": "u"}]})).await;
        let env = [(EXA_KEY.to_owned(), "k".to_owned()), ("EXA_BASE_URL".to_owned(), url)].into();
        let result = run(&given, &env, &Egress::new(true)).await;
        assert_eq!(result.value["results"][0]["url"], "u");
        let asked = asked.await.expect("the server");
        assert!(asked.starts_with("POST /search ") && asked.contains("x-api-key: k"), "{asked}");
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
