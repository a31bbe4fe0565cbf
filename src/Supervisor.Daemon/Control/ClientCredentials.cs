using System.Globalization;
using Microsoft.AspNetCore.Http;
using Supervisor.Core;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>
/// A feature of a connection: the client's process, as the kernel recorded it when it connected (SO_PEERCRED and SO_PEERGROUPS,
/// unix(7)). Nothing that the client does later changes it.
/// </summary>
internal sealed class ClientCredentials
{
    private static readonly ClientCredentials Unknown = new(0, uint.MaxValue, uint.MaxValue, []);

    private readonly int _pid;
    private readonly uint _uid;
    private readonly uint _gid;
    private readonly uint[] _groups;

    private ClientCredentials(int pid, uint uid, uint gid, uint[] groups) => (_pid, _uid, _gid, _groups) = (pid, uid, gid, groups);

    /// <summary>Reads the client of a connection, which the caller keeps. A client that the kernel does not report may do nothing.</summary>
    public static ClientCredentials Of(DescriptorHandle connection) =>
        Sockets.GetPeerCredentials(connection, out var pid, out var uid, out var gid) is null
            ? new ClientCredentials(pid, uid, gid, Sockets.GetPeerGroups(connection))
            : Unknown;

    /// <summary>The client that sent a request.</summary>
    public static ClientCredentials Of(HttpContext context) => context.Features.Get<ClientCredentials>() ?? Unknown;

    /// <summary>Who requests a change. Reads /proc: not on the loop.</summary>
    public static Requester Requester(HttpContext context)
    {
        var client = Of(context);
        return client._pid > 0
            ? new Requester(client._uid, client._pid, ProcFile.Command(client._pid))
            : new Requester(client._uid, null, null);
    }

    /// <summary>The user; null for root and the daemon's user, which may do everything.</summary>
    public uint? Stranger => _uid == 0 || _uid == Processes.EffectiveUid ? null : _uid;

    /// <summary>Whether it is that user, or in that group.</summary>
    public bool Has(uint? uid, uint? gid) => uid == _uid || (gid is { } group && (_gid == group || _groups.Contains(group)));

    /// <summary>Why the client may not make a request, with the remedy; null if it may.</summary>
    /// <param name="isChange">Whether the request can change something.</param>
    /// <param name="group">The group whose members may read.</param>
    public string? Refusal(bool isChange, uint group)
    {
        if (Stranger is null)
        {
            return null;
        }

        if (isChange)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"a change needs root or the daemon's user (uid {Processes.EffectiveUid}), not uid {_uid}: repeat it as one of them (sudo)");
        }

        return _gid == group || _groups.Contains(group) ? null : string.Create(
            CultureInfo.InvariantCulture,
            $"uid {_uid} is not in the group of the control socket (gid {group}): "
            + $"name one of its groups in daemon.control_group, or repeat the request as root");
    }
}
