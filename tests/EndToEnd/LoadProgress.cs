using Supervisor.Load;

namespace Supervisor.EndToEnd;

/// <summary>Waits for what a load has got, where a test needs the load to go on for a while.</summary>
internal static class LoadProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits until that many more requests have been answered.</summary>
    public static Task AnswersAsync(this LoadRun load, long more)
    {
        var enough = load.Snapshot().Succeeded + more;
        return load.UntilAsync(report => report.Succeeded >= enough);
    }

    /// <summary>Waits until the report is as it should be, as long as requests are answered.</summary>
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
