
namespace Supervisor.Daemon.Control;

/// <summary>One answer for all who ask at about the same time: the question is asked again when the last answer is older than <paramref name="freshness"/>. Any thread.</summary>
internal sealed class SharedAnswer<T>(Func<Task<T>> question, TimeSpan freshness, TimeProvider time)
{
    private readonly Lock _lock = new();
    private Task<T>? _answer;
    private long _asked;

    /// <summary>The answer; what the question throws is thrown to each who waits for it.</summary>
    public Task<T> AskAsync()
    {
        lock (_lock)
        {
            if (_answer is null || _answer.IsFaulted || (_answer.IsCompleted && time.GetElapsedTime(_asked) > freshness))
            {
                _asked = time.GetTimestamp();
                _answer = question();
            }

            return _answer;
        }
    }
}
