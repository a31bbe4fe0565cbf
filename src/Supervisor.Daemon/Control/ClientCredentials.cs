using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Daemon.Control;

/// <summary>The user of a client, from the kernel (SO_PEERCRED, unix(7)).</summary>
internal static class ClientCredentials
{
    /// <summary>Whether the client may change anything: root and the daemon's own user may.</summary>
    public static bool MayChange(HttpContext context, out string refusal)
    {
        // struct ucred: pid, uid, gid.
        Span<byte> credentials = stackalloc byte[12];
        var socket = context.Features.Get<IConnectionSocketFeature>()?.Socket;
        var uid = socket is not null && socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, credentials) == credentials.Length
            ? BitConverter.ToUInt32(credentials[4..])
            : uint.MaxValue;
        refusal = $"a change needs root or the daemon's user (uid {Processes.EffectiveUid}), not uid {uid}";
        return uid == 0 || uid == Processes.EffectiveUid;
    }
}
