using System.Collections.Immutable;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;

namespace Supervisor.Config.Tests;

/// <summary>Every setting with a valid and an invalid value.</summary>
internal static class SettingCases
{
    private const string Udp = "udp://224.0.0.1:5000";
    private const string Path = "unix:///run/a.sock";

    public static readonly ImmutableArray<SettingCase> All =
    [
        new("daemon.runtime_directory", "\"/run/l\"", "/run/l", c => c.Daemon.RuntimeDirectory, "\"run/l\"",
            "\"run/l\" is not an absolute path", "begins with \"/\""),
        new("daemon.control_group", "\"adm\"", "adm", c => c.Daemon.ControlGroup, "\"a:b\"", "\"a:b\"", "\"www-data\""),
        new("daemon.metrics", "\"[::1]:9469\"", "[::1]:9469", c => c.Daemon.Metrics, "\"localhost:9469\"", "resolves to 127.0.0.1, ::1",
            "write 127.0.0.1:9469 or [::1]:9469"),
        new(
            "daemon.metrics_hosts",
            "[\"m.example.org\", \"*\"]",
            "m.example.org *",
            c => string.Join(' ', c.Daemon.MetricsHosts),
            "[\"http://m\"]",
            "\"http://m\" is not a host name",
            "without scheme and port"),
        new("daemon.stop_delay", "\"5s\"", TimeSpan.FromSeconds(5), c => c.Daemon.StopDelay, "\"-1s\"", "\"-1s\"", "write whole numbers"),

        new(
            "daemon.trusted_owners",
            "[\"deploy\", \"1000\"]",
            "deploy 1000",
            c => string.Join(' ', c.Daemon.TrustedOwners),
            "[\"a:b\"]",
            "\"a:b\"",
            "\"www-data\""),

        L("address", "\"udp://[::1]:53\"", "udp://[::1]:53", l => l.Address.ToString(), "\"tcp://localhost:80\"",
            "\"localhost\" resolves to 127.0.0.1, ::1", "write tcp://127.0.0.1:80 or tcp://[::1]:80"),
        L("shards", "4", 4, l => l.Shards, "0", "0 is out of range", "1 to 10000"),
        L("steering", "\"generation\"", SteeringMode.Generation, l => l.Steering, "\"on\"", "\"on\" is not", "\"generation\""),
        L("affinity.by", "\"quic-cid\"", AffinityKind.QuicConnectionId, l => l.Affinity!.By, "\"cid\"", "\"cid\" is not", "\"quic-cid\"")
            with { Address = "udp://[::]:80" },
        L("affinity.idle", "\"2s\"", TimeSpan.FromSeconds(2), l => l.Affinity!.Idle, "2", "2 is a number without a unit", "write \"2s\"")
            with { Address = "udp://[::]:80" },
        L("affinity.flows", "1024", 1024, l => l.Affinity!.Flows, "1000", "1000 is out of range", "from 1024 to 1048576")
            with { Address = "udp://[::]:80" },
        L("affinity.cid_offset", "12", 12, l => l.Affinity!.CidOffset, "13", "13 is out of range", "from 0 to 12")
            with { Address = "udp://[::]:80" },
        L("enforce", "false", false, l => l.Enforce, "\"no\"", "\"no\" is a string", "write true or false"),
        L("network_namespace", "\"/run/netns/blue\"", "/run/netns/blue", l => l.NetworkNamespace, "\"blue\"", "\"blue\" is not an absolute",
            "begins with \"/\""),
        L("bind.reuse_address", "false", false, l => l.Bind.ReuseAddress, "0", "0 is an integer", "write true or false"),
        L("bind.reuse_port", "true", true, l => l.Bind.ReusePort, "1", "1 is an integer", "write true or false"),
        L("bind.ipv6_only", "true", true, l => l.Bind.IPv6Only, "1", "1 is an integer", "write true or false")
            with { Address = "tcp://[::]:80" },
        L("bind.free_bind", "true", true, l => l.Bind.FreeBind, "\"on\"", "\"on\" is a string", "write true or false"),
        L("bind.transparent", "true", true, l => l.Bind.Transparent, "\"on\"", "\"on\" is a string", "write true or false"),
        L("bind.device", "\"eth0\"", "eth0", l => l.Bind.Device, "\"a/b\"", "\"a/b\" is not an interface name", "\"eth0\""),
        L("bind.mark", "4294967295", uint.MaxValue, l => l.Bind.Mark, "4294967296", "4294967296 is out of range (0 to 4294967295)",
            "from 0 to 4294967295"),
        L("bind.priority", "5", 5, l => l.Bind.Priority, "-1", "-1 is out of range", "from 0 to"),
        L("unix.pass_pidfd", "true", true, l => l.Unix.PassPidfd, "1", "1 is an integer", "write true or false")
            with { Address = Path },
        L("fifo.pipe_size", "\"128KiB\"", 131072, l => l.Opened.PipeSize, "0", "0 is out of range", "1")
            with { Address = "fifo:///run/a" },
        L("mqueue.max_messages", "64", 64, l => l.Opened.MaxMessages, "0", "0 is out of range", "1 to 65536")
            with { Address = "mqueue:///a" },
        L("mqueue.message_size", "\"8KiB\"", 8192, l => l.Opened.MessageSize, "0", "0 is out of range", "1")
            with { Address = "mqueue:///a" },
        L("mqueue.remove_on_stop", "true", true, l => l.Opened.RemoveOnStop, "1", "1 is an integer", "write true or false")
            with { Address = "mqueue:///a" },
        L("special.writable", "true", true, l => l.Opened.Writable, "1", "1 is an integer", "write true or false")
            with { Address = "special:///dev/null" },
        L("unix.pass_security", "true", true, l => l.Unix.PassSecurity, "1", "1 is an integer", "write true or false")
            with { Address = Path },
        L("datagram.timestamping", "\"ns\"", TimestampUnit.Nanoseconds, l => l.Datagram.Timestamping, "\"ms\"", "\"ms\" is not one of",
            "did you mean") with { Address = Udp },
        L("buffers.receive", "\"1MiB\"", 1048576, l => l.Buffers.Receive, "\"1M\"", "\"1M\" is not a size", "\"1MiB\""),
        L("buffers.send", "1073741823", 1073741823, l => l.Buffers.Send, "\"1GiB\"", "\"1GiB\" is out of range",
            "from 1 to 1073741823 bytes"),
        L("buffers.force", "true", true, l => l.Buffers.Force, "1", "1 is an integer", "write true or false"),
        L("listen.backlog", "1", 1, l => l.Listen.Backlog, "0", "0 is out of range", "from 1 to 2147483647"),
        L("listen.defer_accept", "\"5s\"", TimeSpan.FromSeconds(5), l => l.Listen.DeferAccept, "\"1500ms\"",
            "\"1500ms\" is not a whole number of seconds", "write \"2s\""),
        L("listen.fast_open", "256", 256, l => l.Listen.FastOpen, "-1", "-1 is out of range", "from 0 to"),
        L("listen.non_blocking", "true", true, l => l.Listen.NonBlocking, "\"true\"", "\"true\" is a string", "without quotes"),
        L("accepted.no_delay", "true", true, l => l.Accepted.NoDelay, "1", "1 is an integer", "write true or false"),
        L("accepted.keep_alive", "false", false, l => l.Accepted.KeepAlive, "1.5", "1.5 is a floating-point number", "write true or false"),
        L("accepted.keep_alive_idle", "\"32767s\"", TimeSpan.FromSeconds(32767), l => l.Accepted.KeepAliveIdle, "\"32768s\"",
            "\"32768s\" is out of range", "to \"9h6m7s\""),
        L("accepted.keep_alive_interval", "\"1s\"", TimeSpan.FromSeconds(1), l => l.Accepted.KeepAliveInterval, "\"0s\"",
            "\"0s\" is out of range", "from \"1s\""),
        L("accepted.keep_alive_probes", "127", 127, l => l.Accepted.KeepAliveProbes, "128", "128 is out of range", "from 1 to 127"),
        L("accepted.user_timeout", "\"1m500ms\"", TimeSpan.FromMilliseconds(60500), l => l.Accepted.UserTimeout, "30",
            "30 is a number without a unit", "write \"30s\" or \"30ms\""),
        L("accepted.linger", "\"0s\"", TimeSpan.Zero, l => l.Accepted.Linger, "\"19h\"", "\"19h\" is out of range", "to \"18h12m15s\""),
        L("accepted.not_sent_low_water", "16384", 16384, l => l.Accepted.NotSentLowWater, "true", "true is a boolean",
            "bytes as an integer"),
        L("accepted.congestion", "\"bbr\"", "bbr", l => l.Accepted.Congestion, "\"a-very-long-name\"",
            "\"a-very-long-name\" is not a congestion control name", "\"cubic\""),
        L("accepted.tos", "255", 255, l => l.Accepted.TypeOfService, "256", "256 is out of range", "from 0 to 255"),
        L("accepted.ttl", "1", 1, l => l.Accepted.TimeToLive, "0", "0 is out of range", "from 1 to 255"),
        L("unix.mode", "\"0660\"", 432, l => l.Unix.Mode, "\"0680\"", "\"0680\" is not octal", "\"0660\"") with { Address = Path },
        L("unix.user", "\"www-data\"", "www-data", l => l.Unix.User, "1000", "1000 is an integer", "in quotes: \"1000\"")
            with { Address = Path },
        L("unix.group", "\"33\"", "33", l => l.Unix.Group, "\"a:b\"", "\"a:b\" is not a group", "name or number") with { Address = Path },
        L("unix.remove_stale", "true", true, l => l.Unix.RemoveStale, "\"x\"", "\"x\" is a string", "write true or false")
            with { Address = Path },
        L("unix.pass_credentials", "true", true, l => l.Unix.PassCredentials, "[]", "the value is an array", "write true or false")
            with { Address = "unix-dgram://@a" },
        L("unix.directory_mode", "\"0755\"", 493, l => l.Unix.DirectoryMode, "\"755x\"", "\"755x\" is not octal", "\"0660\"")
            with { Address = Path },
        L("unix.symlinks", "[\"/run/b\"]", "/run/b", l => string.Join(' ', l.Unix.Symlinks), "[\"b\"]", "\"b\" is not an absolute",
            "begins with \"/\"") with { Address = Path },
        L("datagram.broadcast", "true", true, l => l.Datagram.Broadcast, "{}", "the value is a table", "write true or false")
            with { Address = Udp },
        L("datagram.packet_info", "true", true, l => l.Datagram.PacketInfo, "2024-01-01", "2024-01-01 is a date", "write true or false")
            with { Address = Udp },
        L("datagram.multicast", "[ { group = \"239.1.2.3\" } ]", "239.1.2.3", l => l.Datagram.Multicast[0].Group.ToString(),
            "\"239.1.2.3\"", "\"239.1.2.3\" is a string", "group = ") with { Address = Udp },
        L("datagram.multicast[].group", "\"239.1.2.3\"", "239.1.2.3", l => l.Datagram.Multicast[0].Group.ToString(), "\"239.1.2\"",
            "\"239.1.2\" is not a numeric address", "\"239.1.2.3\"") with { Address = Udp },
        L("datagram.multicast[].interface", "\"eth0\"", "eth0", l => l.Datagram.Multicast[0].Interface, "\"\"",
            "\"\" is not an interface name", "\"eth0\"") with { Address = Udp },
        L("datagram.multicast[].source", "\"192.0.2.1\"", "192.0.2.1", l => l.Datagram.Multicast[0].Source!.ToString(), "\"host\"",
            "\"host\" is not a numeric address", "IPv4 or IPv6") with { Address = Udp },
        L("options", "[ { level = 6, name = 7, value = 1, phase = \"pre-listen\" } ]", "7", l => l.Options[0].Name,
            "\"TCP_SYNCNT\"", "\"TCP_SYNCNT\" is a string", "level = "),
        L("options[].level", "\"SOL_TCP\"", 6, l => l.Options[0].Level, "\"SOL_SOKET\"", "unknown level", "\"SOL_SOCKET\"?"),
        L("options[].name", "7", "7", l => l.Options[0].Name, "\"TCP_SYNCN\"", "unknown option", "\"TCP_SYNCNT\"?"),
        L("options[].value", "\"0xFF\"", "0xff", l => l.Options[0].Text, "\"0x1\"", "is not bytes", "0x0100"),
        L("options[].phase", "\"post-listen\"", HandlePhase.PostListen, l => l.Options[0].Phase, "\"bind\"", "\"bind\" is not", "pre-bind"),
        L("on_conflict.wait", "\"10s\"", TimeSpan.FromSeconds(10), l => l.ConflictWait, "\"ten\"", "\"ten\" is not a duration",
            "such as \"30s\""),
        L("allow", "[\"user:deploy\", \"group:33\"]", "user:deploy group:33", l => string.Join(' ', l.Allow), "[\"deploy\"]",
            "\"deploy\" is neither user:NAME nor group:NAME", "\"user:deploy\" or \"group:deploy\""),

        S("command", "[\"/bin/a\", \"\", \"b\\nc\"]", "/bin/a,,b\nc", s => string.Join(',', s.Command), "\"/bin/a --b\"",
            "\"/bin/a --b\" is a string", "[\"/bin/a\", \"--b\"]"),
        S("listeners", "[\"a\"]", "a", s => string.Join(',', s.Listeners), "\"a\"", "\"a\" is a string", "write it in brackets: [\"a\"]"),
        S("workers", "\"cpus\"", 6, s => s.Workers, "\"4\"", "\"4\" is not a number of workers", "or \"cpus\""),
        S("after", "[\"b\"]", "b", s => string.Join(' ', s.After), "[\"c\"]", "no service named \"c\"", "add a section [service.c]")
            with
        { Others = "service.b.command = [\"/bin/b\"]" },
        S("start", "\"on-demand\"", StartMode.OnDemand, s => s.Start, "\"on-demnad\"", "\"on-demnad\" is not one of now, on-demand",
            "did you mean \"on-demand\"?") with { With = "listeners = [\"a\"]" },
        S("max_connections", "7", 7, s => s.Connections.Max, "0", "0 is out of range", "from 1 to 100000")
            with { With = "listeners = [\"a\"]\nstart = \"per-connection\"" },
        S("max_connections_per_source", "7", 7, s => s.Connections.MaxPerSource, "-1", "-1 is out of range", "from 0 to 100000")
            with { With = "listeners = [\"a\"]\nstart = \"per-connection\"" },
        S("connection_rate.limit", "100", 100, s => s.Connections.RateLimit, "\"100\"", "\"100\" is a string", "without quotes")
            with { With = "listeners = [\"a\"]\nstart = \"per-connection\"" },
        S("connection_rate.interval", "\"2s\"", TimeSpan.FromSeconds(2), s => s.Connections.RateInterval, "\"0s\"",
            "\"0s\" is out of range", "from \"1ms\"") with { With = "listeners = [\"a\"]\nstart = \"per-connection\"" },
        S(
            "stop_when_idle",
            "\"5m\"",
            TimeSpan.FromMinutes(5),
            s => s.StopWhenIdle,
            "\"5 m\"",
            "\"5 m\" is not a duration",
            "such as \"30s\"")
            with { With = "listeners = [\"a\"]\nstart = \"on-demand\"" },
        S("handoff", "\"scm-rights\"", HandoffKind.ScmRights, s => s.Handoff, "\"fds\"",
            "\"fds\" is not one of listen-fds, scm-rights, einhorn", "\"server-starter\""),
        S("ready", "\"http:/healthz\"", new Readiness(ReadinessKind.Http, "/healthz"), s => s.Readiness, "\"http://host/\"",
            "\"http://host/\" has no valid path", "\"http:/healthz\"") with { With = "listeners = [\"a\"]" },
        S("start_timeout", "\"1h\"", TimeSpan.FromHours(1), s => s.StartTimeout, "\"0s\"", "\"0s\" is out of range (1ms to 1000h)",
            "from \"1ms\""),
        S("stop_signal", "\"QUIT\"", 3, s => s.StopSignal, "\"SIGTREM\"", "\"SIGTREM\" is not a signal: the names are SIGHUP,",
            "did you mean \"SIGTERM\"?"),
        S("stop_mode", "\"main\"", StopMode.Main, s => s.StopMode, "\"mixed\"", "\"mixed\"", "group"),
        S("stop_timeout", "\"0s\"", TimeSpan.Zero, s => s.StopTimeout, "\"1001h\"", "\"1001h\" is out of range", "to \"1000h\""),
        S("rollout.strategy", "\"stop-first\"", RolloutStrategy.StopFirst, s => s.Rollout.Strategy, "\"stopfirst\"",
            "\"stopfirst\" is not one of rolling, overlap, stop-first", "did you mean \"stop-first\"?"),
        S("rollout.max_surge", "2", 2, s => s.Rollout.MaxSurge, "0", "with max_surge 0 and max_unavailable 0", "stop-first"),
        S("rollout.max_unavailable", "1", 1, s => s.Rollout.MaxUnavailable, "-1", "-1 is out of range", "from 0 to"),
        S("rollout.settle", "\"5s\"", TimeSpan.FromSeconds(5), s => s.Rollout.Settle, "5", "5 is a number without a unit", "write \"5s\""),
        S("rollout.canary", "1", 1, s => s.Rollout.Canary, "\"1\"", "\"1\" is a string", "without quotes"),
        S("rollout.canary_share", "\"2.5%\"", 25, s => s.Rollout.CanaryShare, "5", "5 is an integer", "write \"5%\"")
            with { ListenerWith = "steering = \"generation\"", With = "listeners = [\"a\"]" },
        S("rollout.canary_hold", "\"1m\"", TimeSpan.FromMinutes(1), s => s.Rollout.CanaryHold, "\"60\"", "\"60\" is not a duration",
            "\"60s\""),
        S("rollout.on_failure", "\"stop\"", RolloutFailurePolicy.Stop, s => s.Rollout.OnFailure, "\"roll-back\"",
            "\"roll-back\" is not one of rollback, stop", "did you mean \"rollback\"?"),
        S("rollout.max_generations", "2", 2, s => s.Rollout.MaxGenerations, "1", "1 is out of range", "from 2 to"),
        S("restart.policy", "\"on-failure\"", RestartPolicy.OnFailure, s => s.Restart.Policy, "true", "true is a boolean",
            "\"on-failure\""),
        S("restart.backoff", "\"1s\"", TimeSpan.FromSeconds(1), s => s.Restart.Backoff, "\"31s\"",
            "backoff \"31s\" is longer than backoff_max \"30s\"", "not longer than backoff_max"),
        S(
            "restart.backoff_max",
            "\"1m30s\"",
            TimeSpan.FromSeconds(90),
            s => s.Restart.BackoffMax,
            "\"30s1m\"",
            "\"30s1m\" is not a duration",
            "\"1m30s\""),
        S("restart.limit", "0", 0, s => s.Restart.Limit, "-5", "-5 is out of range", "from 0 to"),
        S(
            "restart.limit_interval",
            "\"20s\"",
            TimeSpan.FromSeconds(20),
            s => s.Restart.LimitInterval,
            "\"-1s\"",
            "\"-1s\" is not a duration",
            "such as \"30s\""),
        S("liveness.probe", "\"http:/up\"", new Readiness(ReadinessKind.Http, "/up"), s => s.Liveness.Probe, "\"started\"",
            "\"started\" is not one of tcp, http:/PATH, exec:COMMAND", "\"http:/healthz\"") with { With = "listeners = [\"a\"]" },
        S("liveness.interval", "\"1s\"", TimeSpan.FromSeconds(1), s => s.Liveness.Interval, "\"0s\"",
            "\"0s\" is out of range", "from \"10ms\"") with { With = "liveness.probe = \"exec:a\"" },
        S("liveness.timeout", "\"1s\"", TimeSpan.FromSeconds(1), s => s.Liveness.Timeout, "\"0s\"",
            "\"0s\" is out of range", "from \"1ms\"") with { With = "liveness.probe = \"exec:a\"" },
        S("liveness.failures", "1", 1, s => s.Liveness.Failures, "0", "0 is out of range", "from 1 to")
            with { With = "liveness.probe = \"exec:a\"" },
        S("recycle.max_age", "\"24h\"", TimeSpan.FromHours(24), s => s.Recycle.MaxAge, "24", "24 is a number without a unit", "\"24s\""),
        S("recycle.max_memory", "\"512MiB\"", 512L << 20, s => s.Recycle.MaxMemory, "-1", "-1 is out of range", "write a size"),
        S("recycle.jitter", "\"20%\"", 20, s => s.Recycle.Jitter, "\"101%\"", "\"101%\" is not a share in percent", "such as \"10%\"")
            with { With = "recycle.max_age = \"1h\"" },
        S("autoscale.min", "2", 2, s => s.Autoscale.Min, "9", "9 is above autoscale.max (8)", "at most 8")
            with { With = "listeners = [\"a\"]\nautoscale.max = 8" },
        S("autoscale.max", "8", 8, s => s.Autoscale.Max, "0", "0 is out of range", "from 1 to") with { With = "listeners = [\"a\"]" },
        S("autoscale.queue", "4", 4, s => s.Autoscale.Queue, "0", "0 is out of range", "from 1 to")
            with { With = "listeners = [\"a\"]\nautoscale.max = 8" },
        S("autoscale.up_after", "\"1s\"", TimeSpan.FromSeconds(1), s => s.Autoscale.UpAfter, "\"0s\"",
            "\"0s\" is out of range", "from \"10ms\"")
            with { With = "listeners = [\"a\"]\nautoscale.max = 8" },
        S("autoscale.down_after", "\"1m\"", TimeSpan.FromMinutes(1), s => s.Autoscale.DownAfter, "60",
            "60 is a number without a unit", "\"60s\"")
            with { With = "listeners = [\"a\"]\nautoscale.max = 8" },
        S("watchdog", "\"2s\"", TimeSpan.FromSeconds(2), s => s.Watchdog, "false", "false is a boolean", "write a duration"),
        S("user", "\"api\"", "api", s => s.User, "\"\"", "\"\" is not a user", "name or number"),
        S("group", "\"1000\"", "1000", s => s.Group, "\"4294967295\"", "\"4294967295\" is out of range", "name or number"),
        S("supplementary_groups", "[\"a\", \"b\"]", "a b", s => string.Join(' ', s.SupplementaryGroups), "[\"a\", 7]", "7 is an integer",
            "in quotes: \"7\""),
        S("working_directory", "\"/srv\"", "/srv", s => s.WorkingDirectory, "\"srv\"",
            "\"srv\" is not an absolute path", "begins with \"/\""),
        S("environment", "{ A = \"b=c\", LISTENER = \"d\" }", "A=b=c LISTENER=d",
            s => string.Join(' ', s.Environment.Select(e => $"{e.Key}={e.Value}")), "\"A=b\"", "\"A=b\" is a string", "a table of strings"),
        S("environment_defaults", "{ A = \"b\" }", "A=b",
            s => string.Join(' ', s.EnvironmentDefaults.Select(e => $"{e.Key}={e.Value}")), "[]", "the value is an array",
            "a table of strings"),
        S("environment_files", "[\"-/etc/a\", \"/etc/b\"]", "-/etc/a /etc/b", s => string.Join(' ', s.EnvironmentFiles), "[\"-etc/a\"]",
            "\"etc/a\" is not an absolute path", "begins with \"/\""),
        S("umask", "\"0027\"", 23, s => s.Umask, "\"1000\"", "\"1000\" is out of range (0000 to 777)", "\"0660\""),
        S("nice", "-20", -20, s => s.Nice, "20", "20 is out of range", "from -20 to 19"),
        S("limits.memory_max", "\"512MiB\"", 512L << 20, s => s.Cgroup.MemoryMax, "\"512 M\"", "\"512 M\" is not a size",
            "such as \"1MiB\""),
        S("limits.memory_high", "4096", 4096L, s => s.Cgroup.MemoryHigh, "0", "0 is out of range", "from 4096"),
        S("limits.cpu", "\"150%\"", 15000, s => s.Cgroup.Cpu, "\"0%\"", "\"0%\" is out of range", "such as \"150%\""),
        S("limits.tasks", "200", 200L, s => s.Cgroup.Tasks, "0", "0 is out of range", "from 1 to"),
        S("limits.io_weight", "50", 50, s => s.Cgroup.IoWeight, "10001", "10001 is out of range", "from 1 to 10000"),
        Limit("cpu_seconds", 0, "cpu"),
        Limit("fsize", 1), Limit("data", 2), Limit("stack", 3), Limit("core", 4), Limit("rss", 5), Limit("nproc", 6),
        Limit("nofile", 7), Limit("memlock", 8), Limit("as", 9), Limit("locks", 10), Limit("sigpending", 11), Limit("msgqueue", 12),
        Limit("nice", 13), Limit("rtprio", 14), Limit("rttime", 15),
        S("no_new_privileges", "false", false, s => s.NoNewPrivileges, "\"false\"", "\"false\" is a string", "without quotes"),
        S("ignore_sigpipe", "true", true, s => s.IgnoreSigpipe, "1", "1 is an integer", "true"),
        S("capabilities", "[\"CAP_NET_RAW\"]", "CAP_NET_RAW", s => string.Join(' ', s.Capabilities), "[\"NET_RAW\"]",
            "\"NET_RAW\" is not a capability", "did you mean \"CAP_NET_RAW\"?"),
        S("log", "\"file:/var/log/a\"", new LogTarget(LogTargetKind.File, "/var/log/a"), s => s.Log, "\"/var/log/a\"",
            "\"/var/log/a\" is not one of journal, inherit, file:/PATH", "\"file:/var/log/a\""),
        S("hooks.pre_start", "[\"/bin/a\", \"b\"]", "/bin/a b", s => string.Join(' ', s.Hooks.PreStart), "\"/bin/a\"",
            "\"/bin/a\" is a string", "[\"/bin/a\"]"),
        S("hooks.post_ready", "[]", "", s => string.Join(' ', s.Hooks.PostReady), "[\"\"]", "\"\" is not a program",
            "write the program as the first element"),
        S("hooks.post_stop", "[\"/bin/a\"]", "/bin/a", s => string.Join(' ', s.Hooks.PostStop), "[\"/bin/a\\u0000\"]",
            "contains a NUL character", "remove"),

        A("user", "\"deploy\"", "deploy", r => r.User, "\"a:b\"", "\"a:b\" is not a user", "\"www-data\"")
            with { With = "group = \"ops\"\nservices = [\"*\"]\nverbs = [\"status\"]" },
        A("group", "\"ops\"", "ops", r => r.Group, "\"\"", "\"\" is not a group", "\"www-data\"")
            with { With = "user = \"deploy\"\nservices = [\"*\"]\nverbs = [\"status\"]" },
        A("services", "[\"s\"]", "s", r => string.Join(' ', r.Services), "[\"t\"]", "no service named \"t\"",
            "add a section [service.t]")
            with { With = "user = \"deploy\"\nverbs = [\"status\"]", Others = "service.s.command = [\"/bin/s\"]" },
        A("verbs", "[\"restart\", \"status\"]", "Restart Status", r => string.Join(' ', r.Verbs), "[\"restrat\"]",
            "\"restrat\" is not one of status, logs", "did you mean \"restart\"?")
            with { With = "user = \"deploy\"\nservices = [\"*\"]" },
    ];

    private static SettingCase A(
        string key, string right, object expected, Func<AccessRule, object?> read, string wrong, string says, string remedy) =>
        new("access.NAME." + key, right, expected, c => read(c.Daemon.Access[0]), wrong, says, remedy);

    private static SettingCase L(
        string key, string right, object expected, Func<ListenerSpec, object?> read, string wrong, string says, string remedy) =>
        new("listener.NAME." + key, right, expected, c => read(c.Listeners[0]), wrong, says, remedy);

    private static SettingCase S(
        string key, string right, object expected, Func<ServiceSpec, object?> read, string wrong, string says, string remedy) =>
        new("service.NAME." + key, right, expected, c => read(c.Services[0]), wrong, says, remedy);

    private static SettingCase Limit(string name, int number, string? resource = null) => S(
        "limits." + name, number % 2 == 0 ? "\"infinity\"" : "\"1KiB\"",
        new ResourceLimit(resource ?? name, number, number % 2 == 0 ? ulong.MaxValue : 1024), s => Assert.Single(s.Limits),
        "\"unlimited\"", "\"unlimited\" is not a limit", "\"infinity\"");
}
