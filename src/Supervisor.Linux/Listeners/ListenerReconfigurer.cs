using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Listeners;

/// <summary>Changes a listener on its living sockets, as far as a reload can do so without another socket.</summary>
public sealed class ListenerReconfigurer
{
    private readonly ListenerContext _context;
    private readonly ListenerSteerer _steerer;

    internal ListenerReconfigurer(ListenerContext context, ListenerSteerer steerer) => (_context, _steerer) = (context, steerer);

    /// <summary>
    /// Changes the listener to <paramref name="spec"/>: sets what differs, restores the kernel's own value of what is no longer
    /// set, and renames it. Each call is in the history, in the phase of its option. A refused call leaves that setting as it was.
    /// </summary>
    /// <returns>What was refused, for people; empty if nothing was.</returns>
    public IReadOnlyList<string> Change(ListenerHandle handle, ListenerSpec spec)
    {
        var before = handle.Spec;
        var first = handle.History.Count;
        if (before.Name != spec.Name)
        {
            _context.Record(handle, HistoryRecorder.Reload).Add(
                HandlePhase.Verify, "reload", "name", OptionValue.Of(spec.Name), OptionValue.Of(spec.Name), note: $"was \"{before.Name}\"");
        }

        foreach (var target in _context.Targets(handle, HistoryRecorder.Reload))
        {
            ChangeOptions(target, before, spec);
            if (before.Listen.Backlog != spec.Listen.Backlog && spec.Address.Kind.Listens())
            {
                ListenSteps.Listen(target, spec.Listen.Backlog);
            }
        }

        if (handle.Descriptor is not null)
        {
            spec = ChangeFileAndGroups(new SocketTarget(handle, 0, _context.Record(handle, HistoryRecorder.Reload)), before, spec);
        }

        if (!before.Unix.Symlinks.SequenceEqual(spec.Unix.Symlinks))
        {
            SocketLinks.Remove(handle, _context.Record(handle, HistoryRecorder.Reload), kept: spec.Unix.Symlinks);
        }

        handle.Spec = spec;
        SocketLinks.Make(handle, _context.Record(handle, HistoryRecorder.Reload));
        _steerer.Change(handle, spec);
        if (handle.History.Count > first && handle.Sockets.Any(socket => socket.Baseline is not null))
        {
            // The daemon made these changes, so they are not drift.
            handle.ForgetBaseline();
            handle.RecordBaseline();
        }

        return handle.Descriptor is null ? [] :
        [
            .. handle.History.Entries.Where(entry => entry.Seq > first && entry.Verdict == Verdict.Refused)
                .Select(entry => $"{entry.Option ?? entry.Call} {entry.Requested}: {entry.Errno}: {entry.Note}"),
        ];
    }

    /// <summary>Whether the listener's network namespace was deleted and made again: its sockets are in the former one.</summary>
    public static bool IsInFormerNamespace(ListenerHandle handle) => handle is { Spec.NetworkNamespace: not null, Descriptor: { } socket }
        && NamespaceCall.IsReplaced(ListenerPlan.Creation(handle.Spec, handle.Domain), socket);

    /// <summary>
    /// The accept queue's limit and what listen() would make it now: net.core.somaxconn has capped it and was raised since then.
    /// Null if it would not grow.
    /// </summary>
    public static (long Now, long Possible)? RaisableBacklog(ListenerHandle handle, long? somaxconn)
    {
        var backlog = handle.Spec.Listen.Backlog;
        if (!handle.Listens || handle.Origin == HandleOrigin.InheritedSystemd || handle.IsGiven || somaxconn is not { } cap)
        {
            return null;
        }

        var possible = Math.Min(backlog, cap);
        foreach (var socket in handle.Sockets)
        {
            var limit = socket.Baseline?.Backlog ?? AcceptQueue.Read(socket.Descriptor, handle.Spec.Address.Kind, socket.Inode)?.Limit;
            if (limit < possible)
            {
                return (limit.Value, possible);
            }
        }

        return null;
    }

    /// <summary>Calls listen() again, because the accept queue may be longer than it is (<see cref="RaisableBacklog"/>).</summary>
    public void RaiseBacklog(ListenerHandle handle)
    {
        foreach (var target in _context.Targets(handle, HistoryRecorder.Reload))
        {
            ListenSteps.Listen(target, handle.Spec.Listen.Backlog);
            var limit = AcceptQueue.Read(target.Descriptor, handle.Spec.Address.Kind, target.Socket.Inode)?.Limit;
            target.Socket.Drift.Remove(SocketChange.Backlog);
            target.Socket.Baseline = target.Socket.Baseline is { } baseline ? baseline with { Backlog = limit } : null;
        }
    }

    /// <summary>
    /// Returns the specification that is in force: with the former owner or mode if that could not be changed, so that the next
    /// reload finds the difference and tries again.
    /// </summary>
    private static ListenerSpec ChangeFileAndGroups(SocketTarget target, ListenerSpec before, ListenerSpec after)
    {
        if (before.Opened.PipeSize != after.Opened.PipeSize && after.Opened.PipeSize is { } size)
        {
            OpenSteps.SetPipeSize(target.Descriptor, target.History, size);
        }

        var inForce = after.Address.HasName
            ? after with { Unix = SocketFileSteps.Change(target, before.Unix, after.Unix, after.Address.Path!) }
            : after;

        foreach (var left in before.Datagram.Multicast.Except(after.Datagram.Multicast))
        {
            MulticastSteps.Leave(target, left);
        }

        foreach (var joined in after.Datagram.Multicast.Except(before.Datagram.Multicast))
        {
            MulticastSteps.Join(target, joined);
        }

        return inForce;
    }

    private static void ChangeOptions(SocketTarget target, ListenerSpec before, ListenerSpec after)
    {
        var domain = target.Handle.Domain;
        var present = ListenerPlan.Options(before, domain).ToDictionary(step => step.Option);
        var requested = ListenerPlan.Options(after, domain).ToDictionary(step => step.Option);
        foreach (var step in requested.Values.Where(step => step.Option.ChangeableInPlace))
        {
            if (!present.TryGetValue(step.Option, out var now) || now.Value != step.Value)
            {
                OptionSteps.Set(target, step);
            }
        }

        Restore(target, [.. present.Keys.Where(option => option.ChangeableInPlace && !requested.Keys.Any(option.IsReadLike))]);
    }

    /// <summary>Restores the kernel's own values: those of a new socket.</summary>
    private static void Restore(SocketTarget target, SocketOption[] options)
    {
        if (options.Length == 0)
        {
            return;
        }

        using var fresh = NamespaceCall.Open(ListenerPlan.Creation(target.Spec, target.Handle.Domain), out _);
        var occasion = $"{HistoryRecorder.Reload}: no longer set, the kernel's own value is restored";
        var restoring = target with { History = target.History.For(occasion) };
        foreach (var option in options)
        {
            if (fresh is not null && OptionAccess.Get(fresh, option) is { } value)
            {
                OptionSteps.Set(restoring, new SetOptionStep(option, value));
            }

            target.Handle.Asked.Forget(option);
        }
    }
}
