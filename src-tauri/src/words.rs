//! What the shell itself says: menu, tray, notifications. The pages have their own words.

use std::sync::{PoisonError, RwLock};

use tauri::{AppHandle, Manager};

/// The words of one language.
pub struct Words {
    pub new_agent: &'static str,
    pub settings: &'static str,
    pub data_folder: &'static str,
    pub hide: &'static str,
    pub quit: &'static str,
    pub edit: &'static str,
    pub cut: &'static str,
    pub copy: &'static str,
    pub paste: &'static str,
    pub select_all: &'static str,
    pub view: &'static str,
    pub approvals: &'static str,
    pub models: &'static str,
    pub reload: &'static str,
    pub show: &'static str,
    pub nothing_waits: &'static str,
    pub one_waits: &'static str,
    /// `{}` is a number.
    pub some_wait: &'static str,
    /// `{agent}` and `{tool}`.
    pub wants: &'static str,
    pub wants_more: &'static str,
    pub open_to_decide: &'static str,
    pub open_loci: &'static str,
    pub deny: &'static str,
    pub failed: &'static str,
    /// Why a run failed, by the API's `error_type`; what is not here is said in the server's words.
    pub failures: &'static [(&'static str, &'static str)],
    pub finished: &'static str,
    pub open_title: &'static str,
    /// `{host}`.
    pub open_link: &'static str,
    pub open: &'static str,
    pub cancel: &'static str,
    /// `{problem}`, in the words of whatever failed.
    pub no_data: &'static str,
}

pub static ENGLISH: Words = Words {
    new_agent: "New Agent…",
    settings: "Settings",
    data_folder: "Open Data Folder",
    hide: "Close Window",
    quit: "Quit Loci",
    edit: "Edit",
    cut: "Cut",
    copy: "Copy",
    paste: "Paste",
    select_all: "Select All",
    view: "View",
    approvals: "Approvals",
    models: "Models & Connections",
    reload: "Reload",
    show: "Show Loci",
    nothing_waits: "Nothing waits for you",
    one_waits: "1 request waits for you",
    some_wait: "{} requests wait for you",
    wants: "{agent} wants to use {tool}",
    wants_more: "{agent} wants to use {tool} and more",
    open_to_decide: "Open Loci to look at it and decide.",
    open_loci: "Open",
    deny: "Deny",
    failed: "{agent} could not finish",
    failures: &[],
    finished: "{agent} is done",
    open_title: "Open a web page?",
    open_link: "This link leads out of Loci, to\n\n{host}\n\nOpen it in your browser?",
    open: "Open",
    cancel: "Cancel",
    no_data: "Loci cannot open its data.\n\n{problem}",
};

