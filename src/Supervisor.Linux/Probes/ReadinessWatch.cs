using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Probes;

/// <summary>
/// One kind of look at a worker that starts, from outside. It runs beside the loop: what it reads in /proc may have to
/// wait for the worker.
/// </summary>
public interface IReadinessProbe
{
    /// <summary>Looks once: null where the worker is ready, else what was seen instead, for people.</summary>
    Task<string?> LookAsync(CancellationToken end);
}

/// <summary>
/// Looks at a worker that starts, at growing intervals, until it is ready, has ended, or is asked to end. Nothing is
/// looked at once it is ready, so that it costs nothing at rest.
/// </summary>
internal sealed class ReadinessWatch : IDisposable
{
    /// <summary>Before the first look; it doubles from look to look.</summary>
    public static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(5);

    /// <summary>Between two looks at the most.</summary>
    public static readonly TimeSpan LongestInterval = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _end = new();

    /// <summary>
    /// Begins to look. <paramref name="onReady"/> and <paramref name="onSeen"/> are called on the loop, and not after
    /// <see cref="Dispose"/>.
    /// </summary>
    public ReadinessWatch(EventLoop loop, IReadinessProbe look, Action onReady, Action<string> onSeen) =>
        _ = Task.Run(() => RunAsync(loop, look, onReady, onSeen, _end.Token));

    /// <inheritdoc/>
    public void Dispose() => _end.Cancel();

    private static async Task<string?> LookAsync(IReadinessProbe look, CancellationToken end)
    {
        try
        {
            return await look.LookAsync(end);
        }
        catch (ProbeThreads.StuckException stuck)
        {
            return $"it cannot be looked at: {stuck.Message}";
        }
    }

    private static async Task RunAsync(EventLoop loop, IReadinessProbe look, Action onReady, Action<string> onSeen, CancellationToken end)
    {
        void Tell(Action what) => loop.Post(() =>
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
            for (var interval = ShortestInterval; ; interval = interval * 2 < LongestInterval ? interval * 2 : LongestInterval)
            {
                await Task.Delay(interval + pause, loop.Time, end);
                var began = loop.Time.GetTimestamp();
                if (await LookAsync(look, end) is not { } seen)
                {
                    Tell(onReady);
                    return;
                }

                // A worker that takes long to look at gets no more than a fifth of a processor.
                pause = loop.Time.GetElapsedTime(began) is var took && took > LongestInterval ? took * 4 : TimeSpan.Zero;
                if (seen != said)
                {
                    said = seen;
                    Tell(() => onSeen(seen));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The worker has ended, or is to end.
        }
        catch (Exception exception)
        {
            Tell(() => onSeen($"looking at it failed: {exception.Message}"));
        }
    }
}
