using System.Globalization;
using Supervisor.Core;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Steering;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>Why an address can or cannot be bound, for people.</summary>
internal static class BindReport
{
    /// <summary>Writes the verdict, the sockets that conflict, and the advice.</summary>
    public static void Write(TextOutput output, BindDiagnosis diagnosis)
    {
        if (diagnosis.Cause is not { } cause)
        {
            output.WriteLine(new StyledText("can bind ", Palette.Success).Append(diagnosis.Address, Palette.Name));
            foreach (var warning in diagnosis.Warnings)
            {
                output.WriteLine(new StyledText("note: ", Palette.Warning).Append(warning));
            }

            return;
        }

        output.WriteLine(
            new StyledText("cannot bind ", Palette.Failure).Append(diagnosis.Address, Palette.Name).Append($": {diagnosis.Verdict}"));
        output.WriteLine(new StyledText($"{diagnosis.Errno} {cause.ToWireName()}", Palette.Failure)
            .Append(diagnosis.Retry
                ? $", can clear without a change{(diagnosis.ClearsIn is { } span ? $" (in {Duration.Rounded(span)})" : "")}"
                : ", does not clear without a change", Palette.Muted));
        WriteHolders(output, diagnosis);
        output.WriteLine();
        output.WriteLine(new StyledText("remedy: ", Palette.Warning).Append(diagnosis.Advice));
        output.WriteLine(new StyledText($"see docs/reference/errors.md#{cause.ToWireName()}", Palette.Muted));
    }

    /// <summary>Writes by what the kernel would select among sockets of the address; nothing if it cannot have several.</summary>
    public static void WriteSelection(TextOutput output, KernelSelection? selection)
    {
        if (selection is not null)
        {
            var reason = selection.WhyNot is { } whyNot ? $": {whyNot}" : "";
            output.WriteLine(new StyledText($"several sockets (shards, steering): {selection.Word}{reason}", Palette.Muted));
        }
    }

    private static void WriteHolders(TextOutput output, BindDiagnosis diagnosis)
    {
        const int most = 40;
        if (diagnosis.Holders.IsEmpty)
        {
            return;
        }

        output.WriteLine();
        var table = new TextTable(
            output, 2,
            new("STATE"),
            new("ADDRESS"),
            new("PEER", Spare: 3),
            new("DEVICE", Spare: 2),
            new("PID", IsNumber: true),
            new("COMMAND"),
            new("UNIT"),
            new("UID", IsNumber: true),
            new("INODE", IsNumber: true, Spare: 4),
            new("SHARES", Spare: 1));
        var rows = diagnosis.Holders.SelectMany(Rows).ToList();
        var shown = rows.Take(most).ToArray();
        table.Measure(shown);
        table.Print(shown, withHeader: true);
        if (rows.Count > most)
        {
            output.WriteLine(new StyledText($"and {rows.Count - most} more", Palette.Muted), 2);
        }
    }

    private static IEnumerable<StyledText[]> Rows(SocketHolder holder)
    {
        StyledText[] Row(string? pid, StyledText command, string? unit, uint? uid) =>
        [
            holder.StateName,
            holder.Address,
            holder.Peer ?? "",
            holder.Device ?? "",
            pid ?? "",
            command,
            unit ?? "",
            uid?.ToString(CultureInfo.InvariantCulture) ?? "",
            holder.Inode == 0 ? "" : holder.Inode.ToString(CultureInfo.InvariantCulture),
            Shares(holder),
        ];

        if (holder.Processes.IsEmpty)
        {
            var isClosed = holder.Inode == 0;
            yield return Row(
                null, new StyledText(isClosed ? "no process" : "not visible", Palette.Muted), null, isClosed ? null : holder.Uid);
        }

        foreach (var process in holder.Processes)
        {
            yield return Row(process.Pid.ToString(CultureInfo.InvariantCulture), process.Command, process.Unit, process.Uid);
        }
    }

    private static StyledText Shares(SocketHolder holder) => holder switch
    {
        { Socket: null } or { Inode: 0 } => new StyledText(null),
        { FlagsKnown: false } => new StyledText("not visible", Palette.Muted),
        { Socket: { ReusePort: true, ReuseAddress: true } } => "reuse_port, reuse_address",
        { Socket.ReusePort: true } => "reuse_port",
        { Socket.ReuseAddress: true } => "reuse_address",
        _ => "nothing",
    };
}
