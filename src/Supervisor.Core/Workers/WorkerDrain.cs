using System.Collections.Immutable;

namespace Supervisor.Core.Workers;

/// <summary>
/// What is known of a worker that leaves: the connections that it has left, and whether it accepts new ones. Pure: looks
/// come in (<see cref="See"/>), with the monotonic time at which they were taken.
/// </summary>
/// <remarks>
/// <para>
/// The age of a connection is a lower bound: the kernel's (<see cref="AcceptedConnection.OpenFor"/>), or the time since it
/// was first seen here, whichever is longer.
/// </para>
/// <para>
/// Whether a worker keeps accepting is judged by two kinds of evidence, none of which a worker that drains as it should can
/// give. What happens within <see cref="Grace"/> of the stop signal counts for nothing: a signal takes its time through a busy
/// program, and what was in accept() may still come out.
/// </para>
/// <list type="bullet">
/// <item>
/// Accepted: a look into all its descriptors, no earlier than <see cref="Grace"/> after the signal, and a later one that finds
/// an accepted socket among them which no look had seen before. Since accept() makes the socket's inode, it was accepted
/// in between. One whose handshake was over before the grace is not counted, though it can only have waited in the queue.
/// </item>
/// <item>
/// Waiting: in two looks one after the other, both later than <see cref="Grace"/>, it was seen to wait on the same listener: a
/// thread blocked in accept(), poll() or select() on it, or the listener, level-triggered, in one of its epoll sets
/// while it has that very descriptor open. An edge-triggered registration proves nothing (.NET leaves it there while it
/// does not accept), nor does one whose descriptor has been closed: the kernel keeps it for as long as anybody has the
/// socket, and the daemon has. At the last look before it is killed once is enough.
/// </item>
/// </list>
/// <para>
/// So a worker whose epoll is edge-triggered is found out by a connection that is still open at the next look, not by one
/// that is answered and closed between two looks.
/// </para>
/// </remarks>
/// <param name="Since">Since when it leaves.</param>
public sealed record WorkerDrain(TimeSpan Since)
{
    /// <summary>How long after its stop signal a worker may still accept without a word about it.</summary>
    public static TimeSpan Grace { get; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// When it was sent its stop signal; null where it drains without being asked to, or the signal is held back
    /// because of what it has to serve.
    /// </summary>
    public TimeSpan? ToldAt { get; init; }

    /// <summary>When all its descriptors were last looked at; null before.</summary>
    public TimeSpan? LookedAt { get; init; }

    /// <summary>The connections that it had at the last look; null before the first, and where it may not be looked into.</summary>
    public IReadOnlyList<AcceptedConnection>? Connections { get; init; }

    /// <summary>By inode number, the latest moment at which a connection can have been opened: of all that were ever seen.</summary>
    public ImmutableDictionary<ulong, TimeSpan> OpenSince { get; init; } = ImmutableDictionary<ulong, TimeSpan>.Empty;

    /// <summary>The listeners on which it was seen to wait when that was last looked at, after the grace.</summary>
    public IReadOnlyList<string> Awaited { get; init; } = [];

    /// <summary>That it keeps accepting; null where it does not, as far as was seen.</summary>
    public KeptAccepting? KeepsAccepting { get; init; }

    /// <summary>How many connections it has left; null where that is not known.</summary>
    public int? Count => Connections?.Count;

    /// <summary>Whether it is worth looking where it waits: it was told long enough ago, and nothing is known against it yet.</summary>
    public bool MayKeepAccepting(TimeSpan now) => KeepsAccepting is null && now - ToldAt >= Grace;

    /// <summary>It was sent its stop signal; a second one changes nothing.</summary>
    public WorkerDrain Told(TimeSpan at) => this with { ToldAt = ToldAt ?? at };

    /// <summary>What is known after that look, which was taken at <paramref name="now"/>.</summary>
    public WorkerDrain See(DrainSample look, TimeSpan now)
    {
        var after = look.Connections is { } connections
            ? See(connections, look.IsPartial, now)
            : this with { Connections = null, LookedAt = null };
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

    /// <summary>How many connections of each listener, by name.</summary>
    public IEnumerable<(string Listener, int Count)> ByListener() => (Connections ?? [])
        .GroupBy(connection => connection.Listener)
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .Select(group => (group.Key, group.Count()));

    /// <summary>For how long the oldest of them has been open at the least; null where there is none.</summary>
    public TimeSpan? OldestFor(TimeSpan now) =>
        Connections is { Count: > 0 } connections ? now - connections.Min(connection => OpenSince[connection.Inode]) : null;

    /// <summary>For how long no data has come or gone on any of them; null where there is none, or that is not known of each.</summary>
    public TimeSpan? SilentFor =>
        Connections is { Count: > 0 } connections && connections.All(connection => connection.SilentFor is not null)
            ? connections.Min(connection => connection.SilentFor) : null;

    private WorkerDrain See(IReadOnlyList<AcceptedConnection> connections, bool isPartial, TimeSpan now)
    {
        var graceEnds = ToldAt + Grace;
        var mayJudge = KeepsAccepting is null && !isPartial && LookedAt >= graceEnds;
        AcceptedConnection? late = null;
        var openSince = OpenSince.ToBuilder();
        foreach (var connection in connections)
        {
            var byKernel = now - (connection.OpenFor ?? TimeSpan.Zero);
            if (!openSince.TryGetValue(connection.Inode, out var known))
            {
                openSince[connection.Inode] = byKernel;
                late ??= mayJudge && byKernel > graceEnds ? connection : null;
            }
            else if (byKernel < known)
            {
                openSince[connection.Inode] = byKernel;
            }
        }

        return this with
        {
            Connections = connections,
            LookedAt = isPartial ? LookedAt : now,
            OpenSince = openSince.ToImmutable(),
            KeepsAccepting =
                KeepsAccepting ?? (late is { } one
                    ? new KeptAccepting(one.Listener, AcceptingEvidence.Accepted, one.Peer, LookedAt!.Value - ToldAt!.Value) : null),
        };
    }
}
