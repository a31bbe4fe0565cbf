using Supervisor.Config.Import;

namespace Supervisor.Config.Tests.Import;

/// <summary>Every setting of [Socket] that systemd 257 reads, and what the import makes of it.</summary>
public sealed class SystemdSocketKeysTests
{
    private const string Tcp = "ListenStream=80";
    private const string Udp = "ListenDatagram=53";
    private const string Path = "ListenStream=/run/a";
    private const string Packets = "ListenDatagram=/run/a";
    private const string Fifo = "ListenFIFO=/run/a";
    private const string Queue = "ListenMessageQueue=/a";
    private const string Inetd = "ListenStream=80\nAccept=yes";

    /// <summary>A key, its value, the addresses before it, and what is written: lines of TOML, separated by ";".</summary>
    private static readonly (string Key, string Value, string Before, string Written)[] Translated =
    [
        ("ListenStream", "127.0.0.1:80", "", "address = \"tcp://127.0.0.1:80\""),
        ("ListenDatagram", "/run/a", "", "address = \"unix-dgram:///run/a\""),
        ("ListenSequentialPacket", "@a", "", "address = \"unix-seqpacket://@a\""),
        ("ListenFIFO", "/run/x/a", "", "address = \"fifo:///run/x/a\";unix.mode = \"0666\";unix.directory_mode = \"0755\""),
        ("ListenSpecial", "/dev/input/event0", "", "address = \"special:///dev/input/event0\""),
        ("ListenNetlink", "kobject-uevent 1", "", "address = \"netlink://kobject-uevent/1\""),
        ("ListenNetlink", "audit", "", "address = \"netlink://audit/0\""),
        ("ListenMessageQueue", "/a", "", "address = \"mqueue:///a\";unix.mode = \"0666\""),
        ("SocketProtocol", "sctp", Tcp, "address = \"sctp://*:80\""),
        ("SocketProtocol", "mptcp", Tcp, "address = \"mptcp://*:80\""),
        ("BindIPv6Only", "ipv6-only", Tcp, "bind.ipv6_only = true"),
        ("Backlog", "9", Tcp, "listen.backlog = 9"),
        ("BindToDevice", "eth0", Tcp, "bind.device = \"eth0\""),
        ("SocketUser", "a", Fifo, "unix.user = \"a\""),
        ("SocketGroup", "a", Queue, "unix.group = \"a\""),
        ("SocketMode", "0600", Queue, "unix.mode = \"0600\""),
        ("DirectoryMode", "0700", Fifo, "unix.directory_mode = \"0700\""),
        ("Accept", "yes", Tcp, "start = \"per-connection\""),
        ("Writable", "yes", "ListenSpecial=/dev/fuse", "special.writable = true"),
        ("MaxConnections", "7", Inetd, "max_connections = 7"),
        ("MaxConnectionsPerSource", "7", Inetd, "max_connections_per_source = 7"),
        ("KeepAlive", "yes", Tcp, "accepted.keep_alive = true"),
        ("KeepAliveTimeSec", "9", Tcp, "accepted.keep_alive_idle = \"9s\""),
        ("KeepAliveIntervalSec", "9", Tcp, "accepted.keep_alive_interval = \"9s\""),
        ("KeepAliveIntervalSec", "1500ms", Tcp, "accepted.keep_alive_interval = \"1s\""),
        ("Timestamping", "yes", Udp, "datagram.timestamping = \"ns\""),
        ("Symlinks", "\"/run/b c\" /run/d", Path, "unix.symlinks = [\"/run/b c\", \"/run/d\"]"),
        ("ListenNetlink", "route  0x11", "", "address = \"netlink://route/17\""),
        ("KeepAliveProbes", "9", Tcp, "accepted.keep_alive_probes = 9"),
        ("NoDelay", "yes", Tcp, "accepted.no_delay = true"),
        ("Priority", "6", Tcp, "bind.priority = 6"),
        ("DeferAcceptSec", "9", Tcp, "listen.defer_accept = \"9s\""),
        ("ReceiveBuffer", "8K", Udp, "buffers.receive = 8192;buffers.force = true"),
        ("SendBuffer", "8K", Udp, "buffers.send = 8192"),
        ("IPTOS", "low-delay", Tcp, "accepted.tos = 16"),
        ("IPTTL", "9", Tcp, "accepted.ttl = 9"),
        ("Mark", "9", Tcp, "bind.mark = 9"),
        ("ReusePort", "yes", Tcp, "bind.reuse_port = true"),
        ("PipeSize", "8K", Fifo, "fifo.pipe_size = 8192"),
        ("MessageQueueMaxMessages", "9", Queue, "mqueue.max_messages = 9"),
        ("MessageQueueMessageSize", "1K", Queue, "mqueue.message_size = 1024"),
        ("FreeBind", "yes", Tcp, "bind.free_bind = true"),
        ("Transparent", "yes", Tcp, "bind.transparent = true"),
        ("Broadcast", "yes", Udp, "datagram.broadcast = true"),
        ("PassCredentials", "yes", "ListenNetlink=route 1", "unix.pass_credentials = true"),
        ("PassPIDFD", "yes", Packets, "unix.pass_pidfd = true"),
        ("AcceptFileDescriptors", "no", Packets, "options = [{ level = \"SOL_SOCKET\", name = \"SO_PASSRIGHTS\", value = 0, "
            + "phase = \"pre-listen\" }]"),
        ("PassSecurity", "yes", Packets, "unix.pass_security = true"),
        ("PassPacketInfo", "yes", Udp, "datagram.packet_info = true"),
        ("Timestamping", "ns", Udp, "datagram.timestamping = \"ns\""),
        ("TCPCongestion", "reno", Tcp, "accepted.congestion = \"reno\""),
        ("ExecStartPre", "/bin/a b", Tcp, "hooks.pre_start = [\"/bin/a\", \"b\"]"),
        ("ExecStartPost", "/bin/a b", Tcp, "hooks.pre_start = [\"/bin/a\", \"b\"]"),
        ("ExecStopPre", "/bin/a b", Tcp, "hooks.post_stop = [\"/bin/a\", \"b\"]"),
        ("ExecStopPost", "/bin/a b", Tcp, "hooks.post_stop = [\"/bin/a\", \"b\"]"),
        ("Service", "a.service", Tcp, "listeners = [\"a\"]"),
        ("RemoveOnStop", "yes", Queue, "mqueue.remove_on_stop = true"),
        ("RemoveOnStop", "yes", Path, "unix.remove_stale = true"),
        ("Symlinks", "/run/b /run/c", Fifo, "unix.symlinks = [\"/run/b\", \"/run/c\"]"),
        ("FileDescriptorName", "web", Tcp, "[listener.web]"),
        ("TriggerLimitIntervalSec", "9", Inetd + "\nTriggerLimitBurst=7", "connection_rate.interval = \"9s\""),
        ("TriggerLimitBurst", "7", Inetd, "connection_rate.limit = 7"),
        ("PollLimitIntervalSec", "9", Inetd + "\nPollLimitBurst=7", "connection_rate.interval = \"9s\""),
        ("PollLimitBurst", "7", Inetd, "connection_rate.limit = 7"),
    ];

