using Supervisor.Core.Diagnosis;

namespace Supervisor.Control;

/// <summary>The documents of connections.</summary>
public static class ConnectionDocuments
{
    /// <summary>The document of a connection.</summary>
    public static ConnectionDocument ToDocument(this ListedConnection connection)
    {
        var sample = connection.Sample;
        var tcp = sample.Tcp;
        return new ConnectionDocument(
            connection.Listener.Name,
            sample.Local?.ToString() ?? connection.Listener.Address?.ToString(),
            sample.Remote?.ToString(),
            connection.Pid,
            connection.Worker?.Slot,
            connection.Worker?.Generation,
            sample.StateName,
            (long?)sample.OpenFor?.TotalMilliseconds,
            (long?)sample.IdleFor?.TotalMilliseconds,
            sample.ReceiveQueue,
            sample.SendQueue,
            tcp?.RttUs,
            tcp?.TotalRetransmits,
            tcp is null ? null : KeepAlive(sample, tcp, connection.Options),
            connection.Options?.NoDelay,
            sample.IsWaiting)
        {
            Service = connection.Worker?.Service,
            ReceiveBuffer = sample.ReceiveBuffer == 0 ? null : sample.ReceiveBuffer,
            SendBuffer = sample.SendBuffer == 0 ? null : sample.SendBuffer,
            Congestion = tcp?.Congestion,
            Window = tcp?.Window,
            UserTimeoutMs = (long?)connection.Options?.UserTimeout?.TotalMilliseconds,
        };
    }

    /// <summary>
    /// A running timer shows that keep-alive is on, and on an established connection no timer at all that it is off. While another timer
    /// runs only the option says it.
    /// </summary>
    private static KeepAliveDocument KeepAlive(ConnectionSample sample, TcpFacts tcp, ConnectionOptions? options)
    {
        var runs = sample is { State: ConnectionSample.Established, Timer: ConnectionTimer.KeepAlive };
        var isIdle = sample is { State: ConnectionSample.Established, Timer: ConnectionTimer.None };
        return new KeepAliveDocument(
            options?.KeepAlive ?? (runs ? true : isIdle ? false : null),
            runs ? sample.TimerMs : null,
            runs ? tcp.Probes : 0)
        {
            IdleMs = (long?)options?.KeepAliveIdle?.TotalMilliseconds,
        };
    }
}
