using System.Globalization;
using Supervisor.Core.Listeners;

namespace Supervisor.Core.Diagnosis;

/// <summary>Findings about workers: which one does not accept, and why; shards and listeners without one.</summary>
internal static class WorkerRules
{
    /// <summary>How many workers the evidence of one finding names.</summary>
    public const int MostNamed = 5;

    /// <summary>A connection waits in vain if it has waited for so long: no program that serves is away for longer.</summary>
    private static readonly TimeSpan LongWait = TimeSpan.FromMilliseconds(500);

    /// <summary>From this wait on a queue that does move is too slow.</summary>
    private static readonly TimeSpan SlowWait = TimeSpan.FromSeconds(1);

    /// <summary>How long after its stop signal a worker may accept: it handles the signal late, and accept() may still return.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private const double AlmostAll = 0.9;

    /// <summary>The findings about the workers of a listener.</summary>
    public static IEnumerable<Finding> Of(ListenerFacts facts)
    {
        foreach (var worker in facts.Workers)
        {
            if (Stopped(worker) is { } stopped)
            {
                yield return stopped;
            }

            if (Descriptors(worker, facts) is { } descriptors)
            {
                yield return descriptors;
            }

            if (Draining(worker, facts) is { } draining)
            {
                yield return draining;
            }
        }

        foreach (var finding in facts.Workers.Any(worker => worker.Worker.IsServing) ? Waiting(facts) : Unserved(facts))
        {
            yield return finding;
        }
    }

    /// <summary>What a worker does, for evidence.</summary>
    public static string Describe(WorkerProgress worker, ListenerFacts facts)
    {
        if (worker.Now?.Actor is not { } actor)
        {
            return $"{worker.Worker}: not visible";
        }

        var accepted = worker.Accepted is { } count && facts.Listener.Kind.Listens()
            ? string.Create(CultureInfo.InvariantCulture, $", accepted {count} in {Duration.Rounded(facts.Interval)}")
            : "";
        var processor = worker.ProcessorPercent is { } percent
            ? string.Create(CultureInfo.InvariantCulture, $", {percent:0} % of a processor")
            : "";
        var other = actor.Pid == worker.Worker.Pid ? "" : string.Create(CultureInfo.InvariantCulture, $"process {actor.Pid} ");
        return $"{worker.Worker}: {other}{actor}{processor}{accepted}";
    }

    private static Finding? Stopped(WorkerProgress worker) => worker.Now?.Stopped is not { } stopped
        ? null
        : new Finding(
            FindingCode.WorkerStopped, FindingSeverity.Critical,
            $"{worker.Worker} {stopped}: it serves nobody",
            stopped.State == 't'
                ? string.Create(CultureInfo.InvariantCulture, $"detach the debugger: grep TracerPid /proc/{stopped.Pid}/status")
                : string.Create(CultureInfo.InvariantCulture, $"kill -CONT {stopped.Pid}"),
            [
                string.Create(CultureInfo.InvariantCulture, $"state {stopped.State} of /proc/{stopped.Pid}/stat"),
                .. worker.Connections is { Count: > 0 and var open } ? [Words.Count(open, "open connection")] : Array.Empty<string>(),
            ])
        {
            Worker = worker.Worker,
        };

