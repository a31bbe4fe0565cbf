using System.CommandLine;

namespace Supervisor.Listenctl;

/// <summary>One verb of the client.</summary>
internal abstract class Verb : Command
{
    protected Verb(string name, string description, string usage, GlobalOptions options, CommandContext standard)
        : base(name, description)
    {
        Usage = usage;
        CommandContext = standard;
        SetAction(parsed => Run(parsed, options));
    }

    /// <summary>What may follow the verb, in one line.</summary>
    public string Usage { get; }

    /// <summary>Where the verb writes.</summary>
    protected CommandContext CommandContext { get; }

    /// <summary>Does it with the daemon, whose control socket must be known; a verb that needs no daemon overrides this.</summary>
    protected virtual int Run(ParseResult parsed, GlobalOptions options) =>
        Run(parsed, ControlClient.For(parsed.GetValue(options.Socket), CommandContext), parsed.GetValue(options.Json));

    /// <summary>Does it and returns the exit status; an error is a <see cref="ControlException"/>.</summary>
    protected abstract int Run(ParseResult parsed, ControlClient client, bool json);
}
