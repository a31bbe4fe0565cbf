using System.Collections.Immutable;

namespace Supervisor.Linux.Workers;

/// <summary>Capabilities by name, in the order of their numbers: linux/capability.h (to Linux 5.9, CAP_CHECKPOINT_RESTORE).</summary>
public static class Capabilities
{
    /// <summary>Name i is capability number i.</summary>
    public static readonly ImmutableArray<string> Names =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
        "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN",
        "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
        "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];

    /// <summary>One bit for each name. The configuration has rejected unknown names.</summary>
    public static ulong Bits(IEnumerable<string> names) =>
        names.Select(name => Names.IndexOf(name, StringComparer.Ordinal))
            .Where(number => number >= 0).Aggregate(0UL, (bits, number) => bits | 1UL << number);
}
