using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Supervisor.Control.CommandLine;

/// <summary>
/// <c>--help</c> that assumes at least <see cref="LeastWidth"/> columns: the framework's never ends in a terminal of five columns, and
/// fails in one of two.
/// </summary>
public sealed class ReadableHelp : SynchronousCommandLineAction
{
    private const int LeastWidth = 40;
    private readonly HelpAction inner;

    private ReadableHelp(HelpAction inner) => this.inner = inner;

    /// <inheritdoc/>
    public override bool ClearsParseErrors => inner.ClearsParseErrors;

    /// <summary>Replaces the action of the help option of <paramref name="root"/>.</summary>
    public static void Install(Command root)
    {
        foreach (var option in root.Options.OfType<HelpOption>())
        {
            if (option.Action is HelpAction action)
            {
                option.Action = new ReadableHelp(action);
            }
        }
    }

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        inner.MaxWidth = Math.Max(inner.MaxWidth, LeastWidth);
        return inner.Invoke(parseResult);
    }
}
