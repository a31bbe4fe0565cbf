using System.Globalization;
using System.Text;
using Supervisor.Core.Services;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Control;

/// <summary>The daemon in Prometheus' text format, version 0.0.4. On the loop; read when asked, never collected.</summary>
internal static class Metrics
{
    /// <summary>The format's media type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Text(DaemonInfo info, ListenerTable table, ServiceTable services)
    {
        var text = new StringBuilder();
        Family(text, "listend_info", "gauge", "The daemon's version.");
        Sample(text, "listend_info", $"version=\"{Escape(DaemonInfo.Version)}\"", 1);
        Family(text, "listend_start_time_seconds", "gauge", "When the daemon started, in seconds since 1970.");
        Sample(text, "listend_start_time_seconds", null, info.StartedAt.ToUnixTimeMilliseconds() / 1000.0);

        var listeners = table.Handles;
        Family(text, "listend_listener_up", "gauge", "Whether the listener has a socket.");
        foreach (var handle in listeners)
        {
            Sample(text, "listend_listener_up", Label(handle), handle.Descriptor is null ? 0 : 1);
        }

        var queues = listeners
            .Where(handle => handle.Descriptor is not null && handle.Listens)
            .Select(handle => (Handle: handle, Queue: handle.Sockets.Select(socket => AcceptQueue.Read(socket.Descriptor, handle.Spec.Address.Kind, socket.Inode))
                .Aggregate<(long Length, long Limit)?>((sum, one) => sum is { } a && one is { } b ? (a.Length + b.Length, a.Limit + b.Limit) : null)))
            .Where(pair => pair.Queue is not null)
            .ToArray();
        Family(text, "listend_listener_queue_length", "gauge", "Connections that wait for accept().");
        foreach (var (handle, queue) in queues)
        {
            Sample(text, "listend_listener_queue_length", Label(handle), queue!.Value.Length);
        }

        Family(text, "listend_listener_queue_limit", "gauge", "The effective backlog.");
        foreach (var (handle, queue) in queues)
        {
            Sample(text, "listend_listener_queue_limit", Label(handle), queue!.Value.Limit);
        }

        Family(text, "listend_listener_drops_total", "counter", "Connections and datagrams that the kernel dropped at the socket (SO_MEMINFO).");
        foreach (var handle in listeners.Where(handle => handle.Descriptor is not null))
        {
            if (handle.Sockets.Select(socket => SocketDrops.Read(socket.Descriptor)).Aggregate((sum, one) => sum + one) is { } drops)
            {
                Sample(text, "listend_listener_drops_total", Label(handle), drops);
            }
        }

        Family(text, "listend_service_workers_desired", "gauge", "How many workers there should be.");
        Each(text, services, "listend_service_workers_desired", state => state.Desired);
        Family(text, "listend_service_workers_ready", "gauge", "How many workers are ready.");
        Each(text, services, "listend_service_workers_ready", state => state.Ready);
        Family(text, "listend_service_workers_draining", "gauge", "How many workers are leaving.");
        Each(text, services, "listend_service_workers_draining", state => state.Workers.Count(worker => worker.Phase is WorkerPhase.Draining or WorkerPhase.Stopping or WorkerPhase.Killed));
        Family(text, "listend_service_draining_connections", "gauge", "Connections that workers which are leaving have left, as they were last seen.");
        foreach (var runner in services)
        {
            if (runner.DrainingConnections is { } left)
            {
                Sample(text, "listend_service_draining_connections", $"service=\"{Escape(runner.Name)}\"", left);
            }
        }

        Family(text, "listend_service_generation", "gauge", "The generation that serves.");
        Each(text, services, "listend_service_generation", state => state.Generation);
        Family(text, "listend_service_restarts_total", "counter", "Workers replaced because they ended by themselves, of the present slots.");
        Each(text, services, "listend_service_restarts_total", state => state.Slots.Sum(slot => slot.Restarts));
        Family(text, "listend_service_rolling", "gauge", "Whether a roll-out is under way.");
        Each(text, services, "listend_service_rolling", state => state.Rollout is { IsActive: true } ? 1 : 0);
        return text.ToString();
    }

    private static void Each(StringBuilder text, ServiceTable services, string name, Func<ServiceState, double> value)
    {
        foreach (var runner in services)
        {
            Sample(text, name, $"service=\"{Escape(runner.Name)}\"", value(runner.State));
        }
    }

    private static void Family(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    private static void Sample(StringBuilder text, string name, string? labels, double value)
    {
        text.Append(name);
        if (labels is not null)
        {
            text.Append('{').Append(labels).Append('}');
        }

        text.Append(' ').Append(value.ToString("0.###", CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Label(ListenerHandle handle) => $"listener=\"{Escape(handle.Name)}\"";

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
