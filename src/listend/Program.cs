using Supervisor.Daemon.Commands;
using Supervisor.Native;

// An inherited SIGCHLD=ignore would make the kernel reap our children behind our back.
Processes.ResetChildSignal();

// The main thread takes the signals that ask us to leave, whatever mask we were started with.
Processes.UnblockSignals();

return CommandLine.Invoke(ListendCommands.Root(), args);