    /// <summary>A key, its value, and why it is not written.</summary>
    private static readonly (string Key, string Value, DifferenceKind Kind)[] NotWritten =
    [
        ("FlushPending", "yes", DifferenceKind.Changed),
        ("Priority", "-1", DifferenceKind.NotNeeded),
        ("SendBuffer", "0", DifferenceKind.NotNeeded),
        ("DeferAcceptSec", "500ms", DifferenceKind.NotNeeded),
        ("MessageQueueMaxMessages", "0", DifferenceKind.NotNeeded),
        ("DeferTrigger", "patient", DifferenceKind.NotNeeded),
        ("DeferTriggerMaxSec", "9", DifferenceKind.NotNeeded),
        ("TimeoutSec", "9", DifferenceKind.Changed),
        ("PassFileDescriptorsToExec", "yes", DifferenceKind.Changed),
        ("ListenUSBFunction", "/dev/ffs", DifferenceKind.Lost),
        ("SmackLabel", "a", DifferenceKind.Lost),
        ("SmackLabelIPIn", "a", DifferenceKind.Lost),
        ("SmackLabelIPOut", "a", DifferenceKind.Lost),
        ("SELinuxContextFromNet", "yes", DifferenceKind.Lost),
    ];

    public static TheoryData<int> Rows => [.. Enumerable.Range(0, Translated.Length)];

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_key_is_translated(int row)
    {
        var (key, value, before, written) = Translated[row];
        var imported = Of(before, key, value);
        Assert.All(written.Split(';'), line => Assert.Contains(line, imported.Result.Toml!.Split('\n').Select(Bare)));
        Assert.Empty(imported.Lost);
    }

