using System.Runtime.CompilerServices;
using Serilog;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reports;

/// <summary>
/// Notices connections and datagrams that the kernel drops at a listener: an event and a warning, at most once in
/// <see cref="Interval"/> for each listener. The kernel announces no drop, so the counter is read whenever something happens at the
/// listener and whenever a client looks; nothing is polled. On the loop.
/// </summary>
internal sealed class OverflowWatch(EventLoop loop, EventLog events, ILogger log)
{
    /// <summary>The time between two reports about a listener.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly ConditionalWeakTable<ListenerHandle, Reported> _reported = [];

    /// <summary>
    /// How many connections or datagrams the kernel has dropped at the listener's sockets so far; null if it does not show that. Reports
    /// new ones.
    /// </summary>
    public long? Look(ListenerHandle handle)
    {
        _ = _reported.TryGetValue(handle, out var reported);
        if (handle.Descriptor is null || SocketDrops.Read(handle) is not { } total)
        {
            reported?.Last = null;
            return null;
        }

        if (reported is null)
        {
            // What was dropped before this daemon had the socket is not new.
            reported = new Reported { Total = handle.Origin == HandleOrigin.Created ? 0 : total };
            _reported.Add(handle, reported);
        }

        reported.Last = total;

        // The counters of a shard go away with it.
        reported.Total = Math.Min(reported.Total, total);
        if (total > reported.Total && (reported.At is not { } last || loop.Now - last >= Interval))
        {
            Report(handle, total - reported.Total, total);
            (reported.Total, reported.At) = (total, loop.Now);
        }

        return total;
    }

    /// <summary>What <see cref="Look"/> has returned last.</summary>
    public long? Last(ListenerHandle handle) => _reported.TryGetValue(handle, out var reported) ? reported.Last : null;

    private void Report(ListenerHandle handle, long dropped, long total)
    {
        var (what, remedy) = handle.Spec.Address.Kind.Listens()
            ? (dropped == 1 ? "connection" : "connections", "the accept queue was full: add workers, or raise listen.backlog")
            : (dropped == 1 ? "datagram" : "datagrams", "the receive buffer was full: add workers, or raise buffers.receive");
        events.Overflow(handle.Name, $"listener {handle.Name}: the kernel dropped {dropped} {what} ({total} in total): {remedy}");
        log.Kind(MessageIds.ListenerOverflow).Listener(handle.Name).Warning(
            "listener {Listener}: the kernel dropped {Dropped} {What} ({Total} in total): {Remedy}",
            handle.Name, dropped, what, total, remedy);
    }

    /// <summary>What was reported about a listener.</summary>
    private sealed class Reported
    {
        /// <summary>All drops at the last look; null if they could not be seen.</summary>
        public long? Last { get; set; }

        /// <summary>The drops that were reported.</summary>
        public long Total { get; set; }

        /// <summary>When; null if never.</summary>
        public TimeSpan? At { get; set; }
    }
}
