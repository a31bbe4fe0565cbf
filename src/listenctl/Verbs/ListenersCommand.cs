using System.CommandLine;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Reports;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>listeners [NAME]</c>: what was requested and what the kernel uses.</summary>
internal sealed class ListenersCommand : DaemonVerb
{
    private readonly NameArgument name = new("NAME", "Only this listener, with all its options", isOptional: true);

    private readonly Option<bool> all;

    public ListenersCommand(GlobalOptions options, CommandContext context)
        : base(
            "listeners", "Show listeners: address, backlog, queue, options, descriptor and services", "[NAME] [--all]", options,
            context)
    {
        all = options.All;
        Arguments.Add(name);
        Options.Add(all);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var name = parsed.GetValue(this.name);
        var bytes = client.Get(
            name is not null ? $"/v1/listeners?name={Uri.EscapeDataString(name)}"
            : json ? "/v1/listeners"
            : "/v1/listeners?options=false");
        var listeners = Json.Read(bytes, ControlJson.Default.ListListenerDocument, client);
        if (json)
        {
            Json.Write(Context.Output, name is null ? bytes : Only(bytes, name, client));
            return ExitCode.Done;
        }

        var output = new TextOutput(Context);
        if (name is null && listeners.Count > Summary.MostRows && !parsed.GetValue(all))
        {
            Summary.Write(output, listeners);
        }
        else if (name is null)
        {
            ListenerReport.WriteAll(output, listeners);
        }
        else
        {
            var listener = listeners.Find(l => l.Name == name) ?? throw Json.Unknown("listener", name, [.. listeners.Select(l => l.Name)]);
            ListenerReport.WriteOne(output, listener);
        }

        return ExitCode.Done;
    }

    /// <summary>An array of this one listener, byte for byte as the daemon wrote it.</summary>
    private static ReadOnlyMemory<byte> Only(byte[] bytes, string name, ControlClient client)
    {
        using var document = Json.Parse(bytes, client);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
        {
            throw client.NotListend("its list of listeners is not an array");
        }

        var all = document.RootElement.EnumerateArray().ToArray();
        var named = Array.FindIndex(all, l => Json.Name(l) == name);
        return named >= 0
            ? (byte[])[(byte)'[', .. Json.Raw(all[named]), (byte)']']
            : throw Json.Unknown("listener", name, [.. all.Select(Json.Name).OfType<string>()]);
    }
}
