using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Probes;

namespace Supervisor.Linux.Workers;

/// <summary>Probes one worker again and again while it serves (<c>liveness</c>). Runs off the loop.</summary>
internal sealed class LivenessWatch(
    EventLoop loop, object owner, Func<int> pid, LivenessSpec spec, Func<CancellationToken, Task<IDisposable?>> announce, Action onPassed,
    Action<ReplacementCause, string> onFailing)
    : IDisposable
{
    private readonly CancellationTokenSource _end = new();

    /// <summary>Begins with a pause. <paramref name="probe"/> is disposed of at the end.</summary>
    public void Begin(IReadinessProbe probe) => _ = Task.Run(() => RunAsync(probe, _end.Token));

    /// <inheritdoc/>
    public void Dispose() => _end.Cancel();

    private async Task RunAsync(IReadinessProbe probe, CancellationToken end)
    {
        try
        {
            var hasPassed = false;
            for (var failures = 0; ;)
            {
                await Task.Delay(spec.Interval, loop.Time, end);
                var (seen, isLearned) = await ProbeAsync(probe, end);
                if (probe.WasUnable)
                {
                    // It says nothing about the worker.
                    continue;
                }

                failures = seen is null ? 0 : failures + 1;
                if (seen is null && isLearned && !hasPassed)
                {
                    hasPassed = true;
                    Post(onPassed, end);
                }

                if (failures == spec.Failures)
                {
                    failures = 0;
                    var cause = probe is ListenerProbe { Finding: not ProbeFinding.Answered }
                        ? ReplacementCause.Silent
                        : ReplacementCause.Unhealthy;
                    Post(() => onFailing(cause, $"has failed {Probes(spec.Failures)} of liveness: {seen}"), end);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The worker no longer serves.
        }
        finally
        {
            (probe as IDisposable)?.Dispose();
        }
    }

    private static string Probes(int failures) => failures == 1 ? "a probe" : $"{failures} probes in a row";

    /// <summary>Probes once: null if the worker is well, or if nothing was learned.</summary>
    private async Task<(string? Seen, bool IsLearned)> ProbeAsync(IReadinessProbe probe, CancellationToken end)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(end);
        using var announced = await announce(end);
        limit.CancelAfter(spec.Timeout);
        try
        {
            var seen = await probe.ProbeAsync(limit.Token);
            return seen is not null && probe is ListenerProbe { Finding: ProbeFinding.Unknown } && await WaitsAsync()
                ? (null, false)
                : (seen, true);
        }
        catch (OperationCanceledException) when (!end.IsCancellationRequested)
        {
            return ($"no result within {Duration.Rounded(spec.Timeout)}", true);
        }
        catch (ProbeThreads.StuckException)
        {
            return (null, false);
        }
    }

    private Task<bool> WaitsAsync() => ProbeThreads.Shared.RunAsync(owner, () => IdleThreads.AreIn(pid()));

    private void Post(Action what, CancellationToken end) => loop.Post(() =>
    {
        if (!end.IsCancellationRequested)
        {
            what();
        }
    });
}
