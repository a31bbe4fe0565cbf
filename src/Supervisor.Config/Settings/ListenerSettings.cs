using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Config.Settings;

/// <summary><c>[listener.NAME]</c>. The moment at which a socket option acts is the catalogue's (<see cref="SocketOptions"/>).</summary>
internal static class ListenerSettings
{
    /// <summary>The most that SO_RCVBUF and SO_SNDBUF take: the kernel doubles it within an int. socket(7).</summary>
    private const int MaxBuffer = int.MaxValue / 2;

    public static readonly SectionTable<ListenerSpec> Table = new(
    [
        Of("address", SettingTypes.Address, null, "the address to own, numeric", (s, v) => s with { Address = v })
            with { IsRequired = true, Phase = HandlePhase.Bind },
        Of("shards", SettingTypes.Integer(1, 10000),
            "1", "number of SO_REUSEPORT sockets, one for each worker slot", (s, v) => s with { Shards = (int)v })
            with { Phase = HandlePhase.Create, Refusal = Applicability.Internet },
        Of("enforce",
            SettingTypes.Flag, "true", "whether what a worker changed on the shared socket is put back", (s, v) => s with { Enforce = v })
            with { Phase = HandlePhase.Repair },

        Of("bind.reuse_address", SettingTypes.Flag, null, "SO_REUSEADDR; unset: true for TCP, false for the others",
            (s, v) => s with { Bind = s.Bind with { ReuseAddress = v } }),
        Of("bind.reuse_port", SettingTypes.Flag, "false", "SO_REUSEPORT: several sockets of one user on one address",
            (s, v) => s with { Bind = s.Bind with { ReusePort = v } }),
        Of("bind.ipv6_only", SettingTypes.Flag, "false", "IPV6_V6ONLY: [::] without the IPv4 side",
            (s, v) => s with { Bind = s.Bind with { IPv6Only = v } }) with { Refusal = Applicability.IPv6 },
        Of("bind.free_bind", SettingTypes.Flag, "false", "IP_FREEBIND: an address that no interface has yet",
            (s, v) => s with { Bind = s.Bind with { FreeBind = v } }) with { Refusal = Applicability.Internet },
        Of("bind.transparent", SettingTypes.Flag, "false", "IP_TRANSPARENT: transparent proxying",
            (s, v) => s with { Bind = s.Bind with { Transparent = v } }) with { Refusal = Applicability.Internet },
        Of("bind.device", SettingTypes.Interface, null, "SO_BINDTODEVICE: one interface only; unset: all",
            (s, v) => s with { Bind = s.Bind with { Device = v } }) with { Refusal = Applicability.Internet },
        Of("bind.mark", SettingTypes.Integer(0, uint.MaxValue), null, "SO_MARK: the firewall mark; unset: the kernel's 0",
            (s, v) => s with { Bind = s.Bind with { Mark = (uint)v } }),

        Of("buffers.receive", new SizeType(1, MaxBuffer), null,
            "SO_RCVBUF, before the kernel doubles it; unset: net.ipv4.tcp_rmem or net.core.rmem_default",
            (s, v) => s with { Buffers = s.Buffers with { Receive = (int)v } }),
        Of("buffers.send", new SizeType(1, MaxBuffer), null,
            "SO_SNDBUF, before the kernel doubles it; unset: net.ipv4.tcp_wmem or net.core.wmem_default",
            (s, v) => s with { Buffers = s.Buffers with { Send = (int)v } }),
        Of("buffers.force", SettingTypes.Flag, "false", "SO_RCVBUFFORCE and SO_SNDBUFFORCE: over net.core.rmem_max and wmem_max",
            (s, v) => s with { Buffers = s.Buffers with { Force = v } }) with { Phase = HandlePhase.PreListen },

        Of("listen.backlog", SettingTypes.Integer(1, int.MaxValue), "4096", "length of the accept queue; net.core.somaxconn caps it",
            (s, v) => s with { Listen = s.Listen with { Backlog = (int)v } })
            with { Refusal = Applicability.AcceptQueue, Phase = HandlePhase.Listen },
        Of("listen.defer_accept", new DurationType(TimeSpan.FromSeconds(1), Duration.Max, wholeSeconds: true), null,
            "TCP_DEFER_ACCEPT: accept() waits for data that long; unset: not at all",
            (s, v) => s with { Listen = s.Listen with { DeferAccept = v } }) with { Refusal = Applicability.TcpQueue },
        Of("listen.fast_open", SettingTypes.Count, null, "TCP_FASTOPEN: length of its queue; unset: none",
            (s, v) => s with { Listen = s.Listen with { FastOpen = (int)v } }) with { Refusal = Applicability.TcpQueue },
        Of("listen.non_blocking", SettingTypes.Flag, "false", "O_NONBLOCK, when the socket is made and never again",
            (s, v) => s with { Listen = s.Listen with { NonBlocking = v } }) with { Phase = HandlePhase.Create },

        Accepted("no_delay", SettingTypes.Flag, "TCP_NODELAY: Nagle's algorithm off", (a, v) => a with { NoDelay = v }),
        Accepted("keep_alive", SettingTypes.Flag, "SO_KEEPALIVE: idle connections are probed", (a, v) => a with { KeepAlive = v }),
        Accepted("keep_alive_idle",
            SettingTypes.Seconds(1, 32767), "TCP_KEEPIDLE: idle time before the first probe", (a, v) => a with { KeepAliveIdle = v }),
        Accepted("keep_alive_interval",
            SettingTypes.Seconds(1, 32767), "TCP_KEEPINTVL: time between probes", (a, v) => a with { KeepAliveInterval = v }),
        Accepted("keep_alive_probes", SettingTypes.Integer(1, 127), "TCP_KEEPCNT: probes without an answer before the connection ends",
            (a, v) => a with { KeepAliveProbes = (int)v }),
        Accepted("user_timeout", new DurationType(TimeSpan.Zero, TimeSpan.FromHours(596)),
            "TCP_USER_TIMEOUT: how long sent data may stay unacknowledged",
            (a, v) => a with { UserTimeout = v }),
        Accepted("linger", SettingTypes.Seconds(0, 65535),
            "SO_LINGER: how long close() waits for unsent data; 0s resets", (a, v) => a with { Linger = v }),
        Accepted("not_sent_low_water", new SizeType(0, int.MaxValue), "TCP_NOTSENT_LOWAT: unsent bytes below which a socket is writable",
            (a, v) => a with { NotSentLowWater = (int)v }),
        Accepted("congestion", SettingTypes.Congestion, "TCP_CONGESTION: the congestion control", (a, v) => a with { Congestion = v }),
        Accepted("tos", SettingTypes.Integer(0, 255), "IP_TOS and IPV6_TCLASS", (a, v) => a with { TypeOfService = (int)v }),
        Accepted("ttl", SettingTypes.Integer(1, 255), "IP_TTL and IPV6_UNICAST_HOPS", (a, v) => a with { TimeToLive = (int)v }),

        Of("unix.mode", SettingTypes.Mode, null, "permission bits of the socket file; unset: 0777 less the daemon's umask",
            (s, v) => s with { Unix = s.Unix with { Mode = v } }) with { Refusal = Applicability.UnixFile, Phase = HandlePhase.PreListen },
        Of("unix.user", SettingTypes.UserName, null, "owner of the socket file; unset: the daemon's user",
            (s, v) => s with { Unix = s.Unix with { User = v } }) with { Refusal = Applicability.UnixFile, Phase = HandlePhase.PreListen },
        Of("unix.group", SettingTypes.GroupName, null, "group of the socket file; unset: the daemon's group",
            (s, v) => s with { Unix = s.Unix with { Group = v } }) with { Refusal = Applicability.UnixFile, Phase = HandlePhase.PreListen },
        Of("unix.remove_stale", SettingTypes.Flag, "false", "whether a socket file on which nobody listens any more may be removed",
            (s, v) => s with { Unix = s.Unix with { RemoveStale = v } })
                with { Refusal = Applicability.UnixFile, Phase = HandlePhase.PreBind },
        Of("unix.pass_credentials", SettingTypes.Flag, null, "SO_PASSCRED: credentials with each message; unset: false",
            (s, v) => s with { Unix = s.Unix with { PassCredentials = v } }) with { Refusal = Applicability.Unix },

        Of("datagram.broadcast", SettingTypes.Flag, null, "SO_BROADCAST: sending to broadcast addresses; unset: false",
            (s, v) => s with { Datagram = s.Datagram with { Broadcast = v } }) with { Refusal = Applicability.Datagram },
        Of("datagram.packet_info", SettingTypes.Flag, null, "IP_PKTINFO and IPV6_RECVPKTINFO: each datagram's destination; unset: false",
            (s, v) => s with { Datagram = s.Datagram with { PacketInfo = v } }) with { Refusal = Applicability.Datagram },
        Of("datagram.multicast",
            new TableListType<MulticastMembership>(MulticastSettings.Table, MulticastSettings.Blank, "[ { group = \"239.1.2.3\" } ]"), "[]",
            "groups to join",
            (s, v) => s with { Datagram = s.Datagram with { Multicast = v } })
            with { Refusal = Applicability.Datagram, Phase = HandlePhase.PreListen },

        Of("on_conflict.wait", SettingTypes.AnyDuration, "\"0s\"", "how long a bind is retried, for causes that can clear by themselves",
            (s, v) => s with { ConflictWait = v }) with { Phase = HandlePhase.Bind },
        Of("allow", SettingTypes.ListOf(SettingTypes.AllowEntry), "[]",
            "who may take this handle from the broker, besides root and the daemon's own user",
            (s, v) => s with { Allow = v }) with { Phase = HandlePhase.Handoff },
    ]);

    private static Setting<ListenerSpec> Of<T>(
        string key, SettingType<T> type, string? byDefault, string description, Func<ListenerSpec, T, ListenerSpec> with) =>
        new Setting<ListenerSpec, T>("listener.NAME", key, type, byDefault, description, with)
        {
            Phase = SocketOptions.All.FirstOrDefault(option => option.Setting == key)?.Phase,
        };

    private static Setting<ListenerSpec> Accepted<T>(
        string key, SettingType<T> type, string description, Func<AcceptedOptions, T, AcceptedOptions> with) =>
        Of("accepted." + key,
            type, null, description + "; unset: as the kernel has it", (s, v) => s with { Accepted = with(s.Accepted, v) })
            with
        { Refusal = Applicability.AcceptedTcp };
}
