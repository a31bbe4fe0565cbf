namespace Supervisor.Load.Tests;

/// <summary>A task that completes after a number of events, and can be reset.</summary>
internal sealed class CountdownOf(int count)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = count;

    public Task Reached
    {
        get
        {
            lock (_lock)
            {
                return _reached.Task;
            }
        }
    }

    public void Signal()
    {
        lock (_lock)
        {
            if (--_left == 0)
            {
                _reached.TrySetResult();
            }
        }
    }

    public void Restart(int count)
    {
        lock (_lock)
        {
            _left = count;
            _reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
