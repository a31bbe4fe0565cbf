using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>The second names of socket files, in the runtime directory.</summary>
public sealed class SpareTests
{
    [Fact]
    public Task Recovery_removes_the_second_names_of_replaced_sockets()
    {
        const string config = """"
            [listener.web]
            address = "unix://@dir@/web.sock"

            [service.w]
            command = ["/bin/sh", "-c", """trap 'test -e @dir@/go && kill $! && exit 0' TERM
                systemd-notify --ready; while :; do sleep 1000 & wait $!; done"""]
            stop_mode = "main"
            listeners = ["web"]
            """";
        return DaemonUnderTest.WithAsync(
            config,
            async daemon =>
            {
                await daemon.WaitUntilReadyAsync("w");
                var old = await daemon.ReadyAsync("w");
                var former = Assert.Single(Names(daemon));
                daemon.Directory.Write("run.toml", (File.ReadAllText(daemon.Directory["run.toml"]) + "\n")
                    .Replace("web.sock\"", "web.sock\"\nlisten = { non_blocking = true }", StringComparison.Ordinal));
                var mark = daemon.Log.Count;
                Assert.Equal(0, (await daemon.ListenctlAsync("reload")).ExitCode);
                await daemon.Log.WaitForAsync(mark, MessageIds.WorkerDraining, "w");
                Assert.Equal(2, Names(daemon).Count);
                var own = Assert.Single(Names(daemon), name => name != former);
                File.WriteAllText(Path.Combine(daemon.Runtime, "sockets", "note"), "");

                daemon.Signal(Signals.Kill);
                await daemon.WaitAsync();
                await using var next = daemon.Again();
                await next.WaitUntilUpAsync();
                Assert.Equal(new[] { own, "note" }.Order(), Names(next).Order());
                File.Delete(Path.Combine(daemon.Runtime, "sockets", "note"));
                daemon.Directory.Write("go", "");
                RunningProgram.Kill(Assert.Single(old), Signals.Terminate);
                await next.LeaveAsync();
            },
            new DaemonOptions { ExitCode = 128 + Signals.Kill });
    }

    private static List<string> Names(DaemonUnderTest daemon) =>
        [.. Directory.EnumerateFiles(Path.Combine(daemon.Runtime, "sockets")).Select(path => Path.GetFileName(path))];
}
