//! What of an installer's output is the reason of its failure, and which package it is about.

/// The packages of the list a failure is about; all of them where it names none.
pub(super) fn culprits(specs: &[String], reason: &str) -> String {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', '.'], "-");
    let words: Vec<String> = reason
        .split(|char: char| !(char.is_ascii_alphanumeric() || "-_.@/%".contains(char)))
        .map(|word| plain(word.trim_matches(['.', '/'])))
        .collect();
    let named = |spec: &&String| {
        let end = spec[1..].find(['=', '<', '>', '!', '~', '[', '@']).map_or(spec.len(), |at| at + 1);
        let name = plain(&spec[..end]);
        words.iter().any(|word| {
            *word == name || word.strip_prefix(&name).is_some_and(|rest| rest.starts_with('@')) || {
                let escaped = name.replace('/', "%2f");
                word.ends_with(&format!("/{name}")) || word.ends_with(&format!("/{escaped}"))
            }
        })
    };
    let found: Vec<&str> = specs.iter().filter(named).map(String::as_str).collect();
    if found.is_empty() { specs.join(", ") } else { found.join(", ") }
}

/// The lines of an installer's output that say what is wrong.
pub(super) fn reason(output: &str) -> String {
    let told: Vec<&str> = output
        .lines()
        .map(str::trim)
        .filter(|line| {
            let lower = line.to_ascii_lowercase();
            // uv says what failed in one line and why in those that follow.
            let cause = ["cause:", "caused by:"].iter().any(|word| lower.starts_with(word));
            cause
                || ["err", "no solution", "because"].iter().any(|word| lower.contains(word))
                || line.contains(['×', '╰'])
        })
        .filter(|line| !line.contains("A complete log") && !line.starts_with("npm http"))
        .collect();
    let chosen = if told.is_empty() {
        output.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
    } else {
        told
    };
    let text = chosen.join(" ");
    if text.is_empty() { "the installer gave no reason".to_owned() } else { text.chars().take(600).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_what_the_installer_complains_about() {
        let output = "Looking in indexes\nERROR: No matching distribution found for nonesuch==9\n\nnotice: x";
        assert_eq!(reason(output), "ERROR: No matching distribution found for nonesuch==9");
        assert_eq!(reason(""), "the installer gave no reason");
        let uv = "Using Python 3.11\nerror: No solution found when resolving dependencies\n  cause: Because nonesuch \
                  was not found in the package registry, we can conclude\n\nhint: x";
        assert!(
            reason(uv)
                .ends_with("cause: Because nonesuch was not found in the package registry, we can conclude")
        );
    }

    #[test]
    fn a_failure_names_the_package_it_is_about() {
        let specs = ["good==1".to_owned(), "bad-one==9".to_owned(), "@scope/thing@2".to_owned()];
        for (reason, expected) in [
            ("ERROR: No matching distribution found for bad_one==9", "bad-one==9"),
            ("npm error 404 Not Found - GET http://x/@scope%2fthing - not found", "@scope/thing@2"),
            ("npm error notarget No matching version found for @scope/thing@2.", "@scope/thing@2"),
            ("Because bad-one was not found in the package registry", "bad-one==9"),
            ("no space left on device", "good==1, bad-one==9, @scope/thing@2"),
        ] {
            assert_eq!(culprits(&specs, reason), expected, "{reason}");
        }
    }
}
