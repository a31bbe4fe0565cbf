using System.CommandLine;
using Supervisor.Daemon.Commands;
using Supervisor.Native;

// An inherited SIGCHLD=ignore would make the kernel reap our children behind our back.
Processes.ResetChildSignal();

// The main thread takes the signals that ask us to leave, whatever mask we were started with.
Processes.UnblockSignals();

var root = new RootCommand("listend: listeners that outlive the processes which serve them")
{
    RunCommand.Create(),
    CheckCommand.Create(),
    SchemaCommand.Create(),
};
return CommandLine.Invoke(root, args);
