using System.Globalization;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Settings;
using Supervisor.Control;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Services;
using Supervisor.Daemon.Model;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Workers;
using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>From the daemon's state to the documents of the control interface. On the loop.</summary>
internal static class Documents
{
    public static StatusDocument Status(ControlContext daemon) => new(
        new DaemonDocument(Processes.CurrentPid, DaemonInfo.Version, daemon.Info.StartedAt, daemon.Info.Upgrades, daemon.Info.Paths.Directory, daemon.Info.ConfigFile)
        {
            IsUpgrading = daemon.Lifecycle.Succession == SuccessionPhase.ReExecuting,
            AtRisk = daemon.AtRisk(),
        },
        [.. daemon.Services.Select(runner => Service(runner, daemon.Loop.Now, daemon.Loop.Time.GetUtcNow()))]);

    public static ServiceDocument Service(ServiceRunner runner, TimeSpan now, DateTimeOffset wall)
    {
        var state = runner.State;
        return new ServiceDocument(
            runner.Name,
            State(runner),
            runner.Blocked ?? runner.Waits ?? (state.AwaitsDemand ? "waiting for the first connection (start = \"on-demand\")" : Reason(state)),
            state.Generation,
            state.Desired,
            state.Ready,
            state.Spec.Listeners,
            state.Rollout is { } rollout ? Rollout(runner, rollout, now, wall) : null,
            [.. Workers(runner, now, wall)]);
    }

    /// <summary>The service's state in the words of the public interface.</summary>
    public static string State(ServiceRunner runner) => runner.Blocked is null ? runner.State.Condition.ToWireName() : "failed";

    /// <summary>How the slot's last worker ended, with the worker's number.</summary>
    public static string LastEnd(SlotState slot) => $"worker {slot.Index} {slot.LastExit?.Text}";

    public static RolloutDocument Rollout(ServiceRunner runner, RolloutState rollout, TimeSpan now, DateTimeOffset wall) => Rollout(runner.State, rollout, now, wall) with
    {
        DrainingConnections = rollout.IsActive ? runner.DrainingConnections : null,
        Waits = RolloutText.Waits(runner.Name, rollout, runner.State.Spec.Rollout.MaxGenerations, now) ?? (rollout.IsActive ? Drains.Remark(runner) : null),
    };

    private static RolloutDocument Rollout(ServiceState state, RolloutState rollout, TimeSpan now, DateTimeOffset wall) => new(
        rollout.Phase.ToWireName(),
        rollout.From,
        rollout.To,
        state.Progress(rollout).Replaced,
        state.Progress(rollout).Total,
        rollout.Reason,
        (rollout.Strategy ?? state.SpecOf(rollout.To).Rollout.Strategy).ToWireName(),
        state.Workers.Count(worker => !worker.IsLive),
        (long)((rollout.EndedAt ?? now) - rollout.StartedAt).TotalMilliseconds)
    {
        Canary = rollout.Canary > 0 ? rollout.Canary : null,
        PromotedAt = rollout.PromotedAt is { } at ? wall + (at - now) : null,
    };

    public static ListenerDocument Listener(ListenerHandle handle, IEnumerable<ServiceRunner> services)
    {
        var spec = handle.Spec;
        var kind = spec.Address.Kind;
        ListenerSocket[] sockets = [.. handle.Sockets, .. handle.Leaving];
        var queues = sockets.Select(socket => handle.Listens ? AcceptQueue.Read(socket.Descriptor, kind, socket.Inode) : null).ToArray();
        return new ListenerDocument(
            handle.Name,
            kind.Scheme(),
            handle.StateWord(),
            spec.Address.ToString(),
            handle.Effective?.ToString(),
            handle.Descriptor is null ? null : handle.Inode,
            handle.Descriptor?.Number,
            Math.Max(handle.Sockets.Count, 1),
            handle.Listens ? new BacklogDocument(spec.Listen.Backlog, queues.Min(queue => queue?.Limit)) : null,
            handle.Listens ? new QueueDocument(Sum(queues, queue => queue?.Length), Sum(queues, queue => queue?.Limit)) : null,
            [.. Options(handle)],
            handle.Origin.ToWireName(),
            handle.Drift.Any(),
            Failure(handle),
            [.. services.Where(runner => runner.Listeners.Contains(handle)).Select(runner => runner.Name)])
        {
            Sockets = [.. sockets.Select((socket, i) => new ShardDocument(
                socket.Shard, socket.Inode, socket.Descriptor.Number, kind.Listens() ? new QueueDocument(queues[i]?.Length, queues[i]?.Limit) : null,
                [.. services.SelectMany(runner => runner.State.Workers.Where(worker => runner.Listeners.Contains(handle) && runner.Holds(worker.Id, socket)).Select(worker => $"{runner.Name}/{worker.Slot}"))])
            {
                State = socket.LeavingSince is not null ? "leaving" : socket.IsChosen ? "serving" : "waiting",
            })],
            Drifted = [.. handle.Drift.DistinctBy(change => change.Name).Select(change => Drifted(handle, change))],
        };
    }

