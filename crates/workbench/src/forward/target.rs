//! Addresses: which server a connection means, and where on it a request goes.

use axum::http::{Uri, header};
use loci_api::said::Said;
use reqwest::Url;

use super::Problem;
use crate::sentences::Connecting;

/// Characters of an address a person enters.
const LONGEST: usize = 2_000;

/// What a person entered as the address of a server, in one form: `https://host/prefix`, without a trailing slash
/// or the `/v1` that many copy along.
///
/// # Errors
/// A sentence.
pub(crate) fn parse_base_url(text: &str) -> Result<Url, Said> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Connecting::AddressMissing.into());
    }
    if text.len() > LONGEST {
        return Err(Connecting::AddressTooLong { most: LONGEST }.into());
    }
    let mut url = Url::parse(text).map_err(|_| Said::from(Connecting::AddressNone))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Connecting::AddressScheme.into());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Connecting::AddressNoServer.into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Connecting::AddressWithKey.into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Connecting::AddressWithQuery.into());
    }
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/v1").unwrap_or(path).trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Whether it is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let host = host.trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// Where a request goes. Only the API is passed on, and a path stays below the base address whatever it holds.
pub(super) fn url(base: &Url, asked: &Uri) -> Result<Url, Problem> {
    let path = asked.path();
    let is_api = ["/v1", "/latest"]
        .iter()
        .any(|root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    if !is_api && path != "/openapi.json" {
        return Err(Problem::NotTheApi);
    }
    let wanted = format!("{}{path}", base.path().trim_end_matches('/'));
    let mut url = base.clone();
    url.set_path(&wanted);
    url.set_query(asked.query());
    // Dots and backslashes are resolved by the line above; a path that means another one is refused.
    if url.path() != wanted {
        return Err(Problem::OddPath);
    }
    Ok(url)
}

/// The path a redirect means, if it leads to the same one with or without its last slash: some servers know only
/// one of the two forms.
pub(super) fn slash_apart(answer: &reqwest::Response, base: &Url, asked: &Url) -> Option<String> {
    if !answer.status().is_redirection() {
        return None;
    }
    let place = answer.headers().get(header::LOCATION)?.to_str().ok()?;
    other_slash(base, asked, place)
}

fn other_slash(base: &Url, asked: &Url, place: &str) -> Option<String> {
    let there = asked.join(place).ok()?;
    // Behind a proxy a server knows neither its scheme nor its port; the name it does know.
    let same_place = there.host_str() == base.host_str() && there.query() == asked.query();
    let differs_by_slash = there.path().trim_end_matches('/') == asked.path().trim_end_matches('/')
        && there.path() != asked.path();
    (same_place && differs_by_slash).then(|| there.path().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_brought_to_one_form_or_refused() {
        for (given, wanted) in [
            ("http://127.0.0.1:8283", Ok("http://127.0.0.1:8283/")),
            (" https://letta.example.org/ ", Ok("https://letta.example.org/")),
            ("https://example.org/letta/v1/", Ok("https://example.org/letta")),
            ("HTTP://Example.org/v1", Ok("http://example.org/")),
            ("http://[::1]:8283/", Ok("http://[::1]:8283/")),
            ("", Err("missing")),
            ("localhost:8283", Err("begins with http")),
            ("example", Err("not an address")),
            ("ftp://example.org", Err("begins with http")),
            ("https://me:pw@example.org", Err("own field")),
            ("https://example.org/?key=1", Err("question mark")),
        ] {
            match (parse_base_url(given), wanted) {
                (Ok(url), Ok(wanted)) => assert_eq!(url.as_str(), wanted, "{given}"),
                (Err(text), Err(part)) => assert!(text.message.contains(part), "{given}: {text}"),
                (got, wanted) => panic!("{given}: {got:?} instead of {wanted:?}"),
            }
        }
    }

    #[test]
    fn requests_stay_below_the_base_address() {
        let base = parse_base_url("https://example.org/letta").expect("fine");
        for (asked, wanted) in [
            ("/v1/agents/", Some("https://example.org/letta/v1/agents/")),
            ("/v1/agents/?a=b%20c&d", Some("https://example.org/letta/v1/agents/?a=b%20c&d")),
            ("/latest/agents", Some("https://example.org/letta/latest/agents")),
            ("/v1/tools/a%2Fb", Some("https://example.org/letta/v1/tools/a%2Fb")),
            ("/openapi.json", Some("https://example.org/letta/openapi.json")),
            ("/v1/../admin", None),
            ("/v1/%2e%2e/%2E%2e/admin", None),
            ("/v1/./agents", None),
            ("/admin", None),
            ("/v10/agents", None),
            ("/", None),
        ] {
            let uri: Uri = asked.parse().expect("a URI");
            assert_eq!(url(&base, &uri).ok().map(String::from).as_deref(), wanted, "{asked}");
        }
    }

    #[test]
    fn only_the_other_slash_form_of_the_same_path_is_followed() {
        let base = parse_base_url("https://example.org").expect("fine");
        let asked = Url::parse("https://example.org/v1/agents?x=1").expect("fine");
        for (place, wanted) in [
            ("https://example.org/v1/agents/?x=1", Some("/v1/agents/")),
            ("http://example.org:8080/v1/agents/?x=1", Some("/v1/agents/")),
            ("/v1/agents/?x=1", Some("/v1/agents/")),
            ("https://evil.example/v1/agents/?x=1", None),
            ("https://example.org/v1/agents?x=1", None),
            ("https://example.org/v1/others/?x=1", None),
            ("https://example.org/v1/agents/?x=2", None),
            ("https://example.org/login", None),
        ] {
            assert_eq!(other_slash(&base, &asked, place).as_deref(), wanted, "{place}");
        }
    }
}