static GERMAN: Words = Words {
    new_agent: "Neuer Agent …",
    settings: "Einstellungen",
    data_folder: "Datenordner öffnen",
    hide: "Fenster schließen",
    quit: "Loci beenden",
    edit: "Bearbeiten",
    cut: "Ausschneiden",
    copy: "Kopieren",
    paste: "Einfügen",
    select_all: "Alles auswählen",
    view: "Ansicht",
    approvals: "Freigaben",
    models: "Modelle & Verbindungen",
    reload: "Neu laden",
    show: "Loci zeigen",
    nothing_waits: "Nichts wartet auf Sie",
    one_waits: "1 Anfrage wartet auf Sie",
    some_wait: "{} Anfragen warten auf Sie",
    wants: "{agent} möchte {tool} verwenden",
    wants_more: "{agent} möchte {tool} und mehr verwenden",
    open_to_decide: "Öffnen Sie Loci, um es anzusehen und zu entscheiden.",
    open_loci: "Öffnen",
    deny: "Ablehnen",
    failed: "{agent} kam nicht zum Ende",
    failures: &[
        ("llm_timeout", "Das Modell hat nicht rechtzeitig geantwortet."),
        ("llm_rate_limit", "Der Anbieter des Modells begrenzt gerade, wie oft er gefragt werden darf."),
        ("llm_authentication", "Der Anbieter des Modells nimmt den Schlüssel nicht an."),
        ("llm_permission_denied", "Der Schlüssel darf dieses Modell nicht verwenden."),
        ("llm_not_found", "Dieses Modell ist dort nicht bekannt."),
        ("llm_insufficient_credits", "Das Guthaben beim Anbieter des Modells ist aufgebraucht."),
        ("budget_exceeded", "Ein Budget ist aufgebraucht."),
        ("llm_bad_request", "Der Anbieter des Modells hat die Anfrage abgelehnt."),
        ("llm_unprocessable_entity", "Der Anbieter des Modells konnte die Anfrage nicht verarbeiten."),
        ("llm_empty_response", "Das Modell hat eine leere Antwort gegeben."),
        ("stream_incomplete", "Die Antwort des Modells brach ab."),
        ("llm_error", "Der Server des Modells hat nicht geliefert."),
        ("internal_error", "In Loci ist etwas fehlgeschlagen."),
    ],
    finished: "{agent} ist fertig",
    open_title: "Webseite öffnen?",
    open_link: "Dieser Link führt aus Loci hinaus, zu\n\n{host}\n\nIm Browser öffnen?",
    open: "Öffnen",
    cancel: "Abbrechen",
    no_data: "Loci kann seine Daten nicht öffnen. Im Wortlaut:\n\n{problem}",
};

/// The language that is spoken: the system's, until the person chooses another.
pub struct Language(RwLock<&'static Words>);

impl Default for Language {
    fn default() -> Self {
        Self(RwLock::new(of_system()))
    }
}

/// The words of the language that is spoken.
pub fn words(app: &AppHandle) -> &'static Words {
    *app.state::<Language>().0.read().unwrap_or_else(PoisonError::into_inner)
}

/// Speaks this language from now on; `None`: the system's. Whether that is another one.
pub fn speak(app: &AppHandle, language: Option<&str>) -> bool {
    let wanted = language.map_or_else(of_system, of);
    let spoken = app.state::<Language>();
    let mut spoken = spoken.0.write().unwrap_or_else(PoisonError::into_inner);
    let before: &Words = std::mem::replace(&mut *spoken, wanted);
    !std::ptr::eq(before, wanted)
}

fn of_system() -> &'static Words {
    let spoken = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    of(spoken.as_deref().unwrap_or_default())
}

/// The words of `de`, `de_DE.UTF-8`, `en`, …; English for all that are not there.
fn of(language: &str) -> &'static Words {
    if language.to_ascii_lowercase().starts_with("de") { &GERMAN } else { &ENGLISH }
}

impl Words {
    /// Why a run failed; `said` are the server's words.
    pub fn failure(&self, error_type: &str, said: &str) -> String {
        let known = self.failures.iter().find(|(kind, _)| *kind == error_type);
        known.map_or(said, |(_, words)| words).to_owned()
    }

    pub fn waiting(&self, count: usize) -> String {
        match count {
            0 => self.nothing_waits.to_owned(),
            1 => self.one_waits.to_owned(),
            some => self.some_wait.replace("{}", &some.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_of_a_model_has_german_words() {
        for (kind, _) in loci_api::chat::ChatErrorKind::templates() {
            assert_ne!(of("de").failure(&kind, "It is down."), "It is down.", "{kind}");
            assert_eq!(of("en").failure(&kind, "It is down."), "It is down.", "{kind}");
        }
        assert_eq!(of("de").failure("of_tomorrow", "It is down."), "It is down.");
    }

    #[test]
    fn numbers_and_languages() {
        assert_eq!(of("en_US.UTF-8").waiting(0), "Nothing waits for you");
        assert_eq!(of("C").waiting(1), "1 request waits for you");
        assert_eq!(of("de_AT.UTF-8").waiting(3), "3 Anfragen warten auf Sie");
    }
}
