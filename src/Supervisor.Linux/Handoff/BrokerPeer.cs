using System.Globalization;
using Supervisor.Core;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Workers;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// The process at the other end of a connection, as the kernel recorded it at connect time (SO_PEERCRED, unix(7)). Nothing that
/// the peer sends or does later changes it.
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

    /// <summary>Its process id; 0 if it belongs to a process id namespace that is not visible here.</summary>
    public int Pid { get; }

    /// <summary>Its effective user.</summary>
    public uint Uid { get; }

    /// <summary>Its effective group.</summary>
    public uint Gid { get; }

    /// <summary>Root or the daemon's own user: may take everything, put and drop.</summary>
    public bool IsPrivileged { get; }

    /// <summary>The peer as an actor of a history.</summary>
    public HistoryActor Actor => new(Pid, ProcFile.Command(Pid) ?? "?");

    /// <summary>The peer as one who requests a change.</summary>
    public Requester Requester => Pid > 0 ? new Requester(Uid, Pid, ProcFile.Command(Pid)) : new Requester(Uid, null, null);

    /// <summary>The peer in words.</summary>
    public string Description => string.Create(CultureInfo.InvariantCulture, $"uid {Uid}");

    /// <summary>Reads the peer's credentials; null if the kernel does not report them. The caller keeps the socket.</summary>
    public static BrokerPeer? Of(DescriptorHandle socket) =>
        Sockets.GetPeerCredentials(socket, out var pid, out var uid, out var gid) is null ? new BrokerPeer(socket, pid, uid, gid) : null;

    /// <summary>Whether a group is the peer's effective or a supplementary group.</summary>
    public bool IsOf(uint group) => Gid == group || (_groups ??= Sockets.GetPeerGroups(_socket)).Contains(group);

    /// <summary>The identity and ancestors of the peer's process; null until they are read, and if it had exited by then.</summary>
    public ProcessLineage? Lineage { get; internal set; }

    /// <summary>The peer's service; null if there is none. <paramref name="token"/> comes from its request.</summary>
    public BrokerService? Service(IBrokerTable table, string? token) => Lineage is null ? null : table.ServiceOf(Lineage, token);

    /// <summary>
    /// Reads <see cref="Lineage"/>. The peer can make this walk slow: never on the loop. The id may be reused while /proc is
    /// read, so the connection's pidfd (SO_PEERPIDFD) must show that the process still runs afterwards. Without SO_PEERPIDFD
    /// (before Linux 6.5) a pidfd of that id is opened before.
    /// </summary>
    internal ProcessLineage? ReadLineage(DescriptorHandle? pidfd) => Pid <= 0 || pidfd is null ? null : LineageReader.Read(Pid, pidfd, Uid);

    /// <summary>The pidfd of the process, for <see cref="ReadLineage"/>; the caller owns it.</summary>
    internal DescriptorHandle? OpenPidfd() => Pid <= 0 ? null : Sockets.GetPeerPidfd(_socket) ?? Processes.OpenPidfd(Pid, out _);
}
