// The bundled worker: a minimal Kestrel on sockets that somebody else made.
//
// The supervisor has bound and configured the listener long before this process started, keeps its own descriptor of
// it, and shares it with the siblings of this worker and with the workers of the next generation. What that asks of a
// worker, UseListend() does: it takes descriptors 3.. as LISTEN_FDS says and binds nothing itself, says READY=1 once
// Kestrel accepts, and on SIGTERM closes its descriptor of the listener, never the listener; what this worker has
// accepted it answers, what it has not accepted stays in the kernel's queue for the siblings.
using Hello;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Supervisor.Client;

if (Environment.GetEnvironmentVariable("LISTEN_FDS") is null
    || Environment.GetEnvironmentVariable("LISTEN_PID") != Environment.ProcessId.ToString())
{
    // Without this Kestrel would bind its own default, localhost:5000.
    Console.Error.WriteLine("hello: no inherited sockets: LISTEN_FDS is not set, or LISTEN_PID is not this process. Start it by listend "
        + "or systemd-socket-activate.");
    return 2;
}

var rehearsal = Rehearsal.FromEnvironment();
if (await rehearsal.BeforeStartAsync() is { } exitCode)
{
    return exitCode;
}

var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
builder.WebHost.UseKestrelCore()
    .ConfigureKestrel(kestrel => kestrel.AddServerHeader = false)
    .UseListend(listen => listen.Protocols = HttpProtocols.Http1);

await using var app = builder.Build();
app.Run(new Answers().AnswerAsync);
await app.StartAsync();
rehearsal.AfterReady();
await app.WaitForShutdownAsync();
return 0;
