using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>What a process needs to be succeeded by another one.</summary>
internal static unsafe partial class Syscalls
{
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int memfd_create(byte* name, uint flags);

    [LibraryImport("libc", SetLastError = true, EntryPoint = "fcntl")]
    internal static partial int fcntl_int(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int socketpair(int domain, int type, int protocol, int* pair);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ioctl(int descriptor, nuint request, byte* argument);

    [LibraryImport("listend_spawn")]
    internal static partial byte* listend_keeper_image(nuint* length);

    [LibraryImport("listend_spawn")]
    internal static partial byte* listend_launcher_image(nuint* length);

    [LibraryImport("listend_spawn")]
    internal static partial byte* listend_disposer_image(nuint* length);

    [LibraryImport("libc")]
    internal static partial int sigemptyset(byte* set);

    [LibraryImport("libc")]
    internal static partial int sigaddset(byte* set, int signal);
}
