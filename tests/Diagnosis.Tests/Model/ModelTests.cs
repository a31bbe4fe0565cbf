using System.Globalization;
using Supervisor.Core.Listeners.Conflicts;

namespace Supervisor.Diagnosis.Tests.Model;

/// <summary>
/// The model's answer first, the kernel's second, over random pairs and triples of sockets; every bind() and every
/// listen() is compared. In a network namespace of the test's own; LISTEND_TEST_ITERATIONS multiplies the cases,
/// LISTEND_TEST_SEED repeats a run.
/// </summary>
public sealed class ModelTests
{
    private const int Cases = 24_000;
    private const int CasesForANamespace = 2_000;
    private const int FirstPort = 2_000;
    private const int FirstHelperPort = 50_000;

    [Fact]
    public void Model_and_kernel_agree()
    {
        var factor = Number("LISTEND_TEST_ITERATIONS", 1);
        var seed = Number("LISTEND_TEST_SEED", Environment.TickCount);
        var total = new Counts();
        for (var done = 0; done < Cases * factor; done += CasesForANamespace)
        {
            var random = new Random(seed + done);
            OnThread.Run(() => RunNamespace(random, total));
        }

        Assert.True(total.Cases >= Cases, $"{total.Cases} cases");
        // Both answers must be common, or the cases prove little.
        Assert.InRange(total.Refusals, total.Questions / 10, total.Questions * 9 / 10);
        Console.WriteLine($"model: {total.Cases} cases, {total.Questions} questions, {total.Refusals} refused, all agreed; seed {seed}");
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    private static void RunNamespace(Random random, Counts total)
    {
        Kernel.EnterOwnNamespace();
        Shell.Run("ip link add v0 type veth peer name v1 && ip link set v0 up");
        using var helpers = new Helpers(FirstHelperPort);
        var devices = new Dictionary<string, uint> { ["lo"] = 1, ["v0"] = Native.Interfaces.Index("v0") };
        for (var i = 0; i < CasesForANamespace; i++)
        {
            var space = random.Next(3) == 0 ? PortSpace.Udp : PortSpace.Tcp;
            var sockets = new SocketCase[2 + random.Next(2)];
            for (var s = 0; s < sockets.Length; s++)
            {
                sockets[s] = SocketCase.Random(random, space);
            }

            RunCase(sockets, FirstPort + i, helpers, devices, total);
            total.Cases++;
        }
    }

    private static void RunCase(SocketCase[] cases, int port, Helpers helpers, Dictionary<string, uint> devices, Counts total)
    {
        var open = new List<int>();
        var holders = new List<BoundSocket>();
        var descriptors = new List<int>();
        var story = new List<string>();
        ReusePortShortcut? shortcut = null;
        try
        {
            for (var i = 0; i < cases.Length; i++)
            {
                var asked = cases[i];
                story.Add(asked.ToString());
                Kernel.BeUser(asked.Uid);
                var descriptor = Kernel.Socket(asked.IsIPv6, asked.Space == PortSpace.Udp);
                Kernel.BeUser(0);
                open.Add(descriptor);
                var socket = new BoundSocket
                {
                    Space = asked.Space,
                    Address = asked.Address,
                    Port = (ushort)port,
                    V6Only = asked.V6Only && asked.IsIPv6,
                    ReuseAddress = asked.ReuseAddress,
                    ReusePort = asked.ReusePort,
                    Uid = asked.Uid,
                    Device = asked.Device is null ? 0 : devices[asked.Device],
                };
                Kernel.SetOption(descriptor, Kernel.SolSocket, Kernel.ReuseAddress, asked.ReuseAddress ? 1 : 0);
                Kernel.SetOption(descriptor, Kernel.SolSocket, Kernel.ReusePort, asked.ReusePort ? 1 : 0);
                if (asked.IsIPv6)
                {
                    Kernel.SetOption(descriptor, Kernel.IpprotoIpv6, Kernel.V6Only, asked.V6Only ? 1 : 0);
                }

                if (asked.Device is not null)
                {
                    Kernel.SetDevice(descriptor, asked.Device);
                }

                var expected = BindConflictModel.Bind(socket, holders, shortcut);
                var errno = Kernel.Bind(descriptor, asked.Address, port);
                Compare("bind", expected, errno, story, total);
                if (errno != 0)
                {
                    continue;
                }

                shortcut = ReusePortShortcut.After(shortcut, socket, isFirst: holders.Count == 0);
                switch (asked.Goal)
                {
                    case BoundState.Bound:
                        break;
                    case BoundState.Listening:
                        expected = BindConflictModel.Listen(socket, holders, shortcut);
                        errno = Kernel.Listen(descriptor);
                        Compare("listen", expected, errno, story, total);
                        if (errno == 0)
                        {
                            shortcut = ReusePortShortcut.After(shortcut, socket, isFirst: false);
                            socket = socket with { State = BoundState.Listening };
                        }

                        break;
                    default:
                        socket = Connect(socket, asked, descriptor, helpers, i, open);
                        break;
                }

                holders.Add(socket);
                descriptors.Add(descriptor);
            }

            // Those that are only bound try to listen at last, when others have come.
            for (var i = 0; i < holders.Count && cases[0].Space == PortSpace.Tcp; i++)
            {
                if (holders[i].State == BoundState.Bound)
                {
                    story.Add($"listen on {holders[i]}");
                    var expected = BindConflictModel.Listen(holders[i], holders.Where((_, other) => other != i).ToList(), shortcut);
                    var errno = Kernel.Listen(descriptors[i]);
                    Compare("listen", expected, errno, story, total);
                    if (errno == 0)
                    {
                        shortcut = ReusePortShortcut.After(shortcut, holders[i], isFirst: false);
                        holders[i] = holders[i] with { State = BoundState.Listening };
                    }
                }
            }
        }
        finally
        {
            foreach (var descriptor in open)
            {
                Kernel.Close(descriptor);
            }
        }
    }

    private static BoundSocket Connect(BoundSocket socket, SocketCase asked, int descriptor, Helpers helpers, int index, List<int> open)
    {
        var helper = helpers.For(asked.Space, index, ipv4: socket.IsIPv4Only || (!socket.V6Only && socket.IsWildcard && index % 2 == 0));
        var target = asked.IsIPv6 && helper.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork
            ? helper.Address.MapToIPv6()
            : helper.Address;
        var errno = Kernel.Connect(descriptor, target, helper.Port);
        if (errno != 0)
        {
            throw new InvalidOperationException($"connect: errno {errno}: {asked} to {target}");
        }

        var connected = socket with
        {
            Address = Kernel.Name(descriptor).Address,
            State = BoundState.Connected,
            V6Only = socket.V6Only,
            KeepsV6Only = true,
        };
        if (asked.Space == PortSpace.Udp)
        {
            return connected;
        }

        var accepted = Kernel.Accept(helper.Descriptor);
        if (asked.Goal == BoundState.Connected)
        {
            open.Add(accepted);
            return connected;
        }

        // Each end is waited for, so that the state is reached and not about to be.
        Kernel.ShutdownWrite(descriptor);
        Kernel.ReadEnd(accepted);
        Kernel.Close(accepted);
        Kernel.ReadEnd(descriptor);

        // Until then the descriptor's own socket keeps the port too, in TCP_CLOSE (net/ipv4/tcp.c, tcp_set_state: SOCK_BINDPORT_LOCK).
        Kernel.Close(descriptor);
        open.Remove(descriptor);
        return connected with { State = BoundState.TimeWait };
    }

    private static void Compare(string call, BindConflict? expected, int errno, List<string> story, Counts total)
    {
        total.Questions++;
        total.Refusals += expected is null ? 0 : 1;
        var kernel = errno switch { 0 => "yes", 98 => "EADDRINUSE", 22 => "EINVAL", _ => $"errno {errno}" };
        var model = expected switch { null => "yes", { Rule: ConflictRule.MappedOnV6Only } => "EINVAL", _ => "EADDRINUSE" };
        if (kernel != model)
        {
            Assert.Fail($"{call}: the model says {model} ({expected}), the kernel {kernel}:\n  {string.Join("\n  ", story)}");
        }
    }

    private sealed class Counts
    {
        public int Cases { get; set; }

        public int Questions { get; set; }

        public int Refusals { get; set; }
    }
}
