using System.Globalization;

namespace Supervisor.Core.Services;

/// <summary>The one place that names a worker, and says how its slot is held back.</summary>
public static class WorkerText
{
    /// <summary><c>worker 0 (pid 812, generation 1)</c>.</summary>
    public static string Name(WorkerState worker) => string.Create(
        CultureInfo.InvariantCulture,
        $"worker {worker.Slot} ({(worker.Pid is { } pid ? string.Create(CultureInfo.InvariantCulture, $"pid {pid}, ") : "")}generation {worker.Generation})");

    /// <summary>What to add to how a worker ended: that it was not ready yet, where that says anything.</summary>
    public static string BeforeReady(WorkerState worker) =>
        worker is { ReadyAt: null, Pid: not null, EndReason: not EndReason.StartTimedOut } ? " before it was ready" : "";

    /// <summary>Why a slot waits, and for how long.</summary>
    public static string BackingOff(SlotState slot, RestartSpec restart, TimeSpan now)
    {
        var wait = Durations.Text(slot.NextTry!.Value - now);
        return slot.Phase == SlotPhase.Limited
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"worker {slot.Index} was restarted {restart.Limit} times within {Durations.Text(restart.LimitInterval)} (restart.limit): next try in {wait}; last end: {slot.LastExit?.Text}")
            : string.Create(CultureInfo.InvariantCulture,
                $"worker {slot.Index} keeps failing ({slot.Failures} in a row): next try in {wait}");
    }
}
