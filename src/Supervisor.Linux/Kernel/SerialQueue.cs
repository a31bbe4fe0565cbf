namespace Supervisor.Linux.Kernel;

/// <summary>
/// Looks that run beside the loop, one at a time for each user, so that a user who causes many of them waits for its own
/// and nobody else's. Lives on the loop; what it keeps is bounded by whoever asks.
/// </summary>
internal sealed class SerialQueue(EventLoop loop)
{
    private readonly Dictionary<uint, Queue<Action>> _waiting = [];

    /// <summary>
    /// When it is the user's turn, <paramref name="begin"/> is called on the loop for a look, which runs on another thread;
    /// <paramref name="onSeen"/> gets what came of it on the loop, the default where it failed. Nothing happens where
    /// <paramref name="begin"/> gives none.
    /// </summary>
    public void Ask<T>(uint user, Func<Func<Task<T?>>?> begin, Action<T?> onSeen)
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
            if (begin() is not { } look)
            {
                Next(user);
                return;
            }

            Task.Run(look).ContinueWith(
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
