//! Checks the window's configuration and permissions when the shell is built.

use std::{fs, path::Path, process::ExitCode};

/// `generate_context!` does not compile without a page to embed, so a fresh clone gets one that says what to do.
const PLACEHOLDER: &str = "<!doctype html><meta charset=\"utf-8\"><title>Loci</title>\
    <p>The interface is not built yet. Run <code>npm ci</code> and <code>npm run build</code> in <code>ui/</code>.</p>";

fn main() -> ExitCode {
    // A build script runs in the package's root, which is the repository's.
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    println!("cargo:rerun-if-changed=ui/dist/index.html");
    let page = Path::new("ui/dist/index.html");
    if !page.exists()
        && let Err(error) = fs::create_dir_all("ui/dist").and_then(|()| fs::write(page, PLACEHOLDER))
    {
        eprintln!("could not write the placeholder {}: {error}", page.display());
        return ExitCode::FAILURE;
    }
    let attributes =
        tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*.json");
    match tauri_build::try_build(attributes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