    [Fact]
    public void Every_other_key_has_its_reason_and_five_are_lost()
    {
        foreach (var (key, value, kind) in NotWritten)
        {
            var difference = Assert.Single(Of(Tcp, key, value).Result.Differences, difference => difference.Setting == key);
            Assert.Equal(kind, difference.Kind);
        }

        Assert.Equal(5, NotWritten.Count(key => key.Kind == DifferenceKind.Lost));
    }

    [Fact]
    public void The_tables_have_every_key_of_sockets() => Assert.Equal(
        SystemdSocketKeys.Own.Concat(SystemdSocketKeys.Later).Order(),
        Translated.Select(row => row.Key).Concat(NotWritten.Select(row => row.Key)).Distinct().Order());

    /// <summary>They apply to the commands of the unit, which become hooks, so none is lost. The network namespace is the socket's too.</summary>
    [Theory]
    [InlineData(Inetd + "\nTriggerLimitBurst=5", "TriggerLimitIntervalSec", "0")]
    [InlineData(Inetd + "\nTriggerLimitIntervalSec=5", "TriggerLimitBurst", "0")]
    [InlineData("ListenStream=127.0.0.1:80", "BindIPv6Only", "ipv6-only")]
    public void A_value_that_switches_off_writes_nothing(string before, string key, string value)
    {
        var imported = Of(before, key, value);
        Assert.Empty(imported.Lost);
        Assert.DoesNotContain("connection_rate", imported.Result.Toml!, StringComparison.Ordinal);
        Assert.DoesNotContain("ipv6_only", imported.Result.Toml!, StringComparison.Ordinal);
    }

    [Fact]
    public void No_other_key_is_lost() => Assert.All(
        SystemdSocketKeys.OfCommands,
        key => Assert.Empty(Of(Tcp, key, key == "NetworkNamespacePath" ? "/run/netns/a" : "1").Lost));

    [Theory]
    [InlineData("User", DifferenceKind.Changed)]
    [InlineData("LimitNOFILE", DifferenceKind.Changed)]
    [InlineData("PrivateTmp", DifferenceKind.Changed)]
    [InlineData("Slice", DifferenceKind.Changed)]
    [InlineData("X-Vendor", DifferenceKind.NotNeeded)]
    [InlineData("Bogus", DifferenceKind.Lost)]
    public void A_setting_of_the_units_commands_is_for_its_hooks(string key, DifferenceKind kind) =>
        Assert.Equal(kind, Assert.Single(Of(Tcp, key, "a").Result.Differences, difference => difference.Setting == key).Kind);

    [Fact]
    public void A_setting_is_written_for_the_addresses_that_can_have_it()
    {
        var imported = Imported.Of(
            "a.socket", $"[Socket]\n{Tcp}\n{Fifo}\n{Queue}\nBacklog=9\nPipeSize=8K\nSocketMode=0600\nBroadcast=yes\n");
        Assert.Equal([9, 4096, 4096], imported.Config.Listeners.Select(listener => listener.Listen.Backlog));
        Assert.Equal([null, 8192, null], imported.Config.Listeners.Select(listener => listener.Opened.PipeSize));
        Assert.Equal([null, 0x180, 0x180], imported.Config.Listeners.Select(listener => listener.Unix.Mode));
        Assert.Empty(imported.Lost);
        Assert.Equal(["Broadcast:8"], imported.NotNeeded);
    }

    private static Imported Of(string before, string key, string value)
    {
        var socket = $"[Socket]\n{before}\n{key}={value}\n";
        var service = socket.Contains("Accept=yes", StringComparison.Ordinal) ? "a@.service" : "a.service";
        return Imported.Of("a.socket", socket, service, "[Service]\nType=exec\nExecStart=/bin/a\n");
    }

    /// <summary>A line without its comment, and with one space around the first "=".</summary>
    private static string Bare(string line)
    {
        var text = line.Split(" #")[0].Trim();
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? text : $"{text[..equals].TrimEnd()} = {text[(equals + 1)..].TrimStart()}";
    }
}
