using System.Globalization;
using Supervisor.Core.Listeners;

namespace Supervisor.Core.Diagnosis;

/// <summary>Findings about the queues before accept(): handshakes, waiting connections, the backlog.</summary>
internal static class QueueRules
{
    /// <summary>A queue that grows by fewer than this many connections is a burst.</summary>
    private const int LeastGrowth = 3;

    /// <summary>From this part of the limit on, drops can be due to the accept queue.</summary>
    private const double AlmostFull = 0.75;

    /// <summary>The findings of a listener that accepts connections.</summary>
    public static IEnumerable<Finding> Of(ListenerFacts facts)
    {
        foreach (var socket in facts.Sockets)
        {
            if (Full(facts, socket) is { } full)
            {
                yield return full;
            }

            if (Growing(facts, socket) is { } growing)
            {
                yield return growing;
            }
        }

        if (SynQueue(facts) is { } handshakes)
        {
            yield return handshakes;
        }

        if (Cookies(facts) is { } cookies)
        {
            yield return cookies;
        }

        if (Clamped(facts) is { } clamped)
        {
            yield return clamped;
        }
    }

    private static Finding? Full(ListenerFacts facts, SocketProgress socket)
    {
        if (!IsFull(facts, socket))
        {
            return null;
        }

        var drops = IsOverflow(facts, socket);
        var name = Name(facts, socket);
        var text = drops
            ? $"the accept queue of {name} is full: the kernel dropped {Words.Count(socket.Dropped!.Value, "connection")} in "
                + Duration.Rounded(facts.Interval)
            : $"the accept queue of {name} is full: {socket.Now.Length} wait, the limit is {socket.Now.Limit}";
        return new Finding(
            FindingCode.AcceptQueueFull, drops || socket.IsFull ? FindingSeverity.Critical : FindingSeverity.Warning, text,
            Advice(facts), [.. Evidence(facts, socket)])
        {
            Shard = Shard(facts, socket),
        };
    }

    private static Finding? Growing(ListenerFacts facts, SocketProgress socket) =>
        socket.IsNeverEmpty && socket.Now.Length - socket.Before.Length >= LeastGrowth
            ? new Finding(
                FindingCode.AcceptQueueGrowing, FindingSeverity.Warning,
                $"the accept queue of {Name(facts, socket)} grows: {socket.Before.Length} waited, {socket.Now.Length} wait "
                + $"{Duration.Rounded(facts.Interval)} later",
                Advice(facts), [.. Evidence(facts, socket)])
            {
                Shard = Shard(facts, socket),
            }
            : null;

