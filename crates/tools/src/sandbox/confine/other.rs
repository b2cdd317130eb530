//! Systems whose walls are not built yet: only the time limit and the clean environment hold, and it is said.

use std::fs::File;

use loci_api::said::Said;

use crate::sandbox::{Confinement, ConfinementPart, helper::Plan};

/// Runs unconfined if that is allowed.
pub(in crate::sandbox) fn confine(plan: &Plan, result: &File) -> Result<Confinement, String> {
    if !plan.allow_unconfined {
        return Err(
            "the tool was not run, because confining tools is available on Linux only. Running tools \
                    unconfined can be allowed in the settings"
                .to_owned(),
        );
    }
    std::env::set_current_dir(&plan.work_dir)
        .map_err(|error| format!("entering the work folder: {error}"))?;
    hand_over(result)?;
    Ok(Confinement {
        network_granted: plan.network,
        gaps: vec![Said::from(ConfinementPart::NotOnThisSystem).message],
        ..Confinement::default()
    })
}

#[cfg(unix)]
fn hand_over(result: &File) -> Result<(), String> {
    rustix::io::fcntl_setfd(result, rustix::io::FdFlags::empty())
        .map_err(|error| format!("handing over the result: {error}"))
}

#[cfg(not(unix))]
fn hand_over(_result: &File) -> Result<(), String> {
    Ok(())
}
