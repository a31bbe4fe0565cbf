using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Workers;
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
    public string Words => string.Create(CultureInfo.InvariantCulture, $"uid {Uid}");

    /// <summary>Asks the kernel; null where it does not say. The socket stays the caller's.</summary>
    public static BrokerPeer? Of(DescriptorHandle socket) =>
        Sockets.GetPeerCredentials(socket, out var pid, out var uid, out var gid) is null ? new BrokerPeer(socket, pid, uid, gid) : null;

    /// <summary>Whether it is of a group, by its supplementary ones too.</summary>
    public bool IsOf(uint group) => Gid == group || (_groups ??= Sockets.GetPeerGroups(_socket)).Contains(group);

    /// <summary>
    /// The service that the peer belongs to; null where it belongs to none, or has ended. A process id can be given to
    /// another process while /proc is read: the pidfd tells whether the one that connected still runs afterwards, so that
    /// what was read was of it. A kernel without SO_PEERPIDFD is asked for a pidfd of that id beforehand.
    /// </summary>
    public BrokerService? Service(IBrokerTable table)
    {
        if (Pid <= 0)
        {
            return null;
        }

        using var pidfd = Sockets.GetPeerPidfd(_socket) ?? Processes.OpenPidfd(Pid, out _);
        if (pidfd is null)
        {
            return null;
        }

        // Signal 0 is sent to nobody and refused where there is nobody; EPERM is an answer of a live one.
        const int noSuchProcess = 3;
        var service = table.ServiceOf(Pid);
        return service is not null && Processes.Signal(pidfd, 0)?.Errno != noSuchProcess ? service : null;
    }
}
