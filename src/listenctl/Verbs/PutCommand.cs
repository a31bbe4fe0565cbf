using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Handoff;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;
using Supervisor.Native;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>put NAME --fd N</c>: gives the daemon a descriptor of this process to hold under a name.</summary>
internal sealed class PutCommand : DaemonVerb
{
    private readonly Argument<string> name = new("NAME") { Description = "The name: 1 to 64 characters of A-Z a-z 0-9 _ . -" };
    private readonly Option<int> descriptor = new("--fd")
    {
        Description = "An open descriptor, for example 3 in: listenctl put legacy --fd 3 3<&0",
        HelpName = "N",
        Required = true,
        CustomParser = static result =>
        {
            if (int.TryParse(result.Tokens is [var one] ? one.Value : "", NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return number;
            }

            result.AddError("--fd needs the number of a descriptor, for example 3");
            return -1;
        },
    };

    public PutCommand(GlobalOptions options, CommandContext context)
        : base("put", "Give the daemon an open descriptor to hold under a name", "NAME --fd N", options, context)
    {
        Arguments.Add(name);
        Options.Add(descriptor);
        name.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }, ..] && !BrokerRequest.IsName(text))
            {
                result.AddError(
                    text.StartsWith('-')
                        ? $"unknown option \"{text}\""
                        : $"invalid name \"{text}\": a name has 1 to 64 characters of A-Z a-z 0-9 _ . -");
            }
        });
        descriptor.CompletionSources.Add(static _ => [new CompletionItem("3")]);
    }

    /// <inheritdoc/>
    public override void RequireRemote() => throw new ControlException(
        "put passes a descriptor of this process, which cannot reach another host: run \"listenctl put\" there", ExitCode.Usage);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var held = parsed.GetRequiredValue(name);
        var number = parsed.GetValue(descriptor);
        var example = Math.Max(number, 3);

        // A duplicate: this process does not own the descriptor itself.
        using var given = Descriptors.Duplicate(number) ?? throw new ControlException(
            $"descriptor {number} is not open: let the shell open it, for example \"listenctl put {held} --fd {example} {example}<&0\"",
            ExitCode.Failed);
        using var answer = BrokerSession.Request(client, BrokerClient.Request("put", held), given);
        return Print(BrokerSession.Done, json, _ => $"{held}: held");
    }
}
