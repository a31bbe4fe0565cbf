using Serilog;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Carries out a <see cref="ListenerPlan"/>: makes the calls in their order, reads each value back, and writes every call
/// into the handle's history, the refused ones too. A refusal ends the attempt only where it decides who owns the
/// address (or is socket, bind or listen itself).
/// </summary>
public sealed partial class ListenerFactory
{
    private readonly TimeProvider _time;
    private ulong _limit;
    private readonly ListenerLog _log;
    private readonly Action<ListenerHandle, HistoryFact> _recorded;
    private readonly HistoryFacts _facts = new();

    /// <summary>The last plan: most of the next listeners are made likewise.</summary>
    private ListenerPlan? _plan;

    /// <summary>What the history says of the last socket that was made: most of the next ones are made likewise.</summary>
    private (CreateStep Step, string Note)? _created;

    private readonly HistoryActor _self = new(Processes.CurrentPid, "listend");

    /// <summary>A factory that stamps histories with <paramref name="time"/> and logs to <paramref name="log"/>.</summary>
    public ListenerFactory(TimeProvider time, ILogger log)
    {
        _time = time;
        Evidence = new EvidenceBudget(time, EvidenceBudget.AtStart);
        _log = new ListenerLog(log, time);
        _recorded = _log.Entry;
    }

    /// <summary>An empty handle whose history goes to the log.</summary>
    internal ListenerHandle Prepare(ListenerSpec spec)
    {
        var handle = new ListenerHandle(spec, _time, _facts);
        handle.Recorded += _recorded;
        return handle;
    }

    /// <summary>How long may be waited for why an address is refused.</summary>
    public EvidenceBudget Evidence { get; }

    /// <summary>Keeps log lines in bounds that holders of a socket cause: one of a listener and option in a minute. Null: all are written.</summary>
    public LogLimit? Limit
    {
        init => _log.Limit = value;
    }

    /// <summary>Who counts as a predecessor of a listener's services, when its address is taken.</summary>
    public Func<ListenerSpec, LeftoverHolders> PredecessorsOf { get; init; } = static _ => LeftoverHolders.OfAnyService;

    /// <summary>To be called before so many listeners are made one after the other, and disposed of after: no collection comes in between, and there is room for their descriptors.</summary>
    public static CollectionPause MakeMany(int listeners)
    {
        const int many = 2048;
        if (listeners >= many)
        {
            // Whoever grows the table is made to wait; the first listeners have room in it as it is.
            new Thread(static count => Files.GrowTable((int)count!)) { IsBackground = true, Name = "table" }.Start(listeners);
        }

        // A handle with its history takes a third of it; the rest is the plan, and the event for the log.
        const int bytesEach = 3 * 1024;
        return CollectionPause.For(listeners, bytesEach);
    }

    /// <summary>Makes the listener. The handle that comes back has a socket or a <see cref="ListenerHandle.Failure"/>.</summary>
    public ListenerHandle Create(ListenerSpec spec)
    {
        var handle = Prepare(spec);
        Make(handle);
        if (handle.Failure is null)
        {
            _log.Made(handle);
        }
        else
        {
            _log.Failed(handle);
        }

        return handle;
    }

    /// <summary>
    /// Tries again where <see cref="Create"/> failed; the history goes on. True where the handle has its socket now, else
    /// <see cref="ListenerHandle.Diagnosis"/> is the new one.
    /// </summary>
    public bool Retry(ListenerHandle handle)
    {
        var before = handle.Diagnosis;
        Make(handle);
        if (handle.Failure is null)
        {
            _log.Made(handle);
        }
        else if (handle.Diagnosis?.Cause != before?.Cause)
        {
            _log.Failed(handle);
        }

        return handle.Failure is null;
    }

