using System.Globalization;
using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>The text for a worker's name, and for the reason why its slot waits.</summary>
public static class WorkerText
{
    private const string Foreground = "a program that goes into the background needs its option for the foreground";
    private static readonly string Success = ExitReason.Exited(0).Text;

    /// <summary><c>worker 0 (pid 812, generation 1)</c>.</summary>
    public static string Name(WorkerState worker)
    {
        var pid = worker.Pid is { } number ? string.Create(CultureInfo.InvariantCulture, $"pid {number}, ") : "";
        return string.Create(CultureInfo.InvariantCulture, $"worker {worker.Slot} ({pid}generation {worker.Generation})");
    }

    /// <summary>
    /// The suffix of an exit's text: that the worker was not ready yet, if that adds information. A program that goes into the background
    /// exits like that: its status is 0.
    /// </summary>
    public static string BeforeReady(WorkerState worker, string? exit = null) =>
        worker is not { ReadyAt: null, Pid: not null, EndReason: not EndReason.StartTimedOut } ? ""
        : exit?.EndsWith(Success, StringComparison.Ordinal) == true ? $" before it was ready; {Foreground}"
        : " before it was ready";


    /// <summary>The suffix of an exit's text for a worker that counted as ready at its start, and exited at once with status 0.</summary>
    public static string AtOnce(WorkerState worker, Readiness ready, string? exit, TimeSpan now) =>
        ready.Kind == ReadinessKind.Started && exit == Success && now - worker.StartedAt < TimeSpan.FromSeconds(1) ? $"; {Foreground}" : "";

    /// <summary>That a slot is in a crash loop which restart.limit does not stop.</summary>
    public static string Looping(SlotState slot, RestartSpec restart)
    {
        var limit = restart.Limit == 0 ? "restart.limit is 0"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"restart.limit ({restart.Limit} in {Duration.Rounded(restart.LimitInterval)}) does not apply to so slow a loop");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"worker {slot.Index} is in a crash loop: {slot.CrashLoop!.Crashes} failures in a row, one every "
            + $"{Duration.Rounded(slot.CrashLoop.Period())}, each after it was ready; last exit: {slot.LastExit?.Text}; {limit}");
    }

    /// <summary>Why a slot waits, and for how long.</summary>
    public static string BackingOff(SlotState slot, RestartSpec restart, TimeSpan now)
    {
        var wait = Duration.Rounded(slot.NextTry!.Value - now);
        return slot.Phase == SlotPhase.Limited
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"worker {slot.Index} was restarted {restart.Limit} times within {Duration.Rounded(restart.LimitInterval)} "
                + $"(restart.limit): next try in {wait}; last exit: {slot.LastExit?.Text}")
            : string.Create(CultureInfo.InvariantCulture,
                $"worker {slot.Index} keeps failing ({slot.Failures} in a row): next try in {wait}");
    }
}
