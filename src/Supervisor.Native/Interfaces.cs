using System.Runtime.InteropServices;
using System.Text;

namespace Supervisor.Native;

/// <summary>Network interfaces: if_nametoindex(3), if_indextoname(3).</summary>
public static unsafe partial class Interfaces
{
    /// <summary>IFNAMSIZ and sizeof(struct ifreq), linux/if.h: a name, then a union that begins with the number.</summary>
    private const int NameBytes = 16;
    private const int RequestBytes = 40;

    /// <summary>linux/sockios.h.</summary>
    private const nuint NameOfIndex = 0x8910;
    private const nuint IndexOfName = 0x8933;

    /// <summary>The number of the interface with that name; 0 if there is none.</summary>
    public static uint Index(string name) => if_nametoindex(name);

    /// <summary>The name of the interface with that number; null if there is none.</summary>
    public static string? Name(uint index)
    {
        var name = stackalloc byte[16];
        return if_indextoname(index, name) is null ? null : Marshal.PtrToStringUTF8((nint)name);
    }

    /// <summary>
    /// The number of the interface with that name in the network namespace of a socket; 0 if there is none: SIOCGIFINDEX, netdevice(7).
    /// </summary>
    public static uint Index(DescriptorHandle socket, string name)
    {
        var request = stackalloc byte[RequestBytes];
        new Span<byte>(request, RequestBytes).Clear();
        if (Encoding.UTF8.GetByteCount(name) >= NameBytes)
        {
            return 0;
        }

        Encoding.UTF8.GetBytes(name, new Span<byte>(request, NameBytes));
        return Syscalls.ioctl(socket.Number, IndexOfName, request) == 0 ? *(uint*)(request + NameBytes) : 0;
    }

    /// <summary>
    /// The name of the interface with that number in the network namespace of a socket; null if there is none: SIOCGIFNAME.
    /// </summary>
    public static string? Name(DescriptorHandle socket, uint index)
    {
        var request = stackalloc byte[RequestBytes];
        new Span<byte>(request, RequestBytes).Clear();
        *(uint*)(request + NameBytes) = index;
        return Syscalls.ioctl(socket.Number, NameOfIndex, request) == 0 ? Marshal.PtrToStringUTF8((nint)request) : null;
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint if_nametoindex(string name);

    [LibraryImport("libc")]
    private static partial byte* if_indextoname(uint index, byte* name);
}
