using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Tests.Fakes;

/// <summary>A loop on a thread of its own, which runs until it is disposed of.</summary>
internal sealed class LoopThread : IDisposable
{
    private readonly Thread _thread;

    public LoopThread(TimeProvider? time = null)
    {
        Loop = new EventLoop(time ?? TimeProvider.System);
        _thread = new Thread(Loop.Run);
        _thread.Start();
    }

    public EventLoop Loop { get; }

    /// <summary>Runs something on the loop, and waits for it.</summary>
    public Task<T> Ask<T>(Func<T> question) => Loop.Ask(question).WaitAsync(Patience.Deadline);

    /// <summary>Runs something on the loop, and waits for it.</summary>
    public Task Do(Action action) => Ask(() =>
    {
        action();
        return true;
    });

    public void Dispose()
    {
        Loop.Post(Loop.Stop);
        _thread.Join();
        Loop.Dispose();
    }
}
