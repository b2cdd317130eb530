//! Who the tool is to the kernel: never root, and alone in counting its processes.
//!
//! The limit on processes counts all of a user's processes, and root has none. So a tool started by root
//! becomes a user nobody else is; one started by a person gets a user namespace of its own, in which it is the
//! same person but counted apart.

use std::fs;

use loci_api::said::Said;
use rustix::{
    process::{Resource, Rlimit, getegid, geteuid, getpid, setrlimit},
    thread::{
        CapabilitySet, CapabilitySets, UnshareFlags, configure_capability_in_ambient_set, set_capabilities,
        set_keep_capabilities, set_thread_gid, set_thread_groups, set_thread_uid,
    },
};

use crate::sandbox::{Confinement, ConfinementPart};

/// Far above the ids that systems hand out; the process id is added.
const FIRST_UID: u32 = 0x5000_0000;

pub(super) fn leave(processes: u64, confinement: &mut Confinement) -> Result<(), String> {
    if geteuid().is_root() {
        match leave_root() {
            Ok(()) => limit_processes(processes, confinement),
            Err(reason) => {
                confinement.root = true;
                confinement
                    .gaps
                    .push(Said::from(ConfinementPart::RunsAsRoot { reason: reason.to_string() }).message);
                Ok(())
            }
        }
    } else {
        if let Err(reason) = count_apart() {
            confinement.gaps.push(Said::from(ConfinementPart::ProcessesNotLimited { reason }).message);
            return Ok(());
        }
        limit_processes(processes, confinement)
    }
}

fn limit_processes(processes: u64, confinement: &mut Confinement) -> Result<(), String> {
    let limit = Rlimit { current: Some(processes), maximum: Some(processes) };
    setrlimit(Resource::Nproc, limit).map_err(|error| format!("limiting processes: {error}"))?;
    confinement.processes = Some(processes);
    Ok(())
}

/// Becomes a user of its own. It keeps the one capability of opening root's files, which Landlock narrows to the
/// tool's folders; it owns nothing, so it can change no mode or owner elsewhere.
fn leave_root() -> rustix::io::Result<()> {
    let id = FIRST_UID.wrapping_add(getpid().as_raw_nonzero().get().unsigned_abs());
    set_keep_capabilities(true)?;
    set_thread_groups(&[])?;
    set_thread_gid(rustix::process::Gid::from_raw(id))?;
    set_thread_uid(rustix::process::Uid::from_raw(id))?;
    let kept = CapabilitySet::DAC_OVERRIDE;
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: kept })?;
    configure_capability_in_ambient_set(kept, true)
}

/// Enters a user namespace in which this user is itself.
fn count_apart() -> Result<(), String> {
    let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
    #[expect(unsafe_code, reason = "the helper has one thread, and a user namespace shares no descriptors")]
    // SAFETY: `unshare` is unsafe for CLONE_FILES, which is not asked for.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER) }.map_err(|error| error.to_string())?;
    // Without these it would be nobody inside, which only looks odd; the files' owners stay right either way.
    let _cosmetic = fs::write("/proc/self/setgroups", "deny")
        .and_then(|()| fs::write("/proc/self/uid_map", format!("{uid} {uid} 1")))
        .and_then(|()| fs::write("/proc/self/gid_map", format!("{gid} {gid} 1")));
    Ok(())
}
