using System.Globalization;
using Supervisor.Control;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Services;
using Supervisor.Linux.Workers;

namespace Supervisor.Daemon.Reports;

/// <summary>The documents of services, their workers and roll-outs. On the loop.</summary>
internal static class ServiceDocuments
{
    public static ServiceDocument Service(ServiceRunner runner, TimeSpan now, DateTimeOffset wall)
    {
        var state = runner.State;
        return new ServiceDocument(
            runner.Name,
            State(runner),
            runner.Requests.Reason ?? runner.Generations.Waits ?? ServiceReportText.HeldText(state)
                ?? (state.AwaitsDemand ? DemandText(state) : LoopText(state, now) ?? Reason(state) ?? LimitText(runner)
                    ?? runner.UnableProbe),
            state.Generation,
            state.Desired,
            state.Ready,
            state.Spec.Listeners,
            state.Rollout is { } rollout ? Rollout(runner, rollout, now, wall) : null,
            [.. Workers(runner, now, wall)])
        {
            Manual = Manual(runner),
            Connections = state.Spec.Start != StartMode.PerConnection ? null : new ServiceConnectionsDocument(
                state.Workers.Count(worker => worker.Connection is not null), state.Spec.Connections.Max,
                state.Counters.Accepted, state.Counters.Refused, state.Counters.Failed),
            Limits = state.Spec.Cgroup.IsEmpty ? null : new ServiceLimitsDocument(
                Limits(state.Spec.Cgroup),
                [
                    .. runner.RefusedLimits.Select(
                        one => new RefusedLimitDocument(one.Key, one.Value.Errno, $"{one.Key} is not in force: {one.Value}")),
                ]),
            Autoscale = state.Spec.Autoscale is { IsOn: true } scale ? new AutoscaleDocument(scale.Min, scale.Max) : null,
            WaitsFor = state.HeldFor,
            Flows =
            [
                .. runner.Generations.Next.Listeners.Where(handle => handle.Spec.Affinity is not null)
                    .SelectMany(handle => (SteeringDocuments.Of(handle)?.Shares ?? []).Where(share => share.Flows is not null)
                        .Select(share => new ServiceFlowsDocument(handle.Name, share.Generation, share.Flows!.Value))),
            ],
            Abandoned =
            [
                .. runner.Abandoned.All.Select(one => new AbandonedDocument(
                    one.Process.Pid, one.Worker.Slot, one.Worker.Generation, one.Process.State.ToString(), one.Process.WaitChannel,
                    one.Since, $"{WorkerText.Name(one.Worker)} {one.Why}: {one.Process}")),
            ],
        };
    }

    /// <summary>Limits of a cgroup.</summary>
    public static LimitsDocument Limits(CgroupLimits limits) =>
        new(limits.MemoryMax, limits.MemoryHigh, CgroupLimits.Share(limits.Cpu), limits.Tasks, limits.IoWeight);

    /// <summary>How the service differs from its configuration because of a client; null if it does not.</summary>
    private static ManualDocument? Manual(ServiceRunner runner)
    {
        var state = runner.State;
        var stop = state.IsStarted ? null : runner.Requests.Manual.Stop;
        var scale = state.Desired == state.Spec.Slots ? null : runner.Requests.Manual.Scale;
        if ((stop ?? scale) is not { } change)
        {
            return null;
        }

        var scaled = string.Create(CultureInfo.InvariantCulture, $"scale {state.Desired}");
        return new ManualDocument(change.By, change.At, stop is null ? scaled : scale is null ? "stop" : $"stop, {scaled}");
    }

    /// <summary>The service's state in the words of the public interface.</summary>
    public static string State(ServiceRunner runner) => runner.Requests.Blocked is null ? runner.State.Condition.ToWireName() : "failed";

    /// <summary>How the slot's last worker ended, with the worker's number.</summary>
    public static string LastEnd(SlotState slot) => $"worker {slot.Index} {slot.LastExit?.Text}";

    public static RolloutDocument Rollout(ServiceRunner runner, RolloutState rollout, TimeSpan now, DateTimeOffset wall) =>
        Rollout(runner.State, rollout, now, wall) with
        {
            DrainingConnections = rollout.IsActive ? runner.Drains.Connections : null,
            LastLines = rollout.Reason is null ? null : runner.FailureLines.OfGeneration(rollout.To),
            Waits = ServiceReportText.HeldText(runner.State)
                ?? RolloutText.Waits(runner.Name, rollout, runner.State.Spec.Rollout.MaxGenerations, now)
                ?? (rollout.IsActive ? DrainDocuments.Remark(runner) : null),
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
        Cut = rollout.Cut,
        Canary = rollout.Canary > 0 ? rollout.Canary : null,
        PromotedAt = rollout.PromotedAt is { } at ? wall + (at - now) : null,
    };

