using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// Gives one thread another user's rights on files, and no other rights of that user. It uses raw system calls, which affect
/// only the calling thread; the C library's setgroups() and setresuid() affect all threads (nptl(7)).
/// </summary>
/// <remarks>
/// <para>
/// Only the file system ids (setfsuid(2), setfsgid(2)) and the supplementary groups change. The real, effective and saved ids
/// stay the daemon's. So the user can neither trace the thread, nor read its memory, nor signal it. ptrace_may_access()
/// compares the caller with the target's euid, suid and uid (kernel/ptrace.c). kill_ok_by_cred() compares suid and uid
/// (kernel/signal.c). /proc/PID/task/TID belongs to the euid (fs/proc/base.c, task_dump_owner). None of them uses the fsuid.
/// </para>
/// <para>
/// The thread also drops all capabilities. With SECBIT_NO_SETUID_FIXUP set, a changed fsuid would keep CAP_DAC_OVERRIDE and
/// similar ones. Dropping all of them needs no list of those that matter (capabilities(7)).
/// </para>
/// <para>
/// A change of the fsuid marks the memory, which all threads share, as not dumpable (kernel/cred.c, commit_creds). As shown
/// above nothing depends on that mark, so the initial value is restored. Otherwise a daemon that does not run as root could not
/// read its own files in /proc, and a crash would leave no core.
/// </para>
/// </remarks>
public static unsafe class ThreadRights
{
    private const int PrGetDumpable = 3;
    private const int PrSetDumpable = 4;
    private const uint CapabilityVersion3 = 0x20080522; // linux/capability.h

    private static readonly int WasDumpable = Syscalls.prctl(PrGetDumpable, 0, 0, 0, 0);

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>
    /// Takes these rights for the rest of the thread's life. They cannot be given back, so the thread must exit and must not
    /// serve another user. Null, or the call that failed (EPERM without CAP_SETUID and CAP_SETGID); the thread must exit in
    /// that case too.
    /// </summary>
    public static SystemCallError? Take(uint uid, uint gid, ReadOnlySpan<uint> groups)
    {
        const int notPermitted = 1;
        _ = WasDumpable;
        fixed (uint* list = groups)
        {
            if (Syscalls.syscall(IsArm ? 159 : 116, groups.Length, (nint)list, 0, 0) != 0)
            {
                return SystemCallError.Last("setgroups");
            }
        }

        // Both calls return the previous id and report no failure (setfsuid(2)). An invalid id changes nothing, so it queries
        // the current one.
        var (setFsUid, setFsGid) = IsArm ? (151, 152) : (122, 123);
        Syscalls.syscall(setFsGid, (nint)gid, 0, 0, 0);
        Syscalls.syscall(setFsUid, (nint)uid, 0, 0, 0);
        var isTaken = (uint)Syscalls.syscall(setFsGid, -1, 0, 0, 0) == gid && (uint)Syscalls.syscall(setFsUid, -1, 0, 0, 0) == uid;
        var refused = isTaken ? DropCapabilities() : new SystemCallError("setfsuid", notPermitted);
        if (WasDumpable == 1)
        {
            _ = Syscalls.prctl(PrSetDumpable, 1, 0, 0, 0);
        }

        return refused;
    }

    private static SystemCallError? DropCapabilities()
    {
        // struct __user_cap_header_struct, then two of __user_cap_data_struct: effective, permitted, inheritable.
        var header = stackalloc uint[2] { CapabilityVersion3, 0 };
        var none = stackalloc uint[6];
        new Span<uint>(none, 6).Clear();
        return Syscalls.syscall(IsArm ? 91 : 126, (nint)header, (nint)none, 0, 0) == 0 ? null : SystemCallError.Last("capset");
    }
}
