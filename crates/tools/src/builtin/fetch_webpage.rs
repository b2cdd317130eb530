//! Reading a web page.

use loci_api::resource::ToolType;
use serde_json::{Map, Value, json};

use tokio::sync::oneshot;

use super::Spec;
use crate::{
    egress::{Egress, Page},
    sandbox::RunResult,
};

/// How deep a page's elements may be nested.
const MAX_DEPTH: usize = 2_000;
/// Enough for that depth; only what is used is taken from memory.
const STACK_BYTES: usize = 128 << 20;

pub(super) fn spec() -> Spec {
    Spec {
        name: "fetch_webpage",
        tool_type: ToolType::LettaBuiltin,
        parallel: true,
        description: "Read one web page and get its text, links included, as Markdown. Use it for an address you were \
                      given or found by a search.",
        required: &["url"],
        properties: json!({
            "url": {"type": "string", "description": "The whole address, beginning with http:// or https://."},
        }),
    }
}

pub(super) async fn run(arguments: &Map<String, Value>, egress: &Egress) -> RunResult {
    let Some(url) = arguments.get("url").and_then(Value::as_str) else {
        return RunResult::error(
            "Error executing function fetch_webpage: TypeError: 'url' must be given as a string",
        );
    };
    match egress.get(url).await {
        Ok(page) => readable(page).await,
        Err(error) => RunResult::error(format!("Error executing function fetch_webpage: {error}")),
    }
}

/// The text of a page: HTML as Markdown, other text as it is.
async fn readable(page: Page) -> RunResult {
    let Page { url, content_type: kind, text } = page;
    if kind.contains("html") || (kind.is_empty() && text.trim_start().starts_with('<')) {
        return match markdown(text).await {
            Ok(text) if text.trim().is_empty() => {
                RunResult::error(format!("{url} has no text of its own; it may need a browser to show it"))
            }
            Ok(text) => RunResult::success(Value::String(text.trim().to_owned())),
            Err(reason) => RunResult::error(format!("{url} cannot be read as a page: {reason}")),
        };
    }
    let textual = kind.is_empty()
        || kind.starts_with("text/")
        || ["json", "xml", "javascript", "yaml", "csv"].iter().any(|name| kind.contains(name));
    if textual {
        RunResult::success(Value::String(text))
    } else {
        RunResult::error(format!("{url} is of type {kind}, which is not text"))
    }
}

/// Turns HTML into Markdown, on a thread of its own: the converter goes as deep as the page does.
async fn markdown(html: String) -> Result<String, String> {
    if depth(&html) > MAX_DEPTH {
        return Err("its elements are nested too deeply".to_owned());
    }
    let (done, result) = oneshot::channel();
    std::thread::Builder::new()
        .name("fetch-webpage".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let converter = htmd::HtmlToMarkdown::builder()
                .skip_tags(vec![
                    "script", "style", "noscript", "template", "iframe", "svg", "head", "nav", "form",
                ])
                .build();
            // Err: nobody waits for it any more.
            let _unwanted = done.send(converter.convert(&html).map_err(|error| error.to_string()));
        })
        .map_err(|error| error.to_string())?;
    result.await.unwrap_or_else(|_| Err("the converter failed".to_owned()))
}

/// At least how deep the elements are nested; an element that is never closed counts as open to the end.
fn depth(html: &str) -> usize {
    const NEVER_OPEN: &[&str] = &[
        "p", "li", "br", "hr", "img", "input", "meta", "link", "td", "th", "tr", "dt", "dd", "option",
        "source", "wbr", "col", "area", "base", "embed", "track", "param",
    ];
    let (mut open, mut deepest) = (0_usize, 0);
    for (at, _) in html.match_indices('<') {
        let rest = &html[at + 1..];
        let (closing, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
        let name: String = rest
            .chars()
            .take(12)
            .take_while(char::is_ascii_alphanumeric)
            .map(|char| char.to_ascii_lowercase())
            .collect();
        if name.is_empty() || (NEVER_OPEN.contains(&name.as_str()) && open < MAX_DEPTH / 2) {
            continue;
        }
        if closing {
            open = open.saturating_sub(1);
        } else {
            open += 1;
            deepest = deepest.max(open);
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::RunStatus;

    fn page(content_type: &str, text: &str) -> Page {
        Page { url: "http://x/".into(), content_type: content_type.into(), text: text.into() }
    }

    #[tokio::test]
    async fn html_becomes_text_with_links_and_without_scripts() {
        let html = "<html><head><title>T</title></head><body><script>evil()</script><h1>Hi</h1>\
                    <p>See <a href=\"/a\">this</a>.</p></body></html>";
        let result = readable(page("text/html", html)).await;
        assert_eq!(result.value, json!("# Hi\n\nSee [this](/a)."));
    }

    #[tokio::test]
    async fn other_text_is_left_as_it_is_and_the_rest_refused() {
        assert_eq!(readable(page("application/json", "{\"a\":1}")).await.value, json!("{\"a\":1}"));
        assert_eq!(readable(page("image/png", "x")).await.status, RunStatus::Error);
        assert_eq!(readable(page("text/html", "<script>1</script>")).await.status, RunStatus::Error);
    }

    #[tokio::test]
    async fn deep_and_broken_html_does_no_harm() {
        for count in [400, 1_900] {
            let result = readable(page("text/html", &format!("{}text", "<div>".repeat(count)))).await;
            assert_eq!(result.status, RunStatus::Success, "{count}");
        }
        for tag in ["<div>", "<b>", "<x a>"] {
            let result = readable(page("text/html", &tag.repeat(300_000))).await;
            assert_eq!(result.status, RunStatus::Error, "{tag}");
        }
        let _any = readable(page("text/html", "<a href='\u{0}<<<>><p")).await;
    }

    #[tokio::test]
    async fn a_long_page_is_not_a_deep_one() {
        let html = "<ul>".to_owned() + &"<li>one<p>two<br>three <b>four</b>".repeat(5_000) + "</ul>";
        let result = readable(page("text/html", &html)).await;
        assert_eq!(result.status, RunStatus::Success, "{:?}", result.value);
    }
}
