using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>Network interfaces of this network namespace: if_nametoindex(3), if_indextoname(3).</summary>
public static unsafe partial class Interfaces
{
    /// <summary>The number of the interface with that name; 0 if there is none.</summary>
    public static uint Index(string name) => if_nametoindex(name);

    /// <summary>The name of the interface with that number; null if there is none.</summary>
    public static string? Name(uint index)
    {
        var name = stackalloc byte[16];
        return if_indextoname(index, name) is null ? null : Marshal.PtrToStringUTF8((nint)name);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint if_nametoindex(string name);

    [LibraryImport("libc")]
    private static partial byte* if_indextoname(uint index, byte* name);
}
