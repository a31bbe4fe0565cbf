using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Streams of events and of captured output.</summary>
public sealed class StreamTests
{
    [Fact]
    public Task Events_report_every_change_in_order() => WithScript(
        "systemd-notify --ready; exec sleep 1000",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            await daemon.AskAsync(ControlJson.Default.ChangeDocument, "restart", "w", "--wait");
            var events = await EventsAsync(daemon, "/v1/events?follow=false");
            Assert.Equal(Enumerable.Range(1, events.Count).Select(seq => (long)seq), events.Select(happened => happened.Seq));
            Assert.Equal(
                [
                    "daemon-started", "listener-made", "service-state starting", "worker-spawned", "worker-ready", "service-state running",
                    "change-requested", "rollout-started", "service-state rolling", "worker-spawned", "worker-ready", "rollout-progressed",
                    "worker-draining", "rollout-progressed", "worker-left", "rollout-ended", "service-state running",
                ],
                events.Select(happened => $"{happened.Kind} {happened.State}".TrimEnd()));
            var ready = events.Last(happened => happened.Kind == "worker-ready");
            Assert.Equal(("w", 0, 2), (ready.Service, ready.Worker!.Slot, ready.Worker.Generation));
            Assert.Equal(Assert.Single(await daemon.ReadyAsync("w")), ready.Worker.Pid);
            Assert.Equal("done", events.Single(happened => happened.Kind == "rollout-ended").Rollout!.State);
            Assert.Equal("web", events[1].Listener);

            // Resume after an event, by header or by number; the number of another daemon starts from the beginning.
            Assert.Equal(events.Skip(3), await EventsAsync(daemon, "/v1/events?follow=false", lastEventId: "3"));
            Assert.Equal(events.Skip(5), await EventsAsync(daemon, "/v1/events?follow=false&after=5"));
            Assert.Equal(events, await EventsAsync(daemon, "/v1/events?follow=false", lastEventId: "99999"));
            using var client = daemon.Http();
            Assert.Equal(HttpStatusCode.BadRequest, (await client.GetAsync("/v1/events?after=x")).StatusCode);

            var listed = await daemon.ListenctlAsync("events", "--json");
            Assert.Equal(
                events,
                listed.Output.Split('\n').Select(line => JsonSerializer.Deserialize(line, ControlJson.Default.EventDocument)!));
        });

    [Fact]
    public Task Follower_gets_the_last_event_before_the_end() => WithScript(
        "systemd-notify --ready; exec sleep 1000",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            await using var follower = RunningProgram.Start(
                Published.Listenctl,
                ["--socket", daemon.ControlSocket, "events", "--follow", "--json"]);
            await follower.Output.WaitAsync(0, "worker-ready");
            daemon.Signal(Signals.Terminate);
            Assert.Equal(0, await follower.WaitAsync());
            var last = JsonSerializer.Deserialize(follower.Output.Lines[^1], ControlJson.Default.EventDocument)!;
            Assert.Equal(("service-state", "w", "stopped"), (last.Kind, last.Service, last.State));
        });

    [Fact]
    public Task Reader_learns_how_many_events_it_lost() => WithScript(
        "exit 1",
        async daemon =>
        {
            // Three events per try; the ring holds 1,024.
            await daemon.Log.WaitForAsync(
                0, 400, message => message.Kind == MessageIds.WorkerBackingOff, nameof(MessageIds.WorkerBackingOff));
            var events = await EventsAsync(daemon, "/v1/events?follow=false&after=1");
            Assert.Equal("events-lost", events[0].Kind);
            Assert.Equal(events[0].Seq + 1, events[1].Seq);
            Assert.Contains((events[0].Seq - 1).ToString(CultureInfo.InvariantCulture), events[0].Message, StringComparison.Ordinal);
            Assert.InRange(events.Count, 1025, 1100);
        },
        "restart = { backoff = \"1ms\", backoff_max = \"1ms\", limit = 0 }");

    [Fact]
    public Task Stuck_readers_block_nothing() => WithScript(
        "systemd-notify --ready; exec yes 'a line that is repeated without end'",
        async daemon =>
        {
            daemon.Log.Ignore = line => line.Contains("without end", StringComparison.Ordinal);
            await daemon.WaitUntilReadyAsync("w");
            var stuck = new List<Socket>();
            try
            {
                for (var i = 0; i < 20; i++)
                {
                    stuck.Add(await AskAndDoNotReadAsync(daemon, "/v1/services/w/logs?follow=true"));
                }

                var pid = Assert.Single(await daemon.ReadyAsync("w"));
                for (var i = 0; i < 20; i++)
                {
                    var kept = await LinesAsync(daemon, "/v1/services/w/logs?follow=false");
                    Assert.InRange(kept.Sum(line => line.Line.Length), 1, 256 * 1024);
                    // A reader that is too slow learns in a line of the daemon how many lines it has missed.
                    Assert.All(
                        kept.Where(line => line.Stream != "listend"),
                        line => Assert.Equal((pid, 0, "stdout", 6), (line.Pid, line.Slot, line.Stream, line.Priority)));
                }

                await daemon.AskAsync(ControlJson.Default.ChangeDocument, "stop", "w", "--wait");

                // A reader that resumes continues, and learns how many events it has missed.
                using var reader = new StreamReader(new NetworkStream(stuck[0]));
                while (await reader.ReadLineAsync() is { } line && !line.Contains("\"stream\":\"listend\"", StringComparison.Ordinal))
                {
                }
            }
            finally
            {
                stuck.ForEach(socket => socket.Dispose());
            }
        });

    [Fact]
    public Task Output_keeps_pid_stream_and_priority() => WithScript(
        "echo one; echo '<3>two' >&2; printf 'caf\\303\\251'; systemd-notify --ready; exec sleep 1000",
        async daemon =>
        {
            await daemon.WaitUntilReadyAsync("w");
            var pid = Assert.Single(await daemon.ReadyAsync("w"));
            await using var follower = RunningProgram.Start(
                Published.Listenctl,
                ["--socket", daemon.ControlSocket, "logs", "w", "--follow", "--json"]);
            await follower.Output.WaitAsync(0, "\"two\"");
            await daemon.AskAsync(ControlJson.Default.ChangeDocument, "stop", "w", "--wait");
            await follower.Output.WaitAsync(0, "caf");
            var lines = await LinesAsync(daemon, "/v1/services/w/logs");
            Assert.Equal(
                [(pid, "stderr", 3, "two"), (pid, "stdout", 6, "café"), (pid, "stdout", 6, "one")],
                lines.Select(line => (line.Pid!.Value, line.Stream, line.Priority, line.Line))
                    .OrderBy(line => line.Line == "one").ThenByDescending(line => line.Line));
            Assert.Equal([lines[^1]], await LinesAsync(daemon, "/v1/services/w/logs?lines=1"));
            using var client = daemon.Http();
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/v1/services/nope/logs")).StatusCode);
            Assert.Equal(HttpStatusCode.BadRequest, (await client.GetAsync("/v1/services/w/logs?lines=x")).StatusCode);
        });

    private static async Task<List<EventDocument>> EventsAsync(DaemonUnderTest daemon, string target, string? lastEventId = null)
    {
        using var client = daemon.Http();
        using var request = new HttpRequestMessage(HttpMethod.Get, target);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        using var answer = await client.SendAsync(request);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        var events = new List<EventDocument>();
        foreach (var block in (await answer.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var lines = block.Split('\n');
            var happened = JsonSerializer.Deserialize(lines[2]["data: ".Length..], ControlJson.Default.EventDocument)!;
            Assert.Equal([string.Create(CultureInfo.InvariantCulture, $"id: {happened.Seq}"), $"event: {happened.Kind}"], lines[..2]);
            events.Add(happened);
        }

        return events;
    }

    private static async Task<List<OutputLineDocument>> LinesAsync(DaemonUnderTest daemon, string target)
    {
        using var client = daemon.Http();
        using var answer = await client.GetAsync(target);
        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType?.MediaType);
        return [.. (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize(line, ControlJson.Default.OutputLineDocument)!)];
    }

    private static async Task<Socket> AskAndDoNotReadAsync(DaemonUnderTest daemon, string target)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(daemon.ControlSocket));
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        return socket;
    }

    private static Task WithScript(string script, Func<DaemonUnderTest, Task> test, string more = "") => DaemonUnderTest.WithAsync(
        $"""
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["/bin/sh", "@dir@/worker.sh"]
        listeners = ["web"]
        {more}
        """,
        test,
        prepare: directory => directory.Write("worker.sh", script));
}
