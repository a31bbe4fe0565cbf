using Supervisor.Native;

namespace Supervisor.Daemon.Control;

/// <summary>The control socket while the daemon is succeeded: it stays, and only its serving pauses.</summary>
internal sealed partial class ControlServer
{
    private static readonly TimeSpan LastAnswers = TimeSpan.FromSeconds(2);

    /// <summary>The socket.</summary>
    public DescriptorHandle Listener => _listener;

    /// <summary>Takes nobody in any more: streams end, answers that are under way are given, and what connects waits in the queue. On the loop.</summary>
    public Task PauseAsync()
    {
        _stopping.Cancel();
        _loop.Unwatch(_listener);
        var starting = _starting;
        return Task.Run(async () =>
        {
            await starting;
            if (TakeServing() is var (application, connections))
            {
                await connections.CloseAsync(FirstWords);
                using var limit = new CancellationTokenSource(LastAnswers);
                await application.StopAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await application.DisposeAsync();
            }
        });
    }

    /// <summary>Goes on after <see cref="PauseAsync"/>. On the loop.</summary>
    public void Resume()
    {
        _stopping = new CancellationTokenSource();
        _loop.Watch(_listener, Activate);
    }
}
