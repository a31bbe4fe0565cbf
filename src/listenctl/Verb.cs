using System.CommandLine;

namespace Supervisor.Listenctl;

/// <summary>One verb of the client.</summary>
internal abstract class Verb : Command
{
    protected Verb(string name, string description, string usage, GlobalOptions options, Standard standard)
        : base(name, description)
    {
        Usage = usage;
        Standard = standard;
        SetAction(parsed => Run(parsed, ControlClient.For(parsed.GetValue(options.Socket), standard), parsed.GetValue(options.Json)));
    }

    /// <summary>What may follow the verb, in one line.</summary>
    public string Usage { get; }

    /// <summary>Where the verb writes.</summary>
    protected Standard Standard { get; }

    /// <summary>Does it and returns the exit status; an error is a <see cref="ControlException"/>.</summary>
    protected abstract int Run(ParseResult parsed, ControlClient client, bool json);
}
