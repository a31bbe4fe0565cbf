namespace Supervisor.Core.Diagnosis;

/// <summary>What two looks say about one worker of a listener. Pure.</summary>
public sealed class WorkerProgress
{
    private readonly ListenerFacts _listener;

    internal WorkerProgress(ListenerFacts listener, WorkerSubject worker)
    {
        (_listener, Worker) = (listener, worker);
        Now = listener.Second.Workers.GetValueOrDefault(worker.Pid);
        Connections = Now?.Sockets is { } open
            ? [.. listener.Connections.Where(connection => connection.Inode != 0 && open.ContainsKey(connection.Inode))]
            : null;
        Accepted = Connections?.Count(listener.IsNewlyAccepted);
    }

    /// <summary>The worker.</summary>
    public WorkerSubject Worker { get; }

    /// <summary>Its processes at the second look; null if they are not visible.</summary>
    public WorkerSample? Now { get; }

    /// <summary>The listener's connections that it has open; null if its descriptors are not visible.</summary>
    public IReadOnlyList<ConnectionSample>? Connections { get; }

    /// <summary>
    /// How many connections it accepted between the looks and still has open. A connection that was accepted and closed in between shows
    /// nowhere, so this is a lower bound.
    /// </summary>
    public int? Accepted { get; }

    /// <summary>Processor time between the looks, in percent of one processor; null if unknown.</summary>
    public double? ProcessorPercent =>
        Now is { Processes.Count: > 0 } && _listener.First.Workers.GetValueOrDefault(Worker.Pid) is { Processes.Count: > 0 } before
            && _listener.Interval > TimeSpan.Zero
            ? Math.Round(Math.Max(0, (Now.ProcessorTime - before.ProcessorTime) / _listener.Interval * 100), 1)
            : null;

    /// <summary>Whether it has that socket open; null if its descriptors are not visible.</summary>
    public bool? Holds(SocketSubject socket) => Now?.Sockets?.ContainsKey(socket.Inode);
}
