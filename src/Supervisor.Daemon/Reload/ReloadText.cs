using System.Globalization;
using Supervisor.Control;
using Supervisor.Core;
using Supervisor.Core.Listeners;
using Supervisor.Core.Reload;
using Supervisor.Core.Services;

namespace Supervisor.Daemon.Reload;

/// <summary>Describes the actions of a reload as text.</summary>
internal static class ReloadText
{
    private const string Unchanged = "unchanged";

    /// <summary>The plan for a listener without a socket; <see cref="Outcome"/> says what came of it.</summary>
    private const string Retried = "retried";

    /// <summary>What becomes of a socket that no worker has.</summary>
    private const string ClosedAtOnce = "is closed at once: no worker has it";

    /// <summary>How many subjects of one kind of action a summary names.</summary>
    private const int MostNamed = 20;

    /// <summary>An action as the control interface shows it.</summary>
    public static ReloadActionDocument Document(ReloadAction action) => action switch
    {
        ListenerUnchanged => Listener(action, Unchanged, null),
        ListenerAdded { Beside.IsEmpty: true } added => Listener(action, "added", $"{added.At}"),
        ListenerAdded added => Listener(
            action, "added", $"{added.At}, next to {Names(added.Beside)} by SO_REUSEPORT until that socket is closed"),
        ListenerRemoved { Former: var former } => Listener(
            action, "removed", $"{former.Address} is closed when no worker has it",
            former.HasSocket ? $"{Queued(former.Spec)} that wait in its queue then" : null),
        ListenerRetried retried =>
            Listener(action, retried.IsUnchanged ? Retried : "in-place", $"has no socket ({retried.Failure}): binding it again"),
        ListenerMended mended => Listener(action, "in-place", string.Join("; ", mended.Mends.Select(mend => mend.Reason))),
        ListenerRenamed renamed => Listener(
            action, "renamed",
            $"was \"{renamed.From}\": same address, same socket{(renamed.Settings.IsEmpty ? "" : "; the other settings are set on it")}"),
        ListenerChanged changed => Listener(action, "in-place", InPlace(changed)),
        ListenerResharded resharded => Resharded(resharded),
        ListenerMoved moved when !moved.Former.StaysOpen() => Listener(
            action, "new-socket",
            $"{moved.At} is bound, and {moved.Former.Address} {ClosedAtOnce}",
            $"{Queued(moved.Former.Spec)} that wait in the queue of the former address"),
        ListenerMoved moved => Listener(
            action, "new-socket",
            $"{moved.At} is bound while {moved.Former.Address} still serves; "
            + $"{moved.Former.Address} is closed when its last worker has exited",
            $"{Queued(moved.Former.Spec)} that wait in the queue of the former address when it is closed"),
        ListenerReplaced replaced => Replaced(replaced),
        ServiceUnchanged => Service(action, Unchanged, null),
        ServiceStarted started => Service(action, "started", Workers(started.Workers)),
        ServiceStopped => Service(action, "stopped", "no longer configured: its workers drain, then it is removed"),
        ServiceScaled scaled =>
            Service(action, "scaled", string.Create(CultureInfo.InvariantCulture, $"from {scaled.From} to {scaled.To}")),
        ServiceChanged changed => Service(
            action, "in-place",
            changed.WithNewWorkers ? "for the new workers; draining workers keep the former settings" : "does not affect workers"),
        ServiceRolledOut rolledOut => Service(action, "rolled-out", Reason(rolledOut)),
        RuntimeDirectoryKept kept => Daemon(
            action, "needs-restart",
            $"{kept.Directory} stays, because clients and workers know the sockets in it: restart the daemon to change it"),
        TrustedOwnersChanged owners => Daemon(
            action, "in-place",
            owners.Owners.IsEmpty ? "only root's paths are trusted" : $"paths of {string.Join(", ", owners.Owners)} are trusted"),
        ControlGroupChanged { Group: var group } => Daemon(
            action, "in-place",
            group is null ? "only the daemon's own group reads control.sock" : $"members of {group} may read control.sock"),
        AccessChanged { Rules: var rules } => Daemon(
            action, "in-place",
            rules.IsEmpty ? "only root, the daemon's user and control_group use control.sock"
                : $"rules of [access.NAME]: {string.Join(", ", rules)}"),
        StopDelayChanged { Delay: var delay } => Daemon(
            action, "in-place",
            delay == TimeSpan.Zero ? "SIGTERM stops the workers at once" : $"SIGTERM stops the workers after {Duration.Format(delay)}"),
        MetricsChanged metrics =>
            Daemon(action, "in-place", metrics.Address is null ? "no longer served over TCP" : $"served on {metrics.Address}"),
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, null),
    };

    /// <summary>
    /// The action after it was done: a listener that was tried again is bound now, or is unchanged and still has no socket.
    /// </summary>
    public static ReloadActionDocument Outcome(ReloadActionDocument action, Func<string, bool> isBound) =>
        action is not { Subject: "listener", Action: Retried } ? action
        : isBound(action.Name) ? action with { Action = "bound" }
        : action with { Action = Unchanged };

    /// <summary>A summary of the actions in one line: <c>listener web: in-place; service api: rolled-out</c>.</summary>
    public static string Summary(IEnumerable<ReloadActionDocument> actions, bool dryRun)
    {
        var groups = actions.Where(IsChange).GroupBy(action => action.Action)
            .Select(group => $"{Subjects([.. group])}: {group.Key}").ToArray();
        return groups.Length == 0 ? "nothing has changed" : (dryRun ? "would be " : "") + string.Join("; ", groups);
    }

    /// <summary>The first subjects, and how many more there are.</summary>
    private static string Subjects(ReloadActionDocument[] actions) =>
        string.Join(", ", actions.Take(MostNamed).Select(Subject))
        + (actions.Length > MostNamed ? string.Create(CultureInfo.InvariantCulture, $" and {actions.Length - MostNamed} more") : "");

    /// <summary>Such as <c>service api</c>.</summary>
    public static string Subject(ReloadActionDocument action) =>
        action.Name.Length == 0 ? action.Subject : $"{action.Subject} {action.Name}";

    /// <summary>Whether the action changes something.</summary>
    public static bool IsChange(ReloadActionDocument action) => action.Action != Unchanged;

    private static ReloadActionDocument Listener(ReloadAction action, string word, string? reason, string? loses = null) =>
        new("listener", action.Name, word, action.Settings, reason, loses);

    private static ReloadActionDocument Service(ReloadAction action, string word, string? reason) =>
        new("service", action.Name, word, action.Settings, reason, null);

    private static ReloadActionDocument Daemon(ReloadAction action, string word, string reason) =>
        new("daemon", "", word, action.Settings, reason, null);

    private static ReloadActionDocument Replaced(ListenerReplaced action)
    {
        var step = action.Step;
        var changed = string.Join(
            ", ", step.Diff.Changed.Where(change => change.Change == TermChange.NewSocket).Select(change => change.Setting));
        var cannot = $"{changed} cannot be changed on an open socket: ";
        var queued = Queued(step.Former!.Spec);
        if (step.Move != ListenerMove.Impossible && !step.Former.StaysOpen())
        {
            return step.At.Kind.IsSocket()
                ? Listener(
                    action, "new-socket", $"{cannot}{step.At} is bound again, and the former socket {ClosedAtOnce}",
                    $"{queued} that wait in the former socket's queue")
                : Listener(action, "new-socket", $"{cannot}{step.At} is opened again, and the former descriptor {ClosedAtOnce}");
        }

        var loses = step.CanSteer || step.KeepsSteering
            ? null
            : $"{queued} that arrive at the former socket after the stop signal of its last worker";
        return step.Move switch
        {
            ListenerMove.Beside when !step.Former.Spec.Address.Kind.IsSocket() || step.At.Kind == ListenerKind.Netlink => Listener(
                action, "new-socket",
                $"{cannot}{step.At} is opened again, and the former descriptor is closed when its last worker has exited",
                step.At.Kind.IsSocket() ? loses : null),
            ListenerMove.Beside => Listener(
                action, "new-socket",
                $"{cannot}both sockets share {step.At} by SO_REUSEPORT until the former socket's last worker has exited", loses),
            ListenerMove.Bridge => Listener(
                action, "new-socket",
                $"{cannot}{Names(step.Bridge)} gets SO_REUSEPORT, {step.At} is bound next to it, "
                + "and the former socket is closed when its last worker has exited",
                loses),
            ListenerMove.Rename => Listener(
                action, "new-socket", $"{cannot}another socket is bound next to the path and renamed over it",
                $"{queued} that wait in the former socket's queue when its last worker exits"),
            ListenerMove.Impossible => Listener(action, "new-socket", "cannot be done"),
            _ => throw new ArgumentOutOfRangeException(nameof(action), step.Move, null),
        };
    }

    private static ReloadActionDocument Resharded(ListenerResharded action)
    {
        var (before, after, why) = (action.Former.Sockets, action.Shards, action.Former.NotSteered());
        var rest = action.Settings.Length > 1 ? "; the other settings are set on the open sockets" : "";
        if (after >= before)
        {
            return Listener(
                action, "in-place",
                string.Create(CultureInfo.InvariantCulture, $"{after - before} sockets are bound next to the {before} that serve; ")
                + (why is null
                    ? "each gets new connections when a worker serves it"
                    : $"each gets new connections at once, which wait for its worker: {why}") + rest);
        }

        return Listener(
            action, "in-place",
            string.Create(CultureInfo.InvariantCulture, $"{before - after} of {before} sockets ")
            + (why is null
                ? "get no new connections, and are closed when their queues are empty"
                : $"are closed when their queues are empty: {why}") + rest,
            why is null ? null : "connections that arrive at one of these sockets while the daemon closes it");
    }

    private static string InPlace(ListenerChanged action)
    {
        var effects = action.Changes.Where(change => change.Change == TermChange.InPlace)
            .Select(change => Effect(change.Setting, action.After)).Distinct();
        return action.Changes.Any(change => change.Setting is "mqueue.max_messages" or "mqueue.message_size")
            ? "for the next queue that listend makes: the kernel does not change one that exists"
            : action.Changes.All(change => change.Change == TermChange.DaemonOnly)
            ? "the socket does not change"
            : $"set on the open socket: {string.Join("; ", effects)}";
    }

    /// <summary>When a setting that is changed on the living socket takes effect.</summary>
    private static string Effect(string setting, ListenerSpec after) => setting switch
    {
        "listen.backlog" => "its queue has the new length at once",
        "listen.defer_accept" or "listen.fast_open" => "for new connections",
        "bind.reuse_port" => after.Bind.ReusePort
            ? "another socket with SO_REUSEPORT can be bound next to it from now on"
            : "no other socket can be bound next to it from now on",
        "unix.mode" or "unix.user" or "unix.group" => after.Address.Kind.IsSocket()
            ? "decides who may connect from now on"
            : "decides who may open it from now on",
        "unix.symlinks" => "the links are made and removed at once",
        "datagram.multicast" => "receives what is sent to these groups from now on",
        "options" => "takes effect as each option does on an open socket",
        _ when setting.StartsWith("datagram.", StringComparison.Ordinal) || !after.Address.Kind.Listens() => "takes effect at once",
        _ when setting.StartsWith("bind.", StringComparison.Ordinal) => "takes effect at once",
        _ => "for connections accepted from now on",
    };

    private static string Reason(ServiceRolledOut action)
    {
        if (!action.Reshared.IsEmpty)
        {
            return $"replaces {Workers(action.Workers)}, {action.Strategy.ToWireName()}: "
                + $"each gets another share of the shards of {NameList.Of(action.Reshared)}";
        }

        var why = (action.NewSockets.IsEmpty ? "" : $"; new sockets: {NameList.Of(action.NewSockets)}")
            + (action.WasMixed ? "; the last roll-out ended between two generations" : "");
        return (action.IsToRun
            ? $"replaces {Workers(action.Workers)}, {action.Strategy.ToWireName()}"
            : "the service is stopped: effective at its next start") + why;
    }

    /// <summary>The content of a queue, which is lost with the socket.</summary>
    private static string Queued(ListenerSpec spec) => spec.Address.Kind.Listens() ? "connections" : "datagrams";

    private static string Names(IEnumerable<RunningListener> listeners) =>
        string.Join(", ", listeners.Select(
            listener => string.Create(CultureInfo.InvariantCulture, $"{listener.Effective} (inode {listener.Inode})")));

    private static string Workers(int workers) =>
        string.Create(CultureInfo.InvariantCulture, $"{workers} worker{(workers == 1 ? "" : "s")}");
}
