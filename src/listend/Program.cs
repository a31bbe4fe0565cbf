using Supervisor.Daemon.Continuity;
using Supervisor.Listend.Commands;
using Supervisor.Native;

// An inherited SIGCHLD=ignore would make the kernel reap our children behind our back.
Processes.ResetChildSignal();

// Before anybody asks for a handler: the runtime installs one once, and Kestrel's host, which serves the metrics, asks for one too.
Processes.ResetRequestSignals();

// The main thread takes the signals that ask us to leave, whatever mask we were started with. After an upgrade they wait
// until there are handlers: until then each of them would end us.
if (!ReExecutedState.IsPresent)
{
    Processes.UnblockSignals();
}

return CommandLine.Invoke(ListendCommands.Root(args), args);
