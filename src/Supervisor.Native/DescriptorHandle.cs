using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Supervisor.Native;

/// <summary>
/// Owns one file descriptor and closes it once. A descriptor is close-on-exec and wrapped in a handle from its creation; the
/// holder of the handle owns it. Only this project may use <see cref="SafeHandle.DangerousGetHandle"/>.
/// </summary>
public sealed class DescriptorHandle : SafeHandle
{
    /// <summary>Takes over <paramref name="descriptor"/>.</summary>
    public DescriptorHandle(int descriptor)
        : base(-1, ownsHandle: true) => SetHandle(descriptor);

    /// <inheritdoc/>
    public override bool IsInvalid => handle < 0;

    /// <summary>
    /// The descriptor's number, for logs and for children; the handle stays its owner. After closing it is -1, which every call
    /// rejects (EBADF), because the kernel reuses the number for another file.
    /// </summary>
    public int Number => IsClosed ? -1 : (int)handle;

    /// <summary>Moves the descriptor into .NET's socket handle, which owns it from then on. This handle becomes invalid.</summary>
    public SafeSocketHandle IntoSocket()
    {
        var socket = new SafeSocketHandle(handle, ownsHandle: true);
        SetHandleAsInvalid();
        return socket;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Tmds.Linux.LibC.close((int)handle) == 0;
}
