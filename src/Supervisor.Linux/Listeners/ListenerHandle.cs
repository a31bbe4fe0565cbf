using Supervisor.Core.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// One listener of the daemon: what was asked for, the descriptor that the daemon holds for as long as the configuration
/// names it, and its history. Without a descriptor it is one that could not be made, and <see cref="Failure"/> says why.
/// Owned by the loop; disposing closes the daemon's descriptor and leaves the ones of the workers alone.
/// </summary>
public sealed class ListenerHandle : IDisposable
{
    private readonly Dictionary<SocketOption, (OptionValue Requested, OptionValue? Effective, Verdict Verdict)> _asked = [];
    private ListenerSpec _spec;

    /// <summary>A handle without a socket, for the factory to fill.</summary>
    public ListenerHandle(ListenerSpec spec, TimeProvider time)
        : this(spec, new HandleHistory(time))
    {
    }

    /// <summary>A handle without a socket, whose history goes on where another socket of the same listener has left it.</summary>
    internal ListenerHandle(ListenerSpec spec, HandleHistory history)
    {
        _spec = spec;
        Requested = spec.Address.ToString();
        History = history;
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

    /// <summary>The daemon's descriptor; null where there is no socket.</summary>
    public DescriptorHandle? Descriptor { get; internal set; }

    /// <summary>The family of the socket.</summary>
    public SocketDomain Domain { get; internal set; }

    /// <summary>The address from getsockname(); null where there is no socket.</summary>
    public ListenAddress? Effective { get; internal set; }

    /// <summary>The socket's inode number.</summary>
    public ulong Inode { get; internal set; }

    /// <summary>Where it came from.</summary>
    public HandleOrigin Origin { get; internal set; }

    /// <summary>The refused call that left the listener without a socket; null where it has one.</summary>
    public SystemCallFailure? Failure { get; internal set; }

    /// <summary>What <see cref="Failure"/> means and who is in the way; null where there is a socket.</summary>
    public BindDiagnosis? Diagnosis { get; internal set; }

    /// <summary>Why the socket is made, where that is not the daemon's start.</summary>
    internal string? Occasion { get; init; }

    /// <summary>The socket file that bind() made, by device and inode: what may be removed at the end.</summary>
    internal (ulong Device, ulong Inode)? PathIdentity { get; set; }

    /// <summary>What was asked of an option, and what came of it.</summary>
    public (OptionValue Requested, OptionValue? Effective, Verdict Verdict)? Asked(SocketOption option) =>
        _asked.TryGetValue(option, out var asked) ? asked : null;

    /// <summary>Forgets what an attempt in another family has left.</summary>
    internal void Reset()
    {
        Descriptor?.Dispose();
        Descriptor = null;
        _asked.Clear();
    }

    /// <summary>Nothing is asked of the option any more.</summary>
    internal void Forget(SocketOption option) => _asked.Remove(option);

    internal void Remember(SocketOption option, OptionValue requested, OptionValue? effective, Verdict verdict) =>
        _asked[option] = (requested, effective, verdict);

    /// <inheritdoc/>
    public void Dispose() => Descriptor?.Dispose();
}