    private static long? Sum((long Length, long Limit)?[] queues, Func<(long Length, long Limit)?, long?> value) =>
        queues.Length == 0 || queues.Any(queue => queue is null) ? null : queues.Sum(value);

    private static OptionDocument Drifted(ListenerHandle handle, SocketChange change) => new(
        change.Name,
        change.Option?.LevelName ?? "",
        (change.Option?.Phase ?? (change.Name == SocketChange.NonBlocking ? HandlePhase.Create : HandlePhase.Listen)).ToWireName(),
        Scalar(change.Option is { } option ? handle.AskedFor(option)?.Value ?? change.Before : change.Before),
        Scalar(change.Now),
        Verdict.Drifted.ToWireName(),
        change.Option?.Setting ?? (change.Name switch
        {
            SocketChange.Backlog => "listen.backlog",
            SocketChange.NonBlocking => "listen.non_blocking",
            _ => null,
        }));

    public static FailureDocument? Failure(ListenerHandle handle) =>
        handle.Diagnosis is { } diagnosis ? diagnosis.ToDocument()
        : handle.Failure is { } failure ? new FailureDocument(handle.Spec.Address.ToString(), Bindable: false, failure.Name, Cause: null, Retry: false, [], failure.Arguments)
        : null;

    /// <summary>A listener that cannot be bound, with the place where its address stands.</summary>
    public static FailureDocument Failure(ConfigDiagnostic found)
    {
        var failure = found.Bind!.Diagnosis.ToDocument() with { Name = found.Bind.Listener };
        return found.Line == 0 ? failure : failure with { File = found.File, Line = found.Line, Column = found.Column };
    }

    /// <summary>An error or a warning.</summary>
    public static ConfigErrorDocument Error(ConfigDiagnostic found) => new(found.File, found.Line, found.Column, found.Setting, found.Message, found.Remedy);

    /// <summary>The same, of the listener or setting of that name, with the place where its address stands.</summary>
    public static FailureDocument Placed(FailureDocument failure, string name, ConfigPlaces places)
    {
        var place = places.Diagnostic("listener", name, "address", "", null);
        return place.Line == 0 ? failure with { Name = name } : failure with { Name = name, File = place.File, Line = place.Line, Column = place.Column };
    }

    /// <summary>A failure as one line: <c>FILE:LINE:COLUMN: NAME: ADDRESS: </c>, what is so and what to do.</summary>
    public static string Line(FailureDocument failure, string what)
    {
        var place = failure.File is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{failure.File}:{failure.Line}:{failure.Column}: ");
        var name = failure.Name is null ? "" : failure.Name == DaemonConfig.MetricsSetting ? $"{failure.Name}: " : $"listener.{failure.Name}: ";
        return $"{place}{name}{failure.Address}: {what}: {failure.Errno}{(failure.Cause is null ? "" : $" ({failure.Cause})")}: {(failure.Verdict.Length == 0 ? "" : failure.Verdict + ": ")}{failure.Advice}";
    }

