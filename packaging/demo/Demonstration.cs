using System.Diagnostics;
using System.Net;
using Spectre.Console;
using Supervisor.Control;
using Supervisor.Load;

namespace Supervisor.Demo;

/// <summary>
/// The demo: runs the bundled configuration and workers under a constant load, through restarts, a failed deploy, a killed
/// worker and the daemon's exit.
/// </summary>
internal sealed class Demonstration(IAnsiConsole console, DirectoryInfo bin, int rate)
{
    private const string Service = "hello";
    private const string Listener = "web";

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(40);

    private readonly Stage _stage = new(console);
    private readonly Outcome _outcome = new();

    /// <summary>Runs the demo and returns the exit status.</summary>
    /// <param name="stay">Whether to start the daemon and wait, without a load.</param>
    /// <param name="cancellation">Stops the demo and the processes that it has started.</param>
    public async Task<int> RunAsync(bool stay, CancellationToken cancellation)
    {
        foreach (var program in (string[])["listend", "listenctl", "hello"])
        {
            if (!File.Exists(Program(program)))
            {
                _stage.Bad($"{Program(program)} does not exist: run make publish");
                return 2;
            }
        }

        using var workspace = new Workspace(Program("hello"));
        await using var daemon = Daemon.Start(Program("listend"), workspace);
        var listenctl = new Listenctl(Program("listenctl"), workspace.ControlSocket);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (!stay)
        {
            limit.CancelAfter(Longest);
        }

        try
        {
            var target = await StartAsync(daemon, listenctl, limit.Token);
            if (stay)
            {
                return await StayAsync(workspace, daemon, target, limit.Token);
            }

            await LoadAsync(workspace, daemon, listenctl, target, limit.Token);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            _stage.Line("interrupted: stopping the daemon and its workers");
            return await daemon.StopAsync() == 0 && stay ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            _outcome.Problems.Add($"the demo did not finish within {Longest.TotalSeconds:0} s");
        }
        catch (DemoFailure failure)
        {
            _outcome.Problems.Add(failure.Message);
        }

        _stage.Part("Outcome");
        OutcomeTable.Show(_stage, _outcome);
        if (_outcome.Problems.Count == 0)
        {
            return 0;
        }

        foreach (var sample in (_outcome.Load?.Samples ?? []).Concat(_outcome.Leaving?.Samples ?? []).Take(10))
        {
            _stage.Line($"at {sample.AtMs:0} ms, {sample.Phase}, {sample.Traffic}, {Words.Of(sample.Kind)}: {sample.Detail}");
        }

        _stage.Part("The daemon's last lines");
        foreach (var line in daemon.LastLines)
        {
            _stage.Quote(line);
        }

        return 1;
    }

    private string Program(string name) => Path.Combine(bin.FullName, name);

    private async Task<IPEndPoint> StartAsync(Daemon daemon, Listenctl listenctl, CancellationToken cancellation)
    {
        _stage.Part("One configuration, one command: listend run --config listend.toml");
        var clock = Stopwatch.StartNew();
        await _stage.WhileAsync(() => "waiting for readiness", () => daemon.WaitUntilReadyAsync(cancellation));
        _stage.Line(
            $"the daemon (pid {daemon.Pid}) and its workers, which take 300 ms to start, are ready after {clock.ElapsedMilliseconds} ms");
        _stage.Part("listenctl listeners");
        await listenctl.ShowAsync(["listeners"], cancellation);
        _stage.Part($"listenctl history {Listener}");
        await listenctl.ShowAsync(["history", Listener], cancellation);
        var effective = (await listenctl.ListenerAsync(Listener, cancellation)).Effective;
        return effective?.StartsWith("tcp://", StringComparison.Ordinal) == true
            && IPEndPoint.TryParse(effective["tcp://".Length..], out var target)
            ? target
            : throw new DemoFailure($"the listener's effective address is {effective ?? "unknown"}, not tcp://IP:PORT");
    }

