using System.Diagnostics;
using Supervisor.Core.Diagnosis;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Evidence;
using Supervisor.Native;

namespace Supervisor.Linux.Diagnosis;

/// <summary>
/// The sockets that receive what arrives at an address, without a daemon: found by sock_diag, with the processes that have them open as far
/// as this user may see them.
/// </summary>
public static class AddressSubjects
{
    /// <summary>How long processes are searched.</summary>
    private static readonly TimeSpan SearchTime = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A subject for each address at which something receives what is sent to <paramref name="address"/>; the wildcard finds every
    /// socket of its port. On a thread that may wait.
    /// </summary>
    public static IReadOnlyList<ListenerSubject> Find(ListenAddress address)
    {
        var until = Stopwatch.GetTimestamp() + (long)(SearchTime.TotalSeconds * Stopwatch.Frequency);
        var (holders, _) = SocketOwners.Find(
            [.. Sockets(address).Where(socket => socket.Inode != 0 && socket.State == Waits(address.Kind))], [], until);
        return
        [
            .. holders.GroupBy(socket => socket.Address).Select(sockets => new ListenerSubject(
                sockets.Key, address.Kind, Parse(sockets.Key, address),
                [.. sockets.Select((socket, i) => new SocketSubject(socket.Inode, i, IsChosen: true))],
                [.. sockets.SelectMany(socket => socket.Processes).Where(process => !IsHolder(process)).DistinctBy(process => process.Pid)
                    .Select(process => new WorkerSubject(process.Command, null, null, process.Pid, null) { Roots = [process.Pid] })])),
        ];
    }

    /// <summary>Whether a process only holds the socket for others: a listend and its helpers, or systemd.</summary>
    private static bool IsHolder(HolderProcess process) =>
        process.IsSocketUnit || process.Command is "systemd" || process.Command.StartsWith("listend", StringComparison.Ordinal);

    private static BoundState Waits(ListenerKind kind) => kind.Listens() ? BoundState.Listening : BoundState.Bound;

    private static IEnumerable<SocketHolder> Sockets(ListenAddress address) => address.Kind switch
    {
        ListenerKind.Tcp or ListenerKind.Mptcp => Receivers(PortSpace.Tcp, address),
        ListenerKind.Udp => Receivers(PortSpace.Udp, address),
        _ when address.Kind.IsUnix() && address.IsAbstract => UnixSockets.OfName(address),
        _ when address.Kind.IsUnix() => Files.GetStatus(address.Path!, out var file) is null
            ? UnixSockets.OfFile(address, file.Device, file.Inode)
            : [],
        _ => [],
    };

    private static IEnumerable<SocketHolder> Receivers(PortSpace space, ListenAddress address) =>
        InternetSockets.Binders(space, (int)address.Port).Where(socket => Receives(socket, address));

    /// <summary>Whether a socket receives what is sent to an address.</summary>
    private static bool Receives(SocketHolder socket, ListenAddress address) =>
        address.IsWildcard || (socket.Socket is { } bound && (bound.Address.Equals(address.Host)
            || bound.Address.Equals(System.Net.IPAddress.Any) || bound.Address.Equals(System.Net.IPAddress.IPv6Any)));

    private static ListenAddress Parse(string text, ListenAddress otherwise) =>
        ListenAddress.TryParse(text, out var parsed, out _) ? parsed : otherwise;
}
