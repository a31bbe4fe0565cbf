using Serilog;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>Makes listeners and closes them; the parts that change them are its properties. Used on the loop.</summary>
public sealed class ListenerFactory
{
    private readonly ListenerContext _context;
    private readonly ListenerBuilder _builder;

    /// <summary>A factory that stamps histories with <paramref name="time"/> and logs to <paramref name="log"/>.</summary>
    /// <param name="time">The clock.</param>
    /// <param name="log">The log.</param>
    /// <param name="limit">Bounds the log lines that holders of a socket can cause; null: all are written.</param>
    /// <param name="leftovers">Which processes count as left over from earlier workers of a listener's services; null: those of
    /// any service.</param>
    /// <param name="spares">The directory for second names of UNIX sockets; null: none are kept.</param>
    public ListenerFactory(
        TimeProvider time, ILogger log, LogLimit? limit = null, Func<ListenerSpec, LeftoverHolders>? leftovers = null,
        string? spares = null)
    {
        _context = new ListenerContext(
            time, new ListenerLog(log, time) { Limit = limit }, leftovers ?? (static _ => LeftoverHolders.OfAnyService))
        {
            Spares = spares is null ? null : new SocketSpares(spares),
        };
        SocketFiles = new SocketFiles(_context);
        _builder = new ListenerBuilder(_context);
        Replacer = new SocketReplacer(_context, _builder);
        Shards = new ShardGroup(_context, _builder, Replacer);
        Given = new GivenSockets(_context);

        Steerer = new ListenerSteerer(_context, _builder, Replacer);
        SteeringRestorer = new SteeringRestorer(_context, Steerer);
        Adopter = new SocketAdopter(_context, _builder, Steerer);
        Reconfigurer = new ListenerReconfigurer(_context, Steerer);
        Restorer = new ListenerRestorer(_context, _builder, Shards);
        Repair = new ShutdownRepair(_context, _builder, Shards, Steerer);
    }

    /// <summary>How long the search for the cause of a refused bind may take.</summary>
    public EvidenceBudget Evidence => _context.Evidence;

    /// <summary>Takes over sockets that were passed to the daemon at its start.</summary>
    public SocketAdopter Adopter { get; }

    /// <summary>Continues the listeners of a previous daemon.</summary>
    public ListenerRestorer Restorer { get; }

    /// <summary>Holds descriptors that clients put.</summary>
    public GivenSockets Given { get; }

    /// <summary>Changes listeners on their living sockets.</summary>
    public ListenerReconfigurer Reconfigurer { get; }

    /// <summary>Replaces sockets by new ones next to them.</summary>
    public SocketReplacer Replacer { get; }

    /// <summary>Adds and removes shards.</summary>
    public ShardGroup Shards { get; }

    /// <summary>Gives workers sockets of their own, and steers new connections.</summary>
    public ListenerSteerer Steerer { get; }

    /// <summary>Continues the steering of a previous daemon.</summary>
    public SteeringRestorer SteeringRestorer { get; }

    /// <summary>Makes sockets again that were shut down.</summary>
    public ShutdownRepair Repair { get; }

    /// <summary>Compares the paths of UNIX listeners with their sockets.</summary>
    internal SocketFiles SocketFiles { get; }

    /// <summary>Removes second names of sockets that no longer exist. Before the first listener is made.</summary>
    public void ClearSpares() => _context.Spares?.Clear();

    /// <summary>Removes the second names of sockets that are not of these listeners.</summary>
    public void ClearSparesExcept(IEnumerable<ListenerHandle> handles) => _context.Spares?.ClearOthers(handles);

    /// <summary>Makes a listener. The handle has a socket or a <see cref="ListenerHandle.Failure"/>.</summary>
    public ListenerHandle Create(ListenerSpec spec)
    {
        var handle = _context.NewHandle(spec);
        _builder.Build(handle);
        _context.Log.Result(handle);
        return handle;
    }

    /// <summary>
    /// Tries again after <see cref="Create"/> failed; the history continues. True if the handle has its socket now; otherwise
    /// <see cref="ListenerHandle.Diagnosis"/> is the new one.
    /// </summary>
    public bool Retry(ListenerHandle handle)
    {
        var before = handle.Diagnosis;
        _builder.Build(handle);
        if (handle.Failure is null || handle.Diagnosis?.Cause != before?.Cause)
        {
            _context.Log.Result(handle);
        }

        return handle.Failure is null;
    }

    /// <summary>Looks again why a listener has no socket, before a client reads it.</summary>
    public void ExplainAgain(ListenerHandle handle) => _context.ExplainAgain(handle);

    /// <summary>
    /// Closes the daemon's descriptors. With <paramref name="removePath"/> also removes the socket file, if it is still the one
    /// that bind() made.
    /// </summary>
    public void Close(ListenerHandle handle, bool removePath) => Close([handle], removePath);

    /// <summary>
    /// The same for many listeners: one thread closes all sockets of which the close can block, and the caller waits for it once.
    /// </summary>
    public void Close(IEnumerable<ListenerHandle> handles, bool removePath)
    {
        var sockets = new List<DescriptorHandle>();
        foreach (var handle in handles.Where(handle => handle.Descriptor is not null))
        {
            var history = _context.Record(handle);
            if (removePath)
            {
                _context.DropSpare(handle);
                SocketLinks.Remove(handle, history);
                SocketFileSteps.Remove(handle, history);
            }

            history.Add(HandlePhase.Close, "close", note: "the daemon's descriptor; workers keep theirs");
            sockets.AddRange(handle.ReleaseSockets());
        }

        SocketCloser.Close(sockets);
    }
}
