using System.CommandLine;
using Supervisor.Linux.Handoff;
using Supervisor.Listenctl.Client;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary><c>drop NAME</c>: makes the daemon close a descriptor that <c>put</c> gave to it.</summary>
internal sealed class DropCommand : DaemonVerb
{
    private readonly NameArgument name = new("NAME", "The name used with put");

    public DropCommand(GlobalOptions options, CommandContext context)
        : base("drop", "Release a descriptor that \"listenctl put\" gave to the daemon", "NAME", options, context) => Arguments.Add(name);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var held = parsed.GetRequiredValue(name)!;
        using var answer = BrokerSession.Request(client, BrokerClient.Request("drop", held));
        return Print(BrokerSession.Done, json, _ => $"{held}: released");
    }
}
