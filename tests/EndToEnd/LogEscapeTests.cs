using System.Globalization;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>
/// Names and output of workers in the text log and in the client: control characters are escaped, and an event is one line.
/// </summary>
public sealed class LogEscapeTests
{
    /// <summary>
    /// A worker that renames itself (prctl(2), PR_SET_NAME: 15 bytes), takes a listener from the broker, writes lines and reports a status.
    /// </summary>
    private const string Worker = """
        import ctypes, json, os, signal, socket
        ctypes.CDLL(None).prctl(15, b'\x1b[2J\n00:00 \xc2\x9b\r', 0, 0, 0)
        broker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        broker.connect(os.environ['LISTEND_BROKER'])
        broker.send(json.dumps({'method': 'take', 'listeners': ['web']}).encode())
        broker.recv(65536)
        os.write(1, b'one \x1b]0;evil\x07 \xe2\x80\xaetxt\rtwo\n')
        os.write(2, b'<3>three \xc2\x9b2J \xf0\x9f\x98\x80 \xe2\x80\xa8\n')
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.sendto(b'READY=1\nSTATUS=\x1b[31mred\xe2\x80\xae', os.environ['NOTIFY_SOCKET'])
        signal.pause()
        """;

    private const string Config = """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.w]
        command = ["/usr/bin/env", "python3", "@dir@/worker.py"]
        listeners = ["web"]
        log = "inherit"
        """;

    [Fact]
    public Task Text_log_and_client_escape_worker_output() => DaemonUnderTest.WithAsync(
        Config,
        async daemon =>
        {
            await daemon.UntilAsync(async () => (await daemon.StatusAsync("w")).State == "running");
            await daemon.Log.WaitAsync(0, "one \\x1B]0;evil\\x07 \\u202Etxt\\rtwo");
            await daemon.Log.WaitAsync(0, "three \\x9B2J \U0001F600 \\u2028");
            var address = await daemon.EndPointAsync("web");
            Assert.All(daemon.Log.Lines, line => Assert.Matches("^[0-9]{2}:[0-9]{2}:[0-9]{2}", line));
            string[][] commands =
                [["status"], ["listeners"], ["history", "web"], ["events"], ["logs", "w"], ["explain", $"tcp://{address}"]];
            foreach (var command in commands)
            {
                var result = await daemon.ListenctlAsync(command);
                Clean(result.Output);
                Clean(result.Error);
            }

            Assert.Contains(
                "one \\x1B]0;evil\\x07 \\u202Etxt\\rtwo",
                (await daemon.ListenctlAsync("logs", "w")).Output,
                StringComparison.Ordinal);
            Assert.Contains("\\x1B[31mred\\u202E", (await daemon.ListenctlAsync("status")).Output, StringComparison.Ordinal);
            Assert.Contains(
                "\\x1B[2J 00:00 ",
                (await daemon.ListenctlAsync("explain", $"tcp://{address}")).Output,
                StringComparison.Ordinal);
            Clean(string.Join('\n', daemon.Log.Lines));
        },
        new DaemonOptions { LogFormat = "text", LogLevel = "debug" },
        directory => directory.Write("worker.py", Worker));

    [Fact]
    public async Task Check_and_run_escape_quotations_from_a_file()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write("a\u001b[2J\nb.toml", "[listener.web]\naddress = \"tcp://\\u001B[2J\\u202E:1\"\n\"k\\u001B\\n\" = 1\n");
        foreach (var verb in (string[])["check", "run"])
        {
            var result = await RunningProgram.RunAsync(Published.Listend, [verb, "--config", file]);
            Assert.NotEqual(0, result.ExitCode);
            Assert.Contains("a\\x1B[2J\\nb.toml", result.Error, StringComparison.Ordinal);
            Clean(result.Output + result.Error);
        }
    }

    private static void Clean(string text) =>
        Assert.DoesNotContain(text, c => (char.IsControl(c) && c != '\n')
            || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator);
}
