using System.CommandLine;
using Spectre.Console;
using Supervisor.Demo;

var bin = new Option<DirectoryInfo>("--bin")
{
    Description = "The folder with the published listend, listenctl and hello",
    Required = true,
};
var rate = new Option<int>("--rate") { Description = "New connections per second (1 to 5000)", DefaultValueFactory = _ => 1500 };
var stay = new Option<bool>("--stay") { Description = "Start the daemon with its workers, print their addresses and wait for Ctrl-C" };
rate.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() is < 1 or > 5000)
    {
        result.AddError("--rate needs a number from 1 to 5000");
    }
});

var root = new RootCommand(
    "Start listend with the bundled configuration and workers on a free loopback port, and show three restarts, a failed "
    + "deploy and a killed worker under load. The exit status is 0 without a failure, 1 after a failure, 2 for wrong usage.")
{
    bin, rate, stay,
};
root.SetAction((arguments, cancellation) =>
    new Demonstration(AnsiConsole.Console, arguments.GetRequiredValue(bin), arguments.GetValue(rate))
        .RunAsync(arguments.GetValue(stay), cancellation));

// Ctrl-C and SIGTERM cancel. The demo then stops its processes, which takes as long as the daemon's drain.
var parsed = root.Parse(args);
var exitCode = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
return parsed.Errors.Count > 0 ? 2 : exitCode;
