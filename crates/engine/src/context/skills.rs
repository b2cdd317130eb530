//! The skills a client offers for one request; appended to the system prompt and never stored.

use std::fmt::Write as _;

use loci_api::request::ClientSkill;

use super::section::capped;

/// Characters of one skill's description, and of the section.
const DESCRIPTION_CAP: usize = 2_000;
const CAP: usize = 50_000;

/// The `<available_skills>` section; empty without skills.
#[must_use]
pub fn render_skills(skills: &[ClientSkill]) -> String {
    if skills.is_empty() {
        return String::new();
    }
    let mut body = String::new();
    for skill in skills {
        let _ = write!(body, "- {}", skill.name);
        if let Some(description) = skill.description.as_deref().filter(|text| !text.is_empty()) {
            let _ = write!(body, ": {}", capped(description.to_owned(), DESCRIPTION_CAP));
        }
        if let Some(location) = skill.location.as_deref().filter(|text| !text.is_empty()) {
            let _ = write!(body, " (at {location})");
        }
        body.push('\n');
    }
    format!(
        "<available_skills>\nThese skills are at hand for this request. Read one in full before you use it.\n\n{}\
         </available_skills>",
        capped(body, CAP)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_skill_is_one_line() {
        let skills = [
            ClientSkill {
                name: "pdf".into(),
                description: Some("Fill forms".into()),
                location: Some("/s/pdf".into()),
            },
            ClientSkill { name: "plain".into(), description: None, location: None },
        ];
        let text = render_skills(&skills);
        assert!(text.ends_with("\n\n- pdf: Fill forms (at /s/pdf)\n- plain\n</available_skills>"), "{text}");
        assert_eq!(render_skills(&[]), "");
    }
}
