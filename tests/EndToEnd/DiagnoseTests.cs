using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Supervisor.Control;
using Xunit;

namespace Supervisor.EndToEnd;

/// <summary>Troubles made for real, each found by <c>listenctl diagnose</c> and named with its worker.</summary>
public sealed class DiagnoseTests
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(40);

    [Fact]
    public async Task Each_trouble_has_its_code() => await DaemonUnderTest.WithAsync(
        string.Join('\n',
        [
            Service("none"), Service("sleep"), Service("compute"), Service("descriptors"), Service("stopped"), Service("send"),
            Service("draining"), Service("datagrams", address: "udp://127.0.0.1:0", listener: "buffers = { receive = 4096 }"),
            Service("close-last", listener: "shards = 2"), Service("first-shard", listener: "shards = 2"),
            "[listener.full]\naddress = \"tcp://127.0.0.1:0\"\nlisten = { backlog = 4 }",
            "[service.full]\ncommand = " + Command("sleep") + "\nlisteners = [\"full\"]",
            "[listener.nobody]\naddress = \"tcp://127.0.0.1:0\"",
            "[service.nobody]\ncommand = [\"/bin/false\"]\nlisteners = [\"nobody\"]\nrestart = { limit = 1, limit_interval = \"1h\" }",
        ]),
        async daemon =>
        {
            string[] names =
            [
                "none", "sleep", "compute", "descriptors", "stopped", "send", "draining", "datagrams", "close-last", "first-shard",
            ];
            await Task.WhenAll(names.Select(name => daemon.WaitUntilReadyAsync(name)));
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerLimited);
            var workers = (await daemon.AskAsync(ControlJson.Default.StatusDocument, "status")).Services
                .Where(service => service.Ready == 1).ToDictionary(service => service.Name, service => service.Workers.Single().Pid!.Value);
            var ends = (await daemon.ListenersAsync()).ToDictionary(
                listener => listener.Name, listener => IPEndPoint.Parse(listener.Effective!.Split("://")[1]));
            RunningProgram.Kill(workers["stopped"], Signals.Stop);
            var draining = workers["draining"];
            Assert.Equal(0, (await daemon.ListenctlAsync("restart", "draining")).ExitCode);
            await daemon.Log.WaitForAsync(0, MessageIds.WorkerKeepsAccepting);

            using var clients = new Clients();
            foreach (var (name, count) in ((string, int)[])[("full", 12), ("descriptors", 40), ("first-shard", 16), ("send", 1)])
            {
                for (var i = 0; i < count; i++)
                {
                    clients.Connect(ends[name]);
                }
            }

            var load = clients.ConnectAllAsync(
                [ends["sleep"], ends["compute"], ends["draining"]], ends["datagrams"], ends["none"], Pace);
            await Task.Delay(TimeSpan.FromSeconds(1));
            var result = await daemon.ListenctlAsync("diagnose", "--interval", "2s", "--json");
            await clients.StopAsync(load);
            RunningProgram.Kill(workers["stopped"], Signals.Continue);
            RunningProgram.Kill(draining, Signals.Kill);

            Assert.Equal(1, result.ExitCode);
            var found = JsonSerializer.Deserialize(result.Output, ControlJson.Default.DiagnosisDocument)!;
            Expect(found, "none");
            Expect(found, "sleep", "accept-queue-growing", "worker-not-accepting");
            Expect(found, "compute", "accept-queue-growing", "worker-not-accepting");
            Expect(found, "descriptors", "worker-out-of-descriptors");
            Expect(found, "stopped", "worker-stopped");
            Expect(found, "send", "peer-not-reading");
            Expect(found, "draining", "draining-worker-accepts");
            Expect(found, "datagrams", "receive-buffer-full");
            Expect(found, "close-last", "shard-unserved");
            Expect(found, "first-shard", "shard-unserved");
            Expect(found, "full", "accept-queue-full", "worker-not-accepting");
            Expect(found, "nobody", "no-worker");
            foreach (var name in (string[])["sleep", "compute", "descriptors", "stopped"])
            {
                Assert.Equal(workers[name], Of(found, name).Findings.Single(finding => finding.Worker is not null).Worker!.Pid);
            }

            Assert.Equal(draining, Assert.Single(Of(found, "draining").Findings).Worker!.Pid);
            Assert.Equal("clock_nanosleep", Assert.Single(Of(found, "sleep").Workers).Call);
            Assert.Equal("running", Assert.Single(Of(found, "compute").Workers).Activity);

            var text = await daemon.ListenctlAsync("diagnose", "--interval", "50ms");
            Assert.InRange(text.Output.Length, 1, 4096);
            Assert.Equal(1, text.ExitCode);
        });

    private static void Expect(DiagnosisDocument found, string listener, params string[] codes) => Assert.Equal(
        (listener, string.Join(' ', codes.Order())),
        (listener, string.Join(' ', Of(found, listener).Findings.Select(finding => finding.Code).Distinct().Order())));

    private static ListenerDiagnosisDocument Of(DiagnosisDocument found, string listener) =>
        found.Listeners.Single(one => one.Name == listener);

    private static string Service(string trouble, string address = "tcp://127.0.0.1:0", string listener = "") =>
        $"""
        [listener.{trouble}]
        address = "{address}"
        {listener}
        [service.{trouble}]
        command = {Command(trouble)}
        listeners = ["{trouble}"]
        """;

    private static string Command(string trouble) =>
        $"[\"{Needs.Program("python3", "python3")}\", \"{Path.Combine(AppContext.BaseDirectory, "workers", "trouble.py")}\", "
        + $"\"{trouble}\"]";

    /// <summary>Connections that stay open, and a load, until the end of the test.</summary>
    private sealed class Clients : IDisposable
    {
        private readonly List<Socket> _sockets = [];
        private readonly CancellationTokenSource _end = new();

        /// <summary>Begins to connect; the handshake may never complete.</summary>
        public Socket Connect(IPEndPoint to)
        {
            var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _sockets.Add(socket);
            try
            {
                socket.Connect(to);
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.WouldBlock)
            {
                // It goes on in the background.
            }

            return socket;
        }

        /// <summary>
        /// Connects to each of <paramref name="growing"/> at that pace and keeps the connections, sends datagrams faster than they are
        /// read, and exchanges data with <paramref name="healthy"/>.
        /// </summary>
        public async Task ConnectAllAsync(IReadOnlyList<IPEndPoint> growing, IPEndPoint datagrams, IPEndPoint healthy, TimeSpan pace)
        {
            using var udp = new UdpClient();
            using var talk = new TcpClient();
            await talk.ConnectAsync(healthy);
            var buffer = new byte[1024];
            using var timer = new PeriodicTimer(pace);
            while (await timer.WaitForNextTickAsync() && !_end.IsCancellationRequested)
            {
                foreach (var to in growing)
                {
                    Connect(to);
                }

                await udp.SendAsync(buffer, datagrams);
                await talk.GetStream().WriteAsync(buffer);
                await talk.GetStream().ReadAtLeastAsync(buffer, buffer.Length);
                using var once = new TcpClient();
                await once.ConnectAsync(healthy);
            }
        }

        public async Task StopAsync(Task load)
        {
            await _end.CancelAsync();
            await load;
        }

        public void Dispose()
        {
            _end.Dispose();
            _sockets.ForEach(socket => socket.Dispose());
        }
    }
}
