using System.CommandLine;

namespace Supervisor.Daemon.Commands;

/// <summary>The tree of commands.</summary>
internal static class ListendCommands
{
    /// <summary>A new one.</summary>
    public static RootCommand Root() => new("listend: listeners that outlive the processes which serve them")
    {
        RunCommand.Create(),
        CheckCommand.Create(),
        SchemaCommand.Create(),
    };
}
