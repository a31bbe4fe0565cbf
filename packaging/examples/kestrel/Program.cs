// Kestrel without changes, on inherited sockets: a program that supports systemd and does not know listend.
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.UseSystemd());
builder.Logging.SetMinimumLevel(LogLevel.Warning);

var app = builder.Build();
app.Run(context => context.Response.WriteAsync($"{Environment.ProcessId}\n"));
app.Run();
