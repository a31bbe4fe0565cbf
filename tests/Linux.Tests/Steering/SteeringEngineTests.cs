using System.Net;
using System.Net.Sockets;
using System.Text;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Steering;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Steering;

/// <summary>The program in the kernel, with real packets on loopback.</summary>
public sealed class SteeringEngineTests : KernelTest
{
    private static readonly AffinityOptions ByFlow = new() { Idle = TimeSpan.FromSeconds(30), Flows = 4096 };
    private static readonly AffinityOptions ByCookie = ByFlow with { By = AffinityKind.QuicConnectionId };
    private static readonly byte[] CookieOfTwo = "COOKIE-2"u8.ToArray();

    [Theory]
    [InlineData("udp://127.0.0.1:0", "127.0.0.1")]
    [InlineData("udp://[::1]:0", "::1")]
    [InlineData("udp://*:0", "127.0.0.1")]
    [InlineData("udp://*:0", "::1")]
    public void A_flow_stays_with_its_socket_when_the_table_turns(string address, string at)
    {
        using var group = new Group(address, ByFlow, sockets: 3);
        group.Turn(0);
        using var old = new Client(at, group.Port);
        old.Send("1");
        group.Turn(1);
        using var young = new Client(at, group.Port);
        young.Send("1");
        old.Send("2");
        Assert.Equal(["1 2", "1", ""], group.Received());
        Assert.Equal([1, 1, 0], group.Selected());
    }

    [Theory]
    [InlineData("udp://127.0.0.1:0", "127.0.0.1")]
    [InlineData("udp://[::1]:0", "::1")]
    [InlineData("udp://*:0", "127.0.0.1")]
    public void A_connection_id_finds_its_socket_from_any_address(string address, string at)
    {
        using var group = new Group(address, ByCookie, sockets: 3);
        Assert.Null(group.Engine.AddCookie(CookieOfTwo, 2));
        group.Turn(0);
        using var first = new Client(at, group.Port);
        using var moved = new Client(at, group.Port);
        first.Send([0x40, .. CookieOfTwo, 1, 2, 3]);
        moved.Send([0xc0, 0, 0, 0, 1, 8, .. CookieOfTwo, 0]);
        Assert.Equal([0, 0, 2], group.Counts());

        // Recorded: the flow stays where its connection id led.
        moved.Send("short");
        Assert.Equal([0, 0, 1], group.Counts());
    }

    /// <summary>Short packets are copied, longer ones are read in place, and large ones are not in one piece.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(1200)]
    [InlineData(40_000)]
    public void A_connection_id_is_found_in_packets_of_each_length(int more)
    {
        using var group = new Group("udp://*:0", ByCookie, sockets: 3);
        Assert.Null(group.Engine.AddCookie(CookieOfTwo, 2));
        group.Turn(0);
        foreach (var at in (string[])["127.0.0.1", "::1"])
        {
            using var first = new Client(at, group.Port);
            using var second = new Client(at, group.Port);
            first.Send([0x40, .. CookieOfTwo, .. new byte[more]]);
            second.Send([0xc0, 0, 0, 0, 1, 8, .. CookieOfTwo, .. new byte[more]]);
        }

        Assert.Equal([0, 0, 4], group.Counts());
    }

    /// <summary>Options of IPv4 and extensions of IPv6 lie between addresses and ports.</summary>
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Flows_are_told_apart_behind_options_of_the_header(string at)
    {
        using var group = new Group("udp://*:0", ByFlow, sockets: 2);
        group.Turn(0);
        using var old = new Client(at, group.Port, withOptions: true);
        old.Send("1");
        group.Turn(1);
        using var young = new Client(at, group.Port, withOptions: true);
        young.Send("1");
        old.Send("2");
        Assert.Equal(["1 2", "1"], group.Received());
        Assert.Equal((1, 1), (group.Engine.Read(0).Recorded, group.Engine.Read(1).Recorded));
    }

    [Fact]
    public void An_offset_into_the_connection_id_is_skipped()
    {
        using var group = new Group("udp://127.0.0.1:0", ByCookie with { CidOffset = 3 }, sockets: 3);
        Assert.Null(group.Engine.AddCookie(CookieOfTwo, 2));
        group.Turn(0);
        using var client = new Client("127.0.0.1", group.Port);
        client.Send([0x40, 9, 9, 9, .. CookieOfTwo]);
        Assert.Equal([0, 0, 1], group.Counts());
    }

    /// <summary>Neither a short packet nor a connection id that nobody has makes the program fail.</summary>
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Short_and_malformed_datagrams_go_by_the_table(string at)
    {
        using var group = new Group("udp://*:0", ByCookie, sockets: 3);
        group.Turn(1);
        byte[][] datagrams =
        [
            [], [0x40], [0xc0], [0x40, .. CookieOfTwo[..7]], [0xc0, 0, 0, 0, 1, 8], [0xc0, 0, 0, 0, 1, 255, 1], new byte[8],
            new byte[65507 - 8], [0x40, .. CookieOfTwo],
        ];
        foreach (var datagram in datagrams)
        {
            using var client = new Client(at, group.Port);
            client.Send(datagram);
        }

        Assert.Equal([0, datagrams.Length, 0], group.Counts());
    }

