using System.Net;
using System.Net.Sockets;
using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>start, stop, scale and signal on a daemon with real workers.</summary>
public sealed class ServiceCommandTests
{
    private const string Ready = "systemd-notify --ready; exec sleep 1000";

    [Fact]
    public Task Stop_keeps_the_listener_open_and_start_serves_its_queue() => WithScript(
        "systemd-notify --ready; exec sleep 1000",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w", 2);
            var stopped = await daemon.AskAsync(ControlJson.Default.ChangeDocument, "stop", "w", "--wait");
            Assert.Equal(("done", "stopped", 0), (stopped.Outcome, stopped.State, stopped.Workers));
            Assert.Equal("stopped", (await daemon.StatusAsync("w")).State);

            using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await client.ConnectAsync(await daemon.EndPointAsync("web"));
            Assert.Equal(1, (await daemon.ListenerAsync("web")).Queue!.Length);

            Assert.Contains("already stopped", (await daemon.ListenctlAsync("stop", "w")).Output, StringComparison.Ordinal);
            var started = await daemon.AskAsync(ControlJson.Default.ChangeDocument, "start", "w", "--wait");
            Assert.Equal(("done", "running", 2), (started.Outcome, started.State, started.Ready));
            Assert.Equal(1, (await daemon.ListenerAsync("web")).Queue!.Length);
            Assert.Contains("already running", (await daemon.ListenctlAsync("start", "w")).Output, StringComparison.Ordinal);
        });

    [Fact]
    public Task Restart_of_a_stopped_service_starts_it() => WithScript(
        Ready,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w", 2);
            await daemon.AskAsync(ControlJson.Default.ChangeDocument, "stop", "w", "--wait");
            var restarted = await daemon.AskAsync(ControlJson.Default.ChangeDocument, "restart", "w", "--wait");
            Assert.Equal(("done", "running", 2), (restarted.Outcome, restarted.State, restarted.Ready));
        });

    [Fact]
    public Task Start_retries_a_failed_service_at_once() => WithScript(
        "test -e @dir@/good || exit 7; systemd-notify --ready; exec sleep 1000",
        async daemon =>
        {
            await daemon.Log.WaitForAsync(0, 2, message => message.Kind == MessageIds.WorkerLimited, nameof(MessageIds.WorkerLimited));
            Assert.Equal("failed", (await daemon.StatusAsync("w")).State);

            var again = await daemon.ListenctlAsync("start", "w", "--wait");
            Assert.Equal(1, again.ExitCode);
            Assert.Contains("status 7", again.Error, StringComparison.Ordinal);

            daemon.Directory.Write("good", "");
            var good = await daemon.AskAsync(ControlJson.Default.ChangeDocument, "start", "w", "--wait");
            Assert.Equal(("done", 2), (good.Outcome, good.Ready));
        },
        "restart = { backoff = \"1ms\", backoff_max = \"10m\" }");

    [Fact]
    public Task Scale_adds_and_drains_workers() => WithScript(
        Ready,
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w", 2);
            var mark = daemon.Log.Count;
            var more = await daemon.AskAsync(ControlJson.Default.ChangeDocument, "scale", "w", "4");
            Assert.Equal(("done", 4), (more.Outcome, more.Desired));
            await daemon.WaitUntilReadyAsync("w", 2, mark);
            Assert.Equal(4, (await daemon.ReadyAsync("w")).Count);
            mark = daemon.Log.Count;
            await daemon.AskAsync(ControlJson.Default.ChangeDocument, "scale", "w", "1");
            await daemon.Log.WaitForAsync(mark, 3, message => message.Kind == MessageIds.WorkerExited, nameof(MessageIds.WorkerExited));
            Assert.Equal([0], (await daemon.StatusAsync("w")).Workers.Select(worker => worker.Slot));
            Assert.Equal("running", (await daemon.StatusAsync("w")).State);
        });

    [Fact]
    public Task Signal_reaches_every_worker_once() => WithScript(
        "trap 'echo got USR1' USR1; trap 'exit 0' TERM; systemd-notify --ready; while :; do sleep 1000 & wait $!; done",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w", 2);
            var mark = daemon.Log.Count;
            var sent = await daemon.AskAsync(ControlJson.Default.SignalDocument, "signal", "w", "USR1");
            Assert.Equal(("SIGUSR1", 2), (sent.Signal, sent.Sent));
            Assert.Equal(await daemon.ReadyAsync("w"), sent.Pids.Order());
            foreach (var pid in sent.Pids)
            {
                await daemon.Log.WaitForOutputAsync(mark, "got USR1", "w", pid);
            }

            await daemon.AskAsync(ControlJson.Default.ChangeDocument, "stop", "w", "--wait");
            var none = await daemon.ListenctlAsync("signal", "w", "HUP");
            Assert.Equal(1, none.ExitCode);
            Assert.Contains("\"w\"", none.Error, StringComparison.Ordinal);
        });

    [Theory]
    [InlineData("/v1/services/w/scale", HttpStatusCode.BadRequest)]
    [InlineData("/v1/services/w/scale?workers=0", HttpStatusCode.BadRequest)]
    [InlineData("/v1/services/w/scale?workers=10001", HttpStatusCode.BadRequest)]
    [InlineData("/v1/services/w/scale?workers=-1", HttpStatusCode.BadRequest)]
    [InlineData("/v1/services/w/signal", HttpStatusCode.BadRequest)]
    [InlineData("/v1/services/w/signal?signal=SIGNOPE", HttpStatusCode.BadRequest)]
    [InlineData("/v1/services/w/start?timeout_ms=soon", HttpStatusCode.BadRequest)]
    [InlineData("/v1/services/nope/start", HttpStatusCode.NotFound)]
    [InlineData("/v1/services/nope/stop", HttpStatusCode.NotFound)]
    [InlineData("/v1/services/nope/scale?workers=2", HttpStatusCode.NotFound)]
    [InlineData("/v1/services/nope/signal?signal=HUP", HttpStatusCode.NotFound)]
    public Task A_wrong_request_gets_a_problem_and_changes_nothing(string target, HttpStatusCode status) => WithScript(
        Ready,
        async daemon =>
        {
            using var client = daemon.Http();
            using var answer = await client.PostAsync(target, content: null);
            Assert.Equal(status, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal(2, (await daemon.StatusAsync("w")).Desired);
        });

    private static Task WithScript(string script, Func<DaemonUnderTest, Task> test, string more = "") => DaemonUnderTest.WithAsync(
        $"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["/bin/sh", "@dir@/worker.sh"]
        listeners = ["web"]
        workers = 2
        {more}
        """,
        test,
        prepare: directory => directory.Write("worker.sh", script.Replace("@dir@", directory.Path, StringComparison.Ordinal)));
}
