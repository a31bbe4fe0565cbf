// A Kestrel worker that takes its listeners from listend: one line, with every hand-off.
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Supervisor.Client;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseListend();
builder.Logging.SetMinimumLevel(LogLevel.Warning);

var app = builder.Build();
app.Run(context => context.Response.WriteAsync($"client {Environment.ProcessId}\n"));
app.Run();
