using System.CommandLine;
using Supervisor.Control.CommandLine;
using Supervisor.Daemon.Runtime;

namespace Supervisor.Daemon.Commands;

/// <summary>The tree of commands.</summary>
internal static class ListendCommands
{
    /// <summary>A new one for a process that was started with these arguments.</summary>
    public static RootCommand Root(string[] args)
    {
        var root = new RootCommand("listend: listeners that outlive the processes which serve them")
        {
            RunCommand.Create(Executable.Current(args)),
            CheckCommand.Create(),
            SchemaCommand.Create(),
            CheckStateCommand.Create(),
        };

        // The framework's own is known to the root alone.
        foreach (var option in root.Options.OfType<VersionOption>().ToArray())
        {
            root.Options.Remove(option);
        }

        root.Options.Add(new VersionFlag("listend"));
        return root;
    }
}
