using System.CommandLine;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;

namespace Supervisor.Listenctl;

/// <summary><c>history LISTENER [--follow]</c>: each system call that shaped the handle, oldest first.</summary>
internal sealed class HistoryCommand : Verb
{
    private readonly NameArgument listener = new("LISTENER", "The listener");
    private readonly Option<bool> follow = new("--follow", "-f") { Description = "Go on with what happens from now on" };

    public HistoryCommand(GlobalOptions options, CommandContext standard)
        : base("history", "The handle's history, oldest first", "LISTENER [--follow]", options, standard)
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
        if (json)
        {
            if (isEndless)
            {
                return Follow(client, target, (line, _) => Json.Write(CommandContext.Output, line));
            }

            Json.Write(CommandContext.Output, client.Get(target));
            return ExitCode.Done;
        }

        var entries = Json.Read(client.Get(target), ControlJson.Default.ListHistoryEntryDocument, client);
        var screen = new Screen(CommandContext);
        var sheet = NewSheet(screen);
        var rows = entries.ConvertAll(e => EntryRow(e, screen));
        sheet.Fit(rows);
        screen.Line(Header(name, entries, client));
        if (isEndless)
        {
            Reserve(sheet);
        }

        sheet.Print(rows, withHeader: true);
        if (!isEndless)
        {
            return ExitCode.Done;
        }

        // The stream begins with the first entry too, so nothing is lost between the two answers.
        var seen = entries.Count > 0 ? entries[^1].Seq : 0;
        return Follow(client, target, (_, entry) =>
        {
            if (entry.Seq > seen)
            {
                var row = EntryRow(entry, screen);
                sheet.Fit([row]);
                sheet.Print([row]);
            }
        });
    }

    /// <summary>Hands each entry to <paramref name="show"/> until the handle is closed or nobody reads any more.</summary>
    private int Follow(ControlClient client, string target, Action<byte[], HistoryEntryDocument> show)
    {
        using var stream = client.Follow(target + "?follow=true");
        HistoryEntryDocument? last = null;
        while (stream.TryReadLine(out var line))
        {
            last = Json.Read(line, ControlJson.Default.HistoryEntryDocument, client);
            show(line, last);
            if (CommandContext.OutputIsClosed)
            {
                return ExitCode.Done;
            }
        }

        // A history ends with its handle; a daemon that goes away sooner has not told all of it.
        return last?.Phase == HandlePhase.Close.ToWireName() ? ExitCode.Done : throw client.Lost("the daemon ended the stream");
    }

    private Cell Header(string name, List<HistoryEntryDocument> entries, ControlClient client)
    {
        var listeners = Json.Read(client.Get("/v1/listeners"), ControlJson.Default.ListListenerDocument, client);
        var header = new Cell(name, Palette.Name);
        if (listeners.Find(l => l.Name == name) is { } listener)
        {
            header.And("  ").And(listener.Effective ?? listener.Requested);
            if (listener.Origin != HandleOrigin.Created.ToWireName())
            {
                header.Then(listener.Origin);
            }
        }

        return entries.Count == 0
            ? header.Then("no entries")
            : header.And("  ").And(
                $"since {HumanTime.LocalPrecise(entries[0].At, CommandContext.Clock)}, {HumanTime.Span(CommandContext.Clock.GetUtcNow() - entries[0].At)} ago",
                Palette.Quiet);
    }

    private static TextTable NewSheet(Screen screen) => new(
        screen,
        0,
        new("SINCE", IsNumber: true),
        new("PHASE"),
        new("CALL", Spare: 1),
        new("OPTION"),
        new($"ASKED {screen.Arrow} GOT"),
        new("VERDICT"),
        new("WHO"),
        new("NOTE"));

    /// <summary>Room for what may still come, so that later lines stand under the first ones.</summary>
    private static void Reserve(TextTable sheet)
    {
        sheet.Reserve(0, 9);
        sheet.Reserve(1, Enum.GetValues<HandlePhase>().Max(p => p.ToWireName().Length));
        sheet.Reserve(6, 16);
        sheet.Reserve(7, 1);
    }

    private static Cell[] EntryRow(HistoryEntryDocument entry, Screen screen)
    {
        var isRefused = entry.Errno is not null;
        var style = isRefused ? Palette.Bad : Palette.Verdict(entry.Verdict);
        return
        [
            HumanTime.Since(entry.SinceCreationUs),
            entry.Phase,
            new(entry.Call, isRefused ? Palette.Bad : Palette.Plain),
            entry.Option ?? "",
            AskedAndGot.Of(entry.Requested, entry.Effective, screen.Arrow, isRefused || entry.Verdict is "adjusted" or "drifted" ? style : Palette.Plain),
            new Cell(entry.Verdict, style).And(isRefused ? $" {entry.Errno}" : null, style),
            Actor(entry),
            new(entry.Note, Palette.Quiet),
        ];
    }

    private static Cell Actor(HistoryEntryDocument entry) => entry.Actor is { } actor
        ? new Cell(actor.Name).And($"[{actor.Pid.ToString(CultureInfo.InvariantCulture)}]", Palette.Quiet)
        : new Cell(null);
}