    private static Finding? Descriptors(WorkerProgress worker, ListenerFacts facts)
    {
        if (worker.Now?.Fullest is not { } process || process.Descriptors < process.DescriptorLimit * AlmostAll)
        {
            return null;
        }

        var isOut = process.Descriptors >= process.DescriptorLimit;
        var more = Math.Max(1024, process.DescriptorLimit * 2);
        return new Finding(
            FindingCode.WorkerOutOfDescriptors, isOut ? FindingSeverity.Critical : FindingSeverity.Warning,
            $"{worker.Worker} {(isOut ? "has no free descriptor: accept() fails with EMFILE" : "has almost no free descriptors")}",
            worker.Worker.Slot is null
                ? string.Create(CultureInfo.InvariantCulture, $"prlimit --pid {process.Pid} --nofile={more}:{more}")
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"limits = {{ nofile = {more} }} in [service.{worker.Worker.Service}], then listenctl reload; until then prlimit "
                    + $"--pid {process.Pid} --nofile={more}:{more}"),
            [
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{process.Descriptors} of {process.DescriptorLimit} descriptors in /proc/{process.Pid}/fd"),
                .. worker.Connections is { } open
                    ? [$"{Words.Count(open.Count, "connection")} of {facts.Listener.Name} among them"]
                    : Array.Empty<string>(),
            ])
        {
            Worker = worker.Worker,
        };
    }

    private static Finding? Draining(WorkerProgress worker, ListenerFacts facts)
    {
        var its = worker.Worker;
        var accepted = its.DrainsFor >= Grace ? worker.Accepted ?? 0 : 0;
        if (!its.IsLeaving || (accepted == 0 && its.KeepsAccepting is null))
        {
            return null;
        }

        return new Finding(
            FindingCode.DrainingWorkerAccepts, FindingSeverity.Warning,
            $"{its} drains and accepts new connections: they are cut when it is killed",
            $"close the listener in the program when it gets its stop signal; listenctl status {its.Service} shows what it still has",
            [
                .. accepted > 0
                    ? [$"accepted {Words.Count(accepted, "connection")} in {Duration.Rounded(facts.Interval)}, "
                        + $"{Duration.Rounded(its.DrainsFor!.Value)} after its stop signal"]
                    : Array.Empty<string>(),
                .. its.KeepsAccepting is { } seen ? [seen] : Array.Empty<string>(),
            ])
        {
            Worker = its,
        };
    }

    /// <summary>Connections that wait although workers serve.</summary>
    private static IEnumerable<Finding> Waiting(ListenerFacts facts)
    {
        foreach (var socket in facts.Sockets)
        {
            var serving = facts.Workers.Where(worker => worker.Worker.IsServing).ToArray();
            var holders = serving.Where(worker => worker.Holds(socket.Socket) != false).ToArray();
            if (holders.Length == 0)
            {
                if (WithoutHolder(facts, socket, serving) is { } unserved)
                {
                    yield return unserved;
                }

                continue;
            }

            if (!IsStuck(facts, socket) && !IsSlow(facts, socket))
            {
                continue;
            }

            if (IsIgnored(facts, socket, holders))
            {
                yield return Ignored(facts, socket, holders);
                continue;
            }

            foreach (var worker in holders.Where(worker => worker.Now?.Stopped is null && !IsOutOfDescriptors(worker)
                && (facts.Sockets.Count > 1 || worker.Accepted is null or 0 || IsSlow(facts, socket))))
            {
                yield return NotAccepting(facts, socket, worker);
            }
        }
    }

    /// <summary>
    /// Whether nothing leaves a queue in which something waits for long. A full receive buffer shows nothing: what is read is replaced at
    /// once.
    /// </summary>
    private static bool IsStuck(ListenerFacts facts, SocketProgress socket) =>
        (facts.Listener.Kind.Listens() || !DatagramRules.IsFull(socket))
            && socket is { IsNeverEmpty: true, NeverShrinks: true } && (facts.Sockets.Count > 1 || facts.LeftQueue == 0)
            && (facts.LongestWait ?? facts.Interval) >= LongWait;

    /// <summary>Whether connections leave it, and wait for very long before.</summary>
    private static bool IsSlow(ListenerFacts facts, SocketProgress socket) =>
        !IsStuck(facts, socket) && socket.IsNeverEmpty && facts.LongestWait >= SlowWait;

    private static bool IsOutOfDescriptors(WorkerProgress worker) =>
        worker.Now?.Fullest is { } process && process.Descriptors >= process.DescriptorLimit;

    private static Finding NotAccepting(ListenerFacts facts, SocketProgress socket, WorkerProgress worker)
    {
        var isSlow = IsSlow(facts, socket);
        var listens = facts.Listener.Kind.Listens();
        var wait = facts.LongestWait is { } longest ? $", the oldest for {Duration.Rounded(longest)}" : "";
        var at = QueueRules.Name(facts, socket);
        var what = listens
            ? $"{Words.Count(socket.Now.Length, "connection")} wait{(socket.Now.Length == 1 ? "s" : "")} at {at}{wait}"
            : $"{Words.Count(socket.Now.Length, "byte")} wait at {at}";
        var does = (listens, isSlow) switch
        {
            (true, true) => "accepts too slowly",
            (true, false) => "does not accept",
            _ => "does not read",
        };
        var why = worker.Now?.Actor is { } actor ? $": it {actor}" : "";
        var its = worker.Worker;
        return new Finding(
            FindingCode.WorkerNotAccepting, isSlow ? FindingSeverity.Warning : FindingSeverity.Critical,
            $"{its} {does}{why}; {what}",
            its.Slot is null
                ? string.Create(CultureInfo.InvariantCulture, $"cat /proc/{its.Pid}/stack; restart the program if it does not recover")
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"listenctl logs {its.Service} --worker {its.Slot}; listenctl restart {its.Service} --worker {its.Slot}"),
            [
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"queue {socket.Before.Length} -> {socket.Now.Length} in {Duration.Rounded(facts.Interval)}"),
                Describe(worker, facts),
            ])
        {
            Worker = its,
            Shard = QueueRules.Shard(facts, socket),
        };
    }

    /// <summary>Whether the workers that have a stuck shard are seen to wait for other shards only.</summary>
    private static bool IsIgnored(ListenerFacts facts, SocketProgress socket, WorkerProgress[] holders) =>
        facts.Sockets.Count > 1 && IsStuck(facts, socket)
            && Array.TrueForAll(holders, worker => worker.Now?.Awaited is { } awaited && !awaited.Contains(socket.Socket.Inode))
            && Array.Exists(holders, worker =>
                worker.Accepted > 0 || facts.Sockets.Any(other => worker.Now!.Awaited!.Contains(other.Socket.Inode)));

    private static Finding Ignored(ListenerFacts facts, SocketProgress socket, WorkerProgress[] holders) => new(
        FindingCode.ShardUnserved, FindingSeverity.Critical,
        $"{QueueRules.Name(facts, socket)} gets connections and {holders[0].Worker} accepts only from other shards: "
        + $"{socket.Now.Length} wait",
        "let the program accept from each descriptor in LISTEN_FDS, or give the service as many workers as the listener has shards: "
        + $"listenctl scale {holders[0].Worker.Service} {facts.Listener.Sockets.Count}",
        [.. holders.Take(MostNamed).Select(worker => Describe(worker, facts))])
    {
        Shard = socket.Socket.Shard,
        Worker = holders[0].Worker,
    };

    private static Finding? WithoutHolder(ListenerFacts facts, SocketProgress socket, WorkerProgress[] serving)
    {
        if (facts.Sockets.Count > 1 && socket.Socket.IsChosen)
        {
            var service = serving[0].Worker.Service;
            return new Finding(
                FindingCode.ShardUnserved, FindingSeverity.Critical,
                $"no worker has {QueueRules.Name(facts, socket)} open: what arrives there is not accepted",
                $"listenctl restart {service}; the program must not close a descriptor of LISTEN_FDS",
                [
                    string.Create(
                        CultureInfo.InvariantCulture, $"queue {socket.Now.Length} of {socket.Now.Limit}, inode {socket.Socket.Inode}"),
                    $"{Words.Count(serving.Length, "worker")} looked at",
                ])
            {
                Shard = socket.Socket.Shard,
            };
        }

        return facts.Sockets.Count == 1 && IsStuck(facts, socket)
            ? new Finding(
                FindingCode.NoWorker, FindingSeverity.Critical,
                $"no worker has {facts.Listener.Name} open, and {socket.Now.Length} wait",
                $"listenctl restart {serving[0].Worker.Service}; the program must not close the descriptor of the listener",
                [.. serving.Take(MostNamed).Select(worker => Describe(worker, facts))])
            : null;
    }

    /// <summary>A listener without a worker that serves.</summary>
    private static IEnumerable<Finding> Unserved(ListenerFacts facts)
    {
        var listener = facts.Listener;
        var waiting = facts.Sockets.Sum(socket => socket.Now.Length);
        var isStarting = listener.Workers.Any(worker => worker.State == "starting");
        var waits = waiting > 0 && (facts.LongestWait ?? facts.Interval) >= LongWait;
        if (facts.Sockets.Count == 0 || (isStarting || listener.IsIdleByIntent || listener.Services.Count == 0 ? !waits : false))
        {
            yield break;
        }

        var service = listener.Services.Count == 0 ? null : listener.Services[0];
        var reason = listener.WithoutWorkers ?? (isStarting ? "its workers are starting" : service is null ? "no service lists it" : null);
        yield return new Finding(
            FindingCode.NoWorker, isStarting || listener.IsIdleByIntent ? FindingSeverity.Warning : FindingSeverity.Critical,
            $"no worker serves {listener.Name}{(reason is null ? "" : $": {reason}")}{(waiting > 0 ? $"; {waiting} wait" : "")}",
            service is null ? $"list it in a service: listeners = [\"{listener.Name}\"]"
            : isStarting ? $"listenctl status {service}"
            : $"listenctl logs {service}; listenctl start {service}",
            [
                string.Create(CultureInfo.InvariantCulture, $"queue {waiting}, {Words.Count(listener.Workers.Count, "worker")}"),
                .. facts.LongestWait is { } wait ? [$"the oldest has waited for {Duration.Rounded(wait)}"] : Array.Empty<string>(),
            ]);
    }
}
