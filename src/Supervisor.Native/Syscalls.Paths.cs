using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>Calls on names in a directory, and on the rights of one thread.</summary>
internal static unsafe partial class Syscalls
{
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int mkdirat(int directory, byte* name, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int unlinkat(int directory, byte* name, int flags);

    [LibraryImport("libc")]
    internal static partial int fstatfs(int fd, long* buffer);
}