    private async Task<int> StayAsync(Workspace workspace, Daemon daemon, IPEndPoint target, CancellationToken cancellation)
    {
        _stage.Part($"Serving on http://{target}/ until Ctrl-C");
        var listenctl = Path.GetRelativePath(Environment.CurrentDirectory, Program("listenctl"));
        foreach (var command in (string[])[
            $"curl http://{target}/",
            $"export LISTEND_CONTROL={workspace.ControlSocket}",
            $"{listenctl} status",
            $"{listenctl} listeners",
            $"{listenctl} history {Listener}",
            $"{listenctl} restart {Service} --wait"])
        {
            _stage.Line(command);
        }

        _stage.Line($"the configuration is {workspace.ConfigFile}");
        var exitCode = await daemon.WaitAsync(cancellation);
        _stage.Bad($"listend exited unexpectedly, status {exitCode}");
        daemon.LastLines.ToList().ForEach(_stage.Quote);
        return 1;
    }

    private async Task LoadAsync(Workspace workspace, Daemon daemon, Listenctl listenctl, IPEndPoint target, CancellationToken cancellation)
    {
        _stage.Part(
            $"Load: {rate} new connections per second, 8 kept-alive ones with 100 requests per second each, "
            + "16 half-second requests in flight");
        var plan = new LoadPlan
        {
            Target = target,
            NewConnectionsPerSecond = rate,
            KeepAliveConnections = 8,
            SlowInFlight = 16,
            Timeout = TimeSpan.FromSeconds(5)
        };
        var load = LoadRun.Start(plan, Phases.WarmUp);
        try
        {
            await PassAsync(load, Phases.WarmUp, TimeSpan.FromSeconds(1), cancellation);
            await PassAsync(load, Phases.Rest, TimeSpan.FromSeconds(3), cancellation);
            _stage.Line(News(load));
            for (var i = 1; i <= 3; i++)
            {
                await RestartAsync(load, listenctl, i, cancellation);
                await PassAsync(load, Phases.Rest, TimeSpan.FromSeconds(1), cancellation);
            }

            await FailDeployAsync(load, workspace, listenctl, cancellation);
            await PassAsync(load, Phases.Rest, TimeSpan.FromSeconds(1), cancellation);
            await KillWorkerAsync(load, listenctl, cancellation);
            await PassAsync(load, Phases.Rest, TimeSpan.FromSeconds(1), cancellation);
        }
        finally
        {
            _outcome.Load = await load.StopAsync();
        }

        await LeaveAsync(daemon, plan, cancellation);
        _outcome.Judge(rate);
    }

    private Task PassAsync(LoadRun load, string phase, TimeSpan time, CancellationToken cancellation)
    {
        load.BeginPhase(phase);
        return _stage.WhileAsync(() => $"{phase}: {News(load)}", () => Task.Delay(time, cancellation));
    }

    private async Task RestartAsync(LoadRun load, Listenctl listenctl, int number, CancellationToken cancellation)
    {
        _stage.Part($"Restart {number} of 3: listenctl restart {Service} --wait");
        load.BeginPhase(Phases.Restarts);
        var clock = Stopwatch.StartNew();
        var exitCode = await RunAsync(load, listenctl, ["restart", Service, "--wait"], cancellation);
        _outcome.Restarts.Add(clock.Elapsed);
        _stage.Line(News(load));
        if (exitCode != 0)
        {
            _outcome.Problems.Add($"restart {number}: exit code {exitCode}");
        }
    }

    private async Task FailDeployAsync(LoadRun load, Workspace workspace, Listenctl listenctl, CancellationToken cancellation)
    {
        _stage.Part("A release that does not start: current/hello now exits with status 1 before it is ready");
        var before = await listenctl.StatusAsync(Service, cancellation);
        load.BeginPhase(Phases.FailedDeploy);
        workspace.DeployBroken();
        int exitCode;
        try
        {
            exitCode = await RunAsync(load, listenctl, ["restart", Service, "--wait"], cancellation);
        }
        finally
        {
            workspace.DeployGood();
        }

        _stage.Line(News(load));
        if (exitCode != 1)
        {
            _outcome.Problems.Add($"failed deploy: listenctl restart --wait returned status {exitCode}, not 1");
        }

        var after = await listenctl.StatusAsync(Service, cancellation);
        var same = Ready(before).SequenceEqual(Ready(after));
        if (same)
        {
            _stage.Line($"exit code {exitCode}; workers {string.Join(", ", Ready(after))} have served throughout and continue");
        }
        else
        {
            _outcome.Problems.Add($"failed deploy: workers {string.Join(", ", Ready(before))} should continue, but workers "
                + $"{string.Join(", ", Ready(after))} are ready");
        }
    }

