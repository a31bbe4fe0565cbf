using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Linux.Evidence;

namespace Supervisor.Listenctl;

/// <summary><c>explain ADDRESS</c>: why an address can or cannot be bound here and now. Asks the kernel, not the daemon.</summary>
internal sealed class ExplainCommand : Verb
{
    private readonly NameArgument address = new("ADDRESS", "The address, as a listener's: tcp://[::]:8080, udp://, unix://, vsock://, mptcp://");
    private readonly Option<bool> reusePort = new("--reuse-port") { Description = "With SO_REUSEPORT" };
    private readonly Option<bool> reuseAddress = new("--reuse-address") { Description = "With SO_REUSEADDR: the default for TCP" };
    private readonly Option<bool> noReuseAddress = new("--no-reuse-address") { Description = "Without SO_REUSEADDR: the default for UDP" };
    private readonly Option<bool> ipv6Only = new("--ipv6-only") { Description = "With IPV6_V6ONLY" };
    private readonly Option<bool> freeBind = new("--free-bind") { Description = "With IP_FREEBIND: also an address that no interface has" };
    private readonly Option<string?> device = new("--device") { Description = "Bound to that interface", HelpName = "IF" };

    public ExplainCommand(GlobalOptions options, CommandContext standard)
        : base(
            "explain",
            "Why an address can or cannot be bound here and now; needs no daemon",
            "ADDRESS [--reuse-port] [--reuse-address] [--no-reuse-address] [--ipv6-only] [--free-bind] [--device IF]",
            options,
            standard)
    {
        Arguments.Add(address);
        Options.Add(reusePort);
        Options.Add(reuseAddress);
        Options.Add(noReuseAddress);
        Options.Add(ipv6Only);
        Options.Add(freeBind);
        Options.Add(device);
        Validators.Add(result =>
        {
            if (result.GetValue(reuseAddress) && result.GetValue(noReuseAddress))
            {
                result.AddError("--reuse-address and --no-reuse-address exclude each other");
            }
        });
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, GlobalOptions options)
    {
        var text = parsed.GetRequiredValue(address)!;
        if (!ListenAddress.TryParse(text, out var wanted, out var error))
        {
            throw new ControlException(error.Message + Known(error, text), ExitCode.Usage);
        }

        var spec = new ListenerSpec
        {
            Name = "explain",
            Address = wanted,
            Bind = new BindOptions
            {
                ReusePort = parsed.GetValue(reusePort),
                ReuseAddress = parsed.GetValue(reuseAddress) ? true : parsed.GetValue(noReuseAddress) ? false : null,
                IPv6Only = parsed.GetValue(ipv6Only),
                FreeBind = parsed.GetValue(freeBind),
                Device = parsed.GetValue(device),
            },
        };
        var diagnosis = BindDiagnostics.Ask(spec, LeftoverHolders.OfAnyService, new EvidenceBudget(CommandContext.Clock, EvidenceBudget.OfCommand));
        if (parsed.GetValue(options.Json))
        {
            Json.Write(CommandContext.Output, JsonSerializer.SerializeToUtf8Bytes(Document(diagnosis), ControlJson.Default.FailureDocument));
        }
        else
        {
            Show(new Screen(CommandContext), diagnosis);
        }

        return diagnosis.Bindable ? ExitCode.Done : ExitCode.Failed;
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json) => throw new NotSupportedException("explain needs no daemon");

    private static FailureDocument Document(BindDiagnosis diagnosis) => new(
        diagnosis.Address,
        diagnosis.Bindable,
        diagnosis.Errno,
        diagnosis.Cause?.ToWireName(),
        diagnosis.Retry,
        [.. diagnosis.Owners.Select(owner => new OwnerDocument(owner.Pid, owner.Command, owner.Unit, owner.Uid, owner.Address, owner.State, owner.Inode))],
        diagnosis.Advice)
    {
        Verdict = diagnosis.Verdict,
        Warnings = diagnosis.Warnings,
        ClearsInMs = diagnosis.ClearsIn is { } span ? (long)span.TotalMilliseconds : null,
    };

