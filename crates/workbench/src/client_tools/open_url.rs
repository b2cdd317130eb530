//! `open_url`: an agent opens a web page in the person's browser.

use futures::future::BoxFuture;
use loci_api::chat::ToolSpec;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ClientTool, Detail, Done, Nature, Place, Preview, SubjectKind, Task, Work};
use crate::sentences::Approval;

const NAME: &str = "open_url";
/// Bytes of an address.
const LONGEST: usize = 4_000;

pub const TOOL: ClientTool = ClientTool {
    name: NAME,
    spec,
    subject: Some(("url", SubjectKind::Text)),
    nature: Nature { read_only: false, dangerous: true, needs_folder: false, by_itself: false },
    preview,
    work: Work::Running(run),
};

fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME.to_owned(),
        description:
            "Open a web page in the person's own browser, for them to look at. You do not see the page. \
            The person sees where it leads and may refuse."
                .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {"url": {"type": "string", "description": "An https or http address."}},
            "required": ["url"],
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    url: String,
}

/// A web address, in the form browsers read it: other programs are not started by an address.
fn parse(arguments: &Map<String, Value>) -> Result<reqwest::Url, String> {
    let Arguments { url } = super::parse(NAME, arguments)?;
    if url.len() > LONGEST {
        return Err(format!("The address is longer than {LONGEST} bytes."));
    }
    let parsed =
        reqwest::Url::parse(url.trim()).map_err(|error| format!("{url} is not an address: {error}."))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(format!("Only http and https addresses can be opened, not {}:.", parsed.scheme()));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("The address holds a user name or password. Leave it out.".to_owned());
    }
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err(format!("{url} names no host."));
    }
    Ok(parsed)
}

fn preview(_place: &Place, arguments: &Map<String, Value>) -> Result<Preview, String> {
    let url = parse(arguments)?;
    let host = url.host_str().unwrap_or_default().to_owned();
    Ok(Preview {
        line: Approval::ReachBrowser { host: host.clone() }.into(),
        detail: Some(Detail::Url { url: url.to_string(), host }),
    })
}

fn run(task: Task) -> BoxFuture<'static, Done> {
    Box::pin(async move {
        let url = match parse(&task.arguments) {
            Ok(url) => url,
            Err(problem) => return Done::from(Err(problem)),
        };
        let opened = task.desk.system().open_url(url.as_str()).await;
        Done::from(opened.map(|()| format!("Opened {url} in the person's browser.")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_are_opened_and_the_host_is_shown() {
        let show = |url: &str| {
            let arguments = json!({"url": url});
            preview(&Place::default(), arguments.as_object().expect("an object"))
        };
        for (url, host) in [
            ("https://example.org/a?b=c", "example.org"),
            ("http://127.0.0.1:80/", "127.0.0.1"),
            // Look-alike letters show as what they are.
            ("https://ex\u{430}mple.org/", "xn--exmple-4nf.org"),
            ("https://good.example@evil.example/", ""),
        ] {
            match show(url) {
                Ok(preview) => assert_eq!(preview.line.message, format!("{host} in your browser"), "{url}"),
                Err(problem) => assert!(host.is_empty() && problem.contains("user name"), "{url}: {problem}"),
            }
        }
        for (url, wanted) in [
            ("file:///etc/passwd", "Only http"),
            ("javascript:alert(1)", "Only http"),
            ("ms-settings:x", "Only http"),
            ("example.org", "not an address"),
            ("https://", "not an address"),
        ] {
            let problem = show(url).expect_err(url);
            assert!(problem.contains(wanted), "{url}: {problem}");
        }
        assert!(
            show(&format!("https://a.example/{}", "x".repeat(LONGEST))).expect_err("long").contains("longer")
        );
    }
}
