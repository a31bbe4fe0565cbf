using System.Globalization;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Listeners.History;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>Listeners for people: what was requested, what the kernel uses, and what went wrong.</summary>
internal static class ListenerReport
{
    /// <summary>A table of listeners. Failures and drift follow below the row of their listener.</summary>
    public static void WriteAll(TextOutput output, List<ListenerDocument> listeners)
    {
        if (listeners.Count == 0)
        {
            output.WriteLine("no listeners");
            return;
        }

        var table = new TextTable(
            output, 0,
            new("NAME"),
            new("STATE"),
            new("ADDRESS"),
            new("BACKLOG"),
            new("QUEUE", IsNumber: true),
            new("DROPS", IsNumber: true),
            new("ORIGIN", Spare: 1),
            new("FD", IsNumber: true, Spare: 2),
            new("INODE", IsNumber: true, Spare: 3),
            new("SERVICES"));
        var rows = listeners.ConvertAll(l => (Listener: l, Row: ListenerRow(l)));
        table.Measure(rows.Select(r => r.Row));

        // Prints rows in groups, because failures and drift follow the row of their listener.
        var run = new List<StyledText[]>();
        var isFirst = true;
        foreach (var (listener, row) in rows)
        {
            run.Add(row);
            if (listener.Failure is null && !listener.Drift)
            {
                continue;
            }

            table.Print(run, withHeader: isFirst);
            isFirst = false;
            run.Clear();
            WriteTrouble(output, listener);
        }

        if (run.Count > 0)
        {
            table.Print(run, withHeader: isFirst);
        }
    }

    private static StyledText[] ListenerRow(ListenerDocument listener) =>
    [
        new(listener.Name, Palette.Name),
        Palette.State(listener.State),
        Address(listener),
        Backlog(listener),
        Queue(listener, "/"),
        Drops(listener),
        listener.Origin,
        listener.Fd?.ToString(CultureInfo.InvariantCulture) ?? "-",
        listener.Inode?.ToString(CultureInfo.InvariantCulture) ?? "-",
        listener.Services.Count == 0 ? new StyledText("none", Palette.Muted) : NameList.Of(listener.Services),
    ];

    /// <summary>What the kernel has dropped at the listener.</summary>
    public static StyledText Drops(ListenerDocument listener) => new(
        listener.Drops?.ToString(CultureInfo.InvariantCulture) ?? "", listener.Drops > 0 ? Palette.Warning : Palette.Plain);

    /// <summary>One listener with its options.</summary>
    public static void WriteOne(TextOutput output, ListenerDocument listener)
    {
        output.WriteLine(
            new StyledText(listener.Name, Palette.Name).Append("  ").Append(listener.State, Palette.StateStyle(listener.State)).Append("  ")
            .Append(listener.Effective ?? listener.Requested));
        WriteTrouble(output, listener);
        var details = new TextTable(output, 2, new(""), new(""));
        StyledText[][] rows =
        [
            [new("requested", Palette.Muted), listener.Requested],
            [new("effective", Palette.Muted), listener.Effective ?? "-"],
            [new("origin", Palette.Muted), listener.Origin],
            [new("descriptor", Palette.Muted), Descriptor(listener)],
            .. listener.Backlog is null ? Array.Empty<StyledText[]>() : [[new("backlog", Palette.Muted), Backlog(listener)]],
            .. listener.Queue is null ? Array.Empty<StyledText[]>() : [[new("queue", Palette.Muted), Queue(listener, " of ")]],
            .. listener.Drops is null ? Array.Empty<StyledText[]>() : [[new("drops", Palette.Muted), Drops(listener)]],
            .. Steering(listener).Select(line => new StyledText[] { new(line.Head, Palette.Muted), line.Text }),
            [new("services", Palette.Muted), listener.Services.Count == 0 ? "none" : NameList.Of(listener.Services)],
        ];
        details.Measure(rows);
        details.Print(rows);
        if (listener.Options.Count == 0)
        {
            return;
        }

        output.WriteLine();
        var options = new TextTable(output, 2, new("OPTION"), new("SETTING"), new("PHASE", Spare: 1), new("VERDICT"), new("VALUE"));
        var optionRows = listener.Options.Select(option => OptionRow(option, output)).ToArray();
        options.Measure(optionRows);
        options.Print(optionRows, withHeader: true);
    }

    private static IEnumerable<(string Head, string Text)> Steering(ListenerDocument listener)
    {
        if (listener.Selection is { } selection)
        {
            yield return ("selection", selection.By + (selection.Reason is { } whyNot ? $": {whyNot}" : "")
                + (selection.Active || selection.By is "hash" or "none" ? "" : " (when shards come or go; the kernel's hash now)"));
        }

        if (listener.Steering is not { } steering)
        {
            yield break;
        }

        yield return ("steering", steering.Reason is { } reason ? $"none: {reason}" : steering.Mode);
        foreach (var share in steering.Shares.Where(share => share.Percent > 0 || share.Flows > 0))
        {
            yield return ("", string.Create(
                CultureInfo.InvariantCulture,
                $"generation {share.Generation}: {share.Percent:0.#} % of new {(share.Flows is null ? "connections" : "flows")}, "
                + $"{share.Selected} so far{(share.Flows is { } live ? $", {live} live" : "")}"));
        }

        if (steering.Flows is { } flows)
        {
            yield return ("flows", string.Create(
                CultureInfo.InvariantCulture,
                $"{flows.Live} of at most {flows.Limit}{(flows.Evicted > 0 ? $", {flows.Evicted} evicted" : "")}"));
        }
    }

