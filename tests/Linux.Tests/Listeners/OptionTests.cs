using System.Text;
using Serilog.Events;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Listeners;

/// <summary>
/// Each option of the catalogue: the requested value, the result in the history, and the value that the kernel reports.
/// </summary>
public class OptionTests : KernelTest
{
    /// <summary>A listener with the option, the verdict, the effective value, and a word of the note.</summary>
    public static TheoryData<string, string, Func<ListenerSpec, ListenerSpec>, Verdict, long, string?> Options()
    {
        const string tcp = "tcp://127.0.0.1:0";
        const string tcp6 = "tcp://[::1]:0";
        const string both = "tcp://[::]:0";
        const string udp = "udp://127.0.0.1:0";
        const string udp6 = "udp://[::]:0";
        const string unix = "unix://@linux-tests-options";
        static Func<ListenerSpec, ListenerSpec> Bind(BindOptions options) => spec => spec with { Bind = options };
        static Func<ListenerSpec, ListenerSpec> Buffers(BufferOptions options) => spec => spec with { Buffers = options };
        static Func<ListenerSpec, ListenerSpec> Listen(ListenOptions options) => spec => spec with { Listen = options };
        static Func<ListenerSpec, ListenerSpec> Accepted(AcceptedOptions options) => spec => spec with { Accepted = options };
        static Func<ListenerSpec, ListenerSpec> Datagram(DatagramOptions options) => spec => spec with { Datagram = options };
        var (receive, send) = (Sysctl.ReadNumber("net.core.rmem_max")!.Value, Sysctl.ReadNumber("net.core.wmem_max")!.Value);
        var somaxconn = Sysctl.ReadNumber("net.core.somaxconn")!.Value;
        return new()
        {
            { tcp, "SO_REUSEADDR", spec => spec, Verdict.Exact, 1, null },
            { udp, "SO_REUSEADDR", Bind(new() { ReuseAddress = true }), Verdict.Exact, 1, null },
            { tcp, "SO_REUSEPORT", Bind(new() { ReusePort = true }), Verdict.Exact, 1, null },
            { both, "IPV6_V6ONLY", spec => spec, Verdict.Exact, 0, null },
            { both, "IPV6_V6ONLY", Bind(new() { IPv6Only = true }), Verdict.Exact, 1, null },
            { tcp, "IP_FREEBIND", Bind(new() { FreeBind = true }), Verdict.Exact, 1, null },
            { tcp6, "IP_FREEBIND", Bind(new() { FreeBind = true }), Verdict.Exact, 1, null },
            { tcp, "IP_TRANSPARENT", Bind(new() { Transparent = true }), Verdict.Exact, 1, null },
            { tcp6, "IP_TRANSPARENT", Bind(new() { Transparent = true }), Verdict.Exact, 1, null },
            { tcp, "SO_MARK", Bind(new() { Mark = 7 }), Verdict.Exact, 7, null },
            { tcp, "SO_MARK", Bind(new() { Mark = uint.MaxValue }), Verdict.Exact, uint.MaxValue, null },
            { unix, "SO_PASSCRED", spec => spec with { Unix = new() { PassCredentials = true } }, Verdict.Exact, 1, null },
            { unix, "SO_PASSSEC", spec => spec with { Unix = new() { PassSecurity = true } }, Verdict.Exact, 1, null },
            { unix, "SO_PASSPIDFD", spec => spec with { Unix = new() { PassPidfd = true } }, Verdict.Exact, 1, null },
            { tcp, "SO_PRIORITY", Bind(new() { Priority = 5 }), Verdict.Exact, 5, null },
            { udp, "SO_TIMESTAMP", Datagram(new() { Timestamping = TimestampUnit.Microseconds }), Verdict.Exact, 1, null },
            { udp6, "SO_TIMESTAMPNS", Datagram(new() { Timestamping = TimestampUnit.Nanoseconds }), Verdict.Exact, 1, null },
            { tcp, "SO_RCVBUF", Buffers(new() { Receive = 100_000 }), Verdict.Adjusted, 200_000, "doubled" },
            { tcp, "SO_SNDBUF", Buffers(new() { Send = 100_000 }), Verdict.Adjusted, 200_000, "doubled" },
            { udp, "SO_RCVBUF", Buffers(new() { Receive = 100_000 }), Verdict.Adjusted, 200_000, "doubled" },
            { unix, "SO_SNDBUF", Buffers(new() { Send = 100_000 }), Verdict.Adjusted, 200_000, "doubled" },
            { tcp, "SO_RCVBUF", Buffers(new() { Receive = int.MaxValue }), Verdict.Adjusted, receive * 2, "net.core.rmem_max" },
            { tcp, "SO_SNDBUF", Buffers(new() { Send = int.MaxValue }), Verdict.Adjusted, send * 2, "net.core.wmem_max" },
            { tcp, "SO_RCVBUF", Buffers(new() { Receive = 1 }), Verdict.Adjusted, 2304, "minimum" },
            { tcp, "SO_RCVBUFFORCE", Buffers(new() { Receive = 64 << 20, Force = true }), Verdict.Adjusted, 128 << 20, "doubled" },
            { tcp, "SO_SNDBUFFORCE", Buffers(new() { Send = 64 << 20, Force = true }), Verdict.Adjusted, 128 << 20, "doubled" },
            { tcp, "TCP_DEFER_ACCEPT", Listen(new() { DeferAccept = TimeSpan.FromSeconds(3) }), Verdict.Exact, 3, null },
            { tcp, "TCP_DEFER_ACCEPT", Listen(new() { DeferAccept = TimeSpan.FromSeconds(10) }), Verdict.Adjusted, 15, "rounded" },
            {
                tcp,
                "TCP_FASTOPEN",
                Listen(new() { FastOpen = 256 }),
                Verdict.Exact,
                256,
                (Sysctl.ReadNumber("net.ipv4.tcp_fastopen") & 2) == 0 ? "net.ipv4.tcp_fastopen" : null },
            { tcp, "TCP_FASTOPEN", Listen(new() { FastOpen = (int)somaxconn + 1 }), Verdict.Adjusted, somaxconn, "net.core.somaxconn" },
            { tcp, "TCP_NODELAY", Accepted(new() { NoDelay = true }), Verdict.Exact, 1, null },
            { tcp, "TCP_NODELAY", Accepted(new() { NoDelay = false }), Verdict.Exact, 0, null },
            { tcp, "SO_KEEPALIVE", Accepted(new() { KeepAlive = true }), Verdict.Exact, 1, null },
            { tcp, "TCP_KEEPIDLE", Accepted(new() { KeepAliveIdle = TimeSpan.FromSeconds(61) }), Verdict.Exact, 61, null },
            { tcp, "TCP_KEEPINTVL", Accepted(new() { KeepAliveInterval = TimeSpan.FromSeconds(11) }), Verdict.Exact, 11, null },
            { tcp, "TCP_KEEPCNT", Accepted(new() { KeepAliveProbes = 4 }), Verdict.Exact, 4, null },
            { tcp, "TCP_USER_TIMEOUT", Accepted(new() { UserTimeout = TimeSpan.FromSeconds(30) }), Verdict.Exact, 30_000, null },
            { tcp, "SO_LINGER", Accepted(new() { Linger = TimeSpan.FromSeconds(5) }), Verdict.Exact, 5, null },
            { tcp, "SO_LINGER", Accepted(new() { Linger = TimeSpan.Zero }), Verdict.Exact, 0, null },
            { tcp, "TCP_NOTSENT_LOWAT", Accepted(new() { NotSentLowWater = 16_384 }), Verdict.Exact, 16_384, null },
            { tcp, "IP_TOS", Accepted(new() { TypeOfService = 16 }), Verdict.Exact, 16, null },
            { tcp, "IP_TOS", Accepted(new() { TypeOfService = 19 }), Verdict.Adjusted, 16, "ECN" },
            { both, "IP_TOS", Accepted(new() { TypeOfService = 16 }), Verdict.Exact, 16, null },
            { both, "IPV6_TCLASS", Accepted(new() { TypeOfService = 16 }), Verdict.Exact, 16, null },
            { tcp6, "IPV6_TCLASS", Accepted(new() { TypeOfService = 16 }), Verdict.Exact, 16, null },
            { tcp, "IP_TTL", Accepted(new() { TimeToLive = 33 }), Verdict.Exact, 33, null },
            { both, "IP_TTL", Accepted(new() { TimeToLive = 33 }), Verdict.Exact, 33, null },
            { both, "IPV6_UNICAST_HOPS", Accepted(new() { TimeToLive = 33 }), Verdict.Exact, 33, null },
            { udp, "SO_BROADCAST", Datagram(new() { Broadcast = true }), Verdict.Exact, 1, null },
            { udp, "IP_PKTINFO", Datagram(new() { PacketInfo = true }), Verdict.Exact, 1, null },
            { udp6, "IP_PKTINFO", Datagram(new() { PacketInfo = true }), Verdict.Exact, 1, null },
            { udp6, "IPV6_RECVPKTINFO", Datagram(new() { PacketInfo = true }), Verdict.Exact, 1, null },
        };
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void The_history_shows_the_values_that_the_kernel_keeps(
        string address,
        string name,
        Func<ListenerSpec, ListenerSpec> configure,
        Verdict verdict,
        long effective,
        string? note)
    {
        using var handle = Given.Listener(address, configure);
        var option = SocketOptions.All.Single(option => option.Name == name);
        var entry = Assert.Single(handle.History.Entries, entry => entry.Option == name);
        Assert.Equal(
            ("setsockopt", option.Phase, verdict, OptionValue.Of(effective)),
            (entry.Call, entry.Phase, entry.Verdict, entry.Effective));
        if (note is null)
        {
            Assert.Null(entry.Note);
        }
        else
        {
            Assert.Contains(note, entry.Note, StringComparison.Ordinal);
        }

        Assert.Equal((entry.Requested!.Value, entry.Effective, entry.Verdict), handle.Asked.Of(option)!.Value);
        var raw = Libc.GetOption(handle.Descriptor!, option.Level, option.ReadNumber)!;
        Assert.Equal(effective, name switch
        {
            "SO_LINGER" => BitConverter.ToInt32(raw, 0) == 1 ? BitConverter.ToInt32(raw, 4) : -1,
            "SO_MARK" => BitConverter.ToUInt32(raw),
            _ when raw.Length == 1 => raw[0],
            _ => BitConverter.ToInt32(raw),
        });
    }

    [Fact]
    public void These_tests_set_every_option_of_the_catalogue()
    {
        var named = Options().Select(row => (string)row[1]).Concat(["SO_BINDTODEVICE", "TCP_CONGESTION"]);
        Assert.Empty(SocketOptions.All.Select(option => option.Name).Except(named));
    }

    [Fact]
    public void A_congestion_control_is_set_by_name()
    {
        var name = Sysctl.Read("net.ipv4.tcp_available_congestion_control")!.Split(' ')
            .First(name => name != Sysctl.Read("net.ipv4.tcp_congestion_control"));
        using var handle = Given.Listener("tcp://127.0.0.1:0", spec => spec with { Accepted = new() { Congestion = name } });
        var entry = Assert.Single(handle.History.Entries, entry => entry.Option == "TCP_CONGESTION");
        Assert.Equal((Verdict.Exact, OptionValue.Of(name)), (entry.Verdict, entry.Effective));
        Assert.StartsWith(name + "\0", Encoding.UTF8.GetString(Libc.GetOption(handle.Descriptor!, 6, 13)!), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_congestion_control_does_not_fail_the_listener()
    {
        var (log, events) = Given.Log();
        using var handle = Given.Factory(log)
            .Create(Given.Spec("tcp://127.0.0.1:0", spec => spec with { Accepted = new() { Congestion = "nosuch" } }));
        Assert.Null(handle.Failure);
        var entry = Assert.Single(handle.History.Entries, entry => entry.Option == "TCP_CONGESTION");
        Assert.Equal(("ENOENT", Verdict.Refused, OptionValue.Of("nosuch")), (entry.Errno, entry.Verdict, entry.Requested));
        Assert.Equal(OptionValue.Of(Sysctl.Read("net.ipv4.tcp_congestion_control")!), entry.Effective);
        Assert.Contains("tcp_available_congestion_control", entry.Note, StringComparison.Ordinal);
        Assert.Single(
            events,
            logged => logged.Level == LogEventLevel.Warning && logged.RenderMessage(null).Contains("ENOENT", StringComparison.Ordinal));
    }

    [Fact]
    public void A_refused_mark_does_not_fail_the_listener() => KernelThread.AsNobody(() =>
    {
        using var handle = Given.Listener("tcp://127.0.0.1:0", spec => spec with { Bind = new() { Mark = 7 } });
        var entry = Assert.Single(handle.History.Entries, entry => entry.Option == "SO_MARK");
        Assert.Equal(("EPERM", Verdict.Refused, OptionValue.Of(0)), (entry.Errno, entry.Verdict, entry.Effective));
        Assert.Contains("CAP_NET_ADMIN", entry.Note, StringComparison.Ordinal);
    });

    [Fact]
    public void A_refused_transparent_option_fails_the_listener() => KernelThread.AsNobody(() =>
    {
        using var handle = Given.Attempt("tcp://127.0.0.1:0", spec => spec with { Bind = new() { Transparent = true } });
        Assert.Equal(("setsockopt", "EPERM"), (handle.Failure!.Call, handle.Failure.Name));
        Assert.Null(handle.Descriptor);
        Assert.Equal(BindCause.OptionNotPermitted, handle.Diagnosis?.Cause);
    });

    [Fact]
    public void A_refused_forced_buffer_falls_back_to_the_plain_buffer() => KernelThread.AsNobody(() =>
    {
        using var handle = Given.Listener("tcp://127.0.0.1:0", spec => spec with { Buffers = new() { Receive = 100_000, Force = true } });
        Assert.Equal(
            [("SO_RCVBUFFORCE", "EPERM", Verdict.Refused), ("SO_RCVBUF", null, Verdict.Adjusted)],
            handle.History.Entries.Where(entry => entry.Phase == HandlePhase.PreListen)
                .Select(entry => (entry.Option!, entry.Errno, entry.Verdict)));
        Assert.Equal(200_000, Libc.GetOptionInt32(handle.Descriptor!, 1, 8));
    });

    [Fact]
    public void A_backlog_above_somaxconn_names_the_sysctl()
    {
        var somaxconn = Sysctl.ReadNumber("net.core.somaxconn")!.Value;
        foreach (var address in new[] { "tcp://127.0.0.1:0", "unix://@linux-tests-backlog", "mptcp://127.0.0.1:0" })
        {
            var (log, events) = Given.Log();
            using var handle = Given.Factory(log)
                .Create(Given.Spec(address, spec => spec with { Listen = new() { Backlog = (int)somaxconn + 1 } }));
            var entry = Assert.Single(handle.History.Entries, entry => entry.Call == "listen");
            Assert.Equal((Verdict.Adjusted, OptionValue.Of(somaxconn)), (entry.Verdict, entry.Effective));
            Assert.Contains($"net.core.somaxconn = {somaxconn}", entry.Note, StringComparison.Ordinal);
            Assert.Single(events, logged => logged.Level == LogEventLevel.Warning);
        }
    }

    /// <summary>The sysctl belongs to the network namespace.</summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(3, false)]
    public void Fast_open_that_the_host_disables_is_explained(int sysctl, bool noted) => KernelThread.InNewNetwork(() =>
    {
        File.WriteAllText("/proc/sys/net/ipv4/tcp_fastopen", sysctl.ToString(System.Globalization.CultureInfo.InvariantCulture));
        using var handle = Given.Listener("tcp://127.0.0.1:0", spec => spec with { Listen = new() { FastOpen = 16 } });
        var entry = Assert.Single(handle.History.Entries, entry => entry.Option == "TCP_FASTOPEN");
        Assert.Equal((Verdict.Exact, OptionValue.Of(16)), (entry.Verdict, entry.Effective));
        Assert.Equal(noted, entry.Note?.Contains($"net.ipv4.tcp_fastopen = {sysctl}", StringComparison.Ordinal) == true);
    });

    [Fact]
    public void The_calls_are_made_in_the_correct_order()
    {
        using var handle = Given.Listener("tcp://[::1]:0", spec => spec with
        {
            Bind = new() { ReusePort = true, FreeBind = true, Mark = 1 },
            Buffers = new() { Receive = 10_000, Send = 10_000 },
            Listen = new() { Backlog = 7, DeferAccept = TimeSpan.FromSeconds(1), FastOpen = 1 },
            Accepted = new() { NoDelay = true, TimeToLive = 9 },
        });
        var entries = handle.History.Entries.ToList();
        Assert.Equal(entries.Select(entry => entry.Phase).Order(), entries.Select(entry => entry.Phase));
        Assert.Equal(
            ["socket", "bind", "listen", "getsockname", "getsockopt"],
            entries.Select(entry => entry.Call).Where(call => call != "setsockopt"));
        Assert.Equal(Enumerable.Range(1, entries.Count).Select(number => (long)number), entries.Select(entry => entry.Seq));
        Assert.All(entries, entry => Assert.Equal((Processes.CurrentPid, "listend"), (entry.Actor!.Pid, entry.Actor.Name)));
    }

    /// <summary>MPTCP has fewer options than TCP: those that it lacks are refused, and the listener still serves.</summary>
    [Fact]
    public void An_option_that_mptcp_lacks_does_not_fail_the_listener()
    {
        using var handle = Given.Listener(
            "mptcp://127.0.0.1:0",
            spec => spec with { Accepted = new() { UserTimeout = TimeSpan.FromSeconds(1), NoDelay = true } });
        foreach (var entry in handle.History.Entries.Where(entry => entry.Call == "setsockopt"))
        {
            Assert.True(
                entry.Errno is null ? entry.Verdict == Verdict.Exact : entry is { Verdict: Verdict.Refused, Option: "TCP_USER_TIMEOUT" });
        }
    }
}
