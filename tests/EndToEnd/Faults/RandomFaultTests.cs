using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.EndToEnd.Faults;

/// <summary>
/// Consecutive random faults of one service and its daemons. When the cause of a fault has ended, the state is the same as
/// before the first one: <see cref="Steady"/>, the same socket, and every request answered. LISTEND_TEST_FAULTS is the number
/// of faults (25), LISTEND_TEST_SEED selects them.
/// </summary>
public sealed class RandomFaultTests(ITestOutputHelper output)
{
    private const string Config = $$"""
        [listener.web]
        address = "tcp://127.0.0.1:0"
        listen = { non_blocking = true }

        [service.web]
        command = ["@dir@/quick"]
        working_directory = "@dir@"
        listeners = ["web"]
        workers = 3
        start_timeout = "1s"
        stop_timeout = "300ms"
        watchdog = "500ms"
        restart = { backoff = "10ms", backoff_max = "50ms", limit = 0 }
        """;

    private const int Requests = 20;

    /// <summary>How long the daemon is stopped as a fault.</summary>
    private static readonly TimeSpan LongerThanTheWatchdog = TimeSpan.FromMilliseconds(700);

    private readonly Dictionary<string, int> _counts = [];
    private DaemonUnderTest _daemon = null!;
    private string _disk = "";

    [Fact]
    public async Task The_daemon_survives_random_faults_in_sequence()
    {
        var count = Number("LISTEND_TEST_FAULTS", 25);
        var seed = Number("LISTEND_TEST_SEED", Random.Shared.Next(1_000_000));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} faults of LISTEND_TEST_SEED={seed}"));
        var random = new Random(seed);
        using var directory = new TemporaryDirectory();
        QuickWorker.Compile(directory);
        _disk = directory["disk"];
        Directory.CreateDirectory(_disk);
        var mounted = await RunningProgram.RunAsync("mount", ["-t", "tmpfs", "-o", "size=256k", "listend-test", _disk]);
        Assert.True(mounted.ExitCode == 0, mounted.Error);
        var told = new List<string>();
        try
        {
            _daemon = DaemonUnderTest.Start(directory, Config, new DaemonOptions(), "disk/run");
            await _daemon.WaitUntilUpAsync();
            var steady = await Steady.OfAsync(_daemon, "web");
            var web = await _daemon.ListenerAsync("web");
            var target = await _daemon.EndPointAsync("web");
            for (var i = 0; i < count; i++)
            {
                await FaultAsync(random, told);
                var service = await Steady.RestAsync(_daemon, "web");
                await steady.CheckAsync(_daemon, service);
                Assert.Equal(web.Inode, (await _daemon.ListenerAsync("web")).Inode);
                for (var request = 0; request < Requests; request++)
                {
                    using var client = new TcpClient();
                    await client.ConnectAsync(target);
                    client.ReceiveTimeout = (int)Patience.Limit.TotalMilliseconds;
                    await client.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
                    using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
                    Assert.Equal("HTTP/1.1 200 OK", await reader.ReadLineAsync().WaitAsync(Patience.Limit));
                }
            }

            output.WriteLine(
                string.Join(", ", _counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value}")));
            await _daemon.LeaveAsync();
        }
        catch (Exception exception)
        {
            throw new Xunit.Sdk.XunitException($"LISTEND_TEST_SEED={seed}: {exception.Message}\n{exception.StackTrace}\n"
                + $"{string.Join(", ", told)}\nThe daemon's last lines:\n{_daemon.Log.Tail(60)}");
        }
        finally
        {
            await _daemon.DisposeAsync();
            await RunningProgram.RunAsync("umount", ["--lazy", _disk]);
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
            ("upgrade", async () => Assert.Equal(0, (await _daemon.ListenctlAsync("upgrade")).ExitCode)),
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
        await Processes.EndedAsync(victim);
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
        _daemon = _daemon.Again();
        await _daemon.WaitUntilUpAsync();
    }

    /// <summary>Stops the daemon for longer than the workers' watchdog. It must not blame the workers for its own delay.</summary>
    private async Task StandStillAsync()
    {
        const int continues = 18;
        var before = (await Steady.AskAsync(_daemon, "web")).Workers.Select(worker => worker.Pid);
        _daemon.Signal(Signals.Stop);
        await Task.Delay(LongerThanTheWatchdog);
        _daemon.Signal(continues);
        Assert.Equal(before, (await Steady.AskAsync(_daemon, "web")).Workers.Select(worker => worker.Pid));
    }

    private async Task OnAFullDiskAsync(Func<Task> what)
    {
        var filler = Path.Combine(_disk, "filler");
        await Assert.ThrowsAsync<IOException>(() => File.WriteAllBytesAsync(filler, new byte[1024 * 1024]));
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
}
