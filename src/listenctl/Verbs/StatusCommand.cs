using System.CommandLine;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Reports;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>status [SERVICE]</c>: services, workers, generations, roll-outs.</summary>
internal sealed class StatusCommand : DaemonVerb
{
    private readonly NameArgument service = new("SERVICE", "Only this service", isOptional: true);

    private readonly Option<bool> all;

    public StatusCommand(GlobalOptions options, CommandContext context)
        : base("status", "Show services with their workers, generations and roll-outs", "[SERVICE] [--all]", options, context)
    {
        all = options.All;
        Arguments.Add(service);
        Options.Add(all);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var name = parsed.GetValue(service);
        var bytes = client.Get(name is null ? "/v1/status" : $"/v1/status?service={Uri.EscapeDataString(name)}");
        var status = Json.Read(bytes, ControlJson.Default.StatusDocument, client);
        if (json)
        {
            Json.Write(Context.Output, name is null ? bytes : Only(bytes, name, client));
            return ExitCode.Done;
        }

        var services = name is null ? status.Services : [.. status.Services.Where(s => s.Name == name)];
        if (name is not null && services.Count == 0)
        {
            throw Json.Unknown("service", name, [.. status.Services.Select(s => s.Name)]);
        }

        StatusReport.Write(new TextOutput(Context), Context.Clock, status, services, isOne: name is not null, parsed.GetValue(all));
        return ExitCode.Done;
    }

    /// <summary>The document with only this service; everything else byte for byte as the daemon wrote it.</summary>
    private static ReadOnlyMemory<byte> Only(byte[] bytes, string name, ControlClient client)
    {
        using var document = Json.Parse(bytes, client);
        if (document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("services", out var services)
            || services.ValueKind != JsonValueKind.Array)
        {
            throw client.NotListend("its status has no services");
        }

        var named = services.EnumerateArray().Where(s => Json.Name(s) == name).ToArray();
        if (named.Length == 0)
        {
            throw Json.Unknown("service", name, [.. services.EnumerateArray().Select(Json.Name).OfType<string>()]);
        }

        var filtered = new MemoryStream();
        using (var writer = new Utf8JsonWriter(filtered))
        {
            writer.WriteStartObject();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                writer.WritePropertyName(property.Name);
                if (property.NameEquals("services"))
                {
                    writer.WriteStartArray();
                    writer.WriteRawValue(named[0].GetRawText(), skipInputValidation: true);
                    writer.WriteEndArray();
                }
                else
                {
                    writer.WriteRawValue(property.Value.GetRawText(), skipInputValidation: true);
                }
            }

            writer.WriteEndObject();
        }

        return filtered.ToArray();
    }
}