    [Fact]
    public void A_slot_with_another_socket_does_not_get_the_flows_of_the_former()
    {
        using var group = new Group("udp://127.0.0.1:0", ByFlow, sockets: 2);
        group.Turn(0);
        using var client = new Client("127.0.0.1", group.Port);
        client.Send("1");
        group.Turn(1);
        Assert.Null(group.Engine.Remove(0));
        Assert.Null(group.Engine.Put(0, group.Handle.Sockets[0].Descriptor));
        client.Send("2");
        Assert.Equal(["1", "2"], group.Received());
    }

    [Fact]
    public void A_flow_whose_socket_is_removed_moves_to_the_table()
    {
        using var group = new Group("udp://127.0.0.1:0", ByFlow, sockets: 2);
        group.Turn(0);
        using var client = new Client("127.0.0.1", group.Port);
        client.Send("1");
        group.Turn(1);
        Assert.Null(group.Engine.Remove(0));
        client.Send("2");
        client.Send("3");
        Assert.Equal(["1", "2 3"], group.Received());
    }

    [Fact]
    public void A_flow_that_was_idle_for_too_long_is_selected_anew()
    {
        using var group = new Group("udp://127.0.0.1:0", ByFlow with { Idle = TimeSpan.Zero }, sockets: 2);
        group.Turn(0);
        using var client = new Client("127.0.0.1", group.Port);
        client.Send("1");
        group.Turn(1);

        // The coarse clock ticks at least every 10 ms.
        var before = group.Engine.Read(0).LastSeen;
        using var other = new Client("127.0.0.1", group.Port);
        while (group.Engine.Read(1).LastSeen == before || group.Engine.Read(1).LastSeen == TimeSpan.Zero)
        {
            other.Send("x");
        }

        group.Received();
        client.Send("2");
        Assert.Equal(["", "2"], group.Received());
    }

    [Fact]
    public void Living_flows_are_counted_for_each_slot()
    {
        using var group = new Group("udp://127.0.0.1:0", ByFlow, sockets: 2);
        var clients = Enumerable.Range(0, 30).Select(_ => new Client("127.0.0.1", group.Port)).ToArray();
        for (var i = 0; i < clients.Length; i++)
        {
            group.Turn(i < 10 ? 0 : 1);
            clients[i].Send("1");
            clients[i].Send("2");
        }

        var live = new Dictionary<int, int>();
        var now = TimeSpan.FromMilliseconds(Environment.TickCount64);
        Assert.Equal(30, group.Engine.CountFlows(now, live));
        Assert.Equal((10, 20), (live[0], live[1]));
        Assert.Equal((10, 20), (group.Engine.Read(0).Recorded, group.Engine.Read(1).Recorded));
        Array.ForEach(clients, client => client.Dispose());
    }

