using Supervisor.Listenctl;
using Supervisor.Listenctl.Terminal;

return ListenctlProgram.Run(args, CommandContext.OfProcess());
