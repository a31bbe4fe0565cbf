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
    public IReadOnlyList<AcceptedConnection>? Of(int root, long until = long.MaxValue) => Of([root], until);

    /// <summary>The same of several processes and their descendants.</summary>
    public IReadOnlyList<AcceptedConnection>? Of(IReadOnlyList<int> roots, long until = long.MaxValue)
    {
        if (_all.Count == 0)
        {
            return [];
        }

        var found = new List<OpenFiles.Found>();
        foreach (var pid in roots.SelectMany(root => WorkerTree.Of(root, until)).Distinct())
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

    /// <summary>
    /// The open connections that none of <paramref name="processes"/> has except <paramref name="some"/>, as far as they are found
    /// before <paramref name="until"/>. Reads only these processes, not their descendants.
    /// </summary>
    public IReadOnlyList<AcceptedConnection> OnlyOf(IReadOnlySet<int> some, IEnumerable<int> processes, long until)
    {
        var found = new List<OpenFiles.Found>();
        foreach (var pid in _all.Count == 0 ? [] : processes)
        {
            OpenFiles.FindSocketsOf(pid, _inodes.Value, found, until);
        }

        return
        [
            .. found.GroupBy(one => one.Inode).Where(holders => holders.All(one => some.Contains(one.Pid)))
                .Select(holders => _all[holders.Key]),
        ];
    }
}
