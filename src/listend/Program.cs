using System.CommandLine;
using Supervisor.Daemon.Commands;
using Supervisor.Daemon.Continuity;
using Supervisor.Native;

// An inherited SIGCHLD=ignore would make the kernel reap our children behind our back.
Processes.ResetChildSignal();

// The main thread takes the signals that ask us to leave, whatever mask we were started with. After an upgrade they wait
// until there are handlers: until then each of them would end us.
if (!Predecessor.IsResuming)
{
    Processes.UnblockSignals();
}

var root = new RootCommand("listend: listeners that outlive the processes which serve them")
{
    RunCommand.Create(Executable.Current(args)),
    CheckCommand.Create(),
    SchemaCommand.Create(),
    CheckStateCommand.Create(),
};
return CommandLine.Invoke(root, args);
