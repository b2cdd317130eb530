//! Every sentence of the desk that the window says in the person's language. A route answers with the sentence's code,
//! its values, and its English; the window's words for a code are in `ui/src/i18n`, and a test there holds them against
//! the list that `cargo xtask bindings` writes.

mod approvals;
mod connections;
mod machine;

use std::collections::BTreeMap;

use loci_api::{chat::ChatErrorKind, said};
use loci_server::{confined::ConfinementPart, providers::ProviderProblem};

pub(crate) use self::{
    approvals::{Approval, Bounds},
    connections::Connecting,
    machine::Machine,
};

/// The English of every sentence by its code, with names in braces: a JSON object.
#[must_use]
pub fn listed() -> String {
    format!("{:#}", serde_json::json!(all()))
}

fn all() -> BTreeMap<String, &'static str> {
    [
        Approval::templates(),
        Bounds::templates(),
        Connecting::templates(),
        Machine::templates(),
        ConfinementPart::templates(),
        ProviderProblem::templates(),
        ChatErrorKind::templates(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What kept a call within bounds, as it is kept in one line, in its parts.
pub(crate) fn confinement(line: &str) -> Vec<said::Said> {
    let mut known = ConfinementPart::templates();
    known.extend(Bounds::templates());
    line.split("; ").map(|part| said::recognised(part, &known)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_sentences_share_a_code() {
        let counts = [
            Approval::templates().len(),
            Bounds::templates().len(),
            Connecting::templates().len(),
            Machine::templates().len(),
            ConfinementPart::templates().len(),
            ProviderProblem::templates().len(),
            all()
                .keys()
                .filter(|code| ChatErrorKind::templates().iter().any(|(kind, _)| kind == *code))
                .count(),
        ];
        assert_eq!(all().len(), counts.into_iter().sum::<usize>());
    }

    #[test]
    fn a_line_about_confinement_is_read_in_its_parts() {
        let parts =
            confinement("files confined to its folder; no network; reads only below /a; something new");
        let codes: Vec<_> = parts.iter().map(|part| part.code.as_str()).collect();
        assert_eq!(codes, ["files_confined", "no_network", "reads_below", ""]);
        assert_eq!(parts[2].values["folders"], "/a");
    }
}
