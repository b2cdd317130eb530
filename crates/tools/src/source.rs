//! The languages a tool can be written in, and the packages its source asks for.

use loci_api::resource::Requirement;
use serde::{Deserialize, Serialize};

/// The language of a tool's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceType {
    Python,
    Typescript,
}

/// A `source_type` nobody can run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Unknown tool source type '{0}': use 'python' or 'typescript'")]
pub struct UnknownSourceType(pub String);

impl SourceType {
    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Typescript => "typescript",
        }
    }

    /// Reads a `source_type` field. None and `json` (what older exports carry for it) mean Python.
    pub fn parse(text: Option<&str>) -> Result<Self, UnknownSourceType> {
        match text {
            None | Some("python" | "json") => Ok(Self::Python),
            Some("typescript") => Ok(Self::Typescript),
            Some(other) => Err(UnknownSourceType(other.chars().take(80).collect())),
        }
    }
}

/// Why a requirement is refused. `index` is its place in the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequirementError {
    #[error("requirement {index}: the name must have at least 1 character")]
    EmptyName { index: usize },
    #[error(
        "requirement {index}: '{name}' is not a package name; letters, digits, '.', '_' and '-' are \
         allowed, for PyPI also extras in brackets, for npm also a scope such as @scope/name"
    )]
    InvalidName { index: usize, name: String },
    #[error("requirement {index} ({name}): '{version}' is not a version")]
    InvalidVersion { index: usize, name: String, version: String },
}

/// Checks the names and versions of packages, so that none can be read as an option, a path or an address by
/// the installer.
pub fn check_requirements(
    source_type: SourceType,
    requirements: &[Requirement],
) -> Result<(), RequirementError> {
    for (index, requirement) in requirements.iter().enumerate() {
        let name = requirement.name.trim();
        if name.is_empty() {
            return Err(RequirementError::EmptyName { index });
        }
        let valid = match source_type {
            SourceType::Python => is_pip_name(name),
            SourceType::Typescript => is_npm_name(name),
        };
        if !valid || name.len() > 214 {
            return Err(RequirementError::InvalidName { index, name: name.chars().take(80).collect() });
        }
        if let Some(version) = requirement.version.as_deref().map(str::trim).filter(|text| !text.is_empty())
            && !is_version(version)
        {
            return Err(RequirementError::InvalidVersion {
                index,
                name: name.to_owned(),
                version: version.chars().take(80).collect(),
            });
        }
    }
    Ok(())
}

/// The requirement as the installer reads it: `name==1.2` (a version that begins with an operator is taken as
/// it is), `name@1.2` for npm. The list must have passed [`check_requirements`].
#[must_use]
pub fn requirement_spec(source_type: SourceType, requirement: &Requirement) -> String {
    let name = requirement.name.trim();
    let version = requirement.version.as_deref().map(str::trim).filter(|text| !text.is_empty());
    match (source_type, version) {
        (_, None) => name.to_owned(),
        (SourceType::Python, Some(version)) if version.starts_with(['=', '<', '>', '!', '~']) => {
            format!("{name}{version}")
        }
        (SourceType::Python, Some(version)) => format!("{name}=={version}"),
        (SourceType::Typescript, Some(version)) => format!("{name}@{version}"),
    }
}

fn is_name_part(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-'))
}

fn is_pip_name(name: &str) -> bool {
    match name.split_once('[') {
        None => is_name_part(name),
        Some((name, extras)) => {
            is_name_part(name)
                && extras
                    .strip_suffix(']')
                    .is_some_and(|extras| extras.split(',').all(|extra| is_name_part(extra.trim())))
        }
    }
}

fn is_npm_name(name: &str) -> bool {
    match name.strip_prefix('@') {
        None => is_name_part(name),
        Some(scoped) => {
            scoped.split_once('/').is_some_and(|(scope, name)| is_name_part(scope) && is_name_part(name))
        }
    }
}

fn is_version(version: &str) -> bool {
    version.len() <= 100
        && version.chars().any(|char| char.is_ascii_alphanumeric() || char == '*')
        && version.chars().all(|char| {
            char.is_ascii_alphanumeric()
                || matches!(char, '.' | '-' | '+' | '!' | '*' | '~' | '^' | '<' | '>' | '=' | ',' | ' ' | '_')
        })
        && !version.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(name: &str, version: Option<&str>) -> Requirement {
        Requirement { name: name.to_owned(), version: version.map(str::to_owned) }
    }

    #[test]
    fn packages_are_named_as_their_installer_reads_them() {
        for (source_type, name, version, spec) in [
            (SourceType::Python, "requests", None, "requests"),
            (SourceType::Python, "requests", Some("2.31"), "requests==2.31"),
            (SourceType::Python, "requests", Some(">=2,<3"), "requests>=2,<3"),
            (SourceType::Python, "uvicorn[standard]", Some(""), "uvicorn[standard]"),
            (SourceType::Python, "ruamel.yaml", Some("0.18.6"), "ruamel.yaml==0.18.6"),
            (SourceType::Typescript, "@scope/thing", Some("^1.2.0"), "@scope/thing@^1.2.0"),
            (SourceType::Typescript, "zod", Some("3"), "zod@3"),
        ] {
            let one = requirement(name, version);
            assert_eq!(check_requirements(source_type, std::slice::from_ref(&one)), Ok(()), "{name}");
            assert_eq!(requirement_spec(source_type, &one), spec);
        }
    }

    #[test]
    fn what_an_installer_would_take_for_something_else_is_refused() {
        for name in [
            "",
            "  ",
            "-r",
            "--index-url=x",
            "git+https://x",
            "../x",
            "/etc",
            "a b",
            "a;b",
            "$(x)",
            "x @ file:///y",
            "a[",
            "a[b",
            "a[;]",
            "é",
        ] {
            for source_type in [SourceType::Python, SourceType::Typescript] {
                assert!(check_requirements(source_type, &[requirement(name, None)]).is_err(), "{name}");
            }
        }
        for version in ["; rm", "$(x)", "-1", "file:/x", "http://x", "\"1\"", "=="] {
            assert!(
                check_requirements(SourceType::Python, &[requirement("a", Some(version))]).is_err(),
                "{version}"
            );
        }
    }

    #[test]
    fn older_exports_say_json_and_mean_python() {
        assert_eq!(SourceType::parse(None), Ok(SourceType::Python));
        assert_eq!(SourceType::parse(Some("json")), Ok(SourceType::Python));
        assert_eq!(SourceType::parse(Some("typescript")), Ok(SourceType::Typescript));
        assert!(SourceType::parse(Some("ruby")).is_err());
    }
}
