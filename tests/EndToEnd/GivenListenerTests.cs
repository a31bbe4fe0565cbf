using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>A service that lists a given listener.</summary>
public sealed class GivenListenerTests
{
    // Another program creates a listener, puts it, and exits.
    private const string Put = """
        import socket, subprocess, sys
        s = socket.socket()
        s.bind(('127.0.0.1', 0))
        s.listen(64)
        sys.exit(subprocess.call(sys.argv[1:] + ['put', 'legacy', '--fd', str(s.fileno())], pass_fds=[s.fileno()]))
        """;

    private const string Own = """
        [listener.own]
        address = "tcp://127.0.0.1:0"

        [service.own]
        command = ["@hello@"]
        listeners = ["own"]
        """;

    private const string Legacy = Own + """


        [service.api]
        command = ["@hello@"]
        listeners = ["legacy"]
        """;

    [Fact]
    public Task Service_can_list_a_listener_after_put() => DaemonUnderTest.WithAsync(Own, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("own");
        var own = await daemon.ReadyAsync("own");
        var file = Write(daemon, Legacy);
        ProgramResult[] all =
            [await daemon.ListenctlAsync("reload", "--dry-run"), await daemon.ListenctlAsync("reload"), await CheckAsync(file)];
        foreach (var refused in all)
        {
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains("run.toml:14:14: service.api.listeners: ", refused.Error, StringComparison.Ordinal);
            Assert.Contains("\"legacy\"", refused.Error, StringComparison.Ordinal);
            Assert.Contains("listenctl put", refused.Error, StringComparison.Ordinal);
        }

        await PutAsync(daemon);
        Assert.Equal("", (await CheckAsync(file)).Error);
        var mark = daemon.Log.Count;
        var reload = await daemon.ListenctlAsync("reload");
        Assert.True(reload.ExitCode == 0, reload.Error);
        await daemon.WaitUntilReadyAsync("api", 1, mark);
        Assert.StartsWith("hello", await GetAsync(daemon), StringComparison.Ordinal);
        Assert.Equal(own, await daemon.ReadyAsync("own"));

        // The listener stays open while the service lists it, also after deaths of workers and daemon.
        var inode = (await daemon.ListenerAsync("legacy")).Inode;
        mark = daemon.Log.Count;
        RunningProgram.Kill((await daemon.ReadyAsync("api")).Single(), Signals.Kill);
        await daemon.WaitUntilReadyAsync("api", 1, mark);
        Assert.StartsWith("hello", await GetAsync(daemon), StringComparison.Ordinal);
        var drop = await daemon.ListenctlAsync("drop", "legacy");
        Assert.Equal(4, drop.ExitCode);
        Assert.Contains("\"api\"", drop.Error, StringComparison.Ordinal);
        Assert.Equal(("given", inode), ((await daemon.ListenerAsync("legacy")).Origin, (await daemon.ListenerAsync("legacy")).Inode));

        mark = daemon.Log.Count;
        Write(daemon, Own);
        Assert.Equal(0, (await daemon.ListenctlAsync("reload")).ExitCode);
        await daemon.Log.WaitForAsync(mark, MessageIds.ServiceStopped, "api");
        int code;
        do
        {
            code = (await daemon.ListenctlAsync("drop", "legacy")).ExitCode;
        }
        while (code == 4);
        Assert.Equal(0, code);
    });

    [Fact]
    public Task Service_starts_when_its_listener_is_put() => DaemonUnderTest.WithAsync(Legacy, async daemon =>
    {
        await daemon.WaitUntilReadyAsync("own");
        var waiting = await daemon.StatusAsync("api");
        Assert.Equal("failed", waiting.State);
        Assert.Contains("listenctl put legacy", waiting.Reason, StringComparison.Ordinal);
        Assert.Equal("failed", (await daemon.ListenerAsync("legacy")).State);
        Assert.Equal(1, (await daemon.ListenctlAsync("drop", "legacy")).ExitCode);

        // An awaited descriptor is not an error of another reload.
        Assert.Equal(0, (await daemon.ListenctlAsync("reload")).ExitCode);
        var mark = daemon.Log.Count;
        await PutAsync(daemon);
        await daemon.WaitUntilReadyAsync("api", 1, mark);
        Assert.StartsWith("hello", await GetAsync(daemon), StringComparison.Ordinal);
        Assert.Equal(("running", null), ((await daemon.StatusAsync("api")).State, (await daemon.StatusAsync("api")).Reason));
    });

    [Fact]
    public async Task Recovery_keeps_a_listener_that_was_put()
    {
        using var directory = new TemporaryDirectory();
        await using var first = DaemonUnderTest.Start(directory, Legacy, new DaemonOptions());
        await first.WaitUntilUpAsync();
        await PutAsync(first);
        await first.WaitUntilReadyAsync("api");
        var (inode, pids) = ((await first.ListenerAsync("legacy")).Inode, await first.ReadyAsync("api"));
        first.Signal(Signals.Kill);
        await first.WaitAsync();

        await using var daemon = first.Again();
        await daemon.WaitUntilUpAsync();
        Assert.Equal(("given", inode), ((await daemon.ListenerAsync("legacy")).Origin, (await daemon.ListenerAsync("legacy")).Inode));
        Assert.Equal(pids, await daemon.ReadyAsync("api"));
        Assert.Equal(0, (await daemon.ListenctlAsync("restart", "api", "--wait")).ExitCode);
        Assert.StartsWith("hello", await GetAsync(daemon), StringComparison.Ordinal);
        await daemon.LeaveAsync();
    }

    [Fact]
    public async Task Misspelt_listener_is_an_error_at_start()
    {
        using var directory = new TemporaryDirectory();
        await using var daemon = DaemonUnderTest.Start(
            directory,
            Own.Replace("listeners = [\"own\"]", "listeners = [\"onw\"]", StringComparison.Ordinal),
            new DaemonOptions());
        Assert.Equal(78, await daemon.WaitAsync());
        await daemon.Log.WaitAsync(0, "\"onw\"", "\"own\"");
    }

    private static string Write(DaemonUnderTest daemon, string config) => daemon.Directory.Write(
        "run.toml",
        $"[daemon]\nruntime_directory = \"{daemon.Runtime}\"\n\n{Quick.Rollouts(config).Replace("@hello@", Published.Hello, StringComparison.Ordinal)}");

    private static Task<ProgramResult> CheckAsync(string file) => RunningProgram.RunAsync(Published.Listend, ["check", "--config", file]);

    private static async Task PutAsync(DaemonUnderTest daemon)
    {
        var put = await RunningProgram.RunAsync(
            Needs.Program("python3", "python3"),
            ["-c", Put, Published.Listenctl, "--socket", daemon.ControlSocket]);
        Assert.True(put.ExitCode == 0, put.Error);
    }

    private static async Task<string> GetAsync(DaemonUnderTest daemon)
    {
        using var client = new HttpClient { Timeout = Patience.Limit };
        return await client.GetStringAsync(new Uri($"http://{await daemon.EndPointAsync("legacy")}/"));
    }
}
