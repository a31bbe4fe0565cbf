using Supervisor.Daemon.Continuity;
using Supervisor.Listend.Commands;
using Supervisor.Native;

// With an inherited SIGCHLD=ignore the kernel would reap the children, and their exit statuses would be lost.
Processes.ResetChildSignal();

// Before the first handler is registered: the runtime installs its own only once, and Kestrel's host registers handlers too.
Processes.ResetRequestSignals();

// A unit with LimitFSIZE= limits the files of its workers; the daemon's log files reach it too.
Processes.IgnoreFileSizeSignal();

// The main thread receives the stop signals, whatever signal mask the process inherited. After an upgrade they stay blocked
// until the handlers are registered, because they would terminate the process before.
if (!ReExecutedState.IsPresent)
{
    Processes.UnblockSignals();
}

args = OwnProcess.Arguments(args);
return CommandLine.Invoke(ListendCommands.Root(args), args);
