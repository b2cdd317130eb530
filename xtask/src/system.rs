//! System packages: what building and testing needs beyond Rust, Node and Python, installed where that is allowed.

use anyhow::{Result, bail};

use crate::shell;

/// A package and a file it brings, by which we know it is there.
type Package = (&'static str, &'static str);

/// What building the desktop program needs on Debian and its kin.
const BUILD: &[Package] =
    &[("libwebkit2gtk-4.1-dev", "pkgconfig/webkit2gtk-4.1.pc"), ("pkg-config", "bin/pkg-config")];

/// What the installers need besides: the bundler finds the tray's library by its headers. Loci itself is built
/// without them, and starts without the library.
const BUNDLE: &[Package] = &[("libayatana-appindicator3-dev", "pkgconfig/ayatana-appindicator3-0.1.pc")];

/// What the tests need besides.
const TEST: &[Package] = &[
    ("xvfb", "bin/Xvfb"),
    ("webkit2gtk-driver", "bin/WebKitWebDriver"),
    ("dbus", "bin/dbus-run-session"),
    ("gnome-keyring", "bin/gnome-keyring-daemon"),
    ("libayatana-appindicator3-1", "libayatana-appindicator3.so.1"),
    ("xdotool", "bin/xdotool"),
    ("weston", "bin/weston"),
    ("chromium", "bin/chromium"),
    ("chromium-driver", "bin/chromedriver"),
    ("procps", "bin/pgrep"),
    ("fonts-dejavu-core", "share/fonts/truetype/dejavu/DejaVuSans.ttf"),
];

/// Makes sure that what building needs is there.
pub fn ensure_build() -> Result<()> {
    ensure(BUILD)
}

/// Makes sure that what building the installers needs is there.
pub fn ensure_bundle() -> Result<()> {
    ensure(&[BUILD, BUNDLE].concat())
}

/// Makes sure that what building and testing need is there.
pub fn ensure_test() -> Result<()> {
    ensure(&[BUILD, TEST].concat())
}

fn is_there(marker: &str) -> bool {
    let arch = format!("lib/{}-linux-gnu", std::env::consts::ARCH);
    ["/usr", "/usr/local"].iter().any(|prefix| {
        std::path::Path::new(prefix).join(marker).exists()
            || std::path::Path::new(prefix).join(&arch).join(marker).exists()
            || std::path::Path::new(prefix).join("share").join(marker).exists()
    })
}

fn ensure(packages: &[Package]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let missing: Vec<&str> =
        packages.iter().filter(|(_, marker)| !is_there(marker)).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if shell::which("apt-get").is_none() {
        bail!(
            "these packages (by their Debian names) are missing: {}. Install your system's equivalents and run this again.",
            missing.join(" ")
        );
    }
    let root = shell::output(&mut shell::command("id", ["-u"]))? == "0";
    let sudo = !root && shell::command("sudo", ["-n", "true"]).status().is_ok_and(|status| status.success());
    if !root && !sudo {
        bail!(
            "system packages are missing. Install them with\n\n    sudo apt-get install --no-install-recommends {}\n\nand run this again.",
            missing.join(" ")
        );
    }
    let apt = |args: &[&str]| {
        let mut command = if root {
            shell::command("apt-get", args)
        } else {
            shell::command("sudo", [&["-n", "apt-get"], args].concat())
        };
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    shell::check(&mut apt(&["update", "-q"]))?;
    shell::check(
        &mut apt(&[&["install", "-y", "-q", "--no-install-recommends"], missing.as_slice()].concat()),
    )
}
