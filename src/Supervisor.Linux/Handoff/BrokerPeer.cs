using System.Globalization;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// Who is at the other end of a connection: what the kernel took down when it was made (SO_PEERCRED, unix(7)), whatever
/// the peer says or has become since.
/// </summary>
public sealed class BrokerPeer
{
    private readonly DescriptorHandle _socket;
    private uint[]? _groups;

    private BrokerPeer(DescriptorHandle socket, int pid, uint uid, uint gid)
    {
        _socket = socket;
        Pid = pid;
        Uid = uid;
        Gid = gid;
        IsPrivileged = uid == 0 || uid == Processes.EffectiveUid;
    }

    /// <summary>Its process id; 0 where it is of a process id namespace that is not seen from here.</summary>
    public int Pid { get; }

    /// <summary>Its effective user.</summary>
    public uint Uid { get; }

    /// <summary>Its effective group.</summary>
    public uint Gid { get; }

    /// <summary>Root or the daemon's own user: may take everything, put and drop.</summary>
    public bool IsPrivileged { get; }

    /// <summary>The peer as an actor of a history.</summary>
    public HistoryActor Actor => new(Pid, ProcFile.Command(Pid) ?? "?");

    /// <summary>The peer in words.</summary>
    public string Description => string.Create(CultureInfo.InvariantCulture, $"uid {Uid}");

    /// <summary>Asks the kernel; null where it does not say. The socket stays the caller's.</summary>
    public static BrokerPeer? Of(DescriptorHandle socket) =>
        Sockets.GetPeerCredentials(socket, out var pid, out var uid, out var gid) is null ? new BrokerPeer(socket, pid, uid, gid) : null;

    /// <summary>Whether it is of a group, by its supplementary ones too.</summary>
    public bool IsOf(uint group) => Gid == group || (_groups ??= Sockets.GetPeerGroups(_socket)).Contains(group);

    /// <summary>What the kernel said of the peer's process when it was looked at; null until then, and where it had ended by then.</summary>
    public ProcessLineage? Lineage { get; internal set; }

    /// <summary>The service that the peer belongs to; null where it belongs to none. <paramref name="token"/> is what its request says.</summary>
    public BrokerService? Service(IBrokerTable table, string? token) => Lineage is null ? null : table.ServiceOf(Lineage, token);

    /// <summary>
    /// Reads <see cref="Lineage"/>: a walk that the peer can make long, so never on the loop. A process id can be given to
    /// another process while /proc is read: the pidfd of the connection (SO_PEERPIDFD) tells whether the process that
    /// connected still runs afterwards. Without SO_PEERPIDFD (before Linux 6.5) a pidfd of that id is opened before.
    /// </summary>
    internal ProcessLineage? ReadLineage(DescriptorHandle? pidfd) => Pid <= 0 || pidfd is null ? null : ProcessLook.Read(Pid, pidfd, Uid);

    /// <summary>The pidfd of the process, for <see cref="ReadLineage"/>; the caller owns it.</summary>
    internal DescriptorHandle? OpenPidfd() => Pid <= 0 ? null : Sockets.GetPeerPidfd(_socket) ?? Processes.OpenPidfd(Pid, out _);
}
