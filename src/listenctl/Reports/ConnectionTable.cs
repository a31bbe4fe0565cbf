using System.Globalization;
using Supervisor.Control;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>Connections for people.</summary>
internal static class ConnectionTable
{
    /// <summary>Writes at most <paramref name="most"/> connections, and whether there are more.</summary>
    public static void Write(TextOutput output, List<ConnectionDocument> connections, int most)
    {
        if (connections.Count == 0)
        {
            output.WriteLine("no connections");
            return;
        }

        var table = new TextTable(
            output, 0,
            new("LISTENER"), new("REMOTE"), new("WORKER"), new("PID", IsNumber: true, Spare: 1), new("GEN", IsNumber: true, Spare: 2),
            new("STATE"), new("AGE", IsNumber: true), new("IDLE", IsNumber: true), new("UNREAD", IsNumber: true),
            new("UNSENT", IsNumber: true), new("RTT", IsNumber: true), new("RETR", IsNumber: true), new("KEEPALIVE"),
            new("NODELAY", Spare: 3), new("CONGESTION", Spare: 4));
        var rows = connections.Take(most).Select(Row).ToArray();
        table.Measure(rows);
        table.Print(rows, withHeader: true);
        if (connections.Count > most)
        {
            output.WriteLine(new StyledText("there are more: --all shows each, -n N the first N of an order (--sort)", Palette.Muted));
        }
    }

    private static StyledText[] Row(ConnectionDocument connection) =>
    [
        new(connection.Listener, Palette.Name),
        connection.Remote ?? "-",
        connection.Service is null ? "-" : string.Create(CultureInfo.InvariantCulture, $"{connection.Service}/{connection.Slot}"),
        Number(connection.Pid),
        Number(connection.Generation),
        connection.Waiting ? new StyledText("waiting", Palette.Warning) : connection.State,
        Time(connection.AgeMs),
        Time(connection.IdleMs),
        Number(connection.ReceiveQueue),
        Number(connection.SendQueue),
        connection.RttUs is { } rtt ? string.Create(CultureInfo.InvariantCulture, $"{rtt / 1000.0:0.0}ms") : "",
        new(Number(connection.Retransmits), connection.Retransmits > 0 ? Palette.Warning : Palette.Plain),
        KeepAlive(connection.KeepAlive),
        connection.NoDelay is { } noDelay ? noDelay ? "on" : "off" : "",
        connection.Congestion,
    ];

    private static StyledText KeepAlive(KeepAliveDocument? keepAlive) => keepAlive switch
    {
        null or { On: null } => "",
        { On: false } => new StyledText("off", Palette.Muted),
        { ProbesSent: > 0 } => new StyledText(
            string.Create(CultureInfo.InvariantCulture, $"{keepAlive.ProbesSent} unanswered"), Palette.Warning),
        { TimerMs: { } left } => "in " + Time(left),
        _ => "on",
    };

    private static string Time(long? milliseconds) =>
        milliseconds is { } some ? HumanTime.Span(TimeSpan.FromMilliseconds(some)) : "";

    private static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";
}
