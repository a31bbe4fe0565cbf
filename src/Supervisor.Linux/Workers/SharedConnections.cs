using System.Diagnostics;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Lets services that ask at the same time share a dump of the accepted connections. For each dump the kernel walks its whole table of
/// connections, however few of them a service has. A question that comes during a dump, or soon after it, waits for the next one, which
/// answers all that wait. Any thread.
/// </summary>
internal sealed class SharedConnections
{
    /// <summary>The pause after a dump is so many times longer than the dump took.</summary>
    private const int PausePerCost = 20;

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private Batch? _next;
    private bool _isReading;
    private long _mayReadAt;

    /// <summary>The instance that all services of this process share.</summary>
    public static SharedConnections Shared { get; } = new();

    /// <summary>
    /// The connections of at least the listeners of a question, with their ages, as they are after the call; and the question's share of
    /// the time that the dump took.
    /// </summary>
    /// <param name="question">The listeners.</param>
    /// <param name="isUrgent">Whether the question does not wait for others.</param>
    public Task<(ConnectionSnapshot Snapshot, TimeSpan Cost)> ReadAsync(AcceptedConnections question, bool isUrgent)
    {
        lock (_lock)
        {
            var batch = _next ??= new Batch();
            batch.Questions.Add(question);
            if (isUrgent)
            {
                batch.Urgent.TrySetResult();
            }

            if (!_isReading)
            {
                _isReading = true;
                Task.Run(ReadAllAsync);
            }

            return batch.Answer.Task;
        }
    }

    private async Task ReadAllAsync()
    {
        while (Next() is { } waiting)
        {
            if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), _mayReadAt) is var pause && pause > TimeSpan.Zero)
            {
                await Task.WhenAny(waiting.Urgent.Task, Task.Delay(pause)).ConfigureAwait(false);
            }

            var batch = Take();
            try
            {
                var began = Stopwatch.GetTimestamp();
                var snapshot = AcceptedConnections.OfAll(batch.Questions).Read(withAges: true);
                var took = Stopwatch.GetElapsedTime(began);
                var rest = took * PausePerCost < LongestPause ? took * PausePerCost : LongestPause;
                _mayReadAt = Stopwatch.GetTimestamp() + (long)(rest.TotalSeconds * Stopwatch.Frequency);
                batch.Answer.SetResult((snapshot, took / batch.Questions.Count));
            }
            catch (Exception exception)
            {
                batch.Answer.SetException(exception);
            }
        }
    }

    private Batch? Next()
    {
        lock (_lock)
        {
            _isReading = _next is not null;
            return _next;
        }
    }

    private Batch Take()
    {
        lock (_lock)
        {
            var batch = _next!;
            _next = null;
            return batch;
        }
    }

    /// <summary>Questions that the same dump answers.</summary>
    private sealed class Batch
    {
        public List<AcceptedConnections> Questions { get; } = [];

        /// <summary>Set when one of them is urgent.</summary>
        public TaskCompletionSource Urgent { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<(ConnectionSnapshot Snapshot, TimeSpan Cost)> Answer { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
