using Supervisor.Load;

namespace Supervisor.EndToEnd;

/// <summary>Waits for the progress of a running load.</summary>
internal static class LoadProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits until so many further requests are answered.</summary>
    public static Task AnswersAsync(this LoadRun load, long more)
    {
        var enough = load.Snapshot().Succeeded + more;
        return load.UntilAsync(report => report.Succeeded >= enough);
    }

    /// <summary>Waits until the report meets a condition, while requests are answered.</summary>
    public static async Task UntilAsync(this LoadRun load, Predicate<LoadReport> enough)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var timer = new PeriodicTimer(Interval);
        for (var report = load.Snapshot(); !enough(report);)
        {
            await timer.WaitForNextTickAsync(limit.Token);
            var next = load.Snapshot();
            if (next.Succeeded > report.Succeeded)
            {
                limit.CancelAfter(Patience.Limit);
            }

            report = next;
        }
    }
}
