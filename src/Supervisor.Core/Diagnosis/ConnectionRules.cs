using System.Globalization;

namespace Supervisor.Core.Diagnosis;

/// <summary>Findings about accepted connections: one finding for each kind of trouble, with examples.</summary>
internal static class ConnectionRules
{
    private const int MostExamples = 3;

    /// <summary>After so many timeouts in a row, some seconds, a lost segment is no explanation any more.</summary>
    private const int ManyRetransmits = 2;

    /// <summary>Without an acknowledgement for so long, a queue does not move.</summary>
    private const uint StuckMs = 500;

    /// <summary>An idle connection without keep-alive is worth a remark: clients of HTTP are usually closed before.</summary>
    private static readonly TimeSpan LongIdle = TimeSpan.FromSeconds(60);

    /// <summary>The findings about the accepted connections of a listener.</summary>
    public static IEnumerable<Finding> Of(ListenerFacts facts)
    {
        var kinds = facts.Connections.Where(connection => !connection.IsWaiting)
            .GroupBy(connection => Kind(connection, facts.Before(connection)))
            .Where(group => group.Key is not null)
            .OrderBy(group => group.Key);
        foreach (var kind in kinds)
        {
            ConnectionSample[] all = [.. kind.OrderByDescending(connection => connection.SendQueue + connection.ReceiveQueue)];
            var (severity, text, advice) = Sentence(kind.Key!.Value, facts, all);
            yield return new Finding(
                kind.Key.Value, severity, text, advice, [.. all.Take(MostExamples).Select(connection => Example(connection, facts))]);
        }
    }

    /// <summary>What is wrong with a connection, the most specific trouble; null if nothing is.</summary>
    internal static FindingCode? Kind(ConnectionSample now, ConnectionSample? before)
    {
        var isSame = now.SendQueue > 0 && before is { SendQueue: > 0 } && now.Tcp?.Acked == before.Tcp?.Acked
            && (now.Tcp is not null || now.SendQueue >= before.SendQueue);
        if (isSame && now.IsBlockedByPeer && before!.IsBlockedByPeer)
        {
            return FindingCode.PeerNotReading;
        }

        if (now.Tcp is not { } tcp)
        {
            return null;
        }

        if (IsSilent(now, tcp) || (isSame && tcp.Retransmits > 0 && before!.Tcp?.Retransmits > 0))
        {
            return FindingCode.Retransmitting;
        }

        if (isSame && tcp.LastAckMs >= StuckMs)
        {
            return FindingCode.SendQueueStuck;
        }

        return tcp.OwnWindow == 0 && before?.Tcp?.OwnWindow == 0 && now.ReceiveQueue > 0 && now.ReceiveQueue >= before.ReceiveQueue
            ? FindingCode.ReceiveBufferFull
            : now is { State: ConnectionSample.Established, Timer: ConnectionTimer.None, SendQueue: 0 } && now.IdleFor >= LongIdle
                ? FindingCode.KeepAliveOff
                : null;
    }

    /// <summary>Whether the peer does not answer: timeouts in a row, or keep-alive probes.</summary>
    private static bool IsSilent(ConnectionSample connection, TcpFacts tcp) =>
        (connection.Timer == ConnectionTimer.Retransmit && tcp.Retransmits >= ManyRetransmits)
        || (connection.Timer == ConnectionTimer.KeepAlive && tcp.Probes > 0);

    private static (FindingSeverity Severity, string Text, string Advice) Sentence(
        FindingCode code, ListenerFacts facts, ConnectionSample[] connections)
    {
        var name = facts.Listener.Name;
        var all = Words.Count(connections.Length, "connection");
        var bytes = connections.Sum(connection => connection.SendQueue);
        return code switch
        {
            FindingCode.PeerNotReading => (
                FindingSeverity.Warning,
                $"the clients of {all} at {name} do not read: {Words.Count(bytes, "byte")} wait for them",
                $"listenctl connections {name} --sort send -n 20; accepted = {{ user_timeout = \"30s\" }} in [listener.{name}] "
                + "closes such connections"),
            FindingCode.Retransmitting => (
                FindingSeverity.Warning,
                $"the clients of {all} at {name} do not answer: the kernel sends again",
                $"listenctl connections {name} --sort retransmits -n 20; accepted = {{ user_timeout = \"30s\", keep_alive = true, "
                + $"keep_alive_idle = \"60s\" }} in [listener.{name}] closes them earlier"),
            FindingCode.SendQueueStuck => (
                FindingSeverity.Warning,
                $"nothing is acknowledged on {all} at {name}: {Words.Count(bytes, "byte")} wait",
                $"listenctl connections {name} --sort send -n 20; ss -tinp '( sport = :{facts.Listener.Address?.Port} )'"),
            FindingCode.ReceiveBufferFull => (
                FindingSeverity.Warning,
                $"the workers do not read {all} at {name}: their receive buffers are full",
                $"listenctl connections {name} --sort receive -n 20"),
            FindingCode.KeepAliveOff => (
                FindingSeverity.Info,
                $"{all} at {name} {(connections.Length == 1 ? "is" : "are")} idle without keep-alive: a vanished client is not noticed",
                facts.Listener.KeepAlive == true
                    ? "the program turns SO_KEEPALIVE off on accepted sockets: change that there"
                    : $"accepted = {{ keep_alive = true, keep_alive_idle = \"60s\" }} in [listener.{name}], then listenctl reload"),
            _ => throw new ArgumentOutOfRangeException(nameof(code), code, null),
        };
    }

    private static string Example(ConnectionSample connection, ListenerFacts facts)
    {
        var holder = facts.Workers.FirstOrDefault(worker => worker.Now?.Sockets?.ContainsKey(connection.Inode) == true)?.Worker;
        var tcp = connection.Tcp;
        var parts = new List<string>
        {
            $"{connection.Remote?.ToString() ?? $"socket {connection.Inode.ToString(CultureInfo.InvariantCulture)}"}"
            + (holder is null ? "" : $" of {holder}"),
            string.Create(CultureInfo.InvariantCulture, $"send queue {connection.SendQueue}"),
            string.Create(CultureInfo.InvariantCulture, $"receive queue {connection.ReceiveQueue}"),
        };
        if (tcp is { Window: 0 })
        {
            parts.Add("window 0");
        }

        if (tcp is { Retransmits: > 0 })
        {
            parts.Add($"{Words.Count(tcp.Retransmits, "timeout")} in a row");
        }

        if (tcp is { Probes: > 0 })
        {
            parts.Add($"{Words.Count(tcp.Probes, "probe")} unanswered");
        }

        if (tcp is not null)
        {
            parts.Add($"last acknowledgement {Duration.Rounded(TimeSpan.FromMilliseconds(tcp.LastAckMs))} ago");
        }

        return string.Join(", ", parts);
    }
}
