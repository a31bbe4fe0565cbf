using System.Globalization;
using Supervisor.Control;
using Supervisor.Load;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd.Faults;

/// <summary>
/// Kills the daemon at each step of an operation and starts a successor, repeatedly under one load. A step is a system call
/// that changes something which outlives the process (<see cref="CallTrap.Calls"/>). strace records the steps of one
/// undisturbed run. After each death the service has all its workers, of one generation; nothing is orphaned or leaked; every
/// change that was confirmed to the client is done; and no request is lost. LISTEND_TEST_STEPS is the number of tested steps
/// of each recording, evenly distributed (10, or 4). "all" tests each step, and "bind 2" tests this step ten times.
/// </summary>
[Trait("Category", "Load")]
public sealed class DeathAtEachStepTests(ITestOutputHelper output)
{
    private const string Config = $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"
        listen = { non_blocking = true }
         # socket

        [listener.lone]
        address = "tcp://127.0.0.1:0"

        [service.web]
        {{QuickWorker.Service}}
        listeners = ["web"]
        workers = 2
        start_timeout = "5s"
        environment = { STEP = "0" } # workers
        restart = { backoff = "10ms", backoff_max = "50ms", limit = 0 }
        """;

    [Fact]
    public Task The_daemon_survives_death_at_each_step_of_a_rollout() => EachStepAsync(async (daemon, _) =>
    {
        var before = (await Steady.AskAsync(daemon, "web")).Generation;
        return new Act(() => AnswersAsync(daemon, "restart", "web", "--wait"), now => Task.FromResult(now.Generation > before));
    });

    /// <summary>Each worker has a socket of its own, and the kernel selects it.</summary>
    [Fact]
    public Task The_daemon_survives_death_at_each_step_of_a_steered_rollout() => EachStepAsync(
        async (daemon, _) =>
        {
            var before = (await Steady.AskAsync(daemon, "web")).Generation;
            return new Act(() => AnswersAsync(daemon, "restart", "web", "--wait"), async now =>
            {
                var listener = await daemon.ListenerAsync("web");
                Assert.Equal(("generation", now.Generation), (listener.Steering!.Mode, listener.Steering.ActiveGeneration));
                Assert.Equal(now.Desired, listener.Sockets!.Count);
                Assert.All(listener.Sockets, socket => Assert.Equal("serving", socket.State));
                return now.Generation > before;
            });
        },
        most: 4,
        config: Config.Replace("# socket", "# socket\nsteering = \"generation\"", StringComparison.Ordinal));

    [Fact]
    public Task The_daemon_survives_death_in_a_rollout_without_wait() => EachStepAsync(async (daemon, _) =>
    {
        var before = (await Steady.AskAsync(daemon, "web")).Generation;
        return new Act(
            async () =>
            {
                var answered = await AnswersAsync(daemon, "restart", "web");
                await EndsAsync(daemon.Log.WaitForAsync(0, MessageIds.RolloutDone, "web", generation: before + 1));
                return answered;
            },
            now => Task.FromResult(now.Generation > before));
    });

    [Fact]
    public Task The_daemon_survives_death_in_a_worker_replacement() => EachStepAsync(
        async (daemon, _) =>
        {
            var before = await Steady.AskAsync(daemon, "web");
            var victim = before.Workers[0].Pid!.Value;
            return new Act(
                async () =>
                {
                    var mark = daemon.Log.Count;
                    RunningProgram.Kill(victim, Signals.Kill);
                    await EndsAsync(daemon.Log.WaitForAsync(mark, MessageIds.WorkerReady, "web", slot: 0));
                    return true;
                },
                now => Task.FromResult(now.Generation == before.Generation && now.Workers.All(worker => worker.Pid != victim)));
        },
        losesRequests: true);

    [Fact]
    public Task The_daemon_survives_death_at_each_step_of_stop_and_start() => EachStepAsync(
        (daemon, _) => Act.Of(async () =>
        {
            await AnswersAsync(daemon, "stop", "web", "--wait");
            return await AnswersAsync(daemon, "start", "web", "--wait");
        }),
        afterwards: daemon => AnswersAsync(daemon, "start", "web"));

    [Fact]
    public Task The_daemon_survives_death_at_each_step_of_a_take() =>
        EachStepAsync((daemon, _) => Act.Of(() => AnswersAsync(daemon, "take", "web", "lone", "--", "true")));

    [Fact]
    public Task The_daemon_survives_death_at_each_step_of_a_put() => EachStepAsync((daemon, number) =>
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"given-{number}");
        return Task.FromResult(new Act(
            async () => (await RunningProgram.RunAsync(
                "/bin/sh",
                ["-c", $"exec '{Published.Listenctl}' --socket '{daemon.ControlSocket}' put {name} --fd 3 3</dev/null"])).ExitCode == 0,
            _ => AnswersAsync(daemon, "drop", name)));
    });

    [Fact]
    public Task The_daemon_survives_death_at_each_step_of_an_upgrade() =>
        EachStepAsync((daemon, _) => Act.Of(() => AnswersAsync(daemon, "upgrade")));

    [Fact]
    public Task The_daemon_survives_death_in_a_reload_that_changes_workers() => EachStepAsync(async (daemon, number) =>
    {
        var before = (await Steady.AskAsync(daemon, "web")).Generation;
        var step = string.Create(CultureInfo.InvariantCulture, $"STEP = \"{number}\"");
        return new Act(
            async () =>
            {
                Reconfigure(daemon, step);
                var answered = await AnswersAsync(daemon, "reload");
                await EndsAsync(daemon.Log.WaitForAsync(0, MessageIds.RolloutDone, "web", generation: before + 1));
                return answered;
            },
            now => Task.FromResult(now.Workers.All(worker => File.ReadAllText($"/proc/{worker.Pid}/environ")
                .Contains(string.Create(CultureInfo.InvariantCulture, $"STEP={number}\0"), StringComparison.Ordinal))));
    });

    [Fact]
    public Task The_daemon_survives_death_in_a_reload_that_moves_a_socket() => EachStepAsync(
        async (daemon, _) =>
        {
            // The setting is changed on the living socket; its removal needs another socket.
            Reconfigure(daemon, "buffers = { receive = \"256KiB\" }");
            await AnswersAsync(daemon, "reload");
            var before = await Steady.RestAsync(daemon, "web");
            return new Act(
                async () =>
                {
                    Reconfigure(daemon, "");
                    var mark = daemon.Log.Count;
                    var answered = await AnswersAsync(daemon, "reload");
                    await EndsAsync(daemon.Log.WaitForAsync(mark, MessageIds.ListenerRetired, listener: "web"));
                    return answered;
                },
                now => Task.FromResult(now.Generation > before.Generation));
        },
        most: 4);

    [Fact]
    public Task The_daemon_survives_death_at_each_step_of_a_recovery() => UnderLoadAsync(async (daemon, steady, load) =>
    {
        var recording = daemon.Directory["calls"];
        daemon = await KillAsync(daemon, CallTrap.Wrapper(recording));
        await daemon.WaitUntilUpAsync(new DaemonOptions { WrapperStays = true });
        await steady.CheckAsync(daemon, await Steady.RestAsync(daemon, "web"));
        var number = 0;
        foreach (var (call, nth) in Chosen(CallTrap.Steps(recording), 10))
        {
            load.BeginPhase(string.Create(CultureInfo.InvariantCulture, $"{++number}: {call} {nth}"));
            daemon = await KillAsync(daemon, CallTrap.Wrapper(call, nth));
            var wasReached = !await IsUpAsync(daemon);
            if (number % 2 == 0 && !wasReached)
            {
                await AnswersAsync(daemon, "restart", "web", "--wait");
            }

            daemon = await KillAsync(daemon, []);
            await daemon.WaitUntilUpAsync();
            try
            {
                await steady.CheckAsync(daemon, await Steady.RestAsync(daemon, "web"));
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"after a death at {call} {nth}: {exception.Message}", exception);
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{call} {nth}: {(wasReached ? "killed" : "not reached")}"));
        }

        return daemon;
    });

    /// <summary>
    /// Records the steps of one operation, and repeats the operation for each step. The operation gets a daemon and a unique
    /// number.
    /// </summary>
    private Task EachStepAsync(
        Func<DaemonUnderTest, int, Task<Act>> make,
        bool losesRequests = false,
        Func<DaemonUnderTest, Task>? afterwards = null,
        int most = 10,
        string config = Config) => UnderLoadAsync(async (daemon, steady, load) =>
    {
        var recording = daemon.Directory["calls"];
        var first = await make(daemon, 1);
        await using (await CallTrap.RecordAsync(daemon.Pid, recording))
        {
            Assert.True(await first.Do());
            await Steady.AskAsync(daemon, "web");
        }

        var rest = await Steady.RestAsync(daemon, "web");
        Assert.True(await first.IsDone(rest));
        await steady.CheckAsync(daemon, rest);
        var number = 1;
        var killed = 0;
        foreach (var (call, nth) in Chosen(CallTrap.Steps(recording), most))
        {
            load.BeginPhase(string.Create(CultureInfo.InvariantCulture, $"{++number}: {call} {nth}"));
            var act = await make(daemon, number);
            var wasKilled = false;
            Task<bool> performing;
            await using (await CallTrap.SetAsync(daemon.Pid, call, nth))
            {
                performing = act.Do();
                wasKilled = !await LivesAsync(daemon, performing) || !await LivesAsync(daemon, Steady.AskAsync(daemon, "web"));
            }

            if (wasKilled)
            {
                killed++;
                daemon = await KillAsync(daemon, []);
                await daemon.WaitUntilUpAsync();
            }

            // The successor answers requests that the daemon had not accepted yet.
            var wasTold = await performing;
            try
            {
                if (afterwards is not null)
                {
                    await afterwards(daemon);
                }

                var service = await Steady.RestAsync(daemon, "web");
                var hasHappened = await act.IsDone(service);
                await steady.CheckAsync(daemon, service);
                Assert.True(!wasTold || hasHappened, $"the daemon had confirmed the change: {Steady.Describe(service)}");
                var (reached, answered) = (wasKilled ? "killed" : "not reached", wasTold ? "answered" : "not answered");
                output.WriteLine($"{call} {nth}: {reached}, {answered}, {service.Rollout?.State}");
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"after a death at {call} {nth} (answered: {wasTold}): {exception.Message}", exception);
            }
        }

        Assert.True(killed > 0);
        return daemon;
    }, losesRequests, config);

    private async Task UnderLoadAsync(
        Func<DaemonUnderTest, Steady, LoadRun, Task<DaemonUnderTest>> test, bool losesRequests = false, string config = Config)
    {
        using var directory = new TemporaryDirectory();
        QuickWorker.Compile(directory);
        _started = DaemonUnderTest.Start(directory, config, new DaemonOptions());
        try
        {
            var daemon = _started;
            await daemon.WaitUntilUpAsync();
            var steady = await Steady.OfAsync(daemon, "web");
            var load = LoadRun.Start(new LoadPlan
            {
                Target = await daemon.EndPointAsync("web"),
                NewConnectionsPerSecond = 300,
                SlowInFlight = 4,
                SlowFor = TimeSpan.FromMilliseconds(100),
            });
            LoadReport report;
            try
            {
                daemon = await test(daemon, steady, load);
            }
            finally
            {
                report = await load.StopAsync();
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Requests} requests, {report.Failed} failed"));
            var lost = report.Samples
                .Where(sample => !losesRequests
                    || sample.Kind is not (FailureKind.Reset or FailureKind.Unanswered or FailureKind.Truncated))
                .ToArray();
            Assert.True(lost.Length == 0, string.Join('\n', lost.Take(10)));
            await daemon.LeaveAsync();
        }
        catch (Exception exception)
        {
            throw new Xunit.Sdk.XunitException(
                $"{exception.Message}\n{exception.StackTrace}\nThe daemon's last lines:\n{_started.Log.Tail(60)}");
        }
        finally
        {
            await _started.DisposeAsync();
        }
    }

    private DaemonUnderTest _started = null!;

    /// <summary>Kills a daemon that still runs, and starts a successor under a wrapper.</summary>
    private async Task<DaemonUnderTest> KillAsync(DaemonUnderTest daemon, IReadOnlyList<string> wrapper)
    {
        if (!daemon.HasEnded)
        {
            daemon.Signal(Signals.Kill);
        }

        await daemon.WaitAsync();
        return _started = daemon.AgainUnder(wrapper);
    }

    /// <summary>Waits until a started daemon is ready and has finished its work; false if it dies.</summary>
    private static async Task<bool> IsUpAsync(DaemonUnderTest daemon)
    {
        try
        {
            await daemon.WaitUntilUpAsync(new DaemonOptions { WrapperStays = true });
            return await LivesAsync(daemon, Steady.AskAsync(daemon, "web"));
        }
        catch (InvalidOperationException)
        {
            await daemon.WaitAsync();
            return false;
        }
    }

    /// <summary>Waits for the end of an operation; false if the daemon dies before or during it.</summary>
    private static async Task<bool> LivesAsync(DaemonUnderTest daemon, Task what)
    {
        var death = daemon.WaitAsync();
        if (await Task.WhenAny(what, death) == what)
        {
            try
            {
                await what;
            }
            catch (HttpRequestException)
            {
                await death;
            }
        }

        return !death.IsCompleted;
    }

    /// <summary>Runs listenctl. Returns whether it succeeded; false if the daemon dies in the meantime.</summary>
    private static async Task<bool> AnswersAsync(DaemonUnderTest daemon, params string[] arguments) =>
        (await daemon.ListenctlAsync(arguments)).ExitCode == 0;

    /// <summary>Waits for a message, or for the daemon's death.</summary>
    private static async Task EndsAsync(Task<LogMessage> message)
    {
        try
        {
            await message;
        }
        catch (InvalidOperationException)
        {
            // The daemon has exited.
        }
    }

    /// <summary>
    /// Replaces the marked line of the configuration: the service's environment, or a setting of the listener.
    /// </summary>
    private static void Reconfigure(DaemonUnderTest daemon, string line)
    {
        var file = daemon.Directory["run.toml"];
        var lines = File.ReadAllLines(file);
        var isWorkers = line.StartsWith("STEP", StringComparison.Ordinal);
        var at = Array.FindIndex(lines, text => text.EndsWith(isWorkers ? "# workers" : "# socket", StringComparison.Ordinal));
        lines[at] = isWorkers ? $"environment = {{ {line} }} # workers" : $"{line} # socket";
        File.WriteAllLines(file, lines);
    }

    private static IReadOnlyList<(string Call, int Nth)> Chosen(IReadOnlyList<(string Call, int Nth)> steps, int most)
    {
        var asked = Environment.GetEnvironmentVariable("LISTEND_TEST_STEPS");
        if (asked?.Split(' ') is [var call, var nth])
        {
            return [.. Enumerable.Repeat((call, int.Parse(nth, NumberStyles.None, CultureInfo.InvariantCulture)), most)];
        }

        var wanted = asked switch
        {
            "all" => steps.Count,
            { Length: > 0 } => int.Parse(asked, NumberStyles.None, CultureInfo.InvariantCulture),
            _ => most,
        };
        var count = Math.Min(steps.Count, wanted);
        return [.. Enumerable.Range(0, count).Select(i => steps[i * steps.Count / count])];
    }

    /// <summary>An operation of a daemon.</summary>
    /// <param name="Do">Runs the operation until it or the daemon ends. Returns whether the daemon confirmed it, or its
    /// start, to the client.</param>
    /// <param name="IsDone">Whether a steady service shows the operation's effect.</param>
    private sealed record Act(Func<Task<bool>> Do, Func<ServiceDocument, Task<bool>> IsDone)
    {
        /// <summary>An operation without a visible effect.</summary>
        public static Task<Act> Of(Func<Task<bool>> what) => Task.FromResult(new Act(what, _ => Task.FromResult(true)));
    }
}
