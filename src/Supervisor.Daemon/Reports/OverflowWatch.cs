using System.Globalization;
using System.Runtime.CompilerServices;
using Serilog;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reports;

/// <summary>
/// Notices connections and datagrams that the kernel drops at a listener: an event and a warning, at most once in
/// <see cref="Interval"/> for each listener. The kernel announces no drop, so the counters are read whenever something happens at the
/// listener or its services, whenever a client looks, and once in <see cref="Interval"/> while a client follows the events; nothing is
/// polled otherwise. What was dropped since the last look is attributed to the shard and to the generation that was in charge then. On
/// the loop.
/// </summary>
internal sealed class OverflowWatch : IDeadline, IDisposable
{
    /// <summary>The time between two reports about a listener.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>How many generations and shards are told apart; drops of further ones count as the first's.</summary>
    private const int MostParts = 256;

    private readonly ConditionalWeakTable<ListenerHandle, Watched> _watched = [];
    private readonly EventLoop _loop;
    private readonly EventLog _events;
    private readonly ILogger _log;
    private readonly Func<IEnumerable<ListenerHandle>> _listeners;
    private readonly Func<ListenerHandle, int?> _generation;
    private int _followers;

    /// <summary>A watch over listeners.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="events">Receives the events.</param>
    /// <param name="log">The log.</param>
    /// <param name="listeners">All listeners.</param>
    /// <param name="generation">The generation that serves a listener now; null without a service.</param>
    public OverflowWatch(
        EventLoop loop, EventLog events, ILogger log, Func<IEnumerable<ListenerHandle>> listeners, Func<ListenerHandle, int?> generation)
    {
        (_loop, _events, _log, _listeners, _generation) = (loop, events, log, listeners, generation);
        loop.Add(this);
    }

    /// <inheritdoc/>
    public TimeSpan? NextDeadline { get; private set; }

    /// <summary>A client begins (1) or stops (-1) to follow the events.</summary>
    public void AddFollowers(int by)
    {
        _followers += by;
        NextDeadline = _followers == 0 ? null : NextDeadline ?? _loop.Now;
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        NextDeadline = _followers == 0 ? null : _loop.Now + Interval;
        foreach (var handle in _listeners())
        {
            Look(handle);
        }
    }

    /// <summary>
    /// How many connections or datagrams the kernel has dropped at the listener's sockets so far; with TCP_DEFER_ACCEPT since this daemon
    /// looks. Null if it does not show that. Reports new ones.
    /// </summary>
    public long? Look(ListenerHandle handle)
    {
        var isNew = !_watched.TryGetValue(handle, out var watched);
        watched?.Last = null;
        if (handle.Descriptor is null)
        {
            return null;
        }

        watched ??= new Watched { Generation = _generation(handle) };
        if (isNew)
        {
            _watched.Add(handle, watched);
        }

        var total = 0L;
        var most = MostNew(handle, watched);
        foreach (var socket in handle.Sockets)
        {
            if (SocketDrops.Counted(socket.Descriptor) is not { } drops)
            {
                return null;
            }

            // What was dropped before this daemon had the socket is not new.
            var seen = watched.Seen.TryGetValue(socket.Inode, out var before) ? before
                : handle.Origin == HandleOrigin.Created ? 0 : drops;
            watched.Seen[socket.Inode] = drops;
            watched.Add(socket.Shard, Math.Clamp(drops - seen, 0, most ?? long.MaxValue));
            total += drops;
        }

        total = most is null ? total : watched.Totals.Values.Sum();
        (watched.Generation, watched.Last) = (_generation(handle), total);
        if (watched.Unreported.Count > 0 && (watched.ReportedAt is not { } last || _loop.Now - last >= Interval))
        {
            Report(handle, watched, total);
        }

        return total;
    }

    /// <summary>
    /// The most drops since the last look: where the counter of the socket has more than drops, those of the namespace. Otherwise null.
    /// </summary>
    private static long? MostNew(ListenerHandle handle, Watched watched)
    {
        if (!handle.Sockets.Any(socket => SocketDrops.IsDeferred(socket.Descriptor)))
        {
            watched.Real = null;
            return null;
        }

        var (before, now) = (watched.Real, SocketDrops.Real(handle.Spec));
        watched.Real = now;
        return Math.Max(0, now - before ?? 0);
    }

