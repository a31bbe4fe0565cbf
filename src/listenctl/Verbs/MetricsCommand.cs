using System.CommandLine;
using System.Text;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>metrics</c>: the metrics in Prometheus' text format, as <c>GET /metrics</c> gives them.</summary>
internal sealed class MetricsCommand(GlobalOptions options, CommandContext context)
    : DaemonVerb("metrics", "Print the metrics in Prometheus' text format; with --json as one string", "", options, context)
{
    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var text = client.Get("/metrics", type: ControlClient.MetricsType);
        if (json)
        {
            Json.Write(Context.Output, Json.Text(Encoding.UTF8.GetString(text)));
        }
        else
        {
            Context.Output.Write(text);
            Context.Output.Flush();
        }

        return ExitCode.Done;
    }
}
