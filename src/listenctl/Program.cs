using Supervisor.Listenctl;

return ListenctlProgram.Run(args, Standard.OfProcess());
