using System.Globalization;
using System.Net.Http.Json;
using Supervisor.Control;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd.Faults;

/// <summary>
/// Consecutive random faults of one service, its daemons and what surrounds them (<see cref="FaultHost"/>). When the cause of a
/// fault has ended, the state is the same as before the first one: <see cref="Steady"/>, the same socket, and every request
/// answered. A fault of no worker leaves all workers alive. LISTEND_TEST_FAULTS is the number of faults (25), LISTEND_TEST_SEED
/// selects them.
/// </summary>
[Trait("Category", "Load")]
public sealed class RandomFaultTests(ITestOutputHelper output)
{
    private const string Config = FaultHost.Config + """
        [service.web]
        command = ["@dir@/current/quick"]
        working_directory = "@dir@"
        listeners = ["web", "device", "file"]
        workers = 3
        start_timeout = "2s"
        stop_timeout = "300ms"
        watchdog = "2s"
        restart = { backoff = "10ms", backoff_max = "50ms", limit = 0 }
        """;

    private const int RequestsOfEach = 7;

    /// <summary>
    /// How long the daemon is stopped as a fault. A worker that a busy machine does not run for that long does miss its watchdog.
    /// </summary>
    private static readonly TimeSpan LongerThanTheWatchdog = TimeSpan.FromMilliseconds(2300);

    private readonly Dictionary<string, int> _counts = [];
    private DaemonUnderTest _daemon = null!;
    private DaemonUnderTest? _former;
    private FaultHost _host = null!;

