using System.Collections.Immutable;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Reload;

/// <summary>
/// The settings of a listener, and what a change of each needs. For a socket option that is in the catalogue
/// (<see cref="SocketOption.ChangeableInPlace"/>). <c>SettingTests</c> proves that no setting of the configuration is missing.
/// </summary>
public static class ListenerReloadImpact
{
    /// <summary>All of them.</summary>
    public static readonly ImmutableArray<ListenerTerm> All =
    [
        Of("address", spec => spec.Address, TermChange.NewSocket),
        new("shards", static (a, b) => a.Shards == b.Shards || a.IsSteered || b.IsSteered, static (_, _) => TermChange.Shards),
        Of("steering", spec => spec.Steering, TermChange.InPlace),
        Of("affinity.by", spec => spec.Affinity?.By, TermChange.InPlace),
        Of("affinity.idle", spec => spec.Affinity?.Idle, TermChange.InPlace),
        Of("affinity.flows", spec => spec.Affinity?.Flows, TermChange.InPlace),
        Of("affinity.cid_offset", spec => spec.Affinity?.CidOffset, TermChange.InPlace),
        Of("network_namespace", spec => spec.NetworkNamespace, TermChange.NewSocket),
        Of("enforce", spec => spec.Enforce, TermChange.DaemonOnly),
        Option("bind.reuse_address", spec => spec.Bind.ReuseAddress),
        Option("bind.reuse_port", spec => spec.Bind.ReusePort),
        Option("bind.ipv6_only", spec => spec.Bind.IPv6Only),
        Option("bind.free_bind", spec => spec.Bind.FreeBind),
        Option("bind.transparent", spec => spec.Bind.Transparent),
        Option("bind.device", spec => spec.Bind.Device),
        Option("bind.mark", spec => spec.Bind.Mark),
        Option("bind.priority", spec => spec.Bind.Priority),
        Buffer("buffers.receive", spec => spec.Buffers.Receive),
        Buffer("buffers.send", spec => spec.Buffers.Send),
        Of("buffers.force", spec => spec.Buffers.Force, TermChange.InPlace),
        Of("listen.backlog", spec => spec.Listen.Backlog, TermChange.InPlace),
        Option("listen.defer_accept", spec => spec.Listen.DeferAccept),
        Option("listen.fast_open", spec => spec.Listen.FastOpen),

        // It belongs to the open file, which the workers share: a worker that waits in accept() would break.
        Of("listen.non_blocking", spec => spec.Listen.NonBlocking, TermChange.NewSocket),
        Option("accepted.no_delay", spec => spec.Accepted.NoDelay),
        Option("accepted.keep_alive", spec => spec.Accepted.KeepAlive),
        Option("accepted.keep_alive_idle", spec => spec.Accepted.KeepAliveIdle),
        Option("accepted.keep_alive_interval", spec => spec.Accepted.KeepAliveInterval),
        Option("accepted.keep_alive_probes", spec => spec.Accepted.KeepAliveProbes),
        Option("accepted.user_timeout", spec => spec.Accepted.UserTimeout),
        Option("accepted.linger", spec => spec.Accepted.Linger),
        Option("accepted.not_sent_low_water", spec => spec.Accepted.NotSentLowWater),
        Option("accepted.congestion", spec => spec.Accepted.Congestion),
        Option("accepted.tos", spec => spec.Accepted.TypeOfService),
        Option("accepted.ttl", spec => spec.Accepted.TimeToLive),
        Of("unix.mode", spec => spec.Unix.Mode, TermChange.InPlace),
        Of("unix.user", spec => spec.Unix.User, TermChange.InPlace),
        Of("unix.group", spec => spec.Unix.Group, TermChange.InPlace),
        Of("unix.directory_mode", spec => spec.Unix.DirectoryMode, TermChange.DaemonOnly),
        new("unix.symlinks", static (a, b) => a.Unix.Symlinks.SequenceEqual(b.Unix.Symlinks), static (_, _) => TermChange.InPlace),
        Of("unix.remove_stale", spec => spec.Unix.RemoveStale, TermChange.DaemonOnly),
        Option("unix.pass_credentials", spec => spec.Unix.PassCredentials),
        Option("unix.pass_security", spec => spec.Unix.PassSecurity),
        Option("unix.pass_pidfd", spec => spec.Unix.PassPidfd),
        Of("fifo.pipe_size", spec => spec.Opened.PipeSize, TermChange.InPlace),

        // The kernel never changes a queue that exists: they are for the next one that listend makes.
        Of("mqueue.max_messages", spec => spec.Opened.MaxMessages, TermChange.DaemonOnly),
        Of("mqueue.message_size", spec => spec.Opened.MessageSize, TermChange.DaemonOnly),
        Of("mqueue.remove_on_stop", spec => spec.Opened.RemoveOnStop, TermChange.DaemonOnly),
        Of("special.writable", spec => spec.Opened.Writable, TermChange.NewSocket),
        Option("datagram.timestamping", spec => spec.Datagram.Timestamping),
        Option("datagram.broadcast", spec => spec.Datagram.Broadcast),
        Option("datagram.packet_info", spec => spec.Datagram.PacketInfo),
        new(
            "datagram.multicast",
            static (a, b) => a.Datagram.Multicast.SequenceEqual(b.Datagram.Multicast),
            static (_, _) => TermChange.InPlace),
        new("options", static (a, b) => a.Options.SequenceEqual(b.Options), Options),
        Of("on_conflict.wait", spec => spec.ConflictWait, TermChange.DaemonOnly),
        new("allow", static (a, b) => a.Allow.SequenceEqual(b.Allow), static (_, _) => TermChange.DaemonOnly),
    ];

    /// <summary>The settings in which two specifications differ, except for names, and what each change needs.</summary>
    public static ImmutableArray<(string Setting, TermChange Change)> Changed(ListenerSpec before, ListenerSpec after) =>
        ReferenceEquals(before, after)
            ? []
            : [.. All.Where(term => !term.Same(before, after)).Select(term => (term.Setting, term.Change(before, after)))];

    private static ListenerTerm Of<T>(string setting, Func<ListenerSpec, T> value, TermChange change) =>
        new(setting, (a, b) => EqualityComparer<T>.Default.Equals(value(a), value(b)), (_, _) => change);

    private static ListenerTerm Option<T>(string setting, Func<ListenerSpec, T> value) => Of(
        setting, value,
        SocketOptions.All.Where(option => option.Setting == setting).All(option => option.ChangeableInPlace)
            ? TermChange.InPlace
            : TermChange.NewSocket);

    /// <summary>An option that bind() may read needs another socket, unless it is one that the catalogue changes in place.</summary>
    private static TermChange Options(ListenerSpec before, ListenerSpec after) =>
        before.Options.Except(after.Options).Concat(after.Options.Except(before.Options))
            .All(option => option.Row() is { ChangeableInPlace: true })
            ? TermChange.InPlace
            : TermChange.NewSocket;

    /// <summary>
    /// Setting a size turns the kernel's automatic sizing off for good: to turn it on again, a new socket is needed.
    /// </summary>
    private static ListenerTerm Buffer(string setting, Func<ListenerSpec, int?> size) =>
        new(setting, (a, b) => size(a) == size(b), (_, after) => size(after) is null ? TermChange.NewSocket : TermChange.InPlace);
}