    private static IEnumerable<string> Evidence(ListenerFacts facts, SocketProgress socket)
    {
        yield return string.Create(
            CultureInfo.InvariantCulture, $"accept queue {socket.Before.Length} -> {socket.Now.Length} of {socket.Now.Limit}");
        if (socket.Now.Drops is { } total)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture, $"dropped {socket.Dropped ?? 0} in {Duration.Rounded(facts.Interval)}, {total} in total");
        }

        if (facts.LongestWait is { } wait)
        {
            yield return $"the oldest connection has waited for {Duration.Rounded(wait)}";
        }

        foreach (var worker in facts.Workers.Where(worker => worker.Worker.IsServing).Take(WorkerRules.MostNamed))
        {
            yield return WorkerRules.Describe(worker, facts);
        }
    }

    private static string Advice(ListenerFacts facts)
    {
        var listener = facts.Listener;
        if (listener.Workers.FirstOrDefault(worker => worker.Slot is not null) is not { } worker)
        {
            return "find out what the workers wait for, start more of them, or give listen() a larger backlog";
        }

        var more = listener.Workers.Count(other => other.Service == worker.Service && !other.IsLeaving) + 1;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"listenctl logs {worker.Service}; if the workers are only too few: listenctl scale {worker.Service} {more}, or raise "
            + $"listen.backlog of listener {listener.Name}");
    }

    private static Finding? SynQueue(ListenerFacts facts)
    {
        if (!facts.Listener.Kind.SpeaksTcp() || facts.HalfOpenLimit is not { } limit)
        {
            return null;
        }

        // A handshake cannot end while the accept queue is full, so handshakes gather: no finding of their own.
        var isFull = facts.HalfOpen > 0 && facts.HalfOpen >= limit * AlmostFull && !facts.Sockets.Any(socket => IsFull(facts, socket));
        var dropped = facts.Sockets.Where(socket => !IsOverflow(facts, socket)).Sum(socket => socket.Dropped ?? 0);
        if (!isFull && (dropped == 0 || facts.HalfOpen < limit / 4))
        {
            return dropped == 0 ? null : Dropped(facts, dropped);
        }

        var drops = facts.Second.Host.SynCookies == 0 || dropped > 0;
        return new Finding(
            FindingCode.SynQueueFull, drops ? FindingSeverity.Critical : FindingSeverity.Warning,
            $"the SYN queue of {facts.Listener.Name} is full: {facts.HalfOpen} handshakes do not complete",
            facts.Second.Host.SynCookies == 0
                ? "sysctl -w net.ipv4.tcp_syncookies=1, and filter the senders"
                : $"filter the senders: ss -Htn state syn-recv '( sport = :{facts.Listener.Address?.Port} )'",
            [
                string.Create(CultureInfo.InvariantCulture, $"{facts.HalfOpen} sockets in SYN_RECV, limit {limit}"),
                string.Create(CultureInfo.InvariantCulture, $"dropped before accept(): {dropped} in {Duration.Rounded(facts.Interval)}"),
                string.Create(CultureInfo.InvariantCulture, $"net.ipv4.tcp_syncookies = {facts.Second.Host.SynCookies}"),
            ]);
    }

    private static bool IsFull(ListenerFacts facts, SocketProgress socket) =>
        IsOverflow(facts, socket) || (socket.Now.Limit > 0 && socket.Now.Length >= socket.Now.Limit);

    /// <summary>Whether the kernel dropped connections because the accept queue was full, be it for a moment between two samples.</summary>
    private static bool IsOverflow(ListenerFacts facts, SocketProgress socket) => socket.Dropped > 0
        && (socket.Peak >= socket.Now.Limit * AlmostFull || facts.Second.Host.ListenOverflows > facts.First.Host.ListenOverflows);

    private static Finding Dropped(ListenerFacts facts, long dropped) => new(
        FindingCode.HandshakesDropped, FindingSeverity.Warning,
        $"the kernel dropped {Words.Count(dropped, "handshake")} at {facts.Listener.Name} in {Duration.Rounded(facts.Interval)}, "
        + "although no queue is full",
        "nstat -az 'TcpExt*'; check the route back to the clients (ip route get CLIENT), the firewall and net.ipv4.tcp_mem",
        [
            string.Create(CultureInfo.InvariantCulture, $"SK_MEMINFO_DROPS grew by {dropped}, {facts.DropsTotal} in total"),
            string.Create(CultureInfo.InvariantCulture, $"{facts.HalfOpen} sockets in SYN_RECV"),
        ]);

    private static Finding? Cookies(ListenerFacts facts) =>
        facts.Listener.Kind.SpeaksTcp() && facts.Second.Host.CookiesSent - facts.First.Host.CookiesSent is > 0 and var cookies
            && facts.HalfOpenLimit is { } limit && (facts.HalfOpen >= limit * AlmostFull || facts.Second.Host.SynCookies == 2)
            ? new Finding(
                FindingCode.SynCookies, FindingSeverity.Warning,
                $"the kernel answers handshakes at {facts.Listener.Name} with SYN cookies: its SYN queue is full",
                $"if this is not a flood, raise listen.backlog of listener {facts.Listener.Name}; otherwise filter the senders",
                [
                    string.Create(CultureInfo.InvariantCulture, $"{facts.PerSecond(cookies)} cookies per second in this network namespace"),
                    string.Create(CultureInfo.InvariantCulture, $"{facts.HalfOpen} sockets in SYN_RECV, limit {limit}"),
                ])
            : null;

    private static Finding? Clamped(ListenerFacts facts)
    {
        if (facts.Listener.Backlog is not { } asked || facts.Sockets.Count == 0
            || facts.Sockets.Min(socket => socket.Now.Limit) is var effective && (effective == 0 || effective >= asked))
        {
            return null;
        }

        var most = facts.Second.Host.MaxBacklog;
        var isClamped = most is null || effective == most;
        return new Finding(
            FindingCode.BacklogClamped, FindingSeverity.Warning,
            $"the backlog of {facts.Listener.Name} is {effective}, not {asked}"
            + (isClamped ? ": net.core.somaxconn bounds it" : ": a worker or an earlier net.core.somaxconn has reduced it"),
            isClamped
                ? string.Create(CultureInfo.InvariantCulture, $"sysctl -w net.core.somaxconn={asked}, then listenctl reload")
                : $"listenctl reload; listenctl history {facts.Listener.Name} shows who changed it",
            [
                string.Create(CultureInfo.InvariantCulture, $"listen.backlog = {asked}, the kernel uses {effective}"),
                string.Create(CultureInfo.InvariantCulture, $"net.core.somaxconn = {most}"),
            ]);
    }

    /// <summary>The listener, with the shard if it has several.</summary>
    internal static string Name(ListenerFacts facts, SocketProgress socket) => Shard(facts, socket) is { } shard
        ? string.Create(CultureInfo.InvariantCulture, $"{facts.Listener.Name}, shard {shard}")
        : facts.Listener.Name;

    /// <summary>The shard's number if there are several.</summary>
    internal static int? Shard(ListenerFacts facts, SocketProgress socket) =>
        facts.Listener.Sockets.Count > 1 ? socket.Socket.Shard : null;
}
