using System.CommandLine;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Verbs;

/// <summary>One verb of the client.</summary>
internal abstract class Verb : Command
{
    /// <param name="name">The verb.</param>
    /// <param name="description">What it does, in the imperative and without a full stop: the text of --help and of the man page.</param>
    /// <param name="usage">What may follow the verb, in one line.</param>
    /// <param name="options">The options of all verbs.</param>
    /// <param name="context">Where the verb writes.</param>
    protected Verb(string name, string description, string usage, GlobalOptions options, CommandContext context)
        : base(name, description)
    {
        Usage = usage;
        Context = context;
        SetAction(parsed => Run(parsed, options));
    }

    /// <summary>What may follow the verb, in one line.</summary>
    public string Usage { get; }

    /// <summary>Where the verb writes.</summary>
    protected CommandContext Context { get; }

    /// <summary>A <see cref="Client.ControlException"/> if the verb has no meaning on another host.</summary>
    public virtual void RequireRemote()
    {
    }

    /// <summary>Runs the verb and returns the exit status; an error is a <see cref="Client.ControlException"/>.</summary>
    protected abstract int Run(ParseResult parsed, GlobalOptions options);
}
