using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// One listener of the daemon: what was asked for, the descriptor that the daemon holds for as long as the configuration
/// names it, and its history. Without a descriptor it is one that could not be made, and <see cref="Failure"/> says why.
/// Owned by the loop; disposing closes the daemon's descriptor and leaves the ones of the workers alone.
/// </summary>
public sealed partial class ListenerHandle : IDisposable
{
    /// <summary>The last two that became one: as a rule the same ones do for the next thousand handles.</summary>
    [ThreadStatic]
    private static (Action<ListenerHandle, HistoryFact>? Before, Action<ListenerHandle, HistoryFact>? With, Action<ListenerHandle, HistoryFact>? Both) t_combined;

    private readonly List<ListenerSocket> _sockets = new(1);
    private (SocketOption Option, OptionValue Requested, OptionValue? Effective, Verdict Verdict)[] _asked = [];
    private ListenerSpec _spec;
    private Action<ListenerHandle, HistoryFact>? _recorded;
    private ListenAddress? _effective;
    private string? _effectiveText;

    /// <summary>A handle without a socket, for the factory to fill.</summary>
    public ListenerHandle(ListenerSpec spec, TimeProvider time, HistoryFacts? facts = null)
        : this(spec, new HandleHistory(time, facts))
    {
    }

    /// <summary>A handle without a socket, whose history goes on where another socket of the same listener has left it.</summary>
    internal ListenerHandle(ListenerSpec spec, HandleHistory history)
    {
        _spec = spec;
        Requested = spec.Address.ToString();
        History = history;
        history.Added += Tell;
    }

    /// <summary>
    /// Raised for each new entry of its history. Who listens to all handles does so with one delegate, which they share, and
    /// what it makes together with others too.
    /// </summary>
    public event Action<ListenerHandle, HistoryFact>? Recorded
    {
        add
        {
            if (t_combined.Both is null || !ReferenceEquals(t_combined.Before, _recorded) || !ReferenceEquals(t_combined.With, value))
            {
                t_combined = (_recorded, value, _recorded + value);
            }

            _recorded = t_combined.Both;
        }

        remove => _recorded -= value;
    }

    /// <summary>What was asked for; another one after a reload.</summary>
    public ListenerSpec Spec
    {
        get => _spec;
        internal set
        {
            _spec = value;
            Requested = value.Address.ToString();
        }
    }

    /// <summary>The address that was asked for, as text.</summary>
    public string Requested { get; private set; } = "";

    /// <summary>Its name.</summary>
    public string Name => Spec.Name;

    /// <summary>Everything that happened to it.</summary>
    public HandleHistory History { get; }

    /// <summary>The daemon's descriptor, of the first shard where there are several; null where there is no socket.</summary>
    public DescriptorHandle? Descriptor
    {
        get => _sockets.Count == 0 ? null : _sockets[0].Descriptor;
        internal set
        {
            _sockets.Clear();
            At = 0;
            Group = null;
            IsSteered = false;
            if (value is not null)
            {
                _sockets.Add(new ListenerSocket(value, 0));
            }
        }
    }

    /// <summary>The shard that the factory works at.</summary>
    internal int At { get; private set; }

    /// <summary>The socket that the factory works at.</summary>
    internal DescriptorHandle Subject => _sockets[At].Descriptor;

    /// <summary>What is done next is done at that shard, and the history says so where there are several.</summary>
    internal void WorkAt(int shard, bool isOneOfSeveral)
    {
        At = shard;
        History.Subject = isOneOfSeveral ? $"shard {shard}" : null;
    }

    /// <summary>Takes over the socket of the shard that is worked at; the one that it replaces, if any, is the caller's.</summary>
    internal void Put(DescriptorHandle descriptor)
    {
        var socket = new ListenerSocket(descriptor, At);
        if (At < _sockets.Count)
        {
            _sockets[At] = socket;
        }
        else
        {
            _sockets.Add(socket);
        }
    }

    /// <summary>Puts a former socket of a shard back.</summary>
    internal void Put(ListenerSocket socket) => _sockets[socket.Shard] = socket;

    /// <summary>Lets go of the last shard, which is the caller's from now on.</summary>
    internal ListenerSocket RemoveLast()
    {
        var last = _sockets[^1];
        _sockets.RemoveAt(_sockets.Count - 1);
        return last;
    }

    /// <summary>The daemon's descriptor of a shard; null where there is no such shard.</summary>
    internal DescriptorHandle? DescriptorOf(int shard) => shard < _sockets.Count ? _sockets[shard].Descriptor : null;

    /// <summary>Its sockets by shard; none where there is no socket.</summary>
    public IReadOnlyList<ListenerSocket> Sockets => _sockets;

    /// <summary>What holders of the shared socket changed, and is not as it was yet.</summary>
    public IEnumerable<SocketChange> Drift => _sockets.Where(socket => socket.HasDrifted).SelectMany(socket => socket.Drift.Values);

