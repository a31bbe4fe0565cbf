using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Diagnosis;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Diagnosis;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Reports;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>diagnose [LISTENER|ADDRESS]</c>: where connections or datagrams wait or are lost, and why.</summary>
internal sealed class DiagnoseCommand : Verb
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly NameArgument listener = new(
        "LISTENER", "Only this listener; or an address such as tcp://:8080, which needs no daemon", isOptional: true);

    private readonly Option<TimeSpan?> interval = new("--interval")
    {
        HelpName = "D",
        Description = "The time between the two looks, at most 1m (default 1s)",
        CustomParser = result =>
        {
            var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (Duration.TryParse(text, out var duration) && duration > TimeSpan.Zero && duration <= KernelExamination.MaxInterval)
            {
                return duration;
            }

            result.AddError($"invalid duration \"{text}\" for --interval: use for example 200ms or 5s, at most 1m");
            return null;
        },
    };

    private readonly Option<bool> follow = new("--follow", "-f") { Description = "Repeat until interrupted" };
    private readonly Option<bool> all;

    public DiagnoseCommand(GlobalOptions options, CommandContext context)
        : base(
            "diagnose", "Find where connections or datagrams wait or are lost, and why",
            "[LISTENER|ADDRESS] [--interval D] [--follow] [--all]", options, context)
    {
        all = options.All;
        Arguments.Add(listener);
        Options.Add(interval);
        Options.Add(follow);
        Options.Add(all);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, GlobalOptions options)
    {
        var name = parsed.GetValue(listener);
        var between = parsed.GetValue(interval) ?? KernelExamination.DefaultInterval;
        var examine = name is not null && name.Contains("://", StringComparison.Ordinal)
            ? OfAddress(name, between, parsed.GetValue(options.Socket))
            : OfDaemon(name, between, ControlClient.For(parsed.GetValue(options.Socket), Context));
        while (true)
        {
            var (bytes, document) = examine();
            if (parsed.GetValue(options.Json))
            {
                Json.Write(Context.Output, bytes);
            }
            else
            {
                DiagnosisText.Write(Context, document, parsed.GetValue(all));
            }

            if (!parsed.GetValue(follow) || Context.OutputIsClosed)
            {
                return IsCritical(document) ? ExitCode.Failed : ExitCode.Done;
            }
        }
    }

    private static bool IsCritical(DiagnosisDocument document) => document.Listeners.SelectMany(listener => listener.Findings)
        .Concat(document.Host.Findings).Any(finding => finding.Severity == FindingSeverity.Critical.ToWireName());

    private static Func<(byte[] Bytes, DiagnosisDocument Document)> OfDaemon(string? name, TimeSpan interval, ControlClient client)
    {
        var target = string.Create(CultureInfo.InvariantCulture, $"/v1/diagnose?interval_ms={Math.Ceiling(interval.TotalMilliseconds):0}")
            + (name is null ? "" : $"&listener={Uri.EscapeDataString(name)}");
        return () =>
        {
            var bytes = client.Get(target, interval + Patience);
            return (bytes, Json.Read(bytes, ControlJson.Default.DiagnosisDocument, client));
        };
    }

    /// <summary>By the daemon where the address is one of its listeners, otherwise by this process.</summary>
    private Func<(byte[] Bytes, DiagnosisDocument Document)> OfAddress(string text, TimeSpan interval, string? socket)
    {
        if (!ListenAddress.TryParse(text.Replace("://:", "://*:", StringComparison.Ordinal), out var address, out var error))
        {
            throw new ControlException(error.Message, ExitCode.Usage);
        }

        var found = AddressSubjects.Find(address);
        if (found.Count == 0)
        {
            var detail = $"nothing receives at {text} in this network namespace; listenctl explain {address} says whether it can be bound";
            throw new ControlException(detail, ExitCode.Failed) { Document = Json.Problem("Not Found", 404, detail) };
        }

        return ListenerOf(found, socket) is var (client, name)
            ? OfDaemon(name, interval, client)
            : () =>
            {
                var subjects = AddressSubjects.Find(address);
                var report = KernelExamination.RunAsync(subjects, interval, Context.Clock, isSame: null, CancellationToken.None)
                    .GetAwaiter().GetResult();
                var document = report.ToDocument(Context.Clock.GetUtcNow());
                return (JsonSerializer.SerializeToUtf8Bytes(document, ControlJson.Default.DiagnosisDocument), document);
            };
    }

    /// <summary>The daemon, and the name of its listener that has one of these sockets; null if there is none or no answer.</summary>
    private (ControlClient Client, string Name)? ListenerOf(IReadOnlyList<ListenerSubject> found, string? socket)
    {
        try
        {
            var client = ControlClient.For(socket, Context);
            client.SuccessorTimeout = TimeSpan.Zero;
            var inodes = found.SelectMany(subject => subject.Sockets).Select(one => one.Inode).ToHashSet();
            var listeners = Json.Read(
                client.Get("/v1/listeners?options=false&drift=false"), ControlJson.Default.ListListenerDocument, client);
            return listeners.Find(listener => (listener.Sockets ?? []).Any(one => inodes.Contains(one.Inode))) is { } mine
                ? (client, mine.Name)
                : null;
        }
        catch (ControlException)
        {
            return null;
        }
    }
}
