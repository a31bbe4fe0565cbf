// The bundled worker: a minimal Kestrel on sockets that somebody else made.
//
// The supervisor has bound and configured the listener long before this process started, keeps its own descriptor of
// it, and shares it with the siblings of this worker and with the workers of the next generation. So this program
//
//   1. takes descriptors 3.. as LISTEN_FDS says and binds nothing itself;
//   2. says READY=1 once it accepts;
//   3. on SIGTERM closes its descriptor of the listener, never the listener: no shutdown(2), which would reset what
//      waits in the queue of everybody. What this worker has accepted it serves (see Drain); what it has not accepted
//      stays in the kernel's queue for the siblings.
using Hello;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;

if (Environment.GetEnvironmentVariable("LISTEN_FDS") is null
    || Environment.GetEnvironmentVariable("LISTEN_PID") != Environment.ProcessId.ToString())
{
    // Without this Kestrel would bind its own default, localhost:5000.
    Console.Error.WriteLine("hello: no inherited sockets: LISTEN_FDS is not set, or LISTEN_PID is not this process. Start it by listend or systemd-socket-activate.");
    return 2;
}

var rehearsal = Rehearsal.FromEnvironment();
if (await rehearsal.BeforeStartAsync() is { } exitCode)
{
    return exitCode;
}

var drain = new Drain(TimeProvider.System);
var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(30));
builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
{
    kestrel.AddServerHeader = false;
    kestrel.UseSystemd(listen =>
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(drain.TrackAsync);
    });
});

// Kestrel asks the factory that was registered last first.
builder.Services.AddSingleton<IConnectionListenerFactory>(services => ActivatorUtilities.CreateInstance<SharedListenerFactory>(services, drain));

await using var app = builder.Build();
app.Run(new Answers(drain).AnswerAsync);

// IHostBuilder.UseSystemd() would do this, but only where it believes that systemd is the parent: SYSTEMD_EXEC_PID
// is this process, or the parent's name is "systemd". Under any other supervisor it does nothing, whatever
// NOTIFY_SOCKET says. The protocol needs no more than these two messages.
var notifier = new SystemdNotifier();
app.Lifetime.ApplicationStopping.Register(() => notifier.Notify(ServiceState.Stopping));
await app.StartAsync();
notifier.Notify(ServiceState.Ready);
rehearsal.AfterReady();
await app.WaitForShutdownAsync();
return 0;
