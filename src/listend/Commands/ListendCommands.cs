using System.CommandLine;
using Supervisor.Daemon.Continuity;

namespace Supervisor.Daemon.Commands;

/// <summary>The tree of commands.</summary>
internal static class ListendCommands
{
    /// <summary>A new one for a process that was started with these arguments.</summary>
    public static RootCommand Root(string[] args) => new("listend: listeners that outlive the processes which serve them")
    {
        RunCommand.Create(Executable.Current(args)),
        CheckCommand.Create(),
        SchemaCommand.Create(),
        CheckStateCommand.Create(),
    };
}
