//! One program for one data folder: a second start hands over what it was told and ends.

use std::{
    ffi::OsString,
    hash::{DefaultHasher, Hash, Hasher},
};

use tauri::{AppHandle, Wry, plugin::TauriPlugin};

use crate::{arguments::Arguments, backend, display, place, window};

/// What tells Loci with the usual data folder from others; the same as in `tauri.conf.json`.
const NAME: &str = "io.github.loci.workbench";

/// `None` where the system knows only one program of a name, and this one has a data folder of its own.
pub fn only() -> Option<TauriPlugin<Wry>> {
    let own = std::env::var_os(backend::DATA_DIR).filter(|folder| !folder.is_empty()).is_some();
    if own && !cfg!(target_os = "linux") {
        return None;
    }
    let name = if own { of_folder() } else { NAME.to_owned() };
    let builder = tauri_plugin_single_instance::Builder::new()
        .dbus_id(name)
        .callback(|app, arguments, _folder| heard(app, arguments));
    Some(builder.build())
}

fn of_folder() -> String {
    let mut hasher = DefaultHasher::new();
    backend::data_dir().hash(&mut hasher);
    // A part of a D-Bus name begins with a letter.
    format!("{NAME}.Data{:016x}", hasher.finish())
}

/// Somebody started Loci again, with these arguments.
fn heard(app: &AppHandle, arguments: Vec<String>) {
    // The other one noted its start, and has ended.
    display::forget_start();
    let told = Arguments::parse(arguments.into_iter().skip(1).map(OsString::from));
    match told.ok().and_then(|told| told.link) {
        Some(link) => place::follow(app, &link),
        None => window::show(app),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_programs() {
        let config: serde_json::Value =
            serde_json::from_str(include_str!("../../tauri.conf.json")).expect("JSON");
        assert_eq!(config["identifier"], NAME);
    }
}
