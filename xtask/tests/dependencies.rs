//! The direction of dependencies between our crates, as docs/ARCHITECTURE.md states it.

use std::{collections::BTreeMap, process::Command};

/// Each crate and the only crates of ours it may use. `dev:` edges are allowed to `loci-testkit` for all.
const ALLOWED: &[(&str, &[&str])] = &[
    ("loci-api", &[]),
    ("loci-engine", &["loci-api"]),
    ("loci-llm", &["loci-api"]),
    ("loci-tools", &["loci-api"]),
    ("loci-store", &["loci-api"]),
    ("loci-server", &["loci-api", "loci-engine", "loci-llm", "loci-store", "loci-tools"]),
    ("loci-workbench", &["loci-api", "loci-llm", "loci-server", "loci-store"]),
    ("loci", &["loci-api", "loci-llm", "loci-server", "loci-store", "loci-workbench"]),
    ("loci-desktop", &["loci-api", "loci-llm", "loci-server", "loci-store", "loci-workbench"]),
    ("loci-testkit", &[]),
    ("xtask", &[]),
];

#[test]
fn dependencies_point_one_way() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let packages = metadata["packages"].as_array().expect("a list");
    let ours: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let Some(may) = allowed.get(name) else {
            wrong.push(format!("{name} is not in the table"));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("a list") {
            let on = dependency["name"].as_str().expect("a name");
            let dev = dependency["kind"] == "dev";
            if ours.contains(&on) && !may.contains(&on) && !(dev && on == "loci-testkit") {
                wrong.push(format!("{name} may not depend on {on}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
