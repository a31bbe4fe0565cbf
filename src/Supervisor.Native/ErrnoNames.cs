using System.Globalization;
using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>Names of errno values, as glibc 2.32's strerrorname_np(3).</summary>
public static unsafe partial class ErrnoNames
{
    /// <summary>The name of <paramref name="errno"/>, such as EADDRINUSE; the number as text if it has no name.</summary>
    public static string Name(int errno)
    {
        var name = strerrorname_np(errno);
        return name is null ? errno.ToString(CultureInfo.InvariantCulture) : Marshal.PtrToStringUTF8((nint)name)!;
    }

    /// <summary>The number with that <see cref="Name"/>; null if there is none.</summary>
    public static int? Number(string name)
    {
        // include/uapi/asm-generic/errno.h ends at EHWPOISON, 133.
        for (var errno = 1; errno <= 133; errno++)
        {
            if (Name(errno) == name)
            {
                return errno;
            }
        }

        return null;
    }

    [LibraryImport("libc")]
    private static partial byte* strerrorname_np(int errnum);
}
