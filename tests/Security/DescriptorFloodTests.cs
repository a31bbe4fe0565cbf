using System.Globalization;
using Supervisor.EndToEnd;
using Xunit;
using Xunit.Abstractions;

namespace Supervisor.Security;

/// <summary>
/// Descriptors of every kind on every socket that receives messages, ten users at once. LISTEND_TEST_PACKETS says how many
/// packets; what is random is told by LISTEND_TEST_SEED.
/// </summary>
public sealed class DescriptorFloodTests(ITestOutputHelper output)
{
    private const int Users = 10;

    /// <summary>By how much the daemon's memory may have grown when the flood is over.</summary>
    private const long MostGrowth = 16 << 20;

    private static readonly long Packets = Number("LISTEND_TEST_PACKETS", 1_000_000);
    private static readonly long Seed = Number("LISTEND_TEST_SEED", Environment.TickCount64);

    [Fact]
    public Task The_daemon_answers_and_keeps_no_descriptor_of_the_flood() => Battlefield.WithAsync(
        """
        [listener.web]
        address = "tcp://127.0.0.1:0"

        [service.web]
        command = ["@possessed@", "@orders@"]
        listeners = ["web"]
        user = "games"
        """,
        output,
        async (daemon, attack) =>
        {
            var worker = (await daemon.ReadyWorkersAsync("web", 1))[0];
            var socket = Battlefield.Variable(worker, "NOTIFY_SOCKET");
            output.WriteLine($"LISTEND_TEST_SEED={Seed}");
            var seconds = Math.Max(20, Packets / 5_000);
            var descriptors = Processes.Descriptors(daemon.Pid).Count;
            var memory = Memory(daemon.Pid);

            List<RunningProgram> floods = [];
            try
            {
                floods.AddRange(Enumerable.Range(0, Users)
                    .Select(user => Flood(Text(5000 + user), "broker", daemon.Broker(), Packets * 8 / 10 / Users, user)));
                floods.Add(Flood("games", "notify", socket, Packets / 20, 11));
                floods.Add(attack.Start(
                    "games", "in-worker", daemon.Directory["orders/web.0"], attack.Copy("descriptor-flood"),
                    "notify", socket, Text(Packets / 10), Text(seconds), Text(Seed + 12)));
                floods.Add(Flood("0", "control", daemon.ControlSocket, Packets / 20, 13));
                foreach (var flood in floods)
                {
                    // The program ends by itself after that time.
                    await attack.AssertFailsAsync(flood, "descriptor-flood", TimeSpan.FromSeconds(seconds + 30));
                }
            }
            finally
            {
                foreach (var flood in floods)
                {
                    await flood.DisposeAsync();
                }
            }

            // The store of the one worker may keep some; its end takes them away.
            Assert.Equal(0, (await daemon.ListenctlAsync("stop", "web")).ExitCode);
            await Processes.EndedAsync(worker);
            Assert.Equal(0, (await daemon.ListenctlAsync("start", "web")).ExitCode);
            await daemon.ReadyWorkersAsync("web", 1);
            await ReturnsAsync(daemon, "descriptors", () => Processes.Descriptors(daemon.Pid).Count, descriptors + 8);
            await ReturnsAsync(daemon, "memory", () => Memory(daemon.Pid), memory + MostGrowth);

            RunningProgram Flood(string user, string kind, string path, long packets, int number) =>
                attack.Start(user, "descriptor-flood", kind, path, Text(packets), Text(seconds), Text(Seed + number));
        });

    // Asked again after each answer of the daemon's: nothing tells when a thread has closed what was handed to it.
    private async Task ReturnsAsync(DaemonUnderTest daemon, string what, Func<long> read, long most)
    {
        var now = read();
        for (var start = Environment.TickCount64; now > most && Environment.TickCount64 - start < 45_000; now = read())
        {
            await daemon.StatusAsync("web");
        }

        output.WriteLine($"{what}: {now} after the flood, {most} at most");
        var open = string.Join(' ', Processes.Descriptors(daemon.Pid).Values.CountBy(target => target.Split('[')[0]));
        Assert.True(now <= most, $"{what}: {now} after the flood, {most} at most; open: {open}");
    }

    private static long Memory(int pid) => 1024 * long.Parse(
        File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
            .Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static long Number(string variable, long otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
