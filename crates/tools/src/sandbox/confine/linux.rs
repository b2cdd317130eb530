//! Linux: Landlock for files and signals, seccomp for system calls, limits for everything that can be counted.

use std::{fs::File, os::unix::process::parent_id, path::Path};

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, LandlockStatus, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, Scope, path_beneath_rules,
};
use loci_api::said::Said;
use rustix::{
    io::{FdFlags, fcntl_setfd},
    process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit},
};

use super::{identity, syscalls};
use crate::sandbox::{
    Confinement, ConfinementPart,
    helper::{Memory, Plan},
};

/// What every program needs to read: libraries, certificates, names and time zones. No person's files.
const SYSTEM_READ: &[&str] = &[
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/bin",
    "/sbin",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/locale.alias",
    "/etc/fonts",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/protocols",
    "/etc/services",
    "/run/systemd/resolve/stub-resolv.conf",
    "/run/systemd/resolve/resolv.conf",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/loadavg",
    "/proc/uptime",
    "/proc/version",
    "/proc/filesystems",
    "/proc/sys/vm",
    "/proc/sys/kernel/osrelease",
    "/sys/devices/system/cpu",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];

/// Confines this process for good. An error is a sentence for people; then nothing may be run.
pub(in crate::sandbox) fn confine(plan: &Plan, result: &File) -> Result<Confinement, String> {
    let mut confinement = Confinement { network_granted: plan.network, ..Confinement::default() };
    // A tool is the first to go when memory runs out. Not being able to say so harms nobody.
    let _best_effort = std::fs::write("/proc/self/oom_score_adj", "500");
    close_inherited();
    limit(plan, &mut confinement)?;
    fcntl_setfd(result, FdFlags::empty()).map_err(|error| format!("handing over the result: {error}"))?;
    std::env::set_current_dir(&plan.work_dir)
        .map_err(|error| format!("entering the work folder: {error}"))?;

    identity::leave(plan.limits.processes, &mut confinement)?;
    // After the change of identity, which would undo it.
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| format!("tying to the parent: {error}"))?;
    if parent_id() != plan.parent {
        return Err("the program that wanted the tool has ended".to_owned());
    }

    restrict_files(plan, &mut confinement)?;
    match syscalls::filter(plan.network, confinement.signals_scoped) {
        Ok(()) => {
            confinement.seccomp = true;
            confinement.network_blocked = !plan.network;
        }
        Err(reason) => {
            gap(plan, &mut confinement, format!("system calls and the network are not filtered: {reason}"))?
        }
    }
    Ok(confinement)
}

/// Whatever this program's own parent left open goes no further; only input, output, error and the result do.
fn close_inherited() {
    const FROM: libc::c_uint = 3;
    #[expect(unsafe_code, reason = "there is no safe way to say this of descriptors one does not know")]
    // SAFETY: marking descriptors as closed by exec changes nothing for this program, which owns none of them.
    let marked =
        unsafe { libc::syscall(libc::SYS_close_range, FROM, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    // Linux before 5.11 does not know it; std opens everything so anyway.
    let _best_effort = marked;
}

/// Notes what cannot be enforced, or gives up if that is not allowed.
fn gap(plan: &Plan, confinement: &mut Confinement, sentence: String) -> Result<(), String> {
    if plan.allow_unconfined {
        confinement.gaps.push(sentence);
        Ok(())
    } else {
        Err(format!(
            "the tool was not run, because it could not be confined: {sentence}. Running tools unconfined can \
             be allowed in the settings"
        ))
    }
}

fn limit(plan: &Plan, confinement: &mut Confinement) -> Result<(), String> {
    let limits = &plan.limits;
    let set = |resource, name: &str, soft: u64, hard: u64| {
        // A limit cannot be raised above what this process has itself.
        let have = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let limit = Rlimit { current: Some(soft.min(have)), maximum: Some(hard.min(have)) };
        setrlimit(resource, limit).map_err(|error| format!("limiting {name}: {error}"))
    };
    set(Resource::Core, "core dumps", 0, 0)?;
    set(Resource::Cpu, "processor time", limits.cpu_seconds, limits.cpu_seconds + 5)?;
    set(Resource::Fsize, "the size of files", limits.file_bytes, limits.file_bytes)?;
    set(Resource::Nofile, "open files", limits.open_files, limits.open_files)?;
    confinement.memory_bytes = Some(match limits.memory {
        Memory::AddressSpace(bytes) => {
            set(Resource::As, "memory", bytes, bytes)?;
            bytes
        }
        Memory::Written { granted, most } => {
            set(Resource::Data, "memory", most, most)?;
            granted
        }
    });
    Ok(())
}

fn restrict_files(plan: &Plan, confinement: &mut Confinement) -> Result<(), String> {
    let failed = |error: landlock::RulesetError| format!("confining files: {error}");
    let abi = ABI::V9;
    let read = AccessFs::from_read(abi);
    let write = AccessFs::from_all(abi) & !(AccessFs::MakeChar | AccessFs::MakeBlock);
    let device = AccessFs::ReadFile | AccessFs::WriteFile;
    let system = SYSTEM_READ.iter().map(Path::new);
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(abi)))
        .and_then(|ruleset| ruleset.create())
        .and_then(|ruleset| {
            ruleset.add_rules(path_beneath_rules(system.chain(plan.read.iter().map(AsRef::as_ref)), read))
        })
        .and_then(|ruleset| ruleset.add_rules(path_beneath_rules(&plan.write, write)))
        .and_then(|ruleset| ruleset.add_rules(path_beneath_rules(["/dev/null"], device)))
        .and_then(|ruleset| ruleset.restrict_self())
        .map_err(failed)?;
    if !status.no_new_privs {
        return Err("the kernel refused to give up privileges for good".to_owned());
    }
    match (status.landlock, status.ruleset) {
        (_, RulesetStatus::NotEnforced) => {
            gap(plan, confinement, Said::from(ConfinementPart::NoLandlock).message)
        }
        (LandlockStatus::Available { effective_abi, .. }, _) => {
            confinement.landlock = Some(effective_abi as u32);
            confinement.signals_scoped = effective_abi >= ABI::V6;
            if effective_abi < ABI::V3 {
                confinement.gaps.push(Said::from(ConfinementPart::CanTruncate).message);
            }
            Ok(())
        }
        (LandlockStatus::NotEnabled | LandlockStatus::NotImplemented, _) => {
            Err("the kernel's answer about Landlock makes no sense".to_owned())
        }
    }
}
