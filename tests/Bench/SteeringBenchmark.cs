using System.Diagnostics;
using System.Globalization;
using Serilog.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Steering;
using Supervisor.Native;

namespace Supervisor.Bench;

/// <summary>
/// Sends datagrams on loopback to a group of four SO_REUSEPORT sockets and reads them, with and without the program that steers, by
/// turns. The program runs in the sender's system call, so the processor time of this thread has its cost.
/// </summary>
internal static class SteeringBenchmark
{
    private const int Sockets = 4;
    private const int Clients = 256;
    private const int Turns = 80;
    private const int CookieOffset = 1;

    private static readonly AffinityOptions ByFlow = new() { Idle = TimeSpan.FromHours(1), Flows = 131_072 };
    private static readonly byte[] Cookie = "COOKIE-2"u8.ToArray();

    public static IEnumerable<Figure> Run(Workspace workspace, BenchScale scale)
    {
        _ = workspace;
        using var plain = new Group(steered: false, null);
        using var table = new Group(steered: true, null);
        using var flows = new Group(steered: true, ByFlow);
        using var cookies = new Group(steered: true, ByFlow with { By = AffinityKind.QuicConnectionId });
        Group[] all = [plain, table, flows, cookies];
        var series = Array.ConvertAll(all, _ => new List<(double Processor, double Wall)>());
        for (var round = 0; round <= scale.Rounds; round++)
        {
            for (var i = 0; i < all.Length; i++)
            {
                series[i].Add(all[i].Measure());
            }
        }

        string[] what = ["no affinity", "known flows", "known connection ids"];
        for (var i = 1; i < all.Length; i++)
        {
            yield return new Figure(
                $"processor time of a datagram, {what[i - 1]}", "us", Median(series[i], one => one.Processor),
                Median(series[0], one => one.Processor), "SO_REUSEPORT without a program");
        }

        for (var i = 1; i < all.Length; i++)
        {
            yield return new Figure(
                $"1,000 datagrams a second, {what[i - 1]}", "", 1000 / Median(series[i], one => one.Wall),
                1000 / Median(series[0], one => one.Wall), "SO_REUSEPORT without a program");
        }
    }

    private static double Median(List<(double Processor, double Wall)> rounds, Func<(double Processor, double Wall), double> value) =>
        rounds.Skip(1).Select(value).Order().ElementAt((rounds.Count - 1) / 2);

    /// <summary>A listener with its clients.</summary>
    private sealed class Group : IDisposable
    {
        private readonly ListenerHandle _handle;
        private readonly SteeringEngine? _engine;
        private readonly DescriptorHandle[] _clients;
        private readonly byte[] _datagram = new byte[64];
        private readonly byte[] _received = new byte[2048];

        public Group(bool steered, AffinityOptions? affinity)
        {
            var address = ListenAddress.TryParse("udp://127.0.0.1:0", out var parsed, out _) ? parsed : null;
            _handle = new ListenerFactory(TimeProvider.System, Logger.None).Create(new ListenerSpec
            {
                Name = "bench",
                Address = address!,
                Shards = Sockets,
                Listen = new ListenOptions { NonBlocking = true },
                Buffers = new BufferOptions { Receive = 4 << 20, Force = true },
            });
            if (steered)
            {
                _engine = SteeringEngine.Create(new SteeringTerms(ListenerKind.Udp, affinity), out var whyNot)
                    ?? throw new InvalidOperationException(whyNot);
                Check(_engine.Attach(_handle.Descriptor!));
                var targets = Enumerable.Range(0, Sockets).Select(slot => new SteeringTarget(slot, 1)).ToArray();
                Array.ForEach(targets, target => Check(_engine.Put(target.Slot, _handle.Sockets[target.Slot].Descriptor)));
                Check(_engine.Turn(SteeringTable.Build(targets, null, 0)));
                if (affinity?.By == AffinityKind.QuicConnectionId)
                {
                    Check(_engine.AddCookie(Cookie, 2));
                    Cookie.CopyTo(_datagram, CookieOffset);
                }
            }

            _clients = [.. Enumerable.Range(0, Clients).Select(_ => Connect(_handle.Effective!))];
        }

        /// <summary>Microseconds of a datagram: of the processor, and in all.</summary>
        public (double Processor, double Wall) Measure()
        {
            var (began, busy) = (Stopwatch.GetTimestamp(), Time());
            for (var turn = 0; turn < Turns; turn++)
            {
                foreach (var client in _clients)
                {
                    Files.Write(client, _datagram, out _);
                }

                var left = Clients;
                foreach (var socket in _handle.Sockets)
                {
                    while (Files.Read(socket.Descriptor, _received, out _) > 0)
                    {
                        left--;
                    }
                }

                if (left != 0)
                {
                    throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{left} datagrams are missing"));
                }
            }

            const double all = Clients * Turns;
            return ((Time() - busy).TotalMicroseconds / all, Stopwatch.GetElapsedTime(began).TotalMicroseconds / all);
        }

        public void Dispose()
        {
            Array.ForEach(_clients, client => client.Dispose());
            _engine?.Dispose();
            _handle.Dispose();
        }

        private static TimeSpan Time() => Environment.CpuUsage.TotalTime;

        private static DescriptorHandle Connect(ListenAddress address)
        {
            var client = ListenerSockets.Open(new CreateStep(ListenerKind.Udp, SocketDomain.IPv4, NonBlocking: true), out var refused)
                ?? throw new InvalidOperationException(refused!.ToString());
            Check(Native.Sockets.Connect(client, Sockaddr.Encode(address)!));
            return client;
        }

        private static void Check(SystemCallError? error)
        {
            if (error is not null)
            {
                throw new InvalidOperationException(error.ToString());
            }
        }
    }
}
