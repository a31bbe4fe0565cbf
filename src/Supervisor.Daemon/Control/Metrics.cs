using System.Globalization;
using System.Text;
using Supervisor.Core.Services;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Control;

/// <summary>The metrics in Prometheus' text format, version 0.0.4. Read on request.</summary>
internal static class Metrics
{
    /// <summary>The format's media type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly Metric<ListenerReading>[] OfListeners =
    [
        new("listend_listener_up", "gauge", "Whether the listener has a socket.", listener => listener.IsUp ? 1 : 0),
        new("listend_listener_queue_length", "gauge", "Connections that wait for accept().", listener => listener.Queue?.Length),
        new("listend_listener_queue_limit", "gauge", "The effective backlog.", listener => listener.Queue?.Limit),
        new("listend_listener_drops_total", "counter", "Connections and datagrams that the kernel dropped at the socket (SO_MEMINFO).",
            listener => listener.Drops),
    ];

    private static readonly Metric<ServiceRunner>[] OfServices =
    [
        new("listend_service_workers_desired", "gauge", "The configured number of workers.", runner => runner.State.Desired),
        new("listend_service_workers_ready", "gauge", "Workers that are ready.", runner => runner.State.Ready),
        new("listend_service_workers_draining", "gauge", "Workers that drain or stop.", runner => runner.State.Workers.Count(IsDraining)),
        new("listend_service_draining_connections", "gauge", "Connections of draining workers, as last seen.",
            runner => runner.Drains.Connections),
        new("listend_service_generation", "gauge", "The generation that serves.", runner => runner.State.Generation),
        new("listend_service_restarts_total", "counter", "Workers that were replaced because they exited.",
            runner => runner.State.TotalRestarts),
        new("listend_service_rolling", "gauge", "Whether a roll-out is in progress.",
            runner => runner.State.Rollout is { IsActive: true } ? 1 : 0),
    ];

    /// <summary>Reads all metrics on the loop, in slices, and writes them. Any thread except the loop's.</summary>
    public static async Task<string> ReadAsync(EventLoop loop, DaemonInfo info, ListenerTable table, ServiceTable services)
    {
        var ofListeners = await loop.AskEach(
            () => table.Handles,
            handle => table.Find(handle.Name) == handle ? Sampled.Of(handle.Name, OfListeners, ListenerReading.Of(handle)) : null);
        var ofServices = await loop.AskEach(() => services, runner => Sampled.Of(runner.Name, OfServices, runner));
        var text = new StringBuilder();
        Head(text, "listend_info", "gauge", "The version of the daemon.");
        Sample(text, "listend_info", "version", DaemonInfo.Version, 1);
        Head(text, "listend_start_time_seconds", "gauge", "When the daemon started, in seconds since 1970.");
        text.Append("listend_start_time_seconds ").Append(Number(info.StartedAt.ToUnixTimeMilliseconds() / 1000.0)).Append('\n');
        Write(text, OfListeners, "listener", ofListeners);
        Write(text, OfServices, "service", ofServices);
        return text.ToString();
    }

    private static void Write<T>(StringBuilder text, Metric<T>[] metrics, string label, List<Sampled> subjects)
    {
        for (var i = 0; i < metrics.Length; i++)
        {
            Head(text, metrics[i].Name, metrics[i].Type, metrics[i].Help);
            foreach (var subject in subjects)
            {
                if (subject.Values[i] is { } value)
                {
                    Sample(text, metrics[i].Name, label, subject.Name, value);
                }
            }
        }
    }

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    private static void Sample(StringBuilder text, string name, string label, string labelValue, double value) =>
        text.Append(name).Append('{').Append(label).Append("=\"").Append(Escape(labelValue)).Append("\"} ").Append(Number(value))
        .Append('\n');

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static bool IsDraining(WorkerState worker) =>
        worker.Phase is WorkerPhase.Draining or WorkerPhase.Stopping or WorkerPhase.Killed;

    private static string Escape(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>A row of the table.</summary>
    /// <param name="Name">The metric's name.</param>
    /// <param name="Type">gauge or counter.</param>
    /// <param name="Help">One sentence.</param>
    /// <param name="Value">The value; null for no sample.</param>
    private sealed record Metric<T>(string Name, string Type, string Help, Func<T, double?> Value);

    /// <summary>The values of all metrics of one listener or service.</summary>
    private sealed record Sampled(string Name, double?[] Values)
    {
        public static Sampled Of<T>(string name, Metric<T>[] metrics, T subject) =>
            new(name, Array.ConvertAll(metrics, metric => metric.Value(subject)));
    }

    /// <summary>The kernel's figures of a listener's sockets, read once for all metrics.</summary>
    private sealed record ListenerReading(bool IsUp, (long Length, long Limit)? Queue, double? Drops)
    {
        public static ListenerReading Of(ListenerHandle handle)
        {
            if (handle.Descriptor is null)
            {
                return new ListenerReading(IsUp: false, Queue: null, Drops: null);
            }

            var kind = handle.Spec.Address.Kind;
            var queue = !handle.Listens ? null : handle.Sockets
                .Select(socket => AcceptQueue.Read(socket.Descriptor, kind, socket.Inode))
                .Aggregate<(long Length, long Limit)?>(
                    (sum, one) => sum is { } a && one is { } b ? (a.Length + b.Length, a.Limit + b.Limit) : null);
            var drops = SocketDrops.Read(handle);
            return new ListenerReading(IsUp: true, queue, drops);
        }
    }
}
