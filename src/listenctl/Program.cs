using Supervisor.Listenctl;

return ListenctlProgram.Run(args, CommandContext.OfProcess());
