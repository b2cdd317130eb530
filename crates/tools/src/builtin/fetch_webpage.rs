//! Reading a web page.

use loci_api::resource::ToolType;
use serde_json::{Map, Value, json};

use super::Spec;
use crate::{
    egress::{Egress, Page},
    sandbox::RunResult,
};

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
        Ok(page) => readable(&page),
        Err(error) => RunResult::error(format!("Error executing function fetch_webpage: {error}")),
    }
}

/// The text of a page: HTML as Markdown, other text as it is.
fn readable(page: &Page) -> RunResult {
    let kind = page.content_type.as_str();
    let html = kind.contains("html") || (kind.is_empty() && page.text.trim_start().starts_with('<'));
    if html {
        let converter = htmd::HtmlToMarkdown::builder()
            .skip_tags(vec![
                "script", "style", "noscript", "template", "iframe", "svg", "head", "nav", "form",
            ])
            .build();
        return match converter.convert(&page.text) {
            Ok(text) if text.trim().is_empty() => RunResult::error(format!(
                "{} has no text of its own; it may need a browser to show it",
                page.url
            )),
            Ok(text) => RunResult::success(Value::String(text.trim().to_owned())),
            Err(error) => RunResult::error(format!("{} cannot be read as a page: {error}", page.url)),
        };
    }
    let textual = kind.is_empty()
        || kind.starts_with("text/")
        || ["json", "xml", "javascript", "yaml", "csv"].iter().any(|name| kind.contains(name));
    if textual {
        RunResult::success(Value::String(page.text.clone()))
    } else {
        RunResult::error(format!("{} is of type {kind}, which is not text", page.url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::RunStatus;

    fn page(content_type: &str, text: &str) -> Page {
        Page { url: "http://x/".into(), content_type: content_type.into(), text: text.into() }
    }

    #[test]
    fn html_becomes_text_with_links_and_without_scripts() {
        let html = "<html><head><title>T</title></head><body><script>evil()</script><h1>Hi</h1>\
                    <p>See <a href=\"/a\">this</a>.</p></body></html>";
        let result = readable(&page("text/html", html));
        assert_eq!(result.value, json!("# Hi\n\nSee [this](/a)."));
    }

    #[test]
    fn other_text_is_left_as_it_is_and_the_rest_refused() {
        assert_eq!(readable(&page("application/json", "{\"a\":1}")).value, json!("{\"a\":1}"));
        assert_eq!(readable(&page("image/png", "x")).status, RunStatus::Error);
        assert_eq!(readable(&page("text/html", "<script>1</script>")).status, RunStatus::Error);
    }

    #[test]
    fn deep_and_broken_html_does_no_harm() {
        let result = readable(&page("text/html", &format!("{}text", "<div>".repeat(400))));
        assert_eq!(result.status, RunStatus::Success);
        let _any = readable(&page("text/html", "<a href='\u{0}<<<>><p"));
    }
}