    private static StyledText[] OptionRow(OptionDocument option, TextOutput output)
    {
        var isQuiet = option.Requested is null && option.Verdict is "default" or "inherited";
        var quiet = isQuiet ? Palette.Muted : Palette.Plain;
        return
        [
            new(option.Name, quiet),
            new(option.Setting ?? "-", quiet),
            new(option.Phase, quiet),
            new(option.Verdict, Palette.Verdict(option.Verdict)),
            RequestedAndEffective.Of(
                option.Requested, option.Effective, output.Arrow,
                isQuiet || option.Verdict is not "exact" ? Palette.Verdict(option.Verdict) : Palette.Plain),
        ];
    }

    private static void WriteTrouble(TextOutput output, ListenerDocument listener)
    {
        if (listener.Failure is { } failure)
        {
            var line = new StyledText($"{failure.Errno} {failure.Cause}".Trim(), Palette.Failure);
            if (!string.IsNullOrEmpty(failure.Advice))
            {
                line.Append(": ", Palette.Failure).Append(failure.Advice);
            }

            output.WriteLine(line, 2);
            const int mostOwners = 10;
            foreach (var owner in failure.Owners.Take(mostOwners))
            {
                output.WriteLine(Owner(owner), 2);
            }

            if (failure.Owners.Count > mostOwners)
            {
                output.WriteLine(new StyledText($"and {failure.Owners.Count - mostOwners} more", Palette.Muted), 2);
            }

            if (failure.Retry)
            {
                output.WriteLine(new StyledText("can clear without a change", Palette.Muted), 2);
            }
        }

        foreach (var drift in listener.Drifted ?? [])
        {
            output.WriteLine(
                new StyledText($"{drift.Name} drifted", Palette.Warning)
                    .Append(": ")
                    .Append(RequestedAndEffective.Text(drift.Requested, drift.Effective, output.Arrow))
                    .Append(
                        SocketChange.IsOutside(drift.Name)
                            ? $", see listenctl history {listener.Name}"
                            : ", changed by a process that holds the shared socket",
                        Palette.Muted),
                2);
        }
    }

    private static StyledText Owner(OwnerDocument owner)
    {
        var line = new StyledText("held by ", Palette.Muted).Append(owner.Command ?? "a process that is not visible");
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
            line.Append($" ({string.Join(", ", facts)})");
        }

        return owner.Address is { Length: > 0 } address ? line.Append($" on {address}") : line;
    }

    private static StyledText Address(ListenerDocument listener)
    {
        var cell = new StyledText(listener.Effective ?? listener.Requested);
        return listener.Effective is null || listener.Effective == listener.Requested
            ? cell
            : cell.Append($" (requested {listener.Requested})", Palette.Muted);
    }

    /// <summary>
    /// The backlog. A smaller effective value names net.core.somaxconn if the daemon created the socket and no process has
    /// changed it, because then the sysctl is the only possible cause.
    /// </summary>
    private static StyledText Backlog(ListenerDocument listener) => listener.Backlog switch
    {
        null => new StyledText("-", Palette.Muted),
        { Effective: { } effective } backlog when effective != backlog.Requested =>
            new StyledText(effective.ToString(CultureInfo.InvariantCulture), Palette.Warning)
                .Append($" (requested {backlog.Requested}", Palette.Muted)
                .Append(
                    effective < backlog.Requested && !listener.Drift && listener.Origin is "created" ? ", net.core.somaxconn)" : ")",
                    Palette.Muted),
        var backlog => backlog.Requested.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Waiting connections, and the limit.</summary>
    internal static StyledText Queue(ListenerDocument listener, string of)
    {
        if (listener.Queue is not { } queue || (queue.Length is null && queue.Limit is null))
        {
            return new StyledText("-", Palette.Muted);
        }

        var length = queue.Length?.ToString(CultureInfo.InvariantCulture) ?? "?";
        var style = queue is { Length: { } waiting, Limit: { } limit } && waiting > 0
            ? (waiting >= limit ? Palette.Failure : Palette.Warning)
            : Palette.Plain;
        return new StyledText(length, style).Append(queue.Limit is { } max ? of + max.ToString(CultureInfo.InvariantCulture) : "");
    }

    private static StyledText Descriptor(ListenerDocument listener) => listener.Fd is { } fd
        ? $"fd {fd}" + (listener.Inode is { } inode ? $", inode {inode}" : "") + (listener.Shards > 1 ? $", {listener.Shards} shards" : "")
        : "none";
}
