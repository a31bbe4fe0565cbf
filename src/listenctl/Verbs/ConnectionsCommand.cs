using System.CommandLine;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core.Diagnosis;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Reports;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>connections [SERVICE|LISTENER]</c>: connections with their kernel state and the options that they have.</summary>
internal sealed class ConnectionsCommand : DaemonVerb
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly NameArgument name = new("NAME", "Only the connections of this listener or service", isOptional: true);
    private readonly Option<string> sort = new("--sort")
    {
        HelpName = string.Join('|', ConnectionOrders.Names),
        Description = "What comes first: the oldest, the most unread or unsent bytes, the longest round trip, the most retransmits "
            + "(default: age)",
        DefaultValueFactory = _ => ConnectionOrders.Names[0],
    };

    private readonly CountOption count = new("--count", "connections", "Show at most N connections");
    private readonly Option<bool> all;

    public ConnectionsCommand(GlobalOptions options, CommandContext context)
        : base(
            "connections", "Show accepted connections with their kernel state and effective options",
            "[SERVICE|LISTENER] [--sort KEY] [-n N] [--all]", options, context)
    {
        all = options.All;
        sort.AcceptOnlyFromAmong([.. ConnectionOrders.Names]);
        Arguments.Add(name);
        Options.Add(sort);
        Options.Add(count);
        Options.Add(all);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var most = parsed.GetValue(count);
        var isShort = most is null && !json && !parsed.GetValue(all);
        var limit = isShort ? Summary.MostRows + 1 : most;
        var target = $"/v1/connections?sort={parsed.GetValue(sort)}"
            + (parsed.GetValue(name) is { } of ? $"&name={Uri.EscapeDataString(of)}" : "")
            + (limit is { } some ? string.Create(CultureInfo.InvariantCulture, $"&limit={Math.Min(some, int.MaxValue)}") : "");
        var bytes = client.Get(target, Patience);
        var connections = Json.Read(bytes, ControlJson.Default.ListConnectionDocument, client);
        if (json)
        {
            Json.Write(Context.Output, bytes);
        }
        else
        {
            ConnectionTable.Write(new TextOutput(Context), connections, isShort ? Summary.MostRows : int.MaxValue);
        }

        return ExitCode.Done;
    }
}
