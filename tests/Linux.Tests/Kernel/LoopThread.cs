using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>An event loop on its own thread.</summary>
internal sealed class LoopThread : IDisposable
{
    private readonly Thread _thread;

    public LoopThread()
    {
        _thread = new Thread(Loop.Run);
        _thread.Start();
    }

    public EventLoop Loop { get; } = new(TimeProvider.System);

    /// <summary>Starts an operation on the loop and waits until it calls its completion callback.</summary>
    public T Await<T>(Action<Action<T>> begin)
    {
        var done = new TaskCompletionSource<T>();
        Loop.Post(() => begin(done.SetResult));
        return done.Task.WaitAsync(KernelTest.Patience).GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        Loop.Post(Loop.Stop);
        _thread.Join();
        Loop.Dispose();
    }
}
