using System.CommandLine;
using Supervisor.Daemon.Commands;
using Supervisor.Native;

// An inherited SIGCHLD=ignore would make the kernel reap our children behind our back.
Processes.ResetChildSignal();

var root = new RootCommand("listend: listeners that outlive the processes which serve them")
{
    RunCommand.Create(),
    CheckCommand.Create(),
    SchemaCommand.Create(),
};
return CommandLine.Invoke(root, args);
