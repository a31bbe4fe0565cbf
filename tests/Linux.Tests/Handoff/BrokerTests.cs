using System.Text;
using System.Text.Json;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Handoff;

/// <summary>The broker over real sockets: who receives what, what is rejected, and that no resource leaks.</summary>
public class BrokerTests : KernelTest
{
    [Fact]
    public void A_take_gives_the_requested_listeners_in_order()
    {
        using var broker = new BrokerUnderTest(
            BrokerUnderTest.Listener("one"),
            BrokerUnderTest.Listener("two"),
            BrokerUnderTest.Listener("three"));
        using var client = broker.Client();
        using var answer = client.Ask(BrokerClient.TakeRequest(["three", "one"]));
        Assert.Equal(["three", "one"], answer.Handles);
        Assert.Equal(
            new[] { 2, 0 }.Select(i => $"socket:[{broker.Handles[i].Inode}]"),
            answer.Descriptors.Select(descriptor => ProcessDescriptors.LinkOf(descriptor.Number)));
        Assert.All(answer.Descriptors, descriptor => Assert.Equal(1, Libc.GetFlags(descriptor, ofDescriptor: true)));
        using var document = JsonDocument.Parse(Assert.Single(answer.Packets));
        var handle = document.RootElement.GetProperty("handles")[0];
        Assert.Equal(
            ("three", "tcp", "tcp://127.0.0.1:0", broker.Handles[2].Effective!.ToString(), 4096),
            (handle.GetProperty("name").GetString(), handle.GetProperty("kind").GetString(), handle.GetProperty(
                "requested").GetString(), handle.GetProperty("effective").GetString(), handle.GetProperty("backlog")
                    .GetProperty("requested")
                    .GetInt32()));
        Assert.False(document.RootElement.GetProperty("more").GetBoolean());
        Assert.Equal([1, 0, 1], broker.Handles.Select(one => broker.On(() => one.History.Entries
            .Count(entry => entry is { Phase: HandlePhase.Handoff, Call: "sendmsg" } && entry.Actor!.Pid == Environment.ProcessId))));
    }

    [Theory]
    [InlineData("one,nothing", "not-found")]
    [InlineData("one,broken", "not-found")]
    public void A_take_is_all_or_nothing(string names, string code)
    {
        var broken = Given.Attempt("tcp://192.0.2.1:0", spec => spec with { Name = "broken" });
        Assert.NotNull(broken.Failure);
        using var broker = new BrokerUnderTest(BrokerUnderTest.Listener("one"), broken);
        using var client = broker.Client();
        using var answer = client.Ask(BrokerClient.TakeRequest(names.Split(',')));
        Assert.Equal((code, 0), (answer.Code, answer.Descriptors.Count));
    }

    [Fact]
    public void Another_user_gets_only_the_listeners_that_allow_it()
    {
        using var broker = new BrokerUnderTest(
            BrokerUnderTest.Listener("user", spec => spec with { Allow = ["user:4711", "user:nobody"] }),
            BrokerUnderTest.Listener("group", spec => spec with { Allow = ["group:nogroup"] }),
            BrokerUnderTest.Listener("others", spec => spec with { Allow = ["user:4711", "group:4711", "user:no-such-user"] }),
            BrokerUnderTest.Listener("nobody"));
        KernelThread.AsNobody(() =>
        {
            using var client = broker.Client();
            (string Names, string? Code)[] expected =
            [
                ("user", null), ("group", null), ("user,group", null),
                ("others", "denied"), ("nobody", "denied"), ("user,nobody", "denied"),
            ];
            foreach (var (names, code) in expected)
            {
                using var answer = client.Ask(BrokerClient.TakeRequest(names.Split(',')));
                Assert.Equal((names, code, code is null ? names.Split(',').Length : 0), (names, answer.Code, answer.Descriptors.Count));
            }

            using var list = client.Ask(BrokerClient.Request("list"));
            Assert.Equal(["user", "group"], list.Handles);
            Assert.Equal("denied", Put(client, "mine"));
            using var drop = client.Ask(BrokerClient.Request("drop", "user"));
            Assert.Equal("denied", drop.Code);
        });
    }

    [Fact]
    public void A_worker_gets_the_listeners_of_its_service()
    {
        using var broker = new BrokerUnderTest(BrokerUnderTest.Listener("listed"), BrokerUnderTest.Listener("other"))
        {
            Services = pid => pid == Environment.ProcessId ? new BrokerService("api", ["listed"]) : null,
        };
        KernelThread.AsNobody(() =>
        {
            using var client = broker.Client();
            using var listed = client.Ask(BrokerClient.TakeRequest(["listed"]));
            Assert.Single(listed.Descriptors);
            using var other = client.Ask(BrokerClient.TakeRequest(["other"]));
            Assert.Equal(("denied", 0), (other.Code, other.Descriptors.Count));
        });
    }

