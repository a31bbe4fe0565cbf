using System.Globalization;
using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>errno by name: glibc 2.32's strerrorname_np(3).</summary>
public static unsafe partial class ErrnoNames
{
    /// <summary>The name of <paramref name="errno"/>, such as EADDRINUSE; its number where it has none.</summary>
    public static string Name(int errno)
    {
        var name = strerrorname_np(errno);
        return name is null ? errno.ToString(CultureInfo.InvariantCulture) : Marshal.PtrToStringUTF8((nint)name)!;
    }

    [LibraryImport("libc")]
    private static partial byte* strerrorname_np(int errnum);
}
