using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Supervisor.Control;

namespace Supervisor.Listenctl;

/// <summary><c>listeners [NAME]</c>: what was asked for and what the kernel keeps.</summary>
internal sealed class ListenersCommand : Verb
{
    private readonly NameArgument listener = new("NAME", "This listener alone, with all its options", isOptional: true);

    public ListenersCommand(GlobalOptions options, CommandContext standard)
        : base("listeners", "Listeners: requested and effective address, options, backlog, queue, inode, owner", "[NAME]", options, standard) =>
        Arguments.Add(listener);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var bytes = client.Get("/v1/listeners");
        var name = parsed.GetValue(listener);
        if (json)
        {
            Json.Write(CommandContext.Output, name is null ? bytes : Only(bytes, name, client));
            return ExitCode.Done;
        }

        var listeners = Json.Read(bytes, ControlJson.Default.ListListenerDocument, client);
        var screen = new Screen(CommandContext);
        if (name is null)
        {
            ShowAll(screen, listeners);
        }
        else
        {
            ShowOne(screen, listeners.Find(l => l.Name == name) ?? throw Json.Unknown("listener", name, [.. listeners.Select(l => l.Name)]));
        }

        return ExitCode.Done;
    }

    /// <summary>An array of the one listener, as the daemon wrote it.</summary>
    private static ReadOnlyMemory<byte> Only(byte[] bytes, string name, ControlClient client)
    {
        using var document = Json.Parse(bytes, client);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
        {
            throw client.Foreign("its listeners are no array");
        }

        var all = document.RootElement.EnumerateArray().ToArray();
        var named = Array.FindIndex(all, l => Json.Name(l) == name);
        return named >= 0
            ? (byte[])[(byte)'[', .. Json.Raw(all[named]), (byte)']']
            : throw Json.Unknown("listener", name, [.. all.Select(Json.Name).OfType<string>()]);
    }

    private static void ShowAll(Screen screen, List<ListenerDocument> listeners)
    {
        if (listeners.Count == 0)
        {
            screen.Line("no listeners");
            return;
        }

        var sheet = new TextTable(
            screen,
            0,
            new("NAME"),
            new("STATE"),
            new("ADDRESS"),
            new("BACKLOG"),
            new("QUEUE", IsNumber: true),
            new("ORIGIN", Spare: 1),
            new("FD", IsNumber: true, Spare: 2),
            new("INODE", IsNumber: true, Spare: 3),
            new("SERVICES"));
        var rows = listeners.ConvertAll(l => (Listener: l, Row: ListenerRow(l)));
        sheet.Fit(rows.Select(r => r.Row));

        // Rows go out in runs, so that what has to be said about a listener stands right beneath it.
        var run = new List<Cell[]>();
        var isFirst = true;
        foreach (var (listener, row) in rows)
        {
            run.Add(row);
            if (listener.Failure is null && !listener.Drift)
            {
                continue;
            }

            sheet.Print(run, withHeader: isFirst);
            isFirst = false;
            run.Clear();
            ShowTrouble(screen, listener);
        }

        if (run.Count > 0)
        {
            sheet.Print(run, withHeader: isFirst);
        }
    }

    private static Cell[] ListenerRow(ListenerDocument listener) =>
    [
        new(listener.Name, Palette.Name),
        Palette.State(listener.State),
        Address(listener),
        Backlog(listener),
        Queue(listener, "/"),
        listener.Origin,
        listener.Fd?.ToString(CultureInfo.InvariantCulture) ?? "-",
        listener.Inode?.ToString(CultureInfo.InvariantCulture) ?? "-",
        listener.Services.Count == 0 ? new Cell("none", Palette.Quiet) : string.Join(", ", listener.Services),
    ];

    private static void ShowOne(Screen screen, ListenerDocument listener)
    {
        screen.Line(new Cell(listener.Name, Palette.Name).And("  ").And(listener.State, Palette.StateStyle(listener.State)).And("  ").And(listener.Effective ?? listener.Requested));
        ShowTrouble(screen, listener);
        var details = new TextTable(screen, 2, new(""), new(""));
        Cell[][] rows =
        [
            [new("requested", Palette.Quiet), listener.Requested],
            [new("effective", Palette.Quiet), listener.Effective ?? "-"],
            [new("origin", Palette.Quiet), listener.Origin],
            [new("descriptor", Palette.Quiet), Descriptor(listener)],
            .. listener.Backlog is null ? Array.Empty<Cell[]>() : [[new("backlog", Palette.Quiet), Backlog(listener)]],
            .. listener.Queue is null ? Array.Empty<Cell[]>() : [[new("queue", Palette.Quiet), Queue(listener, " of ")]],
            [new("services", Palette.Quiet), listener.Services.Count == 0 ? "none" : string.Join(", ", listener.Services)],
        ];
        details.Fit(rows);
        details.Print(rows);
        if (listener.Options.Count == 0)
        {
            return;
        }

        screen.Line();
        var options = new TextTable(screen, 2, new("OPTION"), new("SETTING"), new("PHASE", Spare: 1), new("VERDICT"), new("VALUE"));
        var optionRows = listener.Options.Select(option => OptionRow(option, screen)).ToArray();
        options.Fit(optionRows);
        options.Print(optionRows, withHeader: true);
    }

    private static Cell[] OptionRow(OptionDocument option, Screen screen)
    {
        var isQuiet = option.Requested is null && option.Verdict is "inherited";
        var quiet = isQuiet ? Palette.Quiet : Palette.Plain;
        return
        [
            new(option.Name, quiet),
            new(option.Setting ?? "-", quiet),
            new(option.Phase, quiet),
            new(option.Verdict, Palette.Verdict(option.Verdict)),
            AskedAndGot.Of(option.Requested, option.Effective, screen.Arrow, isQuiet || option.Verdict is not "exact" ? Palette.Verdict(option.Verdict) : Palette.Plain),
        ];
    }

    private static void ShowTrouble(Screen screen, ListenerDocument listener)
    {
        if (listener.Failure is { } failure)
        {
            var line = new Cell($"{failure.Errno} {failure.Cause}".Trim(), Palette.Bad);
            if (!string.IsNullOrEmpty(failure.Advice))
            {
                line.And(": ", Palette.Bad).And(failure.Advice);
            }

            screen.Line(line, 2);
            foreach (var owner in failure.Owners)
            {
                screen.Line(Owner(owner), 2);
            }

            if (failure.Retry)
            {
                screen.Line(new Cell("can clear by itself", Palette.Quiet), 2);
            }
        }

        foreach (var drift in listener.Drifted ?? [])
        {
            screen.Line(
                new Cell($"{drift.Name} drifted", Palette.Attention)
                    .And(": ")
                    .And(AskedAndGot.Text(drift.Requested, drift.Effective, screen.Arrow))
                    .And(", changed by a holder of the shared socket", Palette.Quiet),
                2);
        }
    }

    private static Cell Owner(OwnerDocument owner)
    {
        var line = new Cell("held by ", Palette.Quiet).And(owner.Command ?? "a process that cannot be seen from here");
        var facts = new List<string>();
        if (owner.Pid is { } pid)
        {
            facts.Add($"pid {pid}");
        }

        if (owner.Unit is { Length: > 0 } unit)
        {
            facts.Add(unit);
        }

        if (owner.Uid is { } uid)
        {
            facts.Add($"uid {uid}");
        }

        if (facts.Count > 0)
        {
            line.And($" ({string.Join(", ", facts)})");
        }

        return owner.Address is { Length: > 0 } address ? line.And($" on {address}") : line;
    }

    private static Cell Address(ListenerDocument listener)
    {
        var cell = new Cell(listener.Effective ?? listener.Requested);
        return listener.Effective is null || listener.Effective == listener.Requested
            ? cell
            : cell.And($" (asked {listener.Requested})", Palette.Quiet);
    }

    /// <summary>
    /// Where the kernel keeps less than was asked for, the sysctl that says so: a socket that this daemon made and nobody
    /// changed since has no other cause for it.
    /// </summary>
    private static Cell Backlog(ListenerDocument listener) => listener.Backlog switch
    {
        null => new Cell("-", Palette.Quiet),
        { Effective: { } effective } backlog when effective != backlog.Requested =>
            new Cell(effective.ToString(CultureInfo.InvariantCulture), Palette.Attention)
                .And($" (asked {backlog.Requested}{(effective < backlog.Requested && !listener.Drift && listener.Origin is "created" ? ", net.core.somaxconn" : "")})", Palette.Quiet),
        var backlog => backlog.Requested.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>How many connections wait, and how many may.</summary>
    internal static Cell Queue(ListenerDocument listener, string of)
    {
        if (listener.Queue is not { } queue || (queue.Length is null && queue.Limit is null))
        {
            return new Cell("-", Palette.Quiet);
        }

        var length = queue.Length?.ToString(CultureInfo.InvariantCulture) ?? "?";
        var style = queue is { Length: { } waiting, Limit: { } limit } && waiting > 0
            ? (waiting >= limit ? Palette.Bad : Palette.Attention)
            : Palette.Plain;
        return new Cell(length, style).And(queue.Limit is { } max ? of + max.ToString(CultureInfo.InvariantCulture) : "");
    }

    private static Cell Descriptor(ListenerDocument listener) => listener.Fd is { } fd
        ? $"fd {fd}" + (listener.Inode is { } inode ? $", inode {inode}" : "") + (listener.Shards > 1 ? $", {listener.Shards} shards" : "")
        : "none";
}