    public static HistoryEntryDocument History(HistoryEntry entry) => new(
        entry.Seq,
        entry.At,
        entry.Phase.ToWireName(),
        entry.Call,
        entry.Option,
        Scalar(entry.Requested),
        Scalar(entry.Effective),
        entry.Errno,
        entry.Verdict.ToWireName(),
        entry.Actor is { } actor ? new ActorDocument(actor.Pid, actor.Name) : null,
        entry.Note,
        (long)entry.SinceCreation.TotalMicroseconds);

    private static IEnumerable<OptionDocument> Options(ListenerHandle handle)
    {
        if (handle.Descriptor is not { } socket)
        {
            yield break;
        }

        foreach (var option in SocketOptions.Shown.Where(option => option.AppliesTo(handle.Spec.Address.Kind, handle.Domain)))
        {
            var asked = handle.Asked(option) ?? handle.Asked(Forced(option));
            var effective = OptionAccess.Get(socket, option);
            if (effective is null && asked is null)
            {
                continue;
            }

            var verdict = handle.Drift.Any(change => change.Option == option) ? Verdict.Drifted
                : asked is not { } known ? Verdict.Inherited
                : known.Verdict != Verdict.Refused && effective != known.Effective ? Verdict.Drifted
                : known.Verdict;
            yield return new OptionDocument(option.Name, option.LevelName, option.Phase.ToWireName(), Scalar(asked?.Requested), Scalar(effective), verdict.ToWireName(), option.Setting);
        }

        foreach (var change in handle.Drift.Where(change => change.Option is null).DistinctBy(change => change.Name))
        {
            yield return Drifted(handle, change);
        }
    }

    /// <summary>SO_RCVBUF stands for SO_RCVBUFFORCE too, whichever was used.</summary>
    private static SocketOption Forced(SocketOption option) =>
        option == SocketOptions.ReceiveBuffer ? SocketOptions.ReceiveBufferForce
        : option == SocketOptions.SendBuffer ? SocketOptions.SendBufferForce
        : option;

    private static IEnumerable<WorkerDocument> Workers(ServiceRunner runner, TimeSpan now, DateTimeOffset wall)
    {
        var state = runner.State;
        foreach (var worker in state.Workers.OrderBy(worker => worker.Slot).ThenBy(worker => worker.Generation).ThenBy(worker => worker.Id))
        {
            var process = runner.Process(worker.Id);
            var slot = worker.Slot < state.Slots.Length ? state.Slots[worker.Slot] : null;
            yield return new WorkerDocument(
                worker.Pid, worker.Slot, worker.Generation, worker.Phase.ToWireName(), process?.StartedAt, process?.ReadyAt,
                slot?.Restarts ?? 0, Connections: null, process?.StatusText, slot?.LastExit?.Text, NextTry: null)
            {
                StateSince = wall + (worker.PhaseSince - now),
                Drain = runner.Drain(worker.Id) is { } drain ? Drains.Document(drain, worker, now, wall) : null,
                Cgroup = process?.Cgroup?.Path,
            };
        }

        foreach (var slot in state.Slots.Where(slot => state.IsStarted && slot.Index < state.Desired && !state.Workers.Any(worker => worker.Slot == slot.Index)))
        {
            var isPreparing = state.Preparing == slot.Generation && slot is { NextTry: null, Phase: not SlotPhase.Finished };
            yield return new WorkerDocument(
                Pid: null, slot.Index, slot.Generation, slot.Phase == SlotPhase.Finished ? "exited" : isPreparing ? "starting" : "backoff", StartedAt: null, ReadyAt: null,
                slot.Restarts, Connections: null, isPreparing ? "hooks.pre_start runs" : null, slot.LastExit?.Text, slot.NextTry is { } at ? wall + (at - now) : null);
        }
    }

    public static string? Reason(ServiceState state) => state.Condition switch
    {
        ServiceCondition.Degraded or ServiceCondition.Failed =>
            state.Slots.Where(slot => slot.LastExit is not null && (slot.Failures > 0 || slot.Phase == SlotPhase.Finished)).Select(LastEnd).FirstOrDefault(),
        _ => null,
    };

    private static ScalarValue? Scalar(OptionValue? value) => value is { } known ? new ScalarValue(known.Number, known.Text) : null;
}
