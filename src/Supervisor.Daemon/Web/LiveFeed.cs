using System.Diagnostics;
using Supervisor.Linux.Diagnosis;

namespace Supervisor.Daemon.Web;

/// <summary>
/// Keeps the <see cref="LiveState"/> up to date while somebody views the page: one reading for all viewers, at most once in
/// <see cref="Pace"/>, and less often if a reading takes long. Without a viewer it does nothing and keeps nothing. Any thread.
/// </summary>
internal sealed class LiveFeed(LiveSources sources)
{
    /// <summary>The limit of viewers.</summary>
    public const int MostViewers = 16;

    /// <summary>The time between two readings.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    /// <summary>The time between two diagnoses.</summary>
    private static readonly TimeSpan DiagnosisPace = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A reading that takes long is followed by a pause of this many times its duration, so readings take at most a fifth of the time of
    /// one thread, down to one in <see cref="LongestPause"/>.
    /// </summary>
    private const int PauseFactor = 4;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly LiveReader _reader = new(sources);
    private TaskCompletionSource<LiveState> _next = NewSource();
    private Action? _stop;
    private LiveState? _state;
    private int _viewers;

    /// <summary>Begins to view; null if too many do already. Dispose of the result to end.</summary>
    public IDisposable? TryEnter()
    {
        lock (_lock)
        {
            if (_viewers == MostViewers)
            {
                return null;
            }

            if (_viewers++ == 0)
            {
                var end = new CancellationTokenSource();
                _stop = end.Cancel;
                _ = Task.Run(() => RunAsync(end));
            }

            return new Viewer(this);
        }
    }

    /// <summary>
    /// The state if there is one already and <paramref name="isFirst"/> is set; otherwise the state after the next reading. Fails if that
    /// fails.
    /// </summary>
    public Task<LiveState> NextAsync(bool isFirst)
    {
        lock (_lock)
        {
            return isFirst && _state is { } state ? Task.FromResult(state) : _next.Task;
        }
    }

    private static TaskCompletionSource<LiveState> NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync(CancellationTokenSource end)
    {
        using var owned = end;
        var state = new LiveState();
        try
        {
            await Task.WhenAll(ReadAsync(state, end.Token), DiagnoseAsync(state, end.Token));
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The last viewer has gone.
        }
    }

    private async Task ReadAsync(LiveState state, CancellationToken end)
    {
        while (true)
        {
            var begun = Stopwatch.GetTimestamp();
            try
            {
                state.Put(await _reader.ReadAsync(), LiveKind.Daemon, LiveKind.Service, LiveKind.Listener);
                Publish(source => source.TrySetResult(state), state, end);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Publish(source => source.TrySetException(exception), null, end);
            }

            await Task.Delay(Pause(Pace, Stopwatch.GetElapsedTime(begun)), sources.Loop.Time, end);
        }
    }

    private async Task DiagnoseAsync(LiveState state, CancellationToken end)
    {
        while (true)
        {
            var begun = Stopwatch.GetTimestamp();
            try
            {
                state.Put([await _reader.DiagnoseAsync(end)], LiveKind.Diagnosis);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // A process cannot be read now: the page keeps the last findings, which have their time.
            }

            var cost = Stopwatch.GetElapsedTime(begun) - KernelExamination.DefaultInterval;
            await Task.Delay(Pause(DiagnosisPace, cost), sources.Loop.Time, end);
        }
    }

    private static TimeSpan Pause(TimeSpan pace, TimeSpan cost)
    {
        var pause = cost * PauseFactor;
        return pause < pace ? pace : pause < LongestPause ? pause : LongestPause;
    }

    /// <summary>Gives viewers a state or a failure, unless this reading belongs to viewers that have gone.</summary>
    private void Publish(Action<TaskCompletionSource<LiveState>> publish, LiveState? state, CancellationToken end)
    {
        TaskCompletionSource<LiveState> waiting;
        lock (_lock)
        {
            end.ThrowIfCancellationRequested();
            _state = state;
            (waiting, _next) = (_next, NewSource());
        }

        publish(waiting);
    }

    private void Leave()
    {
        Action? stop = null;
        lock (_lock)
        {
            if (--_viewers == 0)
            {
                (stop, _stop) = (_stop, null);
                _state = null;
            }
        }

        stop?.Invoke();
    }

    private sealed class Viewer(LiveFeed feed) : IDisposable
    {
        private int _hasLeft;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _hasLeft, 1) == 0)
            {
                feed.Leave();
            }
        }
    }
}