    [Fact]
    public async Task The_daemon_survives_random_faults_in_sequence()
    {
        var count = Number("LISTEND_TEST_FAULTS", 25);
        var seed = Number("LISTEND_TEST_SEED", Random.Shared.Next(1_000_000));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} faults of LISTEND_TEST_SEED={seed}"));
        var random = new Random(seed);
        using var directory = new TemporaryDirectory();
        await using var host = _host = await FaultHost.MakeAsync(directory);
        var told = new List<string>();
        var first = _daemon = DaemonUnderTest.Start(directory, Config, new DaemonOptions { Wrapper = host.Wrapper }, "disk/run");
        try
        {
            await _daemon.WaitUntilUpAsync();
            var steady = await Steady.OfAsync(_daemon, "web");
            var web = await ListenerAsync("web");
            for (var i = 0; i < count; i++)
            {
                await FaultAsync(random, told);
                var service = await Steady.RestAsync(_daemon, "web");
                await steady.CheckAsync(_daemon, service);
                Assert.Equal(web.Inode, (await ListenerAsync("web")).Inode);
                foreach (var listener in FaultHost.Listeners)
                {
                    Assert.True((await ListenerAsync(listener)) is { Failure: null, Drift: false }, listener);
                    for (var request = 0; request < RequestsOfEach; request++)
                    {
                        await host.RequestAsync(listener);
                    }
                }
            }

            await _daemon.LeaveAsync();
        }
        catch (Exception exception)
        {
            throw new Xunit.Sdk.XunitException($"LISTEND_TEST_SEED={seed}: {exception.Message}\n{exception.StackTrace}\n"
                + $"{told.Count} faults: {string.Join(", ", told.TakeLast(100))}\nThe daemon's last lines:\n{_daemon.Log.Tail(60)}\n"
                + $"Its predecessor's:\n{_former?.Log.Tail(60)}");
        }
        finally
        {
            output.WriteLine(
                string.Join(", ", _counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}")));
            await first.DisposeAsync();
        }
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : otherwise;

    private async Task FaultAsync(Random random, List<string> told)
    {
        var faults = new (string Name, Func<Task> Happen)[]
        {
            ("worker SIGKILL", () => SignalAsync(random, Signals.Kill)),
            ("worker SIGSTOP", () => SignalAsync(random, Signals.Stop)),
            ("worker closes its listener", () => SignalAsync(random, Signals.User1, restarts: true)),
            ("daemon SIGKILL", SucceedAsync),
            ("daemon SIGKILL in a roll-out", async () =>
            {
                await RestartAsync(waits: false);
                await SucceedAsync();
            }),
            ("daemon SIGSTOP", StandStillAsync),
            ("full disk", () => OnAFullDiskAsync(() => SignalAsync(random, Signals.Kill))),
            ("full disk, roll-out", () => OnAFullDiskAsync(() => RestartAsync(waits: true))),
            ("full disk, daemon SIGKILL", () => OnAFullDiskAsync(SucceedAsync)),
            ("no descriptors", () => WithoutDescriptorsAsync(() => SignalAsync(random, Signals.Kill))),
            ("no descriptors, roll-out", async () =>
            {
                // If neither generation can be complete, the roll-out has failed and both serve until the next one.
                await WithoutDescriptorsAsync(() => RestartAsync(waits: true));
                await RestartAsync(waits: true);
            }),
            ("never ready", () => BadRolloutAsync("hang")),
            ("exits", () => BadRolloutAsync("exit")),
            ("ignores SIGTERM", async () =>
            {
                QuickWorker.Mode(_daemon.Directory, "stubborn");
                await RestartAsync(waits: true);
                QuickWorker.Mode(_daemon.Directory, "");
                await RestartAsync(waits: true);
            }),
            ("socket file removed", () => WithTheSameWorkersAsync(RemoveSocketFileAsync)),
            ("control socket removed", () => WithTheSameWorkersAsync(() => RemoveFilesAsync(
                () => File.Delete(_daemon.ControlSocket), hangsUp: random.Next(2) == 0))),
            ("runtime directory removed", () => WithTheSameWorkersAsync(RemoveRuntimeDirectoryAsync)),
            ("runtime directory removed, worker SIGKILL", async () =>
            {
                await RemoveRuntimeDirectoryAsync();
                await SignalAsync(random, Signals.Kill);
            }),
            ("runtime directory removed, daemon SIGKILL", () => WithTheSameWorkersAsync(async () =>
            {
                await RemoveRuntimeDirectoryAsync();
                await SucceedAsync();
            })),
            ("interface deleted", () => WithTheSameWorkersAsync(() => WithoutInterfaceAsync(() => Task.CompletedTask))),
            ("interface deleted, daemon SIGKILL", () => WithTheSameWorkersAsync(() => WithoutInterfaceAsync(SucceedAsync))),
            ("symlink moved, worker SIGKILL", () => WithBadReleaseAsync(() => SignalAsync(random, Signals.Kill))),
            ("symlink moved, daemon and worker SIGKILL", () => WithBadReleaseAsync(async () =>
            {
                await SucceedAsync();
                await SignalAsync(random, Signals.Kill);
            })),
            ("symlink moved, roll-out", () => WithBadReleaseAsync(() => BadRolloutAsync(""))),
            ("locked state, daemon SIGKILL", () => WithTheSameWorkersAsync(() => WithLockedFilesAsync(SucceedAsync))),
            ("locked state, roll-out", () => WithLockedFilesAsync(() => RestartAsync(waits: true))),
            ("frozen cgroup", () => FreezeAsync(random, EndAsync)),
            ("frozen cgroup, roll-out", () => FreezeAsync(random, _ => RestartAsync(waits: true))),
            ("upgrade", async () =>
            {
                var upgrade = await _daemon.ListenctlAsync("upgrade");
                Assert.True(upgrade.ExitCode == 0, $"listenctl upgrade: exit code {upgrade.ExitCode}: {upgrade.Error}");
            }),
        };
        var (name, happen) = faults[random.Next(faults.Length)];
        told.Add(name);
        _counts[name] = _counts.GetValueOrDefault(name) + 1;
        await happen();
    }

    /// <summary>
    /// Applies a fault to one worker. Returns when the worker is replaced, or replaces it with <paramref name="restarts"/>.
    /// </summary>
    private async Task SignalAsync(Random random, int signal, bool restarts = false)
    {
        var workers = (await Steady.AskAsync(_daemon, "web")).Workers;
        var victim = workers[random.Next(workers.Count)].Pid!.Value;
        RunningProgram.Kill(victim, signal);
        if (restarts)
        {
            await RestartAsync(waits: true);
            return;
        }

        // Without free descriptors the replacement waits.
        await EndAsync(victim);
    }

    /// <summary>
    /// Waits until a killed worker has ended, and the daemon knows it. A successor decides about the worker of its predecessor when
    /// another process has reaped it, so its status shows the worker as ready a moment longer.
    /// </summary>
    private async Task EndAsync(int victim)
    {
        await Processes.EndedAsync(victim);
        await _daemon.UntilAsync(async () => (await Steady.AskAsync(_daemon, "web")).Workers.All(worker => worker.Pid != victim));
    }

    private async Task RestartAsync(bool waits)
    {
        using var http = _daemon.Http();
        using var answer = await http.PostAsync(new Uri($"/v1/services/web/restart{(waits ? "?wait=true" : "")}", UriKind.Relative), null);
        Assert.True(answer.IsSuccessStatusCode);
        await answer.Content.ReadAsStringAsync();
    }

    private async Task SucceedAsync()
    {
        _daemon.Signal(Signals.Kill);
        await _daemon.WaitAsync();
        _former = _daemon;
        _daemon = _daemon.Again();
        await _daemon.WaitUntilUpAsync();
    }

    /// <summary>Stops the daemon for longer than the workers' watchdog. It must not blame the workers for its own delay.</summary>
    private async Task StandStillAsync()
    {
        const int continues = 18;
        await WithTheSameWorkersAsync(async () =>
        {
            _daemon.Signal(Signals.Stop);
            await Task.Delay(LongerThanTheWatchdog);
            _daemon.Signal(continues);
        });
    }

    private async Task OnAFullDiskAsync(Func<Task> what)
    {
        var filler = Path.Combine(_host.Disk, "filler");
        await Assert.ThrowsAsync<IOException>(() => File.WriteAllBytesAsync(filler, new byte[8 * 1024 * 1024]));
        try
        {
            await what();
        }
        finally
        {
            File.Delete(filler);
        }
    }

    /// <summary>Lowers the limit of descriptors to the current number, so no worker can be spawned until it is raised again.</summary>
    private async Task WithoutDescriptorsAsync(Func<Task> what)
    {
        var limit = Processes.Descriptors(_daemon.Pid).Keys.Max() + 14;
        await LimitAsync(limit.ToString(CultureInfo.InvariantCulture));
        try
        {
            await what();
        }
        finally
        {
            await LimitAsync("20000");
        }
    }

    private async Task LimitAsync(string limit)
    {
        var set = await RunningProgram.RunAsync(
            Needs.Program("prlimit", "util-linux"),
            ["--pid", _daemon.Pid.ToString(CultureInfo.InvariantCulture), $"--nofile={limit}:"]);
        Assert.True(set.ExitCode == 0, set.Error);
    }

    private async Task BadRolloutAsync(string mode)
    {
        var before = (await Steady.AskAsync(_daemon, "web")).Generation;
        QuickWorker.Mode(_daemon.Directory, mode);
        await RestartAsync(waits: true);
        QuickWorker.Mode(_daemon.Directory, "");
        var service = await Steady.RestAsync(_daemon, "web");
        Assert.Equal((before, "rolled-back"), (service.Generation, service.Rollout!.State));
    }

    private async Task<ListenerDocument> ListenerAsync(string name)
    {
        using var http = _daemon.Http();
        return (await http.GetFromJsonAsync($"/v1/listeners?name={name}", ControlJson.Default.ListListenerDocument))!.Single();
    }

    /// <summary>No worker may end by a fault of something else.</summary>
    private async Task WithTheSameWorkersAsync(Func<Task> what)
    {
        var before = (await Steady.AskAsync(_daemon, "web")).Workers.Select(worker => worker.Pid);
        await what();
        Assert.Equal(before, (await Steady.AskAsync(_daemon, "web")).Workers.Select(worker => worker.Pid));
    }

    /// <summary>The file is put back with the same socket, at the latest when somebody looks at the listener.</summary>
    private async Task RemoveSocketFileAsync()
    {
        var before = (await ListenerAsync("file")).Inode;
        File.Delete(_host.SocketFile);
        await _daemon.UntilAsync(async () => (await ListenerAsync("file")) is { Drift: false } && File.Exists(_host.SocketFile));
        Assert.Equal(before, (await ListenerAsync("file")).Inode);
    }

    private Task RemoveRuntimeDirectoryAsync() =>
        RemoveFilesAsync(() => Directory.Delete(_daemon.Runtime, recursive: true), hangsUp: false);

    private async Task RemoveFilesAsync(Action removes, bool hangsUp)
    {
        var mark = _daemon.Log.Count;
        removes();
        if (hangsUp)
        {
            _daemon.Signal(Signals.HangUp);
        }

        await _daemon.Log.WaitForAsync(mark, MessageIds.RuntimeFilesRestored);
    }

    private async Task WithoutInterfaceAsync(Func<Task> what)
    {
        await _host.DeleteInterfaceAsync();
        try
        {
            await _daemon.UntilAsync(async () => (await ListenerAsync("device")).Failure is not null);
            await what();
        }
        finally
        {
            await _host.MakeInterfaceAsync();
        }

        await _daemon.UntilAsync(async () => (await ListenerAsync("device")).Failure is null);
    }

    /// <summary>Whatever happens while the link leads to a bad release, the generation continues with its own.</summary>
    private async Task WithBadReleaseAsync(Func<Task> what)
    {
        var before = (await Steady.AskAsync(_daemon, "web")).Generation;
        await _host.LinkAsync("bad");
        try
        {
            await what();
            Assert.Equal(before, (await Steady.RestAsync(_daemon, "web")).Generation);
        }
        finally
        {
            await _host.LinkAsync("good");
        }
    }

    /// <summary>Locks the files that the daemon reads, as flock(1) does.</summary>
    private async Task WithLockedFilesAsync(Func<Task> what)
    {
        var locks = Directory.EnumerateFiles(_daemon.Runtime, "state.*").Append(_daemon.Directory["disk/run.toml"])
            .Select(file => new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.None)).ToArray();
        try
        {
            await what();
        }
        finally
        {
            Array.ForEach(locks, file => file.Dispose());
        }
    }

    /// <summary>Freezes the cgroup of a worker, which then answers neither the watchdog nor a signal other than SIGKILL.</summary>
    private async Task FreezeAsync(Random random, Func<int, Task> what)
    {
        var workers = (await Steady.AskAsync(_daemon, "web")).Workers;
        var victim = workers[random.Next(workers.Count)];
        if (_host.HasCgroups)
        {
            await File.WriteAllTextAsync(Path.Combine(victim.Cgroup!, "cgroup.freeze"), "1");
            await what(victim.Pid!.Value);
        }
    }
}