    /// <summary>What <see cref="Look"/> has returned last.</summary>
    public long? Last(ListenerHandle handle) => _watched.TryGetValue(handle, out var watched) ? watched.Last : null;

    /// <summary>What was dropped since this daemon watches the listener, by generation and shard.</summary>
    public IReadOnlyList<DropPartDocument> Parts(ListenerHandle handle) => _watched.TryGetValue(handle, out var watched)
        ? [.. watched.Totals.OrderBy(part => part.Key)
            .Select(part => new DropPartDocument(part.Key.Generation, part.Key.Shard, part.Value))]
        : [];

    /// <inheritdoc/>
    public void Dispose() => _loop.Remove(this);

    private void Report(ListenerHandle handle, Watched watched, long total)
    {
        var dropped = watched.Unreported.Values.Sum();
        var (what, remedy) = handle.Spec.Address.Kind.Listens()
            ? (dropped == 1 ? "connection" : "connections", "the accept queue was full: add workers, or raise listen.backlog")
            : (dropped == 1 ? "datagram" : "datagrams", "the receive buffer was full: add workers, or raise buffers.receive");
        var parts = watched.Unreported.Keys.ToArray();
        var where = Where(handle, parts);
        var generation = parts.Select(part => part.Generation).Distinct().Count() == 1 ? parts[0].Generation : null;
        _events.Overflow(
            handle.Name, $"listener {handle.Name}: the kernel dropped {dropped} {what}{where} ({total} in total): {remedy}",
            generation, handle.Sockets.Count > 1 && parts.Select(part => part.Shard).Distinct().Count() == 1 ? parts[0].Shard : null);
        var log = _log.Kind(MessageIds.ListenerOverflow).Listener(handle.Name);
        (generation is { } one ? log.Generation(one) : log).Warning(
            "listener {Listener}: the kernel dropped {Dropped} {What}{Where} ({Total} in total): {Remedy}",
            handle.Name, dropped, what, where, total, remedy);
        watched.Unreported.Clear();
        watched.ReportedAt = _loop.Now;
    }

    /// <summary>Such as ", generation 3, shards 0 and 2".</summary>
    private static string Where(ListenerHandle handle, (int? Generation, int Shard)[] parts)
    {
        const int mostNamed = 8;
        var generations = parts.Select(part => part.Generation).OfType<int>().Distinct().Order().ToArray();
        var shards = parts.Select(part => part.Shard).Distinct().Order().ToArray();
        return List("generation", generations) + (handle.Sockets.Count > 1 ? List("shard", shards) : "");

        static string List(string word, int[] numbers) => numbers.Length == 0 ? ""
            : $", {word}{(numbers.Length == 1 ? "" : "s")} "
                + string.Join(", ", numbers.Take(mostNamed).Select(number => number.ToString(CultureInfo.InvariantCulture)))
                + (numbers.Length > mostNamed ? ", ..." : "");
    }

    /// <summary>What is known of a listener.</summary>
    private sealed class Watched
    {
        /// <summary>The counters at the last look, by inode number.</summary>
        public Dictionary<ulong, long> Seen { get; } = [];

        /// <summary>Drops that were not reported yet.</summary>
        public Dictionary<(int? Generation, int Shard), long> Unreported { get; } = [];

        /// <summary>All drops.</summary>
        public Dictionary<(int? Generation, int Shard), long> Totals { get; } = [];

        /// <summary>All drops at the last look; null if they could not be seen.</summary>
        public long? Last { get; set; }

        /// <summary><see cref="SocketDrops.Real"/> at the last look; null if it was not needed.</summary>
        public long? Real { get; set; }

        /// <summary>The generation that has been in charge since the last look.</summary>
        public int? Generation { get; set; }

        /// <summary>When drops were reported last; null if never.</summary>
        public TimeSpan? ReportedAt { get; set; }

        public void Add(int shard, long drops)
        {
            if (drops == 0)
            {
                return;
            }

            foreach (var parts in (Dictionary<(int? Generation, int Shard), long>[])[Unreported, Totals])
            {
                var key = parts.Count < MostParts || parts.ContainsKey((Generation, shard)) ? (Generation, shard) : parts.Keys.First();
                parts[key] = parts.GetValueOrDefault(key) + drops;
            }
        }
    }
}
