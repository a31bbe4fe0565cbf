using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Supervisor.Core.Workers;

/// <summary>
/// The facts about a draining worker: its remaining connections, and whether it accepts new ones. Pure: samples arrive by
/// <see cref="See(DrainSample, TimeSpan)"/>, with the monotonic time at which they were taken. That takes time in proportion to the
/// connections, which may be very many, so call it off the loop; everything else is computed there.
/// </summary>
/// <remarks>
/// <para>
/// The age of a connection is a lower bound: the kernel's (<see cref="AcceptedConnection.OpenFor"/>), or the time since its
/// first sample, whichever is longer.
/// </para>
/// <para>
/// Two kinds of evidence show that a worker keeps accepting; a worker that drains correctly gives neither. Nothing counts
/// within <see cref="Grace"/> of the stop signal: a busy program handles the signal late, and a running accept() may still
/// return.
/// </para>
/// <list type="bullet">
/// <item>
/// Accepted: a sample of all its descriptors, taken no earlier than <see cref="Grace"/> after the signal, and a later sample
/// with an accepted socket that no earlier sample had. accept() makes the socket's inode, so the worker accepted it in between.
/// A connection whose handshake was over before the grace does not count, although it can only have waited in the queue.
/// </item>
/// <item>
/// Waiting: in two consecutive samples, both later than <see cref="Grace"/>, it waits on the same listener. Either a thread is
/// blocked in accept(), poll() or select() on it. Or the listener is in one of its epoll sets, level-triggered, and it has that
/// very descriptor open. An edge-triggered registration proves nothing: .NET keeps it while it does not accept. A registration
/// of a closed descriptor proves nothing either: the kernel keeps it while any process, such as the daemon, has the socket. In
/// the last sample before the kill, once is enough.
/// </item>
/// </list>
/// <para>
/// So a worker with edge-triggered epoll is detected by a connection that is still open at the next sample. A connection that
/// is answered and closed between two samples does not reveal it.
/// </para>
/// </remarks>
/// <param name="Since">When it began to drain.</param>
public sealed record WorkerDrain(TimeSpan Since)
{
    /// <summary>How long after its stop signal a worker may accept without a report.</summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// When it got its stop signal; null if it drains without one, or the signal is delayed because of what it has to serve.
    /// </summary>
    public TimeSpan? ToldAt { get; init; }

    /// <summary>When all its descriptors were last sampled; null before that.</summary>
    public TimeSpan? LookedAt { get; init; }

    /// <summary>
    /// The connections in the last sample; null before the first, and if the daemon may not read its descriptors.
    /// </summary>
    public IReadOnlyList<AcceptedConnection>? Connections { get; init; }

    /// <summary>The number of connections of each listener, by name.</summary>
    public ImmutableArray<(string Listener, int Count)> ByListener { get; private init; } = [];

    /// <summary>The other ends of the first connections, at most <see cref="DrainWords.MaxPeers"/>.</summary>
    public ImmutableArray<ConnectionPeer> Peers { get; private init; } = [];

    /// <summary>The time without data on all of them; null if there is none, or it is unknown for one.</summary>
    public TimeSpan? SilentFor { get; private init; }

    /// <summary>The latest possible begin of the oldest connection; null if there is none.</summary>
    private TimeSpan? OldestSince { get; init; }

    /// <summary>The latest possible begin of each connection that was ever sampled, by inode number; never changed.</summary>
    private Dictionary<ulong, TimeSpan> OpenSince { get; init; } = [];

    /// <summary>The listeners on which it waited in the last sample of that kind, after the grace.</summary>
    public IReadOnlyList<string> Awaited { get; init; } = [];

    /// <summary>The evidence that it keeps accepting; null if there is none.</summary>
    public KeptAccepting? KeepsAccepting { get; init; }

    /// <summary>How many connections it has; null if unknown.</summary>
    public int? Count => Connections?.Count;

    /// <summary>Whether to sample what it waits for: the grace is over, and there is no evidence yet.</summary>
    public bool MayKeepAccepting(TimeSpan now) => KeepsAccepting is null && now - ToldAt >= Grace;

    /// <summary>Records its stop signal; a second one changes nothing.</summary>
    public WorkerDrain Told(TimeSpan at) => this with { ToldAt = ToldAt ?? at };

    /// <summary>The facts after a sample that was taken at <paramref name="now"/>.</summary>
    public WorkerDrain See(DrainSample look, TimeSpan now)
    {
        var after = look.Connections is { } connections
            ? See(connections, look.IsPartial, now)
            : this with { Connections = null, LookedAt = null, ByListener = [], Peers = [], OldestSince = null, SilentFor = null };
        if (look.Awaited is not { } awaited || !MayKeepAccepting(now))
        {
            return after;
        }

        var again = awaited.FirstOrDefault(name => look.IsLast || Awaited.Contains(name));
        return after with
        {
            Awaited = awaited,
            KeepsAccepting =
                after.KeepsAccepting ?? (again is null ? null
                    : new KeptAccepting(again, AcceptingEvidence.Waiting, null, now - ToldAt!.Value)),
        };
    }

    /// <summary>A lower bound of the age of the oldest connection; null if there is none.</summary>
    public TimeSpan? OldestFor(TimeSpan now) => now - OldestSince;

    private WorkerDrain See(IReadOnlyList<AcceptedConnection> connections, bool isPartial, TimeSpan now)
    {
        var graceEnds = ToldAt + Grace;
        var mayJudge = KeepsAccepting is null && !isPartial && LookedAt >= graceEnds;
        AcceptedConnection? late = null;
        var openSince = new Dictionary<ulong, TimeSpan>(OpenSince);
        var byListener = new Dictionary<string, int>(StringComparer.Ordinal);
        TimeSpan? oldest = null;
        var silent = connections.Count == 0 ? null : connections[0].SilentFor;
        foreach (var connection in connections)
        {
            var since = now - (connection.OpenFor ?? TimeSpan.Zero);
            if (!openSince.TryGetValue(connection.Inode, out var known))
            {
                late ??= mayJudge && since > graceEnds ? connection : null;
            }
            else if (known < since)
            {
                since = known;
            }

            openSince[connection.Inode] = since;
            oldest = oldest < since ? oldest : since;
            silent = connection.SilentFor < silent ? connection.SilentFor : connection.SilentFor is null ? null : silent;
            CollectionsMarshal.GetValueRefOrAddDefault(byListener, connection.Listener, out _)++;
        }

        return this with
        {
            Connections = connections,
            LookedAt = isPartial ? LookedAt : now,
            ByListener = [.. byListener.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => (one.Key, one.Value))],
            Peers = [.. connections.Select(connection => connection.Peer).OfType<ConnectionPeer>().Take(DrainWords.MaxPeers)],
            OldestSince = oldest,
            SilentFor = silent,
            OpenSince = openSince,
            KeepsAccepting =
                KeepsAccepting ?? (late is { } one
                    ? new KeptAccepting(one.Listener, AcceptingEvidence.Accepted, one.Peer, LookedAt!.Value - ToldAt!.Value) : null),
        };
    }
}
