//! The size limit every section of the prompt has.

/// Cuts `text` to `cap` characters and says so.
pub(super) fn capped(text: String, cap: usize) -> String {
    // Bytes are at least characters, so short texts need no counting.
    if text.len() <= cap {
        return text;
    }
    let total = text.chars().count();
    if total <= cap {
        return text;
    }
    let mut kept: String = text.chars().take(cap).collect();
    kept.push_str(&format!("... [cut: {cap} of {total} characters shown]"));
    kept
}

#[cfg(test)]
mod tests {
    use super::capped;

    #[test]
    fn a_cut_counts_characters_and_names_both_sizes() {
        assert_eq!(capped("äöü".into(), 3), "äöü");
        assert_eq!(capped("äöüß".into(), 3), "äöü... [cut: 3 of 4 characters shown]");
    }
}
