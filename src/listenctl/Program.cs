using Supervisor.Listenctl;
using Supervisor.Listenctl.Terminal;
using Supervisor.Native;

return ListenctlProgram.Run(OwnProcess.Arguments(args), CommandContext.OfProcess());