    /// <summary>
    /// Makes the socket, or says why not. A holder may go between the refusal and the look at it; where that can have
    /// happened the kernel is asked again, since nothing would announce it a second time.
    /// </summary>
    private void Make(ListenerHandle handle)
    {
        const int mostAttempts = 3;
        for (var attempt = 1; attempt <= mostAttempts; attempt++)
        {
            MakeOnce(handle);
            if (handle.Diagnosis is not { } diagnosis || !BindDiagnostics.IsFleeting(diagnosis))
            {
                return;
            }
        }
    }

    private void MakeOnce(ListenerHandle handle)
    {
        var spec = handle.Settled is { } address ? handle.Spec with { Address = address } : handle.Spec;
        foreach (var domain in ListenerPlan.Domains(spec.Address))
        {
            handle.Failure = Attempt(handle, _plan = ListenerPlan.For(spec, domain, _plan));
            handle.Diagnosis = null;
            if (handle.Failure is null)
            {
                return;
            }

            RemovePath(handle);
            Abandon(handle);

            // "*" goes on to IPv4 only where this host or namespace has no IPv6; any other refusal is the answer.
            if (handle.Spec.Bind.IPv6Only || handle.Failure.Errno is not (EAFNOSUPPORT or EADDRNOTAVAIL))
            {
                break;
            }
        }

        handle.Diagnosis = BindDiagnostics.Explain(handle.Failure!, spec, handle.Domain, PredecessorsOf(handle.Spec), Evidence);
    }

    /// <summary>
    /// Makes a listener anew whose socket was shut down, on the address that it had: a port that the kernel chose is asked
    /// for by its number, since the socket has lost it (net/ipv4/tcp.c, tcp_set_state) and listen() alone would move the
    /// listener to another one. Where the address cannot be bound a second time while workers hold the old socket, that one
    /// is bound and set to listen again. False where neither can be done: the handle then has a
    /// <see cref="ListenerHandle.Failure"/> and no socket.
    /// </summary>
    public bool Remake(ListenerHandle handle)
    {
        using var old = Files.Duplicate(handle.Descriptor!, out _);
        handle.Settled = handle.Effective;
        RemovePath(handle);
        handle.History.Add(HandlePhase.Close, "close", actor: _self, note: "the socket that was shut down; workers keep theirs");
        handle.Reset();
        Make(handle);
        if (handle.Failure is not null && old is not null && handle.Settled is { } address && Sockaddr.Encode(address) is { } raw)
        {
            Sockets.Bind(old, raw);
            if (Sockets.Listen(old, handle.Spec.Listen.Backlog) is null && SocketIdentity.Read(old)?.Address == address
                && Files.Duplicate(old, out _) is { } revived)
            {
                handle.Descriptor = revived;
                handle.Failure = Verify(handle);
                handle.Diagnosis = null;
            }
        }

        if (handle.Failure is null)
        {
            _log.Made(handle);
        }
        else
        {
            _log.Failed(handle);
        }

        return handle.Failure is null;
    }

    /// <summary>Closes the daemon's descriptor. With <paramref name="removePath"/> the socket file goes too, if it is still the one that bind() made.</summary>
    public void Close(ListenerHandle handle, bool removePath)
    {
        if (handle.Descriptor is null)
        {
            return;
        }

        if (removePath)
        {
            RemovePath(handle);
        }

        handle.History.Add(HandlePhase.Close, "close", actor: _self, note: "the daemon's descriptor; workers keep theirs");
        handle.Dispose();
        handle.Descriptor = null;
    }

    /// <summary>Closes the socket of an attempt that failed.</summary>
    private void Abandon(ListenerHandle handle)
    {
        if (handle.Descriptor is not null)
        {
            handle.History.Add(HandlePhase.Close, "close", actor: _self, note: "this attempt ends here");
        }

        handle.Reset();
    }

