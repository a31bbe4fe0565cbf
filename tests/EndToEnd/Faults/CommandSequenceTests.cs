using System.Globalization;
using System.Text.Json;
using Supervisor.Control;
using Supervisor.Load;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd.Faults;

/// <summary>
/// Random commands, crashes and bad workers against one daemon with real processes, with its own service for each sequence.
/// The events must obey <see cref="EventRules"/>, and every command has an outcome. At the end, with good workers, the service
/// becomes steady and nothing remains. Core.Tests runs a thousand sequences on the pure machine; this test runs its executor.
/// LISTEND_TEST_SEQUENCES is the number of sequences (15), LISTEND_TEST_SEED the seed of the first one.
/// </summary>
[Trait("Category", "Load")]
public sealed class CommandSequenceTests(ITestOutputHelper output)
{
    private const string Listener = """
        [listener.web]
        address = "tcp://127.0.0.1:0"
        listen = { non_blocking = true }

        """;

    private static readonly TimeSpan ShortWait = TimeSpan.FromMilliseconds(60);

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : otherwise;

    [Fact]
    public async Task The_daemon_survives_random_commands_and_crashes()
    {
        var count = Number("LISTEND_TEST_SEQUENCES", 60);
        var first = Number("LISTEND_TEST_SEED", Random.Shared.Next(1_000_000));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} sequences from LISTEND_TEST_SEED={first} on"));
        await DaemonUnderTest.WithAsync(
            Listener + Service("first", 2, ""),
            async daemon =>
            {
                await using var events = await EventFollower.OfAsync(daemon);
                var steady = await Steady.OfAsync(daemon, "first");
                var load = LoadRun.Start(new LoadPlan { Target = await daemon.EndPointAsync("web"), NewConnectionsPerSecond = 50 });
                LoadReport report;
                var before = "first";
                var commands = 0;
                try
                {
                    for (var seed = first; seed < first + count; seed++)
                    {
                        var told = new List<string>();
                        try
                        {
                            before = await PlayAsync(daemon, steady, events, before, seed, told);
                            commands += told.Count;
                        }
                        catch (Exception exception)
                        {
                            throw new InvalidOperationException(
                                $"LISTEND_TEST_SEED={seed}: {exception.Message}\n{exception.StackTrace}\n{string.Join('\n', told)}",
                                exception);
                        }
                    }
                }
                finally
                {
                    report = await load.StopAsync();
                }

                var failed = string.Join(", ", report.Failures.Select(pair => $"{pair.Key} {pair.Value}"));
                output.WriteLine($"{commands} moves; {report.Requests} requests, failed: {failed}");
                Assert.Equal(0, report.Failures.GetValueOrDefault(FailureKind.Refused));
            },
            prepare: QuickWorker.Compile);
    }

    private static async Task<string> PlayAsync(
        DaemonUnderTest daemon,
        Steady steady,
        EventFollower events,
        string before,
        int seed,
        List<string> told)
    {
        var random = new Random(seed);
        var name = string.Create(CultureInfo.InvariantCulture, $"s{seed}");
        var plan = new Plan(random);
        var from = events.Count;
        var workers = plan.Workers;
        var number = 0;
        var outcomes = new List<Task>();
        var asked = new List<int> { workers };
        using var http = daemon.Http();
        told.Add($"{plan}");
        QuickWorker.Mode(daemon.Directory, "");
        await ReloadAsync();
        await events.WaitAsync(
            from,
            one => one.Kind == "service-removed" && one.Message.Contains($"service {before} ", StringComparison.Ordinal),
            $"{before} is gone");

        for (var moves = random.Next(8, 20); moves > 0; moves--)
        {
            await MoveAsync();
        }

        // Good workers again, with time to start on a busy host: start a stopped service, then a last roll-out succeeds.
        told.Add("mended");
        QuickWorker.Mode(daemon.Directory, "");
        await ReloadAsync(Patience.Limit);
        await OutcomeAsync("start?wait=true", "done", "superseded", "failed");
        var mark = events.Count;
        var last = OutcomeAsync("restart?wait=true", "done");

        // The reported canary may still be that of an earlier roll-out.
        for (var seq = 0L; plan.Waits && !last.IsCompleted;)
        {
            var canary = events.WaitAsync(
                mark,
                one => one.Seq > seq && one.Service == name && one.Kind == "rollout-canary",
                "rollout-canary");
            if (await Task.WhenAny(last, canary) == canary)
            {
                seq = (await canary).Seq;
                await PostAsync("promote");
            }
        }

        await last;
        await Task.WhenAll(outcomes).WaitAsync(Patience.Limit);

        // As many workers as at the start. Not earlier: if 2 is the configured number, a roll-back of a reload changes it.
        await PostAsync("scale?workers=2");
        asked.Add(2);
        var status = await Steady.RestAsync(daemon, name);
        Assert.Equal(2, status.Desired);
        await steady.CheckAsync(daemon, status);
        var newest = await NewestAsync();
        await events.WaitAsync(0, one => one.Seq >= newest, "the last one");
        var rules = new EventRules(name, plan.Strategy, plan.MaxSurge, plan.MaxUnavailable)
        {
            Fewest = asked.Min(),
            Most = asked.Max(),
            HasStopped = told.Contains("stop")
        };
        rules.Check(events.Since(from));
        rules.CheckAtRest(status);
        return name;

        async Task MoveAsync()
        {
            switch (random.Next(30))
            {
                case < 5:
                    Begin("restart");
                    break;
                case 5 when plan.MayStop:
                    Begin("stop");
                    break;
                case < 8:
                    Begin("start");
                    break;
                case < 10:
                    workers = random.Next(1, 5);
                    asked.Add(workers);
                    told.Add($"scale {workers}");
                    await PostAsync(string.Create(CultureInfo.InvariantCulture, $"scale?workers={workers}"));
                    break;
                case < 12:
                    Begin("promote");
                    break;
                case 12:
                    Begin("abort");
                    break;
                case < 15:
                    number++;
                    if (random.Next(3) == 0)
                    {
                        plan = plan with { Workers = workers = random.Next(1, 5) };
                        asked.Add(workers);
                    }

                    told.Add($"reload {number} with {plan.Workers}");
                    await ReloadAsync();
                    break;
                case < 17:
                    var signal = random.Next(2) == 0 ? "SIGTERM" : "SIGUSR1";
                    told.Add("signal " + signal);
                    await PostAsync("signal?signal=" + signal);
                    break;
                case < 21:
                    await KillAsync(random.Next(4) == 0 ? Signals.Stop : Signals.Kill);
                    break;
                case < 24:
                    var mode = new[] { "", "", "exit", "hang", "stubborn", "brief" }[random.Next(6)];
                    told.Add("mode " + mode);
                    QuickWorker.Mode(daemon.Directory, mode);
                    break;
                default:
                    told.Add("wait");
                    await events.AnyAsync(events.Count, ShortWait);
                    break;
            }
        }

        // The client waits for the outcome. An impossible command is refused with a reason.
        void Begin(string command)
        {
            told.Add(command);
            outcomes.Add(OutcomeAsync(command + "?wait=true"));
        }

        async Task OutcomeAsync(string command, params string[] expected)
        {
            using var client = daemon.Http();
            using var answer = await client.PostAsync(new Uri($"/v1/services/{name}/{command}", UriKind.Relative), null);
            var text = await answer.Content.ReadAsStringAsync();
            if ((int)answer.StatusCode == 409)
            {
                Assert.True(
                    expected.Length == 0
                        && JsonSerializer.Deserialize(text, ControlJson.Default.ProblemDocument)!.Detail is { Length: > 0 },
                    $"{command}: {text}");
                return;
            }

            Assert.True(answer.IsSuccessStatusCode, $"{command}: {text}");
            var outcome = JsonSerializer.Deserialize(text.TrimEnd().Split('\n')[^1], ControlJson.Default.ChangeDocument)!;
            Assert.True(outcome.Outcome is "done" or "rolled-back" or "superseded" or "failed", $"{command}: {text}");
            Assert.True(expected.Length == 0 || expected.Contains(outcome.Outcome), $"{command}: {outcome.Outcome}: {outcome.Message}");
        }

        async Task PostAsync(string command)
        {
            using var answer = await http.PostAsync(new Uri($"/v1/services/{name}/{command}", UriKind.Relative), null);
            Assert.True(
                answer.IsSuccessStatusCode || (int)answer.StatusCode == 409,
                $"{command}: {await answer.Content.ReadAsStringAsync()}");
        }

        async Task ReloadAsync(TimeSpan? startTimeout = null)
        {
            var service = Service(name, plan.Workers, plan.Settings(number), startTimeout);
            await File.WriteAllTextAsync(
                daemon.Directory["run.toml"],
                $"[daemon]\nruntime_directory = \"{daemon.Runtime}\"\n\n{Listener}"
                + service.Replace("@dir@", daemon.Directory.Path, StringComparison.Ordinal));
            using var answer = await http.PostAsync(new Uri("/v1/reload", UriKind.Relative), null);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }

        async Task KillAsync(int signal)
        {
            var pids = (await Steady.AskAsync(daemon, name)).Workers
                .Where(worker => worker.Pid is not null && worker.State is "starting" or "ready" or "draining")
                .Select(worker => worker.Pid!.Value).ToArray();
            if (pids.Length > 0)
            {
                var victim = pids[random.Next(pids.Length)];
                told.Add(string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {victim}"));
                RunningProgram.Kill(victim, signal);
            }
        }

        async Task<long> NewestAsync()
        {
            var all = await http.GetStringAsync(new Uri("/v1/events?follow=false", UriKind.Relative));
            return long.Parse(
                all.Split('\n').Last(line => line.StartsWith("id: ", StringComparison.Ordinal)).AsSpan(4),
                NumberStyles.None,
                CultureInfo.InvariantCulture);
        }
    }

    private static string Service(string name, int workers, string settings, TimeSpan? startTimeout = null) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        [service.{name}]
        {QuickWorker.Service}
        listeners = ["web"]
        workers = {workers}
        start_timeout = "{(int)(startTimeout ?? TimeSpan.FromSeconds(1)).TotalSeconds}s"
        stop_timeout = "300ms"
        {settings}
        """);

    /// <summary>The configuration of a sequence's service.</summary>
    private sealed record Plan
    {
        private readonly string _settle;
        private readonly int _canary;
        private readonly string _hold;
        private readonly string _onFailure;
        private readonly int _generations;
        private readonly int _limit;
        private readonly string _policy;
        private readonly string _watchdog;

        public Plan(Random random)
        {
            Workers = random.Next(1, 5);
            Strategy = Pick("rolling", "rolling", "overlap", "stop-first");
            MaxUnavailable = Pick("0", "0", "1") == "1" ? 1 : 0;
            MaxSurge = random.Next(1 - MaxUnavailable, 4);
            MayStop = random.Next(2) == 0;
            _settle = Pick("0s", "0s", "30ms");
            _canary = random.Next(3) == 0 ? random.Next(1, 4) : 0;
            _hold = Pick("0s", "40ms");
            _onFailure = Pick("rollback", "rollback", "stop");
            _generations = random.Next(2, 4);
            _limit = Pick("0", "3") == "0" ? 0 : 3;
            _policy = Pick("always", "always", "always", "on-failure", "never");
            _watchdog = Pick("0s", "0s", "200ms");

            string Pick(params string[] words) => words[random.Next(words.Length)];
        }

        public int Workers { get; init; }

        public string Strategy { get; }

        public int MaxSurge { get; }

        public int MaxUnavailable { get; }

        public bool MayStop { get; }

        /// <summary>Whether a roll-out waits for promote.</summary>
        public bool Waits => _canary > 0 && _hold == "0s";

        /// <summary>Another number gives other workers.</summary>
        public string Settings(int number) => string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            watchdog = "{{_watchdog}}"
            environment = { NUMBER = "{{number}}" }
            restart = { policy = "{{_policy}}", backoff = "10ms", backoff_max = "50ms", limit = {{_limit}}, limit_interval = "200ms" }
            rollout = { strategy = "{{Strategy}}", max_surge = {{MaxSurge}}, max_unavailable = {{MaxUnavailable}}, settle = "{{_settle}}", canary = {{_canary}}, canary_hold = "{{_hold}}", on_failure = "{{_onFailure}}", max_generations = {{_generations}} }
            """);

        /// <inheritdoc/>
        public override string ToString() => $"workers {Workers}; {Settings(0)}";
    }
}
