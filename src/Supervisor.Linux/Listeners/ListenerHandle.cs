using System.Text;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Steering;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// One listener of the daemon: what the configuration asks for, the sockets that the daemon holds while the configuration names
/// it, and its history. A handle without a socket is a listener that could not be made; see <see cref="Failure"/>. Owned by
/// the loop. Disposing closes the daemon's descriptors; those of the workers stay open.
/// </summary>
public sealed class ListenerHandle : IDisposable
{
    private readonly List<ListenerSocket> _sockets = new(1);
    private readonly List<ListenerSocket> _leaving = [];
    private readonly List<string> _names = [];
    private ListenerSpec _spec;
    private ListenAddress? _effective;
    private string? _effectiveText;

    /// <summary>A handle without a socket. Its history may be one that another handle of the same listener began.</summary>
    public ListenerHandle(ListenerSpec spec, HandleHistory history)
    {
        _spec = spec;
        Requested = spec.Address.ToString();
        History = history;
        history.Added += fact => Recorded?.Invoke(this, fact);
    }

    /// <summary>Raised for each new entry of the history.</summary>
    public event Action<ListenerHandle, HistoryFact>? Recorded;

    /// <summary>What the configuration asks for; a reload can change it.</summary>
    public ListenerSpec Spec
    {
        get => _spec;
        internal set
        {
            _spec = value;
            Requested = value.Address.ToString();
        }
    }

    /// <summary>The address in <see cref="Spec"/> as text.</summary>
    public string Requested { get; private set; }

    /// <summary>The listener's name.</summary>
    public string Name => Spec.Name;

    /// <summary>Everything that happened to the listener.</summary>
    public HandleHistory History { get; }

    /// <summary>The sockets by shard; none if there is no socket.</summary>
    public IReadOnlyList<ListenerSocket> Sockets => _sockets;

    /// <summary>The daemon's descriptor, of the first shard if there are several; null if there is no socket.</summary>
    public DescriptorHandle? Descriptor => _sockets.Count == 0 ? null : _sockets[0].Descriptor;

    /// <summary>The daemon's descriptor of a shard; null if there is no such shard.</summary>
    internal DescriptorHandle? DescriptorOf(int shard) => shard < _sockets.Count ? _sockets[shard].Descriptor : null;

    /// <summary>The first socket's inode number; 0 if there is no socket.</summary>
    public ulong Inode => _sockets.Count == 0 ? 0 : _sockets[0].Inode;

    /// <summary>
    /// Shards that are being removed: they get no new connections, and what waits in them is served before they are closed.
    /// </summary>
    public IReadOnlyList<ListenerSocket> Leaving => _leaving;

    /// <summary>Whether the number of shards is changing: one gets no new connections yet, or is being removed.</summary>
    public bool IsReshaping => _leaving.Count > 0 || _sockets.Exists(socket => !socket.IsChosen);

    /// <summary>The order of the sockets in the kernel's group; null if it is unknown, and then none can be selected.</summary>
    internal ReusePortGroup? Group { get; set; }

    /// <summary>Whether a program selects among the shards, instead of the kernel's hash.</summary>
    public bool IsSteered { get; internal set; }

    /// <summary>The program that selects among the shards; null if none or a classic one does.</summary>
    internal SteeringEngine? ShardEngine { get; set; }

    /// <summary>By what its shards were selected the last time that their number changed; null if it never did.</summary>
    internal KernelSelection? Selection { get; set; }

    /// <summary>How the kernel selects among the sockets, each of which belongs to a worker; null if workers share them.</summary>
    public ListenerSteering? Steering { get; internal set; }

    /// <summary>The former handle, whose sockets and these one table of the kernel can select among; null if there is none.</summary>
    internal ListenerHandle? Beside { get; set; }

    /// <summary>Why the kernel does not steer although the configuration says so; null if it does, or need not.</summary>
    public string? SteeringRefusal { get; internal set; }

    /// <summary>What holders of the shared sockets changed and the daemon has not undone.</summary>
    public IEnumerable<SocketChange> Drift => _sockets.Where(socket => socket.HasDrifted).SelectMany(socket => socket.Drift.Values);

    /// <summary>Whether <see cref="Drift"/> has any.</summary>
    public bool HasDrifted => _sockets.Exists(socket => socket.HasDrifted);

    /// <summary>The family of the socket.</summary>
    public SocketDomain Domain { get; internal set; }

    /// <summary>The address from getsockname(); null if there is no socket.</summary>
    public ListenAddress? Effective
    {
        get => _effective;
        internal set => (_effective, _effectiveText) = (value, null);
    }

    /// <summary><see cref="Effective"/> as text.</summary>
    public string? EffectiveText => ReferenceEquals(_effective, _spec.Address) ? Requested : _effectiveText ??= _effective?.ToString();

    /// <summary>The address that the socket had when it was shut down, which the next one must have; null if that never happened.</summary>
    internal ListenAddress? Settled { get; set; }

    /// <summary>How the sockets came to the daemon.</summary>
    public HandleOrigin Origin { get; internal set; }

