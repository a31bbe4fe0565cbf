// The bundled worker: a minimal Kestrel on inherited sockets.
//
// listend has bound and configured the listener before this process starts. It keeps its own descriptor of the listener, and
// shares the listener with the other workers, also of the next generation. UseListend() does what a worker must do:
// - It takes the descriptors of LISTEN_FDS, from 3 on, and binds nothing.
// - It sends READY=1 when Kestrel accepts connections.
// - On SIGTERM it closes its descriptor of the listener and does not shut the listener down. This worker answers the
//   connections that it has accepted; the others stay in the kernel's queue for the other workers.
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
    // Without this check Kestrel would bind its default, localhost:5000.
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
