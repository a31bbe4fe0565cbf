using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// Gives one thread the rights of another user on files, and nothing else of that user: by the raw system calls, which reach
/// only the calling thread (nptl(7): the C library's own setgroups() and setresuid() reach all).
/// </summary>
/// <remarks>
/// <para>
/// Only the file system's ids change (setfsuid(2), setfsgid(2)) and the supplementary groups. The real, effective and saved
/// ids stay the daemon's, so the user can neither trace the thread nor read its memory nor signal it: ptrace_may_access()
/// compares the caller with the target's euid, suid and uid (kernel/ptrace.c), kill_ok_by_cred() with its suid and uid
/// (kernel/signal.c), and /proc/PID/task/TID belongs to its euid (fs/proc/base.c, task_dump_owner). None of them asks for fsuid.
/// </para>
/// <para>
/// All capabilities of the thread are dropped too: file access by another fsuid would keep CAP_DAC_OVERRIDE's like where
/// SECBIT_NO_SETUID_FIXUP is set, and a thread without any needs no list of those that matter (capabilities(7)).
/// </para>
/// <para>
/// A change of fsuid marks the process's memory as not dumpable (kernel/cred.c, commit_creds), the memory that all threads
/// share. As the paragraph above shows nothing depends on that mark, so what was set at the start is set again: without it
/// a daemon that is not root could not read its own files in /proc, and a crash would leave no core.
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
    /// Takes these rights for the rest of the thread's life: there is no way back, so the thread must end and not serve anybody
    /// else. Null, or what was refused (EPERM without CAP_SETUID and CAP_SETGID): then the thread must end as well.
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

        // Neither says whether it did anything: the answer is the id before (setfsuid(2)). An invalid id changes nothing and asks.
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
