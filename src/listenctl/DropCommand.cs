using System.CommandLine;
using Supervisor.Control;
using Supervisor.Linux.Handoff;

namespace Supervisor.Listenctl;

/// <summary><c>drop NAME</c>: has the daemon let go of a descriptor that was put.</summary>
internal sealed class DropCommand : BrokerVerb
{
    private readonly NameArgument name = new("NAME", "The name that it was put under");

    public DropCommand(GlobalOptions options, CommandContext standard)
        : base("drop", "Lets go of a descriptor that was given by put", "NAME", options, standard) => Arguments.Add(name);

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var held = parsed.GetRequiredValue(name)!;
        using var answer = Ask(client, BrokerClient.Request("drop", held));
        Done($"{held}: dropped", json);
        return ExitCode.Done;
    }
}
