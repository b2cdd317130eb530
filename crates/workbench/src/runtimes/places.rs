//! Where runtimes are looked for: the ports their makers chose, unless the environment says otherwise.

use serde::Serialize;

/// A program that runs models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Ollama,
    Lmstudio,
    LlamaServer,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Ollama, Self::Lmstudio, Self::LlamaServer];

    /// Its name, which its models' handles begin with.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ollama => "ollama",
            Self::Lmstudio => "lmstudio",
            Self::LlamaServer => "llama-server",
        }
    }

    /// As people know it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Ollama => "Ollama",
            Self::Lmstudio => "LM Studio",
            Self::LlamaServer => "llama-server",
        }
    }

    /// Its kind in the catalogue of providers.
    pub(crate) fn provider_type(self) -> &'static str {
        match self {
            Self::Ollama => "ollama",
            Self::Lmstudio => "lmstudio_openai",
            Self::LlamaServer => "llamacpp",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Ollama => 11434,
            Self::Lmstudio => 1234,
            Self::LlamaServer => 8080,
        }
    }
}

/// One place to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub kind: Kind,
    /// Always on loopback.
    pub port: u16,
}

impl Place {
    /// The server's address without a path.
    pub(crate) fn root(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Every place to look at. The default is none: only a desk that a person uses looks around.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(Vec<Place>);

impl Places {
    /// The usual ports; `LOCI_RUNTIMES` changes them (`ollama=11434,llama-server=9090`) or turns looking off (`off`).
    ///
    /// # Errors
    /// A sentence if the variable cannot be understood.
    pub fn from_env(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let Some(text) =
            variable("LOCI_RUNTIMES").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        else {
            return Ok(Self(Kind::ALL.into_iter().map(|kind| Place { kind, port: kind.port() }).collect()));
        };
        if text == "off" {
            return Ok(Self::default());
        }
        let mut places = Vec::new();
        for part in text.split(',') {
            let bad = || {
                format!(
                    "LOCI_RUNTIMES holds `{}`: write `off`, or names and ports such as `ollama=11434,lmstudio=1234,llama-server=8080`",
                    part.chars().take(60).collect::<String>()
                )
            };
            let (name, port) = part.split_once('=').ok_or_else(bad)?;
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name.trim()).ok_or_else(bad)?;
            places.push(Place { kind, port: port.trim().parse().map_err(|_| bad())? });
        }
        Ok(Self(places))
    }

    /// Whether there is nowhere to look.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Place> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn places(text: Option<&str>) -> Result<Vec<(Kind, u16)>, String> {
        let found = Places::from_env(&|_| text.map(str::to_owned))?;
        Ok(found.iter().map(|place| (place.kind, place.port)).collect())
    }

    #[test]
    fn the_environment_may_move_or_forbid_looking() {
        assert_eq!(
            places(None).unwrap(),
            [(Kind::Ollama, 11434), (Kind::Lmstudio, 1234), (Kind::LlamaServer, 8080)]
        );
        assert_eq!(places(Some("off")).unwrap(), []);
        assert_eq!(
            places(Some("ollama=1, llama-server=2")).unwrap(),
            [(Kind::Ollama, 1), (Kind::LlamaServer, 2)]
        );
        for bad in ["on", "ollama", "ollama=x", "ollama=70000", "nothing=1"] {
            assert!(places(Some(bad)).unwrap_err().contains("LOCI_RUNTIMES"), "{bad}");
        }
    }
}
