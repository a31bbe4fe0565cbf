using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Supervisor.Core;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Daemon.Control;

/// <summary>The process of a client, from the kernel (SO_PEERCRED, unix(7)).</summary>
internal static class ClientCredentials
{
    /// <summary>Whether the client may change anything: root and the daemon's own user may.</summary>
    public static bool MayChange(HttpContext context, out string refusal)
    {
        var (_, uid) = Of(context);
        refusal = $"a change needs root or the daemon's user (uid {Processes.EffectiveUid}), not uid {uid}";
        return uid == 0 || uid == Processes.EffectiveUid;
    }

    /// <summary>Who requests a change. Reads /proc: not on the loop.</summary>
    public static Requester Requester(HttpContext context)
    {
        var (pid, uid) = Of(context);
        return pid > 0 ? new Requester(uid, pid, ProcFile.Command(pid)) : new Requester(uid, null, null);
    }

    private static (int Pid, uint Uid) Of(HttpContext context)
    {
        // struct ucred: pid, uid, gid.
        Span<byte> credentials = stackalloc byte[12];
        var socket = context.Features.Get<IConnectionSocketFeature>()?.Socket;
        return socket is not null && socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, credentials) == credentials.Length
            ? (BitConverter.ToInt32(credentials), BitConverter.ToUInt32(credentials[4..]))
            : (0, uint.MaxValue);
    }
}
