using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Config.Settings;

/// <summary><c>[listener.NAME]</c>. The catalogue defines the phase of each socket option (<see cref="SocketOptions"/>).</summary>
internal static class ListenerSettings
{
    /// <summary>The largest SO_RCVBUF and SO_SNDBUF: the kernel doubles the value and stores it in an int, socket(7).</summary>
    private const int MaxBuffer = int.MaxValue / 2;

    public static readonly SectionTable<ListenerSpec> Table = new(
    [
        Of("address", SettingTypes.Address, null,
            "Bind this numeric address", (s, v) => s with { Address = v }) with { IsRequired = true, Phase = HandlePhase.Bind },
        Of("shards", SettingTypes.Integer(1, 10000), "1",
            "Create this number of SO_REUSEPORT sockets, one for each worker slot",
            (s, v) => s with { Shards = (int)v }) with { Phase = HandlePhase.Create, Refusal = Applicability.Shards },
        Of("steering",
            new ChoiceType<SteeringMode>(("none", SteeringMode.None), ("generation", SteeringMode.Generation)), "\"none\"",
            "Give each worker a socket of its own, and new connections to the workers of the working generation (generation), "
            + "or let all workers share the sockets (none)",
            (s, v) => s with { Steering = v }) with { Phase = HandlePhase.Steer, Refusal = Applicability.Steering },
        Affinity("by", new ChoiceType<AffinityKind>(("flow", AffinityKind.Flow), ("quic-cid", AffinityKind.QuicConnectionId)),
            "Keep the datagrams of a client at their worker by addresses and ports (flow), "
            + "or also by the cookie in the connection id of QUIC (quic-cid). Unset, with another affinity setting: flow",
            (a, v) => a with { By = v }),
        Affinity("idle", new DurationType(TimeSpan.FromMilliseconds(100), Duration.Max),
            "End a flow after this time without a datagram. The idle timeout of the protocol must not be longer. Unset: 60s",
            (a, v) => a with { Idle = v }),
        Affinity("flows", SettingTypes.Integer(1024, AffinityOptions.MostFlows),
            "Record at most this number of flows, about 130 bytes each. The least recently used makes room for a new one. Unset: 131072",
            (a, v) => a with { Flows = (int)v }),
        Affinity("cid_offset", SettingTypes.Integer(0, 12),
            "With quic-cid: find the cookie of LISTEND_COOKIES at this byte of the connection id. Unset: 0",
            (a, v) => a with { CidOffset = (int)v }),
        Of("enforce", SettingTypes.Flag, "true",
            "Restore socket options that a worker has changed", (s, v) => s with { Enforce = v }) with { Phase = HandlePhase.Repair },

        Of("network_namespace", SettingTypes.AbsolutePath, null,
            "Create the socket in the network namespace of this file. Unset: in the daemon's own",
            (s, v) => s with { NetworkNamespace = v }) with { Phase = HandlePhase.Create, Refusal = Applicability.Namespaced },

        Of("bind.reuse_address", SettingTypes.Flag, null,
            "Set SO_REUSEADDR. Unset: true for TCP, otherwise false", (s, v) => s with { Bind = s.Bind with { ReuseAddress = v } })
            with { Refusal = Applicability.Socket },
        Of("bind.reuse_port", SettingTypes.Flag, "false",
            "Set SO_REUSEPORT: several sockets of the same user can bind the address",
            (s, v) => s with { Bind = s.Bind with { ReusePort = v } }) with { Refusal = Applicability.Socket },
        Of("bind.ipv6_only", SettingTypes.Flag, "false",
            "Set IPV6_V6ONLY: [::] does not accept IPv4 connections",
            (s, v) => s with { Bind = s.Bind with { IPv6Only = v } }) with { Refusal = Applicability.IPv6 },
        Of("bind.free_bind", SettingTypes.Flag, "false",
            "Set IP_FREEBIND: bind an address that no interface has yet",
            (s, v) => s with { Bind = s.Bind with { FreeBind = v } }) with { Refusal = Applicability.Internet },
        Of("bind.transparent", SettingTypes.Flag, "false",
            "Set IP_TRANSPARENT: bind an address of another host, for a transparent proxy",
            (s, v) => s with { Bind = s.Bind with { Transparent = v } }) with { Refusal = Applicability.Internet },
        Of("bind.device", SettingTypes.Interface, null,
            "Set SO_BINDTODEVICE: receive only from this interface. Unset: from all interfaces",
            (s, v) => s with { Bind = s.Bind with { Device = v } }) with { Refusal = Applicability.Internet },
        Of("bind.mark", SettingTypes.Integer(0, uint.MaxValue), null,
            "Set SO_MARK, the firewall mark. Unset: 0", (s, v) => s with { Bind = s.Bind with { Mark = (uint)v } })
            with { Refusal = Applicability.Socket },

        Of("bind.priority", SettingTypes.Count, null,
            "Set SO_PRIORITY, the priority of sent packets. Accepted connections do not have it. Unset: 0, or as accepted.tos gives",
            (s, v) => s with { Bind = s.Bind with { Priority = (int)v } }) with { Refusal = Applicability.Socket },

        Of("buffers.receive", new SizeType(1, MaxBuffer), null,
            "Set SO_RCVBUF. The kernel doubles the value. Unset: net.ipv4.tcp_rmem or net.core.rmem_default",
            (s, v) => s with { Buffers = s.Buffers with { Receive = (int)v } }) with { Refusal = Applicability.Socket },
        Of("buffers.send", new SizeType(1, MaxBuffer), null,
            "Set SO_SNDBUF. The kernel doubles the value. Unset: net.ipv4.tcp_wmem or net.core.wmem_default",
            (s, v) => s with { Buffers = s.Buffers with { Send = (int)v } }) with { Refusal = Applicability.Socket },
        Of("buffers.force", SettingTypes.Flag, "false",
            "Use SO_RCVBUFFORCE and SO_SNDBUFFORCE, which ignore net.core.rmem_max and net.core.wmem_max",
            (s, v) => s with { Buffers = s.Buffers with { Force = v } })
            with { Refusal = Applicability.Socket, Phase = HandlePhase.PreListen },

        Of("listen.backlog", SettingTypes.Integer(1, int.MaxValue), "4096",
            "Set the length of the accept queue. The kernel limits it to net.core.somaxconn",
            (s, v) => s with { Listen = s.Listen with { Backlog = (int)v } })
            with { Refusal = Applicability.AcceptQueue, Phase = HandlePhase.Listen },
        Of("listen.defer_accept", new DurationType(TimeSpan.Zero, Duration.Max, wholeSeconds: true), null,
            "Set TCP_DEFER_ACCEPT: hold a connection back from accept() for this time or until data arrives. Unset or 0s: off",
            (s, v) => s with { Listen = s.Listen with { DeferAccept = v > TimeSpan.Zero ? v : null } })
            with { Refusal = Applicability.TcpQueue },
        Of("listen.fast_open", SettingTypes.Count, null,
            "Set TCP_FASTOPEN, the length of its queue. Unset: off",
            (s, v) => s with { Listen = s.Listen with { FastOpen = (int)v } }) with { Refusal = Applicability.TcpQueue },
        Of("listen.non_blocking", SettingTypes.Flag, "false",
            "Set O_NONBLOCK when listend creates the socket, and before a worker starts while no other process has the socket",
            (s, v) => s with { Listen = s.Listen with { NonBlocking = v } }) with { Phase = HandlePhase.Create },

        Accepted("no_delay", SettingTypes.Flag, "Set TCP_NODELAY: turn Nagle's algorithm off", (a, v) => a with { NoDelay = v }),
        Accepted("keep_alive", SettingTypes.Flag, "Set SO_KEEPALIVE: probe idle connections", (a, v) => a with { KeepAlive = v }),
        Accepted("keep_alive_idle", SettingTypes.Seconds(1, 32767),
            "Set TCP_KEEPIDLE, the idle time before the first probe", (a, v) => a with { KeepAliveIdle = v }),
        Accepted("keep_alive_interval", SettingTypes.Seconds(1, 32767),
            "Set TCP_KEEPINTVL, the time between two probes", (a, v) => a with { KeepAliveInterval = v }),
        Accepted("keep_alive_probes", SettingTypes.Integer(1, 127),
            "Set TCP_KEEPCNT, the number of unanswered probes after which the kernel drops the connection",
            (a, v) => a with { KeepAliveProbes = (int)v }),
        Accepted("user_timeout", new DurationType(TimeSpan.Zero, TimeSpan.FromHours(596)),
            "Set TCP_USER_TIMEOUT, the time that sent data may stay unacknowledged", (a, v) => a with { UserTimeout = v }),
        Accepted("linger", SettingTypes.Seconds(0, 65535),
            "Set SO_LINGER, the time that close() waits for unsent data. 0s: close() resets the connection",
            (a, v) => a with { Linger = v }),
        Accepted("not_sent_low_water", new SizeType(0, int.MaxValue),
            "Set TCP_NOTSENT_LOWAT: the socket is writable while fewer bytes are unsent", (a, v) => a with { NotSentLowWater = (int)v }),
        Accepted("congestion", SettingTypes.Congestion,
            "Set TCP_CONGESTION, the congestion control algorithm", (a, v) => a with { Congestion = v }),
        Accepted("tos", SettingTypes.Integer(0, 255), "Set IP_TOS and IPV6_TCLASS", (a, v) => a with { TypeOfService = (int)v }),
        Accepted("ttl", SettingTypes.Integer(1, 255), "Set IP_TTL and IPV6_UNICAST_HOPS", (a, v) => a with { TimeToLive = (int)v }),

        Of("unix.mode", SettingTypes.Mode, null,
            "Set the permission bits of the socket file, FIFO or message queue. "
            + "Unset: 0777 (socket) or 0666 (FIFO, queue) without the bits of the daemon's umask",
            (s, v) => s with { Unix = s.Unix with { Mode = v } }) with { Refusal = Applicability.Owned, Phase = HandlePhase.PreListen },
        Of("unix.user", SettingTypes.UserName, null,
            "Set the owner of the socket file, FIFO or message queue. Unset: the daemon's user",
            (s, v) => s with { Unix = s.Unix with { User = v } }) with { Refusal = Applicability.Owned, Phase = HandlePhase.PreListen },
        Of("unix.group", SettingTypes.GroupName, null,
            "Set the group of the socket file, FIFO or message queue. Unset: the daemon's group",
            (s, v) => s with { Unix = s.Unix with { Group = v } }) with { Refusal = Applicability.Owned, Phase = HandlePhase.PreListen },
        Of("unix.remove_stale", SettingTypes.Flag, "false",
            "Remove an existing socket file if no process listens on it",
            (s, v) => s with { Unix = s.Unix with { RemoveStale = v } })
            with { Refusal = Applicability.UnixFile, Phase = HandlePhase.PreBind },
        Of("unix.pass_credentials", SettingTypes.Flag, null,
            "Set SO_PASSCRED: receive the sender's credentials with each message. Unset: false",
            (s, v) => s with { Unix = s.Unix with { PassCredentials = v } }) with { Refusal = Applicability.Local },

        Of("unix.pass_security", SettingTypes.Flag, null,
            "Set SO_PASSSEC: receive the sender's security context with each message. Unset: false",
            (s, v) => s with { Unix = s.Unix with { PassSecurity = v } }) with { Refusal = Applicability.Unix },
        Of("unix.pass_pidfd", SettingTypes.Flag, null,
            "Set SO_PASSPIDFD (Linux 6.5): receive a pidfd of the sender with each message. Unset: false",
            (s, v) => s with { Unix = s.Unix with { PassPidfd = v } }) with { Refusal = Applicability.Unix },

        Of("fifo.pipe_size", new SizeType(1, 1 << 30), null,
            "Set the capacity of the FIFO (F_SETPIPE_SZ). The kernel rounds it up. Unset: 64 KiB",
            (s, v) => s with { Opened = s.Opened with { PipeSize = (int)v } })
            with { Refusal = Applicability.Fifo, Phase = HandlePhase.PreListen },
        Of("mqueue.max_messages", SettingTypes.Integer(1, 65536), null,
            "Let a message queue that listend makes hold this number of messages. Unset: fs.mqueue.msg_default",
            (s, v) => s with { Opened = s.Opened with { MaxMessages = (int)v } })
            with { Refusal = Applicability.Queue, Phase = HandlePhase.Create },
        Of("mqueue.message_size", new SizeType(1, 1 << 24), null,
            "Let a message queue that listend makes take messages of this size. Unset: fs.mqueue.msgsize_default",
            (s, v) => s with { Opened = s.Opened with { MessageSize = (int)v } })
            with { Refusal = Applicability.Queue, Phase = HandlePhase.Create },
        Of("mqueue.remove_on_stop", SettingTypes.Flag, "false",
            "Remove the message queue, with its messages, when listend stops or the listener is removed",
            (s, v) => s with { Opened = s.Opened with { RemoveOnStop = v } })
            with { Refusal = Applicability.Queue, Phase = HandlePhase.Close },
        Of("special.writable", SettingTypes.Flag, "false",
            "Open the special file for writing too (O_RDWR)",
            (s, v) => s with { Opened = s.Opened with { Writable = v } })
            with { Refusal = Applicability.Special, Phase = HandlePhase.Create },

        Of("unix.directory_mode", SettingTypes.Mode, null,
            "Create missing directories of the path with these permission bits. Unset: a missing directory is an error",
            (s, v) => s with { Unix = s.Unix with { DirectoryMode = v } })
            with { Refusal = Applicability.OwnFile, Phase = HandlePhase.PreBind },
        Of("unix.symlinks", SettingTypes.ListOf(SettingTypes.AbsolutePath), "[]",
            "Create these symbolic links to the path, and remove them when the listener is closed",
            (s, v) => s with { Unix = s.Unix with { Symlinks = v } })
            with { Refusal = Applicability.OwnFile, Phase = HandlePhase.PreListen },

        Of("datagram.timestamping",
            new ChoiceType<TimestampUnit>(
                ("off", TimestampUnit.Off), ("us", TimestampUnit.Microseconds), ("ns", TimestampUnit.Nanoseconds)), "\"off\"",
            "Receive the time of arrival with each datagram, in microseconds (us, SO_TIMESTAMP) or nanoseconds (ns, SO_TIMESTAMPNS)",
            (s, v) => s with { Datagram = s.Datagram with { Timestamping = v } }) with { Refusal = Applicability.Datagram },
        Of("datagram.broadcast", SettingTypes.Flag, null,
            "Set SO_BROADCAST: permit sending to broadcast addresses. Unset: false",
            (s, v) => s with { Datagram = s.Datagram with { Broadcast = v } }) with { Refusal = Applicability.Datagram },
        Of("datagram.packet_info", SettingTypes.Flag, null,
            "Set IP_PKTINFO and IPV6_RECVPKTINFO: receive the destination address with each datagram. Unset: false",
            (s, v) => s with { Datagram = s.Datagram with { PacketInfo = v } }) with { Refusal = Applicability.Datagram },
        Of("datagram.multicast",
            new TableListType<MulticastMembership>(MulticastSettings.Table, MulticastSettings.Blank, "[ { group = \"239.1.2.3\" } ]"), "[]",
            "Join these multicast groups",
            (s, v) => s with { Datagram = s.Datagram with { Multicast = v } })
            with { Refusal = Applicability.Datagram, Phase = HandlePhase.PreListen },

        Of("options",
            new TableListType<CustomOption>(
                CustomOptionSettings.Table, CustomOptionSettings.Blank,
                "[ { level = \"IPPROTO_TCP\", name = \"TCP_SYNCNT\", value = 3, phase = \"pre-listen\" } ]"), "[]",
            "Set these further socket options, each in its phase. listend compares and restores them like the others",
            (s, v) => s with { Options = v }) with { Refusal = Applicability.Socket },

        Of("on_conflict.wait", SettingTypes.AnyDuration, "\"0s\"",
            "Retry a failed bind for this time, if the cause can disappear without a change of the configuration",
            (s, v) => s with { ConflictWait = v }) with { Phase = HandlePhase.Bind },
        Of("allow", SettingTypes.ListOf(SettingTypes.AllowEntry), "[]",
            "Let these users and groups take the listener from the broker. Root and the daemon's user always may",
            (s, v) => s with { Allow = v }) with { Phase = HandlePhase.Handoff },
    ]);

    private static Setting<ListenerSpec> Of<T>(
        string key, SettingType<T> type, string? byDefault, string description, Func<ListenerSpec, T, ListenerSpec> with) =>
        new Setting<ListenerSpec, T>("listener.NAME", key, type, byDefault, description, with)
        {
            Phase = SocketOptions.All.FirstOrDefault(option => option.Setting == key)?.Phase,
        };

    private static Setting<ListenerSpec> Affinity<T>(
        string key, SettingType<T> type, string description, Func<AffinityOptions, T, AffinityOptions> with) =>
        Of("affinity." + key, type, null, description,
            (s, v) => s with { Affinity = with(s.Affinity ?? new AffinityOptions(), v) }) with
        { Phase = HandlePhase.Steer, Refusal = Applicability.Datagram };

    private static Setting<ListenerSpec> Accepted<T>(
        string key, SettingType<T> type, string description, Func<AcceptedOptions, T, AcceptedOptions> with) =>
        Of("accepted." + key, type, null, description + ". Unset: the kernel's default",
            (s, v) => s with { Accepted = with(s.Accepted, v) }) with
        { Refusal = Applicability.AcceptedTcp };
}
