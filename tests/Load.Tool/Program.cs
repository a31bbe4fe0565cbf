using System.CommandLine;
using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using Supervisor.Load;
using Supervisor.Load.Tool;

// Runs completions on the polling thread, which saves a fifth of the generator's processor time; they never block. The
// runtime reads this once, before the first socket.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

var target = new Option<EndPoint>("--target")
{
    Description = "The address of the server: 127.0.0.1:8080, [::1]:8080, unix:///path, unix://@name",
    Required = true,
    CustomParser = result =>
    {
        if (!TargetAddress.TryParse(result.Tokens[0].Value, out var endpoint, out var error))
        {
            result.AddError(error);
        }

        return endpoint!;
    },
};
var rate = new Option<int>("--rate")
{
    Description = "new connections a second, one request on each (0 to 20000)",
    DefaultValueFactory = _ => 1000
};
var slow = new Option<int>("--slow") { Description = "slow requests in flight at all times (0 to 4096)" };
var slowFor = new Option<int>("--slow-ms")
{
    Description = "milliseconds that a slow request takes the server",
    DefaultValueFactory = _ => 500
};
var keepAlive = new Option<int>("--keep-alive") { Description = "kept connections (0 to 4096)" };
var interval = new Option<int>("--interval-ms")
{
    Description = "milliseconds from one request to the next on a kept connection; 0: back to back",
    DefaultValueFactory = _ => 10
};
var seconds = new Option<int>("--seconds") { Description = "how long (1 to 600)", DefaultValueFactory = _ => 10 };
var timeout = new Option<int>("--timeout-ms") { Description = "milliseconds that a request may take", DefaultValueFactory = _ => 10_000 };
var path = new Option<string>("--path") { Description = "what new and kept connections ask for", DefaultValueFactory = _ => "/" };
var json = new Option<bool>("--json") { Description = "print one JSON object" };

var root = new RootCommand(
    "An open-loop load on one listener of this machine. Exit code 0: every request was answered; 1: some were not; 2: usage.")
{
    target, rate, slow, slowFor, keepAlive, interval, seconds, timeout, path, json,
};
Bound(rate, 0, 20_000);
Bound(slow, 0, 4096);
Bound(slowFor, 0, 10_000);
Bound(keepAlive, 0, 4096);
Bound(interval, 0, 60_000);
Bound(seconds, 1, 600);
Bound(timeout, 1, 600_000);

root.SetAction(async (arguments, cancellation) =>
{
    using var interrupted = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
    using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
    {
        signal.Cancel = true;
        interrupted.Cancel();
    });
    var run = LoadRun.Start(new LoadPlan
    {
        Target = arguments.GetRequiredValue(target),
        NewConnectionsPerSecond = arguments.GetValue(rate),
        SlowInFlight = arguments.GetValue(slow),
        SlowFor = TimeSpan.FromMilliseconds(arguments.GetValue(slowFor)),
        KeepAliveConnections = arguments.GetValue(keepAlive),
        KeepAliveInterval = TimeSpan.FromMilliseconds(arguments.GetValue(interval)),
        Timeout = TimeSpan.FromMilliseconds(arguments.GetValue(timeout)),
        Path = arguments.GetRequiredValue(path),
    });
    await Task.Delay(TimeSpan.FromSeconds(arguments.GetValue(seconds)), interrupted.Token)
        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    var report = await run.StopAsync();
    if (arguments.GetValue(json))
    {
        Console.WriteLine(JsonSerializer.Serialize(report, LoadReportJson.Default.LoadReport));
    }
    else
    {
        ReportTable.Write(Console.Out, report);
    }

    return report.Failed == 0 ? 0 : 1;
});

var parsed = root.Parse(args);
var exitCode = await parsed.InvokeAsync();
return parsed.Errors.Count > 0 ? 2 : exitCode;

static void Bound(Option<int> option, int least, int most) => option.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() is var value && (value < least || value > most))
    {
        result.AddError($"{option.Name} {value}: {least} to {most}");
    }
});