    [Fact]
    public void A_large_answer_is_split_into_several_packets()
    {
        using var broker = new BrokerUnderTest(BrokerUnderTest.Many(600));
        using var client = broker.Client();
        using var answer = client.Ask(BrokerClient.TakeRequest(broker.Handles.Select(handle => handle.Name)));
        Assert.Equal(
            broker.Handles.Select(handle => $"socket:[{handle.Inode}]"),
            answer.Descriptors.Select(descriptor => ProcessDescriptors.LinkOf(descriptor.Number)));
        Assert.Equal(3, answer.Packets.Count);
        Assert.All(answer.Packets, packet => Assert.True(packet.Length <= BrokerRequest.MaxBytes));
        using var list = client.Ask(BrokerClient.Request("list"));
        Assert.Equal(answer.Handles, list.Handles);
    }

    [Fact]
    public void A_delayed_packet_stays_correct_after_other_packets()
    {
        using var broker = new BrokerUnderTest(BrokerUnderTest.Many(2500));
        using var slow = broker.Client();
        using var client = broker.Client();
        string[] names = [.. broker.Handles.Select(handle => handle.Name)];
        Assert.True(DescriptorPassing.Send(slow.Socket, BrokerClient.TakeRequest(names), [], wait: true, out _));
        for (var i = 0; i < 2; i++)
        {
            using var answer = client.Ask(BrokerClient.TakeRequest(names.Reverse()));
            Assert.Equal(names.Reverse(), answer.Handles);
            Assert.Equal(
                broker.Handles.Reverse().Select(handle => $"socket:[{handle.Inode}]"),
                answer.Descriptors.Select(descriptor => ProcessDescriptors.LinkOf(descriptor.Number)));
        }

        // The first reply belongs to the first request.
        using var late = slow.Ask(BrokerClient.Request("list"));
        Assert.Equal(names, late.Handles);
        Assert.Equal(
            broker.Handles.Select(handle => $"socket:[{handle.Inode}]"),
            late.Descriptors.Select(descriptor => ProcessDescriptors.LinkOf(descriptor.Number)));
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:0", 5, "tcp", "listening")]
    [InlineData("tcp://[::1]:0", null, "tcp", "bound")]
    [InlineData("udp://127.0.0.1:0", null, "udp", "bound")]
    [InlineData("unix://@linux-tests-put", 7, "unix", "listening")]
    [InlineData("unix-seqpacket://@linux-tests-put", 7, "unix-seqpacket", "listening")]
    public void A_put_descriptor_is_read_back_and_kept_unchanged(string address, int? backlog, string kind, string state)
    {
        using var broker = new BrokerUnderTest();
        using var client = broker.Client();
        string bound;
        using (var given = Loopback.Bound(address, backlog))
        {
            bound = Loopback.AddressOf(given).ToString();
            using var put = client.Ask(BrokerClient.Request("put", "legacy"), given);
            Assert.Null(put.Error);
        }

        var handle = Assert.Single(broker.Handles);
        Assert.Equal((kind, state, bound), (handle.Spec.Address.Kind.Scheme(), handle.StateWord(), handle.Effective!.ToString()));
        Assert.Equal((HandleOrigin.Given, true), (handle.Origin, handle.IsGiven));
        Assert.Equal(
            (HandlePhase.Adopt, "recvmsg", Environment.ProcessId),
            handle.History.Entries.Select(entry => (entry.Phase, entry.Call, entry.Actor!.Pid)).First());
        Assert.DoesNotContain(handle.History.Entries, entry => entry.Call is "listen" or "setsockopt");
        Assert.Equal(1, Libc.GetFlags(handle.Descriptor!, ofDescriptor: true));
        using var taken = client.Ask(BrokerClient.TakeRequest(["legacy"]));
        Assert.Equal($"socket:[{handle.Inode}]", ProcessDescriptors.LinkOf(Assert.Single(taken.Descriptors).Number));
        using var dropped = client.Ask(BrokerClient.Request("drop", "legacy"));
        Assert.Null(dropped.Error);
        using var gone = client.Ask(BrokerClient.TakeRequest(["legacy"]));
        Assert.Equal("not-found", gone.Code);
    }

    [Fact]
    public void A_put_descriptor_that_cannot_be_a_listener_is_kept()
    {
        Assert.Null(Files.Pipe(out var reader, out var writer));
        using (reader)
        using (writer)
        using (var broker = new BrokerUnderTest())
        using (var client = broker.Client())
        {
            using var put = client.Ask(BrokerClient.Request("put", "pipe"), reader);
            Assert.Null(put.Error);
            var handle = Assert.Single(broker.Handles);
            Assert.Equal(("held", ProcessDescriptors.LinkOf(reader!.Number)), (handle.StateWord(), handle.Effective!.ToString()));
            using var taken = client.Ask(BrokerClient.TakeRequest(["pipe"]));
            Libc.Write(writer!, "x"u8);
            Span<byte> one = stackalloc byte[1];
            Assert.Equal(1, Files.Read(Assert.Single(taken.Descriptors), one, out _));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"method\":\"steal\"}")]
    [InlineData("{\"method\":1}")]
    [InlineData("{\"method\":\"take\"}")]
    [InlineData("{\"method\":\"take\",\"listeners\":[]}")]
    [InlineData("{\"method\":\"take\",\"listeners\":\"one\"}")]
    [InlineData("{\"method\":\"take\",\"listeners\":[1]}")]
    [InlineData("{\"method\":\"take\",\"listeners\":[\"one\",\"one\"]}")]
    [InlineData("{\"method\":\"put\",\"name\":\"x\"}")]
    [InlineData("{\"method\":\"put\"}")]
    [InlineData("{\"method\":\"put\",\"name\":\"a b\"}")]
    [InlineData("{\"method\":\"drop\",\"name\":\"../x\"}")]
    [InlineData("{\"method\":\"list\"} {\"method\":\"list\"}")]
    public void An_invalid_request_is_rejected_and_the_next_is_read(string request)
    {
        using var broker = new BrokerUnderTest(BrokerUnderTest.Listener("one"));
        using var client = broker.Client();

        // An empty packet cannot be distinguished from the end of the connection (recv(2)).
        using (var answer = client.Ask(Encoding.UTF8.GetBytes(request.Length == 0 ? "\0" : request)))
        {
            Assert.Equal("invalid", answer.Code);
        }

        using var next = client.Ask(BrokerClient.Request("list"));
        Assert.Equal(["one"], next.Handles);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Oversized_requests_and_stray_descriptors_are_rejected(bool asNobody)
    {
        using var broker = new BrokerUnderTest(BrokerUnderTest.Listener("one", spec => spec with { Allow = ["user:nobody"] }));
        void Body()
        {
            using var client = broker.Client();
            using (var large = client.Ask(new byte[BrokerRequest.MaxBytes + 1]))
            {
                Assert.Equal("too-large", large.Code);
            }

            using var nothing = Files.Open("/dev/null", 0, 0, out _)!;
            using (var riding = client.Ask(BrokerClient.Request("list"), nothing))
            {
                Assert.Equal("invalid", riding.Code);
            }

            using var next = client.Ask(BrokerClient.TakeRequest(["one"]));
            Assert.Single(next.Descriptors);
        }

        if (asNobody)
        {
            KernelThread.AsNobody(Body);
        }
        else
        {
            Body();
        }
    }

    [Fact]
    public void A_put_accepts_exactly_one_descriptor()
    {
        using var broker = new BrokerUnderTest();
        using var connection = broker.Connect();
        using var nothing = Files.Open("/dev/null", 0, 0, out _)!;
        Assert.True(DescriptorPassing.Send(connection, BrokerClient.Request("put", "x"), [nothing, nothing], wait: true, out _));
        Assert.Contains("invalid", Encoding.UTF8.GetString(Libc.Receive(connection)), StringComparison.Ordinal);
        Assert.Empty(broker.Handles);
    }

    [Fact]
    public void A_client_that_does_not_read_blocks_no_other_client()
    {
        using var broker = new BrokerUnderTest(BrokerUnderTest.Many(200));
        using var client = broker.Client();
        using (var slow = broker.Connect())
        {
            // Until the slow client's buffer is full: the broker reads no more requests than it can answer.
            var request = BrokerClient.Request("list");
            var sent = 0;
            while (DescriptorPassing.Send(slow, request, [], wait: false, out var error) && sent < 100_000)
            {
                Assert.Null(error);
                sent++;
            }

            Assert.InRange(sent, 1, 99_999);
            using var answer = client.Ask(BrokerClient.TakeRequest(["n7"]));
            Assert.Single(answer.Descriptors);
            Assert.Equal(2, broker.On(() => broker.Broker.Connections));
        }

        using var after = client.Ask(BrokerClient.TakeRequest(["n7"]));
        Assert.Equal(1, broker.On(() => broker.Broker.Connections));
    }

    [Fact]
    public void A_connection_flood_gets_busy_and_other_users_are_served()
    {
        using var broker = new BrokerUnderTest(BrokerUnderTest.Listener("one", spec => spec with { Allow = ["user:nobody"] }));
        KernelThread.AsNobody(() =>
        {
            var flood = new List<DescriptorHandle>();
            for (var i = 0; i < BrokerAdmission.MaxConnectionsPerUser; i++)
            {
                flood.Add(broker.Connect());
            }

            using (var more = broker.Client())
            using (var answer = more.Ask(BrokerClient.TakeRequest(["one"])))
            {
                Assert.Equal(("busy", 0), (answer.Code, answer.Descriptors.Count));
            }

            flood.ForEach(one => one.Dispose());
        });
        using var client = broker.Client();
        using var served = client.Ask(BrokerClient.TakeRequest(["one"]));
        Assert.Single(served.Descriptors);
    }

    [Fact]
    public void Repeated_takes_leak_no_descriptor()
    {
        var takes = Repetitions("LISTEND_TAKES", 2_000);
        using var broker = new BrokerUnderTest(BrokerUnderTest.Listener("one"), BrokerUnderTest.Listener("two"));
        using (var warm = broker.Client())
        {
            using var first = warm.Ask(BrokerClient.TakeRequest(["one"]));
        }

        var before = broker.On(ProcessDescriptors.Open);
        for (var i = 0; i < takes; i += 10)
        {
            using var client = broker.Client();
            for (var j = 0; j < 10; j++)
            {
                using var answer = client.Ask(BrokerClient.TakeRequest(["one", "two"]));
                Assert.Equal(2, answer.Descriptors.Count);
            }
        }

        using (var last = broker.Client())
        {
            using var list = last.Ask(BrokerClient.Request("list"));
        }

        Assert.True(SpinWait.SpinUntil(() => broker.On(() => broker.Broker.Connections) == 0, Patience));

        // The disposer may still close the last ones; the link to it stays open once it has started.
        SpinWait.SpinUntil(() => broker.On(ProcessDescriptors.Open).Count <= before.Count + 1, Patience);
        Assert.InRange(broker.On(ProcessDescriptors.Open).Except(before).Count(), 0, 1);
    }

    /// <summary>
    /// Mutations of valid requests, with and without descriptors: the broker answers each or closes its connection, and
    /// continues.
    /// </summary>
    [Fact]
    public void Random_requests_do_not_break_the_broker()
    {
        var rounds = Repetitions("LISTEND_FUZZ", 5_000);
        var seed = Repetitions("LISTEND_FUZZ_SEED", Random.Shared.Next());
        var random = new Random(seed);
        using var broker = new BrokerUnderTest(BrokerUnderTest.Many(300));
        using var nothing = Files.Open("/dev/null", 0, 0, out _)!;
        byte[][] good = [BrokerClient.TakeRequest(["n1"]), BrokerClient.TakeRequest(["n1", "n2", "n299"]), BrokerClient.Request(
            "put",
            "x"), BrokerClient.Request("drop", "x"), BrokerClient.Request("list")];
        var client = broker.Client();
        try
        {
            for (var i = 0; i < rounds; i++)
            {
                var request = Mutate(random, good);
                try
                {
                    using var answer = client.Ask(request, random.Next(4) == 0 ? nothing : null);
                    Assert.True(
                        answer.Error is null || answer.Code is "invalid" or "not-found" or "denied" or "too-large" or "busy",
                        $"seed {seed}, round {i}: {answer.Code}");
                }
                catch (IOException)
                {
                    // An empty packet counts as the end of the connection.
                    Assert.True(request.Length == 0, $"seed {seed}, round {i}: {Convert.ToHexString(request)}");
                    client.Dispose();
                    client = broker.Client();
                }
            }

            using var list = client.Ask(BrokerClient.Request("list"));
            Assert.True(list.Handles.Count >= 300);
        }
        finally
        {
            client.Dispose();
        }
    }

    private static byte[] Mutate(Random random, byte[][] good)
    {
        var request = good[random.Next(good.Length)].ToList();
        for (var changes = random.Next(4); changes > 0; changes--)
        {
            var at = random.Next(request.Count + 1);
            switch (random.Next(6))
            {
                case 0 when at < request.Count:
                    request[at] = (byte)random.Next(256);
                    break;
                case 1 when at < request.Count:
                    request.RemoveRange(at, random.Next(request.Count - at) + 1);
                    break;
                case 2:
                    request.InsertRange(at, good[random.Next(good.Length)]);
                    break;
                case 3:
                    request.Insert(at, "\"{}[]:,\\ue\0"u8[random.Next(11)]);
                    break;
                case 4 when at < request.Count:
                    request[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 5 when random.Next(100) == 0:
                    request.InsertRange(at, new byte[BrokerRequest.MaxBytes]);
                    break;
                default:
                    break;
            }
        }

        return [.. request];
    }

    private static string? Put(BrokerClient client, string name)
    {
        using var nothing = Files.Open("/dev/null", 0, 0, out _)!;
        using var answer = client.Ask(BrokerClient.Request("put", name), nothing);
        return answer.Code;
    }

    private static int Repetitions(string variable, int fewer) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : fewer;
}