    private static void Show(Screen screen, BindDiagnosis diagnosis)
    {
        if (diagnosis.Cause is not { } cause)
        {
            screen.Line(new Cell("can bind ", Palette.Good).And(diagnosis.Address, Palette.Name));
            foreach (var warning in diagnosis.Warnings)
            {
                screen.Line(new Cell("note: ", Palette.Attention).And(warning));
            }

            return;
        }

        screen.Line(new Cell("cannot bind ", Palette.Bad).And(diagnosis.Address, Palette.Name).And($": {diagnosis.Verdict}"));
        screen.Line(new Cell($"{diagnosis.Errno} {cause.ToWireName()}", Palette.Bad)
            .And(diagnosis.Retry ? $", can clear by itself{(diagnosis.ClearsIn is { } span ? $" (in {Core.Durations.Text(span)})" : "")}" : ", does not clear by itself", Palette.Quiet));
        ShowEvidence(screen, diagnosis);
        screen.Line();
        screen.Line(new Cell("to do: ", Palette.Attention).And(diagnosis.Advice));
        screen.Line(new Cell($"see docs/reference/errors.md#{cause.ToWireName()}", Palette.Quiet));
    }

    private static void ShowEvidence(Screen screen, BindDiagnosis diagnosis)
    {
        const int most = 40;
        if (diagnosis.Holders.IsEmpty)
        {
            return;
        }

        screen.Line();
        var sheet = new TextTable(
            screen, 2, new("STATE"), new("ADDRESS"), new("PEER", Spare: 3), new("DEVICE", Spare: 2), new("PID", IsNumber: true), new("COMMAND"), new("UNIT"),
            new("UID", IsNumber: true), new("INODE", IsNumber: true, Spare: 4), new("SHARES", Spare: 1));
        var rows = diagnosis.Holders.SelectMany(Rows).ToList();
        var shown = rows.Take(most).ToArray();
        sheet.Fit(shown);
        sheet.Print(shown, withHeader: true);
        if (rows.Count > most)
        {
            screen.Line(new Cell($"and {rows.Count - most} more", Palette.Quiet), 2);
        }
    }

    private static IEnumerable<Cell[]> Rows(SocketHolder holder)
    {
        Cell[] Row(string? pid, Cell command, string? unit, uint? uid) =>
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
            yield return Row(null, holder.Inode == 0 ? new Cell("nobody's any more", Palette.Quiet) : new Cell("not visible", Palette.Quiet), null, holder.Inode == 0 ? null : holder.Uid);
        }

        foreach (var process in holder.Processes)
        {
            yield return Row(process.Pid.ToString(CultureInfo.InvariantCulture), process.Command, process.Unit, process.Uid);
        }
    }

    private static Cell Shares(SocketHolder holder) => holder switch
    {
        { Socket: null } or { Inode: 0 } => new Cell(null),
        { FlagsKnown: false } => new Cell("not visible", Palette.Quiet),
        { Socket: { ReusePort: true, ReuseAddress: true } } => "reuse_port, reuse_address",
        { Socket.ReusePort: true } => "reuse_port",
        { Socket.ReuseAddress: true } => "reuse_address",
        _ => "nothing",
    };

    /// <summary>A listener's address is numeric: what a name stands for is said, and the choice left to who asks.</summary>
    private static string Known(AddressError error, string text)
    {
        if (error.Name is not { } name)
        {
            return "";
        }

        try
        {
            var found = Dns.GetHostAddresses(name).Distinct().ToList();
            var colon = text.LastIndexOf(':');
            var scheme = text[..(text.IndexOf("://", StringComparison.Ordinal) + 3)];
            return found.Count == 0 ? "" : $"; it stands for {string.Join(", ", found.Select(host =>
                $"{scheme}{(host.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{host}]" : host.ToString())}{text[colon..]}"))}: write the one that is meant";
        }
        catch (SocketException)
        {
            return "; it stands for no address here";
        }
    }
}
