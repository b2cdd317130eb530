//! The filter on system calls: what a computation never needs is refused.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition as Condition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// Refused with "operation not permitted": looking into other processes, changing the system, kernel keys, and
/// leaving the process group, by which a tool is stopped as a whole.
const REFUSED: &[i64] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    libc::SYS_perf_event_open,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_vhangup,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
];

/// Answered with "no such system call", so that libraries fall back to the older way, which can be inspected.
const UNKNOWN: &[i64] =
    &[libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// Changing modes is done to no effect: Landlock does not govern it, and a tool has no need to lock a person out
/// of files it can see. Copying and unpacking files go on as usual.
const WITHOUT_EFFECT: &[i64] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    SYS_FCHMODAT2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
];
const SYS_FCHMODAT2: i64 = 452;

/// The flags of `clone` that make namespaces.
const NAMESPACES: [u64; 7] =
    [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];

/// On x86-64 each call has a second number, of the x32 form.
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Applies the filters to this thread, for good. With `signals_scoped` false, signals to others are refused
/// here, for want of a better place.
pub(super) fn filter(network: bool, signals_scoped: bool) -> Result<(), String> {
    // Each later one is checked in the earlier ones' absence, and the kernel takes the strictest answer.
    apply(always(WITHOUT_EFFECT), SeccompAction::Errno(0))?;
    apply(always(UNKNOWN), errno(libc::ENOSYS))?;
    let rules = refused(network, signals_scoped).map_err(|error| error.to_string())?;
    apply(rules, errno(libc::EPERM))
}

fn errno(number: i32) -> SeccompAction {
    SeccompAction::Errno(number.unsigned_abs())
}

fn always(calls: &[i64]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

fn refused(network: bool, signals_scoped: bool) -> Result<Rules, seccompiler::BackendError> {
    let mut rules = always(REFUSED);
    let argument = |index, op, value| Condition::new(index, Len::Dword, op, value);
    let families = [libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    let socket = if network {
        // Never a Unix socket: behind those are the desktop's keyring, containers and agents.
        let other = families.iter().map(|family| argument(0, Op::Ne, family.unsigned_abs().into()));
        vec![SeccompRule::new(other.collect::<Result<_, _>>()?)?]
    } else {
        Vec::new()
    };
    rules.insert(libc::SYS_socket, socket);
    let namespaces = NAMESPACES
        .iter()
        .map(|flag| SeccompRule::new(vec![Condition::new(0, Len::Qword, Op::MaskedEq(*flag), *flag)?]));
    rules.insert(libc::SYS_clone, namespaces.collect::<Result<_, _>>()?);
    // Its own limits only.
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![argument(0, Op::Ne, 0)?])?]);
    if !signals_scoped {
        for call in [libc::SYS_kill, libc::SYS_tkill, libc::SYS_pidfd_send_signal, libc::SYS_rt_sigqueueinfo]
        {
            rules.insert(call, Vec::new());
        }
    }
    Ok(rules)
}

fn apply(rules: Rules, action: SeccompAction) -> Result<(), String> {
    #[cfg(target_arch = "x86_64")]
    let rules: Rules =
        rules.into_iter().flat_map(|(call, rule)| [(call, rule.clone()), (call | X32, rule)]).collect();
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    let program: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, action, arch)
        .and_then(BpfProgram::try_from)
        .map_err(|error| error.to_string())?;
    apply_filter(&program).map_err(|error| error.to_string())
}