    /// <summary>Whether a client gave it by the broker, and no configuration names it.</summary>
    public bool IsGiven { get; internal set; }

    /// <summary>Whether a service lists it and no client has given it yet.</summary>
    public bool IsAwaited => IsGiven && Descriptor is null;

    /// <summary>Whether it is a given socket without a listen() call; the daemon does not call it either.</summary>
    public bool IsIdle { get; internal set; }

    /// <summary>Whether connections can wait on it.</summary>
    public bool Listens => Spec.Address.Kind.Listens() && !IsIdle;

    /// <summary>The refused call that left the listener without a socket; null if it has one.</summary>
    public SystemCallFailure? Failure { get; internal set; }

    /// <summary>What <see cref="Failure"/> means and which process is in the way; null if there is a socket.</summary>
    public BindDiagnosis? Diagnosis { get; internal set; }

    /// <summary>Whether the socket drops what arrives, until new connections are steered.</summary>
    internal bool DropsIncoming { get; set; }

    /// <summary>The socket file that bind() made, by device and inode: only this file may be removed.</summary>
    internal (ulong Device, ulong Inode)? PathIdentity { get; set; }

    /// <summary>Its path without symbolic links when it was bound; null if that is unknown.</summary>
    public string? RealPath { get; internal set; }

    /// <summary>Whether both are open files of one FIFO, message queue or special file.</summary>
    public bool HasFileOf(ListenerHandle other) =>
        !Spec.Address.Kind.IsSocket() && other.Descriptor is not null && Spec.Address == other.Spec.Address && Inode == other.Inode;

    /// <summary>Whether the interface that the socket depends on is gone, so that nothing arrives.</summary>
    internal bool LacksInterface => _sockets.Exists(socket => socket.HasDrifted && socket.Drift.ContainsKey(SocketChange.Interface));

    /// <summary>The interface that each multicast group was joined on, by number; 0: the kernel's choice.</summary>
    internal Dictionary<MulticastMembership, uint> JoinedOn { get; } = [];

    /// <summary>Whether the socket's file was seen at its path.</summary>
    internal bool WasInPlace { get; set; }

    /// <summary>Whether the file system of the path did not answer in time.</summary>
    public bool IsPathSilent { get; internal set; }

    /// <summary>Names next to the path.</summary>
    internal AsideFiles Aside { get; } = new();

    /// <summary>
    /// Changes of the socket file's owner and mode that the last reload asked for and the kernel refused. The next one tries again.
    /// </summary>
    public IReadOnlyList<HistoryEntry> RefusedOfFile { get; internal set; } = [];

    /// <summary>Processes that took it from the broker, the last one last; null if there are none.</summary>
    internal List<HistoryActor>? Takers { get; set; }

    /// <summary>Whether <see cref="Takers"/> lacks those of a previous daemon, which the history has (<see cref="SocketTakers"/>).</summary>
    internal bool AreTakersUnread { get; set; }

    /// <summary>The broker's description of it, as it was encoded for this descriptor and address.</summary>
    internal (DescriptorHandle? Descriptor, ListenAddress? Effective, byte[] Text)? Lent { get; set; }

    /// <summary>The options that were asked for, and what came of each.</summary>
    public AskedOptions Asked { get; } = new();

    /// <summary>
    /// The state in the words of the public interface: listening, bound (no connections can wait), held (not a kind that a
    /// listener can be), failed.
    /// </summary>
    public string StateWord() =>
        Descriptor is null ? "failed" : Listens ? "listening" : Spec.Address.Kind == ListenerKind.Other ? "held" : "bound";

    /// <summary>
    /// The call that set the configuration's value of an option, by its FORCE variant if that was used; null if the configuration
    /// does not set it, or the kernel refused it.
    /// </summary>
    public SetOptionStep? AskedFor(SocketOption option)
    {
        if (Origin is not (HandleOrigin.Created or HandleOrigin.InheritedUpgrade or HandleOrigin.Recovered))
        {
            return null;
        }

        foreach (var variant in SocketOptions.Of(Spec).Where(option.IsReadLike))
        {
            if (Asked.Of(variant) is { Verdict: not (Verdict.Refused or Verdict.Inherited) } asked)
            {
                return new SetOptionStep(variant, asked.Requested);
            }
        }

        return null;
    }

    /// <summary>
    /// Whether another program made the socket. After an upgrade or a recovery, this is known only from an option whose configured value
    /// the maker had overruled.
    /// </summary>
    public bool IsMadeByOther =>
        IsGiven || Origin is HandleOrigin.InheritedSystemd or HandleOrigin.Given
        || (Origin is not HandleOrigin.Created && Asked.HasInherited);

    /// <summary>
    /// The names of its UNIX sockets, which accepted sockets bear too: sun_path from getsockname(2), a character for each byte. A
    /// socket that took its path by a rename keeps the name that bind() got. Includes former sockets, whose connections may
    /// still be open.
    /// </summary>
    public IReadOnlyList<string> UnixNames()
    {
        RememberNames();
        return [.. _names];
    }

