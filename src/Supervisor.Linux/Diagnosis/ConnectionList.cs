using System.Diagnostics;
using Supervisor.Core.Diagnosis;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Probes;
using Supervisor.Native;

namespace Supervisor.Linux.Diagnosis;

/// <summary>
/// Lists connections with the processes that have them and with the options that they really have. It takes time in proportion to the
/// connections and descriptors: it runs on a thread that may wait, and reads processes for a limited time.
/// </summary>
public static class ConnectionList
{
    private static readonly TimeSpan ProcessTime = TimeSpan.FromSeconds(2);
    private static readonly object Owner = new();

    /// <summary>The connections of listeners, ordered.</summary>
    /// <param name="listeners">The listeners.</param>
    /// <param name="service">Only connections that a worker of this service has; null: all.</param>
    /// <param name="order">The order.</param>
    /// <param name="most">At most so many.</param>
    public static Task<List<ListedConnection>> ReadAsync(
        IReadOnlyList<ListenerSubject> listeners, string? service, ConnectionOrder order, int most) =>
        ProbeThreads.Shared.RunAsync(Owner, () => Read(listeners, service, order, most));

    private static List<ListedConnection> Read(IReadOnlyList<ListenerSubject> listeners, string? service, ConnectionOrder order, int most)
    {
        var until = Stopwatch.GetTimestamp() + (long)(ProcessTime.TotalSeconds * Stopwatch.Frequency);
        var dump = new SocketDump(listeners);
        dump.Read(withConnections: true, withCongestion: true);
        var connections = dump.Connections;
        var all = listeners.SelectMany(listener => (connections.GetValueOrDefault(listener.Name) ?? [])
            .Select(sample => new ListedConnection(listener, sample))).ToList();
        if (service is null)
        {
            return Complete(Order(all, order, most), until, service);
        }

        // Which of them are the service's shows only when all processes were read.
        return Order(Complete(all, until, service), order, most);
    }

    private static List<ListedConnection> Order(List<ListedConnection> connections, ConnectionOrder order, int most) =>
        [.. connections.OrderByDescending(connection => order.Key(connection.Sample)).Take(most)];

    /// <summary>Adds processes and options; with a service only the connections of its workers remain.</summary>
    private static List<ListedConnection> Complete(List<ListedConnection> connections, long until, string? service)
    {
        var wanted = connections.Select(connection => connection.Sample.Inode).Where(inode => inode != 0).ToHashSet();
        var holders = new Dictionary<ulong, (WorkerSubject Worker, OpenFiles.Found At)>();
        var workers = connections.SelectMany(connection => connection.Listener.Workers).DistinctBy(worker => worker.Pid)
            .Where(worker => service is null || worker.Service == service);
        foreach (var worker in workers)
        {
            if (holders.Count == wanted.Count)
            {
                break;
            }

            foreach (var pid in worker.Roots.SelectMany(root => WorkerTree.Of(root, until)).Distinct())
            {
                var found = new List<OpenFiles.Found>();
                OpenFiles.FindSocketsOf(pid, wanted, found, until);
                found.ForEach(one => holders.TryAdd(one.Inode, (worker, one)));
            }
        }

        return
        [
            .. connections.Where(connection => service is null || holders.ContainsKey(connection.Sample.Inode))
                .Select(connection => holders.TryGetValue(connection.Sample.Inode, out var holder)
                    ? connection with
                    {
                        Worker = holder.Worker,
                        Pid = holder.At.Pid,
                        Options = Options(connection.Sample, holder.At, until),
                    }
                    : connection),
        ];
    }

    /// <summary>The options of a TCP connection; null if its descriptor cannot be borrowed, or not in time.</summary>
    private static ConnectionOptions? Options(ConnectionSample sample, OpenFiles.Found at, long until)
    {
        if (sample.Tcp is null || Stopwatch.GetTimestamp() > until)
        {
            return null;
        }

        // The process may have closed it and opened another file in the meantime.
        using var socket = OpenFiles.Borrow(at.Pid, at.Descriptor);
        if (socket is null || Files.GetStatus(socket, out var status) is not null || status.Inode != sample.Inode)
        {
            return null;
        }

        long? Read(SocketOption option) => OptionAccess.Get(socket, option)?.Number;
        return new ConnectionOptions(
            Read(SocketOptions.KeepAlive) is { } keepAlive ? keepAlive != 0 : null,
            Read(SocketOptions.KeepAliveIdle) is { } idle ? TimeSpan.FromSeconds(idle) : null,
            Read(SocketOptions.NoDelay) is { } noDelay ? noDelay != 0 : null,
            Read(SocketOptions.UserTimeout) is { } timeout ? TimeSpan.FromMilliseconds(timeout) : null);
    }
}
