//! `cargo xtask run`: from a fresh clone to the open workbench.

use anyhow::Result;

use crate::{shell, system, ui};

/// Opens the window; without a display serves the same UI on a loopback address and prints the link.
pub fn run(args: &[String]) -> Result<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).filter(|arg| *arg != "--").collect();
    let display = cfg!(not(target_os = "linux"))
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()));
    if display {
        system::ensure_build()?;
    }
    ui::ensure_built()?;
    let cargo = shell::cargo();
    if display {
        shell::check(&mut shell::command(
            &cargo,
            ["build", "--package", "loci-desktop", "--package", "loci"],
        ))?;
        shell::become_it(&program("loci-desktop"), args)
    } else {
        eprintln!("No display here, so the workbench is served for a browser instead.");
        shell::check(&mut shell::command(&cargo, ["build", "--package", "loci"]))?;
        shell::become_it(&program("loci"), ["serve", "--ui"].into_iter().chain(args))
    }
}

fn program(name: &str) -> String {
    shell::target_dir().join("debug").join(name).to_string_lossy().into_owned()
}
