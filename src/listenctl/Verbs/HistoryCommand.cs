using System.CommandLine;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Reports;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>history LISTENER [--follow]</c>: each system call that created or changed the listener.</summary>
internal sealed class HistoryCommand : DaemonVerb
{
    private readonly NameArgument listener = new("LISTENER", "The listener");
    private readonly Option<bool> follow = new("--follow", "-f") { Description = "Continue with new entries as they are made" };

    public HistoryCommand(GlobalOptions options, CommandContext context)
        : base(
            "history", "Show every system call that created or changed a listener, oldest first", "LISTENER [--follow]", options, context)
    {
        Arguments.Add(listener);
        Options.Add(follow);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var name = parsed.GetRequiredValue(listener)!;
        var target = $"/v1/listeners/{Uri.EscapeDataString(name)}/history";
        var isEndless = parsed.GetValue(follow);
        if (json && isEndless)
        {
            return Follow(client, target, (line, _) => Json.Write(Context.Output, line));
        }

        var bytes = client.Get(target);
        var entries = Json.Read(bytes, ControlJson.Default.ListHistoryEntryDocument, client);
        if (json)
        {
            Json.Write(Context.Output, bytes);
            return ExitCode.Done;
        }

        var output = new TextOutput(Context);
        var table = HistoryTable.NewTable(output);
        var rows = entries.ConvertAll(e => HistoryTable.Row(e, output));
        table.Measure(rows);
        output.WriteLine(Header(name, entries, client));
        if (isEndless)
        {
            HistoryTable.Reserve(table, output);
        }

        HistoryTable.Print(table, output, rows, withHeader: true);
        if (!isEndless)
        {
            return ExitCode.Done;
        }

        // The stream begins with the first entry again, so no entry is lost between the two requests.
        var seen = entries.Count > 0 ? entries[^1].Seq : 0;
        return Follow(client, target, (_, entry) =>
        {
            if (entry.Seq > seen)
            {
                var row = HistoryTable.Row(entry, output);
                table.Measure([row]);
                HistoryTable.Print(table, output, [row]);
            }
        });
    }

    /// <summary>Passes each entry to <paramref name="show"/> until the listener or standard output is closed.</summary>
    private int Follow(ControlClient client, string target, Action<byte[], HistoryEntryDocument> show)
    {
        using var stream = client.Follow(target + "?follow=true");
        HistoryEntryDocument? last = null;
        while (stream.TryReadLine(out var line))
        {
            last = Json.Read(line, ControlJson.Default.HistoryEntryDocument, client);
            show(line, last);
            if (Context.OutputIsClosed)
            {
                return ExitCode.Done;
            }
        }

        // A history ends with a close entry. Without one the connection was lost.
        return last?.Phase == HandlePhase.Close.ToWireName() ? ExitCode.Done : throw client.ConnectionLost("the daemon ended the stream");
    }

    private StyledText Header(string name, List<HistoryEntryDocument> entries, ControlClient client)
    {
        var target = $"/v1/listeners?name={Uri.EscapeDataString(name)}&options=false&drift=false";
        var listeners = Json.Read(client.Get(target), ControlJson.Default.ListListenerDocument, client);
        var header = new StyledText(name, Palette.Name);
        if (listeners.Find(l => l.Name == name) is { } listener)
        {
            header.Append("  ").Append(listener.Effective ?? listener.Requested);
            if (listener.Origin != HandleOrigin.Created.ToWireName())
            {
                header.AppendItem(listener.Origin);
            }
        }

        return entries.Count == 0
            ? header.AppendItem("no entries")
            : header.Append("  ").Append(
                $"since {HumanTime.LocalPrecise(entries[0].At, Context.Clock)}, "
                + $"{HumanTime.Span(Context.Clock.GetUtcNow() - entries[0].At)} ago",
                Palette.Muted);
    }
}