    private async Task KillWorkerAsync(LoadRun load, Listenctl listenctl, CancellationToken cancellation)
    {
        _stage.Part("A worker is killed (SIGKILL)");
        _stage.Line(
            "kept-alive connections and slow requests pause, because they would die with the killed worker; "
            + "new connections continue");
        await load.PauseLanesAsync().WaitAsync(cancellation);
        load.BeginPhase(Phases.Killed);
        var victim = Ready(await listenctl.StatusAsync(Service, cancellation)).First();
        var clock = Stopwatch.StartNew();
        Child.Signal(victim, 9);
        await _stage.WhileAsync(() => $"{Phases.Killed}: {News(load)}", () => WaitForReplacementAsync(victim, listenctl, cancellation));
        _stage.Line($"worker {victim} was replaced after {clock.ElapsedMilliseconds} ms");

        // The phase ends with the last request that was due in it.
        await PassAsync(load, Phases.Killed, TimeSpan.FromMilliseconds(500), cancellation);
        load.BeginPhase(Phases.Rest);
        load.ResumeLanes();
        _stage.Line(News(load));
    }

    private static async Task WaitForReplacementAsync(int victim, Listenctl listenctl, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            var service = await listenctl.StatusAsync(Service, cancellation);
            var ready = Ready(service);
            if (ready.Count == service.Desired && !ready.Contains(victim))
            {
                return;
            }
        }
    }

    private async Task LeaveAsync(Daemon daemon, LoadPlan plan, CancellationToken cancellation)
    {
        _stage.Part("SIGTERM to the daemon, with 16 half-second requests in flight");
        var last = LoadRun.Start(plan with { NewConnectionsPerSecond = 0, KeepAliveConnections = 0 }, Phases.Leaving);
        await Task.Delay(TimeSpan.FromMilliseconds(800), cancellation);

        // No further request starts, and a worker has accepted every request in flight.
        var ending = last.StopAsync();
        await Task.Delay(TimeSpan.FromMilliseconds(100), cancellation);
        var clock = Stopwatch.StartNew();
        var exitCode = await daemon.StopAsync();
        _outcome.Leaving = await ending;
        var result = exitCode is { } code ? $"status {code}" : "SIGKILL";
        _stage.Line($"{_outcome.Leaving.Succeeded} of {_outcome.Leaving.Requests} requests were answered; the daemon exited after "
            + $"{clock.ElapsedMilliseconds} ms with {result}");
        if (exitCode != 0)
        {
            _outcome.Problems.Add($"the daemon should exit with status 0 on SIGTERM, not with {result}");
        }

        if (daemon.Descendants() is { Count: > 0 } left)
        {
            _outcome.Problems.Add($"the daemon did not stop these processes: {string.Join(", ", left)}");
        }
    }

    private async Task<int> RunAsync(LoadRun load, Listenctl listenctl, string[] arguments, CancellationToken cancellation)
    {
        var exitCode = -1;
        await _stage.WhileAsync(() => News(load), async () => exitCode = await listenctl.RunAsync(arguments, _stage.Quote, cancellation));
        return exitCode;
    }

    private static List<int> Ready(ServiceDocument service) =>
        [.. service.Workers.Where(worker => worker.State == "ready").Select(worker => worker.Pid).OfType<int>().Order()];

    private static string News(LoadRun load)
    {
        var now = load.Snapshot();
        return $"{now.Requests} requests so far, {now.Failed} failed";
    }
}
