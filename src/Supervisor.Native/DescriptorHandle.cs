using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// Owns one file descriptor and closes it, once. A descriptor is close-on-exec and in one of these from birth; whoever
/// holds the handle is its owner. <see cref="SafeHandle.DangerousGetHandle"/> is for calls in this project alone.
/// </summary>
public sealed class DescriptorHandle : SafeHandle
{
    /// <summary>Takes over <paramref name="descriptor"/>.</summary>
    public DescriptorHandle(int descriptor)
        : base(-1, ownsHandle: true) => SetHandle(descriptor);

    /// <inheritdoc/>
    public override bool IsInvalid => handle < 0;

    /// <summary>
    /// The number, for logs and for what a child is given; the handle stays its owner. Once closed it is -1, which every
    /// call refuses (EBADF): the kernel gives the number away again, and a late caller must not act on its new owner's.
    /// </summary>
    public int Number => IsClosed ? -1 : (int)handle;

    /// <summary>The socket as .NET's own library takes it, and owns it from now on: this handle has nothing any more.</summary>
    public SafeSocketHandle IntoSocket()
    {
        var socket = new SafeSocketHandle(handle, ownsHandle: true);
        SetHandleAsInvalid();
        return socket;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Tmds.Linux.LibC.close((int)handle) == 0;
}
