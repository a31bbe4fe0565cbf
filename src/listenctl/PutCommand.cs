using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;
using Supervisor.Control;
using Supervisor.Linux.Handoff;
using Supervisor.Native;

namespace Supervisor.Listenctl;

/// <summary><c>put NAME --fd N</c>: gives the daemon a descriptor that this process was started with, to hold under a name.</summary>
internal sealed class PutCommand : BrokerVerb
{
    private readonly Argument<string> name = new("NAME") { Description = "The name to hold it under: 1 to 64 of A-Z a-z 0-9 _ . -" };
    private readonly Option<int> descriptor = new("--fd")
    {
        Description = "The open descriptor, such as 3 in: listenctl put legacy --fd 3 3<&0",
        HelpName = "N",
        Required = true,
        CustomParser = static result =>
        {
            if (int.TryParse(result.Tokens is [var one] ? one.Value : "", NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return number;
            }

            result.AddError("--fd takes the number of a descriptor, such as 3");
            return -1;
        },
    };

    public PutCommand(GlobalOptions options, CommandContext standard)
        : base("put", "Gives the daemon an open descriptor to hold under a name", "NAME --fd N", options, standard)
    {
        Arguments.Add(name);
        Options.Add(descriptor);
        name.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }, ..] && !Core.Protocols.BrokerRequest.IsName(text))
            {
                result.AddError(text.StartsWith('-') ? $"there is no option \"{text}\"" : $"\"{text}\" is no name: 1 to 64 of A-Z a-z 0-9 _ . -");
            }
        });
        descriptor.CompletionSources.Add(static _ => [new CompletionItem("3")]);
    }

    /// <inheritdoc/>
    protected override int Run(ParseResult parsed, ControlClient client, bool json)
    {
        var held = parsed.GetRequiredValue(name);
        var number = parsed.GetValue(descriptor);

        // A duplicate, since the number itself is not ours to close.
        using var given = Files.Duplicate(number)
            ?? throw new ControlException($"descriptor {number} is not open here: give it by the shell, as in \"listenctl put {held} --fd {Math.Max(number, 3)} {Math.Max(number, 3)}<&0\"", ExitCode.Failed);
        using var answer = Ask(client, BrokerClient.Request("put", held), given);
        Done($"{held}: held", json);
        return ExitCode.Done;
    }
}
