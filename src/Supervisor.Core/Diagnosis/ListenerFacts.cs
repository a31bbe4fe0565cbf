namespace Supervisor.Core.Diagnosis;

/// <summary>What two looks at one listener say together. Pure.</summary>
public sealed class ListenerFacts
{
    private readonly HashSet<ulong> _acceptedBefore;
    private readonly Dictionary<ulong, ConnectionSample> _before;

    /// <summary>The facts about a listener.</summary>
    /// <param name="listener">The listener.</param>
    /// <param name="first">The first look.</param>
    /// <param name="second">The second look.</param>
    /// <param name="between">Samples of the sockets in between, oldest first.</param>
    public ListenerFacts(
        ListenerSubject listener, KernelLook first, KernelLook second, IReadOnlyList<IReadOnlyDictionary<ulong, SocketSample>> between)
    {
        (Listener, First, Second) = (listener, first, second);
        IReadOnlyList<IReadOnlyDictionary<ulong, SocketSample>> all = [first.Sockets, .. between, second.Sockets];
        Sockets =
        [
            .. listener.Sockets.Select(socket => new SocketProgress(
                    socket, Real([.. all.Where(look => look.ContainsKey(socket.Inode)).Select(look => look[socket.Inode])])))
                .Where(progress => progress.Samples.Count > 0),
        ];
        Connections = second.Of(listener);
        var before = first.Of(listener);
        _before = new Dictionary<ulong, ConnectionSample>(before.Count);
        _acceptedBefore = new HashSet<ulong>(before.Count);
        foreach (var connection in before)
        {
            _before.TryAdd(connection.Cookie, connection);
            if (!connection.IsWaiting)
            {
                _acceptedBefore.Add(connection.Cookie);
            }
        }

        Waiting = [.. Connections.Where(connection => connection.IsWaiting)];
        var waitsStill = Waiting.Select(connection => connection.Cookie).ToHashSet();
        LeftQueue = before.Count(connection => connection.IsWaiting && !waitsStill.Contains(connection.Cookie));
        Workers = [.. listener.Workers.Select(worker => new WorkerProgress(this, worker))];
    }

    /// <summary>The listener.</summary>
    public ListenerSubject Listener { get; }

    /// <summary>The first look.</summary>
    public KernelLook First { get; }

    /// <summary>The second look.</summary>
    public KernelLook Second { get; }

    /// <summary>The time between them.</summary>
    public TimeSpan Interval => Second.At - First.At;

    /// <summary>The sockets that the kernel showed.</summary>
    public IReadOnlyList<SocketProgress> Sockets { get; }

    /// <summary>Its connections at the second look.</summary>
    public IReadOnlyList<ConnectionSample> Connections { get; }

    /// <summary>Those of them that no process has accepted.</summary>
    public IReadOnlyList<ConnectionSample> Waiting { get; }

    /// <summary>How many connections that waited at the first look do not wait any more.</summary>
    public int LeftQueue { get; }

    /// <summary>Its workers.</summary>
    public IReadOnlyList<WorkerProgress> Workers { get; }

    /// <summary>How long the oldest connection has waited in the accept queue; null if that is unknown or none waits.</summary>
    public TimeSpan? LongestWait => Waiting.Max(connection => connection.OpenFor);

    /// <summary>Handshakes in progress.</summary>
    public int HalfOpen => Second.HalfOpen.GetValueOrDefault(Listener.Name);

    /// <summary>
    /// How many handshakes may be in progress before the kernel drops or sends cookies; null if unknown. It is the backlog
    /// (inet_csk_reqsk_queue_is_full), and without cookies three quarters of net.ipv4.tcp_max_syn_backlog for unknown clients
    /// (tcp_conn_request in net/ipv4/tcp_input.c).
    /// </summary>
    public long? HalfOpenLimit
    {
        get
        {
            var backlog = Sockets.Sum(socket => socket.Now.Limit);
            var unknown = Second.Host is { SynCookies: 0, MaxSynBacklog: { } most } ? most * 3 / 4 : long.MaxValue;
            return backlog == 0 ? null : Math.Min(backlog, unknown);
        }
    }

    /// <summary>
    /// The samples without what the kernel only held back: at most as many drops as in the whole network namespace (ListenDrops).
    /// </summary>
    private SocketSample[] Real(SocketSample[] samples)
    {
        if (!Listener.IsDeferred || samples is not [{ Drops: { } counted }, ..])
        {
            return samples;
        }

        var first = First.Host.ListenDrops;
        return
        [
            .. samples.Select(sample => sample with
            {
                Drops = Math.Min(counted, first ?? 0) + Math.Min(sample.Drops - counted ?? 0, Second.Host.ListenDrops - first ?? 0),
            }),
        ];
    }

    /// <summary>All that the kernel has dropped at the sockets; null if unknown.</summary>
    public long? DropsTotal => Sockets.Count == 0 || Sockets.Any(socket => socket.Now.Drops is null)
        ? null
        : Sockets.Sum(socket => socket.Now.Drops);

    /// <summary>What it dropped between the looks.</summary>
    public long Dropped => Sockets.Sum(socket => socket.Dropped ?? 0);

    /// <summary>What a count between the looks is in one second.</summary>
    public double PerSecond(double count) => Interval <= TimeSpan.Zero ? 0 : Math.Round(count / Interval.TotalSeconds, 1);

    /// <summary>The same connection at the first look; null if it is new.</summary>
    public ConnectionSample? Before(ConnectionSample connection) => _before.GetValueOrDefault(connection.Cookie);

    /// <summary>Whether a process accepted it between the looks.</summary>
    public bool IsNewlyAccepted(ConnectionSample connection) => !connection.IsWaiting && !_acceptedBefore.Contains(connection.Cookie);
}