    private static IEnumerable<WorkerDocument> Workers(ServiceRunner runner, TimeSpan now, DateTimeOffset wall)
    {
        var state = runner.State;
        foreach (var worker in state.Workers.Where(HasProcess)
            .OrderBy(worker => worker.Slot).ThenBy(worker => worker.Generation).ThenBy(worker => worker.Id))
        {
            var process = runner.Workers.Process(worker.Id);
            var slot = worker.Connection is null && worker.Slot < state.Slots.Length && state.Slots[worker.Slot] is var at
                && at.Generation == worker.Generation
                ? at
                : null;
            yield return new WorkerDocument(
                worker.Pid, worker.Slot, worker.Generation, worker.Phase.ToWireName(), process?.StartedAt,
                // No report says that the process of a connection is ready: it is so when it has started.
                process?.ReadyAt ?? (worker is { Connection: not null, ReadyAt: { } ready } ? wall + (ready - now) : null),
                slot?.Restarts ?? 0, Connections: null, process?.Status.Text, slot?.LastExit?.Text, NextTry: null)
            {
                Peer = worker.Connection?.ToString(),
                RejectedMessage = process?.Status.Rejected,
                LastLines = slot?.LastExit is null ? null : runner.FailureLines.Of(slot.Index, slot.Generation),
                StateSince = wall + (worker.PhaseSince - now),
                Drain = runner.Drains.Of(worker.Id) is { } drain ? DrainDocuments.Document(drain, worker, now, wall) : null,
                Processes = process?.Others,
                Cgroup = process?.Cgroup?.Path,
            };
        }

        foreach (var slot in state.Slots.Where(slot => state.IsStarted && slot.Index < state.Desired
            && !state.WorkersOf(slot.Index).Any(worker => HasProcess(worker))))
        {
            // Its worker has exited. What remains of the worker is looked for before the slot gets another one.
            if (state.WorkersOf(slot.Index).LastOrDefault(worker => !worker.RestartDecided) is { } exited)
            {
                yield return new WorkerDocument(
                    Pid: null, slot.Index, exited.Generation, "exited", StartedAt: null, ReadyAt: null, slot.Restarts, Connections: null,
                    StatusText: null, exited.MainExit?.Text, NextTry: null);
                continue;
            }

            var isPreparing = state.Preparing == slot.Generation && slot is { NextTry: null, Phase: not SlotPhase.Finished };
            yield return new WorkerDocument(
                Pid: null, slot.Index, slot.Generation, slot.Phase == SlotPhase.Finished ? "exited" : isPreparing ? "starting" : "backoff",
                StartedAt: null, ReadyAt: null,
                slot.Restarts, Connections: null, isPreparing ? "hooks.pre_start runs" : null, slot.LastExit?.Text,
                slot.NextTry is { } at ? wall + (at - now) : null)
            {
                LastLines = slot.LastExit is null ? null : runner.FailureLines.Of(slot.Index, slot.Generation),
            };
        }
    }

    /// <summary>The first limit that is not in force.</summary>
    private static string? LimitText(ServiceRunner runner) =>
        runner.RefusedLimits.Select(one => $"{one.Key} is not in force: {one.Value}").FirstOrDefault();

    private static string DemandText(ServiceState state) =>
        state.Slots.FirstOrDefault(slot => slot is { Phase: SlotPhase.Finished, LastExit.Clean: false }) is { } failed
            ? $"waiting for the next connection (start = \"on-demand\"); {LastEnd(failed)}"
            : "waiting for the first connection (start = \"on-demand\")";

    private static string? LoopText(ServiceState state, TimeSpan now) =>
        state.Slots.Where(slot => slot.CrashLoop?.IsActive(state.SpecOf(slot.Generation).Restart, now) == true && slot.NextTry is null)
            .Select(slot => WorkerText.Looping(slot, state.SpecOf(slot.Generation).Restart)).FirstOrDefault();

    /// <summary>Whether a worker has a process, or gets one: nothing is known to remain of one whose main process has exited.</summary>
    private static bool HasProcess(WorkerState worker) => worker is { MainExit: null } or { Remaining: > 0 };

    public static string? Reason(ServiceState state) => state.Condition switch
    {
        ServiceCondition.Failed when state.Unprepared == state.Generation => "hooks.pre_start failed: start or restart the service",
        ServiceCondition.Degraded or ServiceCondition.Failed =>
            state.Slots.Where(slot => slot.LastExit is not null && (slot.Failures > 0 || slot.Phase == SlotPhase.Finished))
                .Select(LastEnd).FirstOrDefault(),
        _ => null,
    };
}
