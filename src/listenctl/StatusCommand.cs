using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary><c>status [SERVICE]</c>: services, workers, generations, roll-outs.</summary>
internal sealed class StatusCommand : Verb
{
    private readonly NameArgument service = new("SERVICE", "This service alone", isOptional: true);

    public StatusCommand(GlobalOptions options, CommandContext standard)
        : base("status", "Services, their workers, generations and roll-outs", "[SERVICE]", options, standard) => Arguments.Add(service);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var bytes = client.Get("/v1/status");
        var name = parsed.GetValue(service);
        if (json)
        {
            Json.Write(CommandContext.Output, name is null ? bytes : Only(bytes, name, client));
            return ExitCode.Done;
        }

        var status = Json.Read(bytes, ControlJson.Default.StatusDocument, client);
        var services = name is null ? status.Services : [.. status.Services.Where(s => s.Name == name)];
        if (name is not null && services.Count == 0)
        {
            throw Json.Unknown("service", name, [.. status.Services.Select(s => s.Name)]);
        }

        Show(new Screen(CommandContext), status, services);
        return ExitCode.Done;
    }

    /// <summary>The same document with one service, all else as the daemon wrote it.</summary>
    private static ReadOnlyMemory<byte> Only(byte[] bytes, string name, ControlClient client)
    {
        using var document = Json.Parse(bytes, client);
        if (document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("services", out var services)
            || services.ValueKind != JsonValueKind.Array)
        {
            throw client.Foreign("its status names no services");
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

    private void Show(Screen screen, StatusDocument status, IReadOnlyList<ServiceDocument> shown)
    {
        screen.Line(DaemonLine(status, CommandContext.Clock));
        var services = new TextTable(screen, 0, new(""), new(""), new(""), new(""), new(""));
        var workers = new TextTable(
            screen,
            2,
            new("SLOT", IsNumber: true),
            new("PID", IsNumber: true),
            new("GEN", IsNumber: true),
            new("STATE"),
            new("FOR", IsNumber: true),
            new("RESTARTS", IsNumber: true),
            new("CONNECTIONS", IsNumber: true),
            new("MEMORY", IsNumber: true),
            new("CPU", IsNumber: true),
            new("STATUS"));
        var rows = shown.Select(s => (Service: ServiceRow(s), Remarks: Remarks(s, screen.Arrow), Workers: s.Workers.Select(WorkerRow).ToArray())).ToArray();
        services.Fit(rows.Select(r => r.Service));
        workers.Fit(rows.SelectMany(r => r.Workers));
        foreach (var (service, remarks, its) in rows)
        {
            screen.Line();
            services.Print([service]);
            foreach (var remark in remarks)
            {
                screen.Line(remark, 2);
            }

            if (its.Length > 0)
            {
                workers.Print(its, withHeader: true);
            }
        }
    }

    /// <summary>The daemon in a line; <paramref name="first"/> stands before everything but its name.</summary>
    internal static Cell DaemonLine(StatusDocument status, TimeProvider clock, IReadOnlyList<(string Text, Spectre.Console.Style Style)>? first = null)
    {
        var daemon = status.Daemon;
        var wanted = status.Services.Count(s => s.State is not "stopped");
        var ready = status.Services.Count(s => s.State is not "stopped" && s.Ready >= s.Desired);
        var stopped = status.Services.Count - wanted;
        var line = new Cell($"listend {daemon.Version}", Palette.Name);
        foreach (var (text, style) in first ?? [])
        {
            line.Then(text, style);
        }

        line.Then($"pid {daemon.Pid}")
            .Then($"up {HumanTime.Span(clock.GetUtcNow() - daemon.StartedAt)} since {HumanTime.Local(daemon.StartedAt, clock)}");
        if (daemon.Upgrades > 0)
        {
            line.Then(daemon.Upgrades == 1 ? "upgraded once" : $"upgraded {daemon.Upgrades} times");
        }

        if (wanted > 0 || stopped == 0)
        {
            line.Then(
                wanted == 0 ? "no services" : $"{ready} of {wanted} service{(wanted == 1 ? "" : "s")} ready",
                ready == wanted ? Palette.Good : Palette.Attention);
        }

        return line.Then(stopped > 0 ? $"{stopped} stopped" : null, Palette.Quiet).Then(daemon.ConfigFile, Palette.Quiet);
    }

    /// <summary>The service's roll-out and the reason of its state, a line each.</summary>
    internal static List<Cell> Remarks(ServiceDocument service, string arrow)
    {
        var remarks = new List<Cell>();
        if (service.Rollout is { } rollout)
        {
            remarks.Add(new(RolloutText.Of(rollout, arrow), rollout.State is "done" ? Palette.Quiet : Palette.StateStyle(rollout.State)));
        }

        if (service.Reason is { Length: > 0 } reason && service.Rollout?.Reason != reason)
        {
            remarks.Add(new(reason, Palette.StateStyle(service.State)));
        }

        return remarks;
    }

    /// <summary>The service in a line.</summary>
    internal static Cell[] ServiceRow(ServiceDocument service)
    {
        var ready = service.Ready >= service.Desired ? Palette.Plain : service.Ready == 0 && service.Desired > 0 ? Palette.Bad : Palette.Attention;
        return
        [
            new(service.Name, Palette.Name),
            Palette.State(service.State),
            $"generation {service.Generation}",
            new($"{service.Ready}/{service.Desired} ready", service.State is "stopped" ? Palette.Quiet : ready),
            service.Listeners.Count == 0 ? new Cell("no listeners", Palette.Quiet) : string.Join(", ", service.Listeners),
        ];
    }

    /// <summary>Since when a worker is in its state, as far as that is known.</summary>
    internal static DateTimeOffset? Since(WorkerDocument worker) => worker.StateSince ?? (worker.State is "ready" ? worker.ReadyAt : worker.StartedAt);

    /// <summary>What a worker says of itself, how the last one ended, and when the next is tried.</summary>
    internal static Cell StatusText(WorkerDocument worker, DateTimeOffset now)
    {
        var text = new Cell(worker.StatusText);
        DrainText.Add(text, worker.Drain, now);
        if (worker.LastExit is { Length: > 0 } exit)
        {
            text.Then($"last exit: {exit}", worker.State is "ready" ? Palette.Quiet : Palette.Bad);
        }

        if (worker.NextTry is { } next)
        {
            text.Then(next > now ? $"next try in {HumanTime.Span(next - now)}" : "next try now", Palette.Attention);
        }

        return text;
    }

    private Cell[] WorkerRow(WorkerDocument worker)
    {
        var now = CommandContext.Clock.GetUtcNow();
        return
        [
            worker.Slot.ToString(CultureInfo.InvariantCulture),
            worker.Pid?.ToString(CultureInfo.InvariantCulture) ?? "-",
            worker.Generation.ToString(CultureInfo.InvariantCulture),
            Palette.State(worker.State),
            Since(worker) is { } start ? HumanTime.Span(now - start) : "-",
            new(worker.Restarts.ToString(CultureInfo.InvariantCulture), worker.Restarts > 0 ? Palette.Attention : Palette.Plain),
            worker.Connections?.ToString(CultureInfo.InvariantCulture) ?? "-",
            worker.MemoryBytes is { } memory ? string.Create(CultureInfo.InvariantCulture, $"{memory / 1048576.0:0.0} MiB") : "",
            worker.CpuUsec is { } used ? HumanTime.Span(TimeSpan.FromMicroseconds(used)) : "",
            StatusText(worker, now),
        ];
    }
}
