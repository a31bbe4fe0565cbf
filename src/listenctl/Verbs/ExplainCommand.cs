using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Steering;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Reports;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>explain ADDRESS</c>: tries to bind the address in this process and explains the result. Needs no daemon.</summary>
internal sealed class ExplainCommand : Verb
{
    private readonly NameArgument address = new(
        "ADDRESS", "An address as in a listener: tcp://[::]:8080, udp://, unix://, vsock://, mptcp://");
    private readonly Option<bool> reusePort = new("--reuse-port") { Description = "Set SO_REUSEPORT" };
    private readonly Option<bool> reuseAddress = new("--reuse-address") { Description = "Set SO_REUSEADDR (the default for TCP)" };
    private readonly Option<bool> noReuseAddress = new("--no-reuse-address")
    {
        Description = "Do not set SO_REUSEADDR (the default for UDP)",
    };
    private readonly Option<bool> ipv6Only = new("--ipv6-only") { Description = "Set IPV6_V6ONLY" };
    private readonly Option<bool> freeBind = new("--free-bind")
    {
        Description = "Set IP_FREEBIND, which permits an address that no interface has",
    };
    private readonly Option<string?> device = new("--device") { Description = "Bind to this interface", HelpName = "IF" };

    public ExplainCommand(GlobalOptions options, CommandContext context)
        : base(
            "explain", "Explain why an address can or cannot be bound here and now (needs no daemon)", "ADDRESS [OPTION]...", options,
            context)
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
                result.AddError("--reuse-address and --no-reuse-address cannot be combined");
            }
        });
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, GlobalOptions options)
    {
        var text = parsed.GetRequiredValue(address)!;
        if (!ListenAddress.TryParse(text, out var wanted, out var error))
        {
            throw new ControlException(error.Message + ResolvedAddresses(error, text), ExitCode.Usage);
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
        var diagnosis = BindDiagnostics.Ask(
            spec, LeftoverHolders.OfAnyService, new EvidenceBudget(Context.Clock, EvidenceBudget.OfCommand));
        var means = wanted.Kind.IsInternet() ? KernelSelection.Of(wanted.Kind) : null;
        if (parsed.GetValue(options.Json))
        {
            var selection = means is null ? null : new SelectionDocument(means.Word, means.WhyNot);
            var document = diagnosis.ToDocument() with { Selection = selection };
            Json.Write(Context.Output, JsonSerializer.SerializeToUtf8Bytes(document, ControlJson.Default.FailureDocument));
        }
        else
        {
            var output = new TextOutput(Context);
            BindReport.Write(output, diagnosis);
            if (diagnosis.Bindable)
            {
                BindReport.WriteSelection(output, means);
            }
        }

        return diagnosis.Bindable ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>For a host name: the addresses that it resolves to, as a hint for the error message.</summary>
    private static string ResolvedAddresses(AddressError error, string text)
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
            var addresses = found.Select(host =>
                $"{scheme}{(host.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{host}]" : host.ToString())}{text[colon..]}");
            return found.Count == 0 ? "" : $"; \"{name}\" resolves to {string.Join(", ", addresses)}: use one of them";
        }
        catch (SocketException)
        {
            return $"; \"{name}\" does not resolve to an address here";
        }
    }
}
