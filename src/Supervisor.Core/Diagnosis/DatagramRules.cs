using System.Globalization;

namespace Supervisor.Core.Diagnosis;

/// <summary>Findings about the receive buffers of datagram sockets.</summary>
internal static class DatagramRules
{
    private const double AlmostFull = 0.9;

    /// <summary>Whether the kernel dropped datagrams between the looks, or the buffer was full in each sample.</summary>
    public static bool IsFull(SocketProgress socket) => socket.Dropped > 0
        || (socket.Now.Limit > 0 && socket.Samples.All(sample => sample.Length >= sample.Limit * AlmostFull));

    /// <summary>The findings of a datagram listener.</summary>
    public static IEnumerable<Finding> Of(ListenerFacts facts)
    {
        foreach (var socket in facts.Sockets)
        {
            if (!IsFull(socket))
            {
                continue;
            }

            var name = QueueRules.Name(facts, socket);
            var more = Math.Max(1, socket.Now.Limit * 2 / (1024 * 1024));
            yield return new Finding(
                FindingCode.ReceiveBufferFull, socket.Dropped > 0 ? FindingSeverity.Critical : FindingSeverity.Warning,
                socket.Dropped is > 0 and var dropped
                    ? $"the receive buffer of {name} is too small for its workers' speed: the kernel dropped "
                        + $"{Words.Count(dropped, "datagram")} in {Duration.Rounded(facts.Interval)}"
                    : $"the receive buffer of {name} is full: the workers do not read it",
                $"buffers = {{ receive = \"{more}MiB\", force = true }} in [listener.{facts.Listener.Name}] holds longer bursts; more or "
                + "faster workers are needed if the load stays",
                [
                    string.Create(
                        CultureInfo.InvariantCulture, $"{socket.Now.Length} of {socket.Now.Limit} bytes (SO_RCVBUF) wait"),
                    string.Create(CultureInfo.InvariantCulture, $"{socket.Now.Drops} datagrams dropped in total"),
                    .. facts.Workers.Where(worker => worker.Worker.IsServing).Take(WorkerRules.MostNamed)
                        .Select(worker => WorkerRules.Describe(worker, facts)),
                ])
            {
                Shard = QueueRules.Shard(facts, socket),
            };
        }
    }
}
