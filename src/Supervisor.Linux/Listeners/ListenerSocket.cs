using Supervisor.Core.Listeners.History;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// One socket of a listener: the only one, or one of its shards. Its descriptor is shared with workers, who can change the
/// socket: <see cref="Baseline"/> is how it was before the first of them got it.
/// </summary>
public sealed class ListenerSocket
{
    private Dictionary<(string Name, string Holder), int>? _told;
    private Dictionary<string, SocketChange>? _drift;

    internal ListenerSocket(DescriptorHandle descriptor, int shard)
    {
        Descriptor = descriptor;
        Shard = shard;
    }

    /// <summary>The daemon's descriptor; the listener's handle owns it.</summary>
    public DescriptorHandle Descriptor { get; }

    /// <summary>Number among the listener's sockets, from 0.</summary>
    public int Shard { get; internal set; }

    /// <summary>The inode number.</summary>
    public ulong Inode { get; internal set; }

    /// <summary>Reads the inode number from the descriptor.</summary>
    internal void ReadInode()
    {
        Files.GetStatus(Descriptor, out var status);
        Inode = status.Inode;
    }

    /// <summary>
    /// Whether it gets new connections. If sockets can be selected, a shard that no worker serves yet and one that is being
    /// removed get none.
    /// </summary>
    public bool IsChosen { get; internal set; } = true;

    /// <summary>When its removal began; null if it is not being removed.</summary>
    public TimeSpan? LeavingSince { get; internal set; }

    /// <summary>Whose socket it is, if the listener is steered; null otherwise.</summary>
    public SteeredSocket? Steered { get; internal set; }

    /// <summary>Whether a connection waits to be accepted, or a datagram to be read.</summary>
    public bool HasWaiting => Polling.IsReadable(Descriptor);

    /// <summary>Its state before another process got it; null until then.</summary>
    internal SocketReading? Baseline { get; set; }

    /// <summary>What is not as it was, by name.</summary>
    internal Dictionary<string, SocketChange> Drift => _drift ??= [];

    /// <summary>Whether anything is not as it was.</summary>
    internal bool HasDrifted => _drift is { Count: > 0 };

    /// <summary>It is as it should be.</summary>
    internal void ForgetDrift() => _drift = null;

    /// <summary>
    /// Whether a change is news: true once for each name and each generation of a holder, so that a worker that does the
    /// same at each start fills neither log nor history.
    /// </summary>
    internal bool IsNews(string name, IReadOnlyList<SocketHolderProcess> holders)
    {
        const int bound = 256;
        _told ??= [];
        if (_told.Count > bound)
        {
            _told.Clear();
        }

        var news = holders.Count == 0 && _told.TryAdd((name, ""), 0);
        foreach (var holder in holders)
        {
            var key = (name, holder.Group);
            if (!_told.TryGetValue(key, out var generation) || generation < holder.Generation)
            {
                _told[key] = holder.Generation;
                news = true;
            }
        }

        return news;
    }
}