    [Fact]
    public void Connections_go_where_the_table_says_and_waiting_ones_stay()
    {
        using var group = new Group("tcp://127.0.0.1:0", affinity: null, sockets: 2);
        group.Turn(0);
        var clients = Enumerable.Range(0, 100).Select(_ => Loopback.Connect(group.Handle.Effective!)).ToList();
        group.Turn(1);
        clients.AddRange(Enumerable.Range(0, 100).Select(_ => Loopback.Connect(group.Handle.Effective!)));
        Assert.Equal([100, 100], group.Waiting());
        Assert.Equal([100, 100], group.Selected());
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public void Waiting_connections_move_to_a_sibling_when_their_socket_closes()
    {
        using var group = new Group("tcp://127.0.0.1:0", affinity: null, sockets: 2);
        group.Turn(0);
        var clients = Enumerable.Range(0, 100).Select(_ => Loopback.Connect(group.Handle.Effective!)).ToArray();
        group.Turn(1);
        Libc.Shutdown(group.Handle.Sockets[0].Descriptor, 2);
        Assert.Equal(100, group.Waiting()[1]);
        Assert.All(clients, client => Assert.False(Polling.IsHungUp(client)));
        Assert.Equal([100, 0], group.Selected());
        Array.ForEach(clients, client => client.Dispose());
    }

    [Theory]
    [InlineData(5)]
    [InlineData(50)]
    [InlineData(250)]
    public void A_canary_gets_its_share(int share)
    {
        const int connections = 2000;
        using var group = new Group("tcp://127.0.0.1:0", affinity: null, sockets: 3);
        SteeringTarget[] targets = [new(0, 1), new(1, 1), new(2, 2)];
        Assert.Null(group.Engine.Turn(SteeringTable.Build(targets, 2, share)));
        for (var i = 0; i < connections; i++)
        {
            using var client = Loopback.Connect(group.Handle.Effective!);
        }

        var expected = connections * share / (double)SteeringTable.Length;
        var deviation = Math.Sqrt(expected * (1 - (share / (double)SteeringTable.Length)));
        Assert.InRange(group.Engine.Read(2).Selected, expected - (5 * deviation) - 1, expected + (5 * deviation) + 1);
    }

    [Fact]
    public void A_successor_continues_with_the_descriptors()
    {
        using var group = new Group("udp://127.0.0.1:0", ByFlow, sockets: 2);
        group.Turn(0);
        using var client = new Client("127.0.0.1", group.Port);
        client.Send("1");
        var passed = group.Engine.Descriptors.ToDictionary(pair => pair.Key, pair => Descriptors.Duplicate(pair.Value, out _)!);
        using var successor = SteeringEngine.Restore(group.Engine.Terms, passed.GetValueOrDefault);
        Assert.Null(successor!.Turn(SteeringTable.Build([new SteeringTarget(1, 2)], null, 0)));
        using var other = new Client("127.0.0.1", group.Port);
        other.Send("other");
        client.Send("2");
        Assert.Equal(["1 2", "other"], group.Received());
    }

    [Fact]
    public void A_missing_descriptor_ends_the_succession()
    {
        Assert.Null(SteeringEngine.Restore(new SteeringTerms(ListenerKind.Tcp, null), _ => null));
    }

    [Fact]
    public void Multipath_tcp_is_refused_with_the_reason()
    {
        Assert.Null(SteeringEngine.Create(new SteeringTerms(ListenerKind.Mptcp, null), out var whyNot));
        Assert.Contains("mptcp://", whyNot, StringComparison.Ordinal);
    }

    private sealed class Group : IDisposable
    {
        public Group(string address, AffinityOptions? affinity, int sockets)
        {
            Handle = Given.Listener(address, spec => spec with { Shards = sockets });
            Engine = SteeringEngine.Create(new SteeringTerms(Handle.Spec.Address.Kind, affinity), out var whyNot)
                ?? throw new InvalidOperationException(whyNot);
            Assert.Null(Engine.Attach(Handle.Descriptor!));
            for (var slot = 0; slot < sockets; slot++)
            {
                Assert.Null(Engine.Put(slot, Handle.Sockets[slot].Descriptor));
            }
        }

        public ListenerHandle Handle { get; }

        public SteeringEngine Engine { get; }

        public int Port => (int)Handle.Effective!.Port;

        public void Turn(int slot) => Assert.Null(Engine.Turn(SteeringTable.Build([new SteeringTarget(slot, slot)], null, 0)));

        public string[] Received() => [.. Handle.Sockets.Select(socket => string.Join(' ', Read(socket).Select(Encoding.ASCII.GetString)))];

        public int[] Counts() => [.. Handle.Sockets.Select(socket => Read(socket).Count)];

        public long[] Selected() => [.. Handle.Sockets.Select((_, slot) => Engine.Read(slot).Selected)];

        public long[] Waiting() =>
            [.. Handle.Sockets.Select(socket => AcceptQueue.Read(socket.Descriptor, ListenerKind.Tcp, socket.Inode)?.Length ?? 0)];

        public void Dispose()
        {
            Engine.Dispose();
            Handle.Dispose();
        }

        private static List<byte[]> Read(ListenerSocket socket)
        {
            var all = new List<byte[]>();
            using var reader = new Socket(Descriptors.Duplicate(socket.Descriptor, out _)!.IntoSocket());
            var buffer = new byte[65536];
            while (reader.Available > 0 || reader.Poll(0, SelectMode.SelectRead))
            {
                all.Add(buffer[..reader.Receive(buffer)]);
            }

            return all;
        }
    }

    private sealed class Client : IDisposable
    {
        private readonly Socket _socket;

        public Client(string at, int port, bool withOptions = false)
        {
            var address = IPAddress.Parse(at);
            _socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            if (withOptions)
            {
                // linux/in.h, IP_OPTIONS: four times "no operation". linux/in6.h, IPV6_DSTOPTS: a header of eight bytes with padding.
                var isIPv4 = address.AddressFamily == AddressFamily.InterNetwork;
                _socket.SetRawSocketOption(isIPv4 ? 0 : 41, isIPv4 ? 4 : 59, isIPv4 ? [1, 1, 1, 1] : [0, 0, 1, 4, 0, 0, 0, 0]);
            }

            _socket.Connect(address, port);
        }

        public void Send(string text) => Send(Encoding.ASCII.GetBytes(text));

        public void Send(byte[] datagram) => Assert.Equal(datagram.Length, _socket.Send(datagram));

        public void Dispose() => _socket.Dispose();
    }
}
