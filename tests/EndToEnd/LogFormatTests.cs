using System.Text.Json;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>The fields and levels of the structured log.</summary>
public class LogFormatTests
{
    private const string Config = """
        [listener.web]
        address = "tcp://127.0.0.1:0"
        accepted = { no_delay = true }
        buffers = { receive = "512MiB" }

        [listener.taken]
        address = "tcp://127.0.0.1:@port@"

        [service.w]
        command = ["@hello@"]
        listeners = ["web"]
        """;

    [Fact]
    public async Task Json_log_has_the_fields_of_the_journal()
    {
        using var holder = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        holder.Start();
        var port = ((System.Net.IPEndPoint)holder.LocalEndpoint).Port;
        await DaemonUnderTest.WithAsync(
            Config.Replace("@port@", port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal),
            async daemon =>
            {
                await daemon.WaitUntilReadyAsync("w");
                var lines = daemon.Log.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
                Assert.All(
                    lines,
                    line => Assert.True(line.TryGetProperty("@t", out _) && Text(line, "MESSAGE_ID")?.Length == 32, line.ToString()));

                var made = lines.Single(
                    line => Text(line, "LISTEND_LISTENER") == "web" && Text(line, "MESSAGE_ID") == MessageIds.ListenerReady);
                Assert.Null(Text(made, "@l"));
                Assert.Equal("tcp://127.0.0.1:0", Text(made, "LISTEND_REQUESTED"));
                Assert.Contains(Text(made, "LISTEND_EFFECTIVE")!, Text(made, "@m"), StringComparison.Ordinal);
                Assert.DoesNotContain('"', Text(made, "@m")!);
                Assert.NotEqual("tcp://127.0.0.1:0", Text(made, "LISTEND_EFFECTIVE"));

                var option = lines.Single(line => Text(line, "LISTEND_OPTION") == "TCP_NODELAY");
                Assert.Equal(("Debug", "web"), (Text(option, "@l"), Text(option, "LISTEND_LISTENER")));
                Assert.Equal(
                    ("pre-listen", "1", "1"),
                    (Text(option, "LISTEND_PHASE"), Text(option, "LISTEND_REQUESTED"), Text(option, "LISTEND_EFFECTIVE")));

                var clamp = lines.Single(line => Text(line, "LISTEND_OPTION") == "SO_RCVBUF");
                Assert.Equal(
                    ("Warning", "pre-listen", "536870912"),
                    (Text(clamp, "@l"), Text(clamp, "LISTEND_PHASE"), Text(clamp, "LISTEND_REQUESTED")));

                var failed = lines.Single(line => Text(line, "MESSAGE_ID") == MessageIds.ListenerFailed);
                Assert.Equal(
                    ("Error", "same-address", 98),
                    (Text(failed, "@l"), Text(failed, "LISTEND_CAUSE"), failed.GetProperty("ERRNO").GetInt32()));

                var ready = lines.Single(line => Text(line, "MESSAGE_ID") == MessageIds.WorkerReady);
                Assert.Equal(("w", 1), (Text(ready, "LISTEND_SERVICE"), ready.GetProperty("LISTEND_GENERATION").GetInt32()));
                Assert.Equal((await daemon.ReadyAsync("w")).Single(), ready.GetProperty("LISTEND_WORKER_PID").GetInt32());
            },
            new DaemonOptions { LogLevel = "debug" });
    }

    private static string? Text(JsonElement line, string name) =>
        line.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
