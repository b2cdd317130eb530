//! The desktop program.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    // A tool's helper process is this program again; it confines itself before anything else happens in it.
    loci_server::run_helper_if_asked();
    loci_desktop::run()
}