    /// <summary>
    /// Reads how the sockets are, if no other process has had them yet: a later difference is drift. Call before each hand-off.
    /// </summary>
    public void RecordBaseline()
    {
        foreach (var socket in _sockets)
        {
            socket.Baseline ??= SocketReader.Read(this, socket);
        }
    }

    /// <summary>Forgets how the sockets were, after the daemon itself has changed them.</summary>
    public void ForgetBaseline()
    {
        foreach (var socket in _sockets)
        {
            socket.Baseline = null;
            socket.ForgetDrift();
        }
    }

    /// <summary>Takes over a descriptor as the only socket. The caller closes the present ones.</summary>
    internal void SetSocket(DescriptorHandle descriptor, ulong inode = 0)
    {
        ForgetSockets();
        _sockets.Add(new ListenerSocket(descriptor, 0) { Inode = inode });
    }

    /// <summary>Takes over the socket of a shard, the next one or a present one. The caller closes the socket that it replaces.</summary>
    internal void Put(int shard, DescriptorHandle descriptor)
    {
        RememberNames();
        if (shard == _sockets.Count)
        {
            _sockets.Add(new ListenerSocket(descriptor, shard));
        }
        else
        {
            _sockets[shard] = new ListenerSocket(descriptor, shard);
        }
    }

    /// <summary>Puts the former socket of a shard back.</summary>
    internal void PutBack(ListenerSocket socket) => _sockets[socket.Shard] = socket;

    /// <summary>The position of a socket in <see cref="Sockets"/>; -1 if it is not there.</summary>
    internal int IndexOf(ListenerSocket socket) => _sockets.IndexOf(socket);

    /// <summary>Gives a socket to the caller. Those that follow move up.</summary>
    internal void Remove(ListenerSocket socket) => _sockets.Remove(socket);

    /// <summary>Gives the last shard to the caller.</summary>
    internal ListenerSocket RemoveLast()
    {
        var last = _sockets[^1];
        _sockets.RemoveAt(_sockets.Count - 1);
        return last;
    }

    /// <summary>Begins the removal of the last shard.</summary>
    internal ListenerSocket LetLastLeave(TimeSpan now)
    {
        var last = RemoveLast();
        last.LeavingSince = now;
        last.IsChosen = false;
        _leaving.Add(last);
        return last;
    }

    /// <summary>Cancels the removal of the shard with the next number, if there is one. True if there is one.</summary>
    internal bool TryKeepNext()
    {
        var index = _leaving.FindIndex(socket => socket.Shard == _sockets.Count);
        if (index < 0)
        {
            return false;
        }

        _leaving[index].LeavingSince = null;
        _sockets.Add(_leaving[index]);
        _leaving.RemoveAt(index);
        return true;
    }

    /// <summary>Adds a shard whose removal a previous daemon began.</summary>
    internal void AddLeaving(ListenerSocket socket) => _leaving.Add(socket);

    /// <summary>Forgets a removed shard, which the caller has closed.</summary>
    internal void Forget(ListenerSocket socket) => _leaving.Remove(socket);

    /// <summary>Closes the sockets and forgets what was asked of them.</summary>
    internal void Reset()
    {
        CloseSockets();
        Asked.Clear();
    }

    /// <summary>Closes the sockets; the handle stays in use.</summary>
    internal void CloseSockets() => SocketCloser.Close(ReleaseSockets());

    /// <summary>Gives the sockets to the caller, who closes them; the handle stays in use.</summary>
    internal IReadOnlyList<DescriptorHandle> ReleaseSockets()
    {
        RememberNames();
        DescriptorHandle[] sockets = [.. _sockets.Concat(_leaving).Select(socket => socket.Descriptor)];
        _leaving.Clear();
        ForgetSockets();
        return sockets;
    }

    /// <summary>Closes the program that selects among the shards; while it is attached, the kernel keeps it.</summary>
    internal void ReleaseShardEngine()
    {
        ShardEngine?.Dispose();
        ShardEngine = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        SocketCloser.Close([.. _sockets.Concat(_leaving).Select(socket => socket.Descriptor)]);
        _leaving.Clear();
        Steering?.Leave(this);
        ReleaseShardEngine();
    }

    private void RememberNames()
    {
        const int familyLength = 2;
        const int most = 16;
        Span<byte> address = stackalloc byte[Sockaddr.MaxLength];
        foreach (var socket in Spec.Address.Kind.IsUnix() ? _sockets.Concat(_leaving) : [])
        {
            if (Native.Sockets.GetSocketName(socket.Descriptor, address, out var length) is not null || length <= familyLength)
            {
                continue;
            }

            var name = Encoding.Latin1.GetString(address[familyLength..length]);
            if (!_names.Contains(name))
            {
                _names.Add(name);
            }
        }

        if (_names.Count > most)
        {
            _names.RemoveRange(0, _names.Count - most);
        }
    }

    private void ForgetSockets()
    {
        _sockets.Clear();
        Steering?.Leave(this);
        SteeringRefusal = null;
        Group = null;
        IsSteered = false;
        ReleaseShardEngine();
        Selection = null;
        DropsIncoming = false;
    }
}
