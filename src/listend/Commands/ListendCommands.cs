using System.CommandLine;
using Supervisor.Control.CommandLine;
using Supervisor.Daemon.Continuity;

namespace Supervisor.Listend.Commands;

/// <summary>The commands of listend.</summary>
internal static class ListendCommands
{
    /// <summary>The commands for a process with these arguments.</summary>
    public static RootCommand Root(string[] args)
    {
        var root = new RootCommand("Own listening sockets, pass them to workers, and supervise the workers")
        {
            RunCommand.Create(Executable.Current(args)),
            CheckCommand.Create(),
            SchemaCommand.Create(),
            CheckStateCommand.Create(),
        };

        // The framework's own option works only without a command.
        foreach (var option in root.Options.OfType<VersionOption>().ToArray())
        {
            root.Options.Remove(option);
        }

        root.Options.Add(new VersionFlag("listend"));
        ReadableHelp.Install(root);
        return root;
    }
}
