using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Probes;

/// <summary>
/// A readiness probe from outside of the worker. It runs off the loop: a read of /proc may have to wait for the worker.
/// </summary>
public interface IReadinessProbe
{
    /// <summary>Probes once: null if the worker is ready, else what was found instead, as text.</summary>
    Task<string?> ProbeAsync(CancellationToken end);

    /// <summary>Whether the last probe says nothing about the worker, because listend could not make it.</summary>
    bool WasUnable => false;
}

/// <summary>
/// Probes a starting worker, at growing intervals, until it is ready, has exited, or the watch is disposed. It stops when the
/// worker is ready, so it costs nothing at rest.
/// </summary>
internal sealed class ReadinessWatch : IDisposable
{
    /// <summary>The pauses between probes that listend makes itself.</summary>
    public static readonly ProbePace Pace = new(TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(100));

    /// <summary>The pauses between probes that run a program.</summary>
    public static readonly ProbePace ProgramPace = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1));

    private readonly CancellationTokenSource _end = new();

    /// <summary>
    /// Starts probing. <paramref name="onReady"/> and <paramref name="onSeen"/> are called on the loop, and not after
    /// <see cref="Dispose"/>.
    /// </summary>
    public ReadinessWatch(EventLoop loop, IReadinessProbe probe, Action onReady, Action<string> onSeen, ProbePace pace) =>
        _ = Task.Run(() => RunAsync(loop, probe, onReady, onSeen, pace, _end.Token));

    /// <inheritdoc/>
    public void Dispose() => _end.Cancel();

    private static async Task<string?> ProbeAsync(IReadinessProbe probe, CancellationToken end)
    {
        try
        {
            return await probe.ProbeAsync(end);
        }
        catch (ProbeThreads.StuckException stuck)
        {
            return $"the probe hangs: {stuck.Message}";
        }
    }

    private static async Task RunAsync(
        EventLoop loop, IReadinessProbe probe, Action onReady, Action<string> onSeen, ProbePace pace, CancellationToken end)
    {
        void Post(Action what) => loop.Post(() =>
        {
            if (!end.IsCancellationRequested)
            {
                what();
            }
        });

        try
        {
            string? said = null;
            var pause = TimeSpan.Zero;
            for (var interval = pace.Shortest; ; interval = interval * 2 < pace.Longest ? interval * 2 : pace.Longest)
            {
                await Task.Delay(interval + pause, loop.Time, end);
                var began = loop.Time.GetTimestamp();
                if (await ProbeAsync(probe, end) is not { } seen)
                {
                    Post(onReady);
                    return;
                }

                // A slow probe gets at most a fifth of a processor.
                pause = loop.Time.GetElapsedTime(began) is var took && took > pace.Longest ? took * 4 : TimeSpan.Zero;
                if (seen != said)
                {
                    said = seen;
                    Post(() => onSeen(seen));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The worker has exited, or is stopping.
        }
        catch (Exception exception)
        {
            Post(() => onSeen($"the probe failed: {exception.Message}"));
        }
        finally
        {
            (probe as IDisposable)?.Dispose();
        }
    }
}

/// <summary>The pauses between two probes.</summary>
/// <param name="Shortest">Before the first probe; it doubles from probe to probe.</param>
/// <param name="Longest">The longest one.</param>
internal sealed record ProbePace(TimeSpan Shortest, TimeSpan Longest);
