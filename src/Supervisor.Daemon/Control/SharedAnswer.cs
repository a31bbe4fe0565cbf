
namespace Supervisor.Daemon.Control;

/// <summary>
/// Shares one answer between callers. The question is repeated when the answer is older than <paramref name="freshness"/>.
/// Any thread.
/// </summary>
internal sealed class SharedAnswer<T>(Func<Task<T>> question, TimeSpan freshness, TimeProvider time)
{
    private readonly Lock _lock = new();
    private Task<T>? _answer;
    private long _asked;

    /// <summary>The answer; every caller that waits for it gets the exception of a failed question.</summary>
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

    /// <summary>The answer is another from now on, however fresh it is.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _answer = null;
        }
    }
}
