using System.Runtime.InteropServices;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>Gives the calling thread an ambient capability, as AmbientCapabilities= of systemd gives one to a daemon.</summary>
internal static unsafe partial class Ambient
{
    public static bool Raise(int capability)
    {
        // struct __user_cap_header_struct: version 3, this thread; then two of __user_cap_data_struct.
        var header = stackalloc uint[2] { 0x20080522, 0 };
        var data = stackalloc uint[6];
        if (capget(header, data) != 0)
        {
            return false;
        }

        data[2] |= 1u << capability;
        return capset(header, data) == 0 && prctl(47, 2, capability, 0, 0) == 0;
    }

    [LibraryImport("libc")]
    private static partial int capget(uint* header, uint* data);

    [LibraryImport("libc")]
    private static partial int capset(uint* header, uint* data);

    [LibraryImport("libc")]
    private static partial int prctl(int option, nint a, nint b, nint c, nint d);
}
