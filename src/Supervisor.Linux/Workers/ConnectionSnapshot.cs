using System.Diagnostics;
using Supervisor.Core.Listeners;
using Supervisor.Core.Workers;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>The accepted connections of listeners at one moment. Which process holds one is read from /proc/PID/fd. Any thread.</summary>
public sealed class ConnectionSnapshot
{
    private readonly Dictionary<ulong, AcceptedConnection> _all;
    private readonly Lazy<HashSet<ulong>> _inodes;
    private readonly HashSet<ListenAddress> _busy;

    internal ConnectionSnapshot((string Name, ListenAddress Address)[] listeners, Dictionary<ulong, AcceptedConnection> all)
    {
        _all = all;
        _inodes = new(() => [.. all.Keys]);
        var busy = all.Values.Select(connection => connection.Listener).ToHashSet(StringComparer.Ordinal);
        _busy = [.. listeners.Where(listener => busy.Contains(listener.Name)).Select(listener => listener.Address)];
    }

    /// <summary>The connections of all processes, by inode number.</summary>
    public IReadOnlyDictionary<ulong, AcceptedConnection> All => _all;

    /// <summary>
    /// Whether a connection may be of one of the query's listeners. During a reload two listeners may share an address, and a
    /// connection has the name of one of them.
    /// </summary>
    public bool MayBeOf(AcceptedConnections query) => query.HasAddressOf(_busy);

    /// <summary>
    /// The open connections of a process and its descendants. Null if the daemon may not read the process, or not before
    /// <paramref name="until"/> (a timestamp of <see cref="Stopwatch"/>). If there are no connections, it reads no process.
    /// </summary>
    public IReadOnlyList<AcceptedConnection>? Of(int root, long until = long.MaxValue)
    {
        if (_all.Count == 0)
        {
            return [];
        }

        var found = new List<OpenFiles.Found>();
        foreach (var pid in WorkerTree.Of(root, until))
        {
            if (!OpenFiles.FindSocketsOf(pid, _inodes.Value, found, until))
            {
                return null;
            }
        }

        if (Stopwatch.GetTimestamp() > until)
        {
            return null;
        }

        // A child inherits the descriptors that its parent had at the fork.
        return [.. found.Select(one => one.Inode).Distinct().Select(inode => _all[inode])];
    }
}