    /// <summary>
    /// Removes the socket file that bind() made, if it still is that one. The descriptor must be open yet: it keeps the
    /// file's inode number from being given to another file (net/unix/af_unix.c holds the path until the last close).
    /// </summary>
    private void RemovePath(ListenerHandle handle)
    {
        if (handle.PathIdentity is { } identity && handle.Spec.Address.Path is { } path
            && SocketPlace.Open(path, out _, out _) is { } opened)
        {
            using var place = opened;
            if (place.Identity() != identity)
            {
                handle.PathIdentity = null;
                return;
            }

            var error = place.Unlink();
            handle.History.Add(HandlePhase.Close, "unlinkat", errno: error?.Name, verdict: error is null ? Verdict.Exact : Verdict.Refused, actor: _self, note: path);
        }

        handle.PathIdentity = null;
    }

    private SystemCallFailure? Attempt(ListenerHandle handle, ListenerPlan plan)
    {
        handle.Domain = plan.Domain;
        if (plan.Spec.Shards > 1)
        {
            return MakeShards(handle, plan, 0, plan.Spec.Shards);
        }

        foreach (var step in plan.Steps)
        {
            if (Perform(handle, plan, step) is { } failure)
            {
                return failure;
            }
        }

        return Verify(handle);
    }

    /// <summary>
    /// Makes shards: all are bound before the first one listens, since from then on it has its share of the connections;
    /// where the kernel chooses the port, it does so for the first one, and the others are bound to the same.
    /// </summary>
    private SystemCallFailure? MakeShards(ListenerHandle handle, ListenerPlan plan, int from, int to, string? occasion = null)
    {
        try
        {
            if (from == 0)
            {
                handle.Group = new ReusePortGroup();
            }

            for (var shard = from; shard < to; shard++)
            {
                handle.WorkAt(shard, isOneOfSeveral: true);
                var one = shard == 0 ? plan : ListenerPlan.For(plan.Spec with { Address = handle.Effective! }, plan.Domain);
                foreach (var step in one.Steps.Where(step => step is not ListenStep))
                {
                    if ((step is CreateStep create ? Create(handle, create, occasion) : Perform(handle, one, step)) is { } failure)
                    {
                        return failure;
                    }
                }

                if (Verify(handle) is { } unnamed)
                {
                    return unnamed;
                }

                if (!plan.Spec.Address.Kind.Listens())
                {
                    handle.Group?.Join(handle.Sockets[shard].Inode);
                }
            }

            for (var shard = from; shard < to && plan.Spec.Address.Kind.Listens(); shard++)
            {
                handle.WorkAt(shard, isOneOfSeveral: true);
                if (Listen(handle, plan.Spec.Listen.Backlog) is { } failure)
                {
                    return failure;
                }

                handle.Group?.Join(handle.Sockets[shard].Inode);
            }

            return null;
        }
        finally
        {
            handle.WorkAt(0, isOneOfSeveral: false);
        }
    }

    /// <summary>
    /// Makes one shard anew, which was shut down; the old one is closed when the new one stands, or kept where it cannot be
    /// made. True where it was.
    /// </summary>
    public bool RemakeShard(ListenerHandle handle, int shard)
    {
        var old = handle.Sockets[shard];
        var spec = handle.Spec with { Address = handle.Effective!, Shards = handle.Sockets.Count };

        // It left the kernel's group when it was shut down.
        handle.Group?.Leave(old.Inode);
        if (MakeShards(handle, ListenerPlan.For(spec, handle.Domain), shard, shard + 1) is not null)
        {
            if (handle.Sockets[shard] != old)
            {
                SocketCloser.Close(handle.Sockets[shard].Descriptor);
                handle.Put(old);
            }

            return false;
        }

        SocketCloser.Close(old.Descriptor);
        handle.Sockets[shard].IsChosen = old.IsChosen;
        if (!spec.Address.Kind.Listens())
        {
            // It stays in the group for as long as a worker has it.
            handle.Group = null;
        }

        if (handle.IsSteered)
        {
            Choose(handle, WhyNotSteered(handle));
        }

        return true;
    }
}