    /// <summary>Whether there is any of it.</summary>
    public bool HasDrifted
    {
        get
        {
            foreach (var socket in _sockets)
            {
                if (socket.HasDrifted)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>The family of the socket.</summary>
    public SocketDomain Domain { get; internal set; }

    /// <summary>The address from getsockname(); null where there is no socket.</summary>
    public ListenAddress? Effective
    {
        get => _effective;
        internal set => (_effective, _effectiveText) = (value, null);
    }

    /// <summary>The same as text, made once.</summary>
    public string? EffectiveText => ReferenceEquals(_effective, _spec.Address) ? Requested : _effectiveText ??= _effective?.ToString();

    /// <summary>The socket's inode number; 0 where there is no socket.</summary>
    public ulong Inode
    {
        get => _sockets.Count == 0 ? 0 : _sockets[0].Inode;
        internal set => _sockets[At].Inode = value;
    }

    /// <summary>The address that it had when its socket was shut down, and is to have again; null where that never happened.</summary>
    internal ListenAddress? Settled { get; set; }

    /// <summary>Where it came from.</summary>
    public HandleOrigin Origin { get; internal set; }

    /// <summary>Whether somebody put it by the broker, and no configuration names it.</summary>
    public bool IsGiven { get; internal set; }

    /// <summary>Whether a service lists it and nobody has given it yet.</summary>
    public bool IsAwaited => IsGiven && Descriptor is null;

    /// <summary>Whether connections can wait on it: not where a given socket of such a kind does not listen.</summary>
    public bool Listens => Spec.Address.Kind.Listens() && !IsIdle;

    /// <summary>Its state in the words of the public interface: listening, bound (no connections can wait), held (no listener can be that), failed.</summary>
    public string StateWord() => Descriptor is null ? "failed" : Listens ? "listening" : Spec.Address.Kind == ListenerKind.Other ? "held" : "bound";

    /// <summary>To whom it was passed besides its services' workers, the last one last; null where to nobody.</summary>
    internal List<HistoryActor>? Takers { get; set; }

    /// <summary>How the broker shows it, as it was encoded for this descriptor and address.</summary>
    internal (DescriptorHandle? Descriptor, ListenAddress? Effective, byte[] Text)? Lent { get; set; }

    /// <summary>A given socket that nobody has called listen() on: it stays as its giver made it.</summary>
    internal bool IsIdle { get; set; }

    /// <summary>The refused call that left the listener without a socket; null where it has one.</summary>
    public SystemCallFailure? Failure { get; internal set; }

    /// <summary>What <see cref="Failure"/> means and who is in the way; null where there is a socket.</summary>
    public BindDiagnosis? Diagnosis { get; internal set; }

    /// <summary>Set where the socket drops what comes until somebody says who gets it.</summary>
    internal bool DropsUntilSteered { get; init; }

    /// <summary>Why the socket is made, where that is not the daemon's start.</summary>
    internal string? Occasion { get; init; }

    /// <summary>The socket file that bind() made, by device and inode: what may be removed at the end.</summary>
    internal (ulong Device, ulong Inode)? PathIdentity { get; set; }

    /// <summary>Where the file of the socket stands whose path this one has taken by exchange; null where it has not.</summary>
    public string? FormerPath { get; internal set; }

    /// <summary>What was asked of an option, and what came of it.</summary>
    public (OptionValue Requested, OptionValue? Effective, Verdict Verdict)? Asked(SocketOption option) =>
        IndexOf(option) is var index and >= 0 ? (_asked[index].Requested, _asked[index].Effective, _asked[index].Verdict) : null;

    /// <summary>
    /// The call by which the configuration's value of an option was set, its FORCE variant where that was taken; null where
    /// the configuration says nothing of it, or the kernel has refused it.
    /// </summary>
    public SetOptionStep? AskedFor(SocketOption option)
    {
        foreach (var one in new[] { option, option == SocketOptions.ReceiveBuffer ? SocketOptions.ReceiveBufferForce : option == SocketOptions.SendBuffer ? SocketOptions.SendBufferForce : option })
        {
            if (Origin is HandleOrigin.Created or HandleOrigin.InheritedUpgrade or HandleOrigin.Recovered
                && Asked(one) is { Verdict: not (Verdict.Refused or Verdict.Inherited) } asked)
            {
                return new SetOptionStep(one, asked.Requested);
            }
        }

        return null;
    }

    /// <summary>Forgets what an attempt in another family has left.</summary>
    internal void Reset()
    {
        Dispose();
        Descriptor = null;
        History.Subject = null;
        _asked = [];
    }

    /// <summary>Nothing is asked of the option any more.</summary>
    internal void Forget(SocketOption option) => _asked = Array.FindAll(_asked, asked => !ReferenceEquals(asked.Option, option));

    internal void Remember(SocketOption option, OptionValue requested, OptionValue? effective, Verdict verdict)
    {
        // A few at most of the catalogue's, whose rows are one object each.
        var index = IndexOf(option);
        if (index < 0)
        {
            index = _asked.Length;
            Array.Resize(ref _asked, index + 1);
        }

        _asked[index] = (option, requested, effective, verdict);
    }

    private void Tell(HistoryFact fact) => _recorded?.Invoke(this, fact);

    private int IndexOf(SocketOption option)
    {
        for (var i = 0; i < _asked.Length; i++)
        {
            if (ReferenceEquals(_asked[i].Option, option))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Reads how its sockets are, if nobody has had them yet: what differs later is what a holder changed. Before each passing to another process.</summary>
    public void KeepBaseline()
    {
        foreach (var socket in _sockets)
        {
            socket.Baseline ??= SocketReader.Read(socket.Descriptor, Spec.Address.Kind, Domain, socket.Inode);
        }
    }

    /// <summary>Forgets how its sockets were, after the daemon itself has changed them.</summary>
    public void ForgetBaseline()
    {
        foreach (var socket in _sockets)
        {
            socket.Baseline = null;
            socket.ForgetDrift();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        SocketCloser.Close([.. _sockets.Concat(_leaving).Select(socket => socket.Descriptor)]);
        _leaving.Clear();
    }
}
