using System.CommandLine;
using Supervisor.Bench;
using Supervisor.Bench.Micro;

// Measures listend next to plain C programs that do the same.
var all = new Dictionary<string, Func<Workspace, BenchScale, IEnumerable<Figure>>>(StringComparer.Ordinal)
{
    ["replace"] = ReplaceBenchmark.Run,
    ["start-200"] = StartBenchmark.Run,
    ["listeners-10000"] = ListenersBenchmark.Run,
    ["spawn"] = SpawnBenchmark.Run,
    ["rest"] = RestBenchmark.Run,
    ["explain"] = ExplainBenchmark.Run,
    ["diagnose-10000"] = DiagnoseBenchmark.Run,
    ["broker-10000"] = BrokerBenchmark.Run,
    ["requests"] = RequestsBenchmark.Run,
    ["growth"] = GrowthBenchmark.Run,
    ["steering"] = SteeringBenchmark.Run,
    ["per-connection"] = PerConnectionBenchmark.Run,
    ["per-connection-systemd"] = AcceptBenchmark.Run,
};
var names = new Argument<string[]>("name")
{
    Description = $"Which: {string.Join(", ", all.Keys)}; or micro, for only BenchmarkDotNet",
    Arity = ArgumentArity.ZeroOrMore,
};
names.AcceptOnlyFromAmong([.. all.Keys, "micro"]);
var rounds = new Option<int>("--rounds") { Description = "Rounds of each measurement; the median counts", DefaultValueFactory = _ => 30 };
var requests = new Option<int>("--requests")
{
    Description = "Control requests after which the memory is measured",
    DefaultValueFactory = _ => 20_000,
};
var restarts = new Option<int>("--restarts")
{
    Description = "Restarts after which the memory is measured",
    DefaultValueFactory = _ => 1000,
};
var seconds = new Option<int>("--seconds")
{
    Description = "Time limit of the requests, and of the restarts; a sixth of it is the time for which the idle daemon is watched",
    DefaultValueFactory = _ => 60,
};
var root = new RootCommand("Measure listend next to plain C programs") { names, rounds, requests, restarts, seconds };
root.SetAction(parsed =>
{
    var wanted = parsed.GetValue(names) is { Length: > 0 } some ? some : [.. all.Keys];
    if (wanted.Contains("micro"))
    {
        MicroBenchmarks.Run();
    }

    var scale = new BenchScale(
        parsed.GetValue(rounds),
        parsed.GetValue(requests),
        parsed.GetValue(restarts),
        TimeSpan.FromSeconds(parsed.GetValue(seconds)));
    var table = new FigureTable(Console.Out);
    using var workspace = new Workspace();
    foreach (var name in wanted.Where(all.ContainsKey))
    {
        foreach (var figure in all[name](workspace, scale))
        {
            table.Write(name, figure);
        }
    }

    return 0;
});
return root.Parse(args).Invoke();
