namespace Supervisor.Linux.Kernel;

/// <summary>
/// Runs probes on other threads, one at a time for each user: a user who causes many of them delays only itself. Lives on the
/// loop; the callers bound its length.
/// </summary>
internal sealed class SerialQueue(EventLoop loop)
{
    private readonly Dictionary<uint, Queue<Action>> _waiting = [];

    /// <summary>
    /// When it is the user's turn, calls <paramref name="begin"/> on the loop to start a probe on another thread.
    /// <paramref name="onSeen"/> gets the probe's result on the loop, or the default if it failed. Nothing happens if
    /// <paramref name="begin"/> returns null.
    /// </summary>
    public void Enqueue<T>(uint user, Func<Func<Task<T?>>?> begin, Action<T?> onSeen)
    {
        if (_waiting.TryGetValue(user, out var queue))
        {
            queue.Enqueue(Begin);
            return;
        }

        _waiting.Add(user, new Queue<Action>());
        Begin();

        void Begin()
        {
            if (begin() is not { } probe)
            {
                Next(user);
                return;
            }

            Task.Run(probe).ContinueWith(
                task => loop.Post(() =>
                {
                    Next(user);
                    onSeen(task.IsCompletedSuccessfully ? task.Result : default);
                }),
                TaskScheduler.Default);
        }
    }

    private void Next(uint user)
    {
        if (_waiting[user].TryDequeue(out var next))
        {
            next();
        }
        else
        {
            _waiting.Remove(user);
        }
    }
}
