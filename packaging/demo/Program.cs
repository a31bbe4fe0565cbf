using System.CommandLine;
using Spectre.Console;
using Supervisor.Demo;

var bin = new Option<DirectoryInfo>("--bin") { Description = "folder with the published listend, listenctl and hello", Required = true };
var rate = new Option<int>("--rate") { Description = "new connections a second (1 to 5000)", DefaultValueFactory = _ => 1500 };
var stay = new Option<bool>("--stay") { Description = "start the daemon with its workers, say where they are, and stay until Ctrl-C" };
rate.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() is < 1 or > 5000)
    {
        result.AddError("--rate: 1 to 5000");
    }
});

var root = new RootCommand(
    "Starts listend with the bundled configuration and workers on a free loopback port and shows, under load, three "
    + "restarts, a deploy that fails and a worker that is killed. Exit code 0: nothing failed; 1: something did; 2: usage.")
{
    bin, rate, stay,
};
root.SetAction((arguments, cancellation) =>
    new Demonstration(
    AnsiConsole.Console,
    arguments.GetRequiredValue(bin),
    arguments.GetValue(rate))
    .RunAsync(arguments.GetValue(stay), cancellation));

// Ctrl-C and SIGTERM cancel; then the demo ends what it has started, which takes a daemon's drain and no longer.
var parsed = root.Parse(args);
var exitCode = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
return parsed.Errors.Count > 0 ? 2 : exitCode;
