using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>An event loop on a thread of its own.</summary>
internal sealed class LoopThread : IDisposable
{
    private readonly Thread _thread;

    public LoopThread()
    {
        _thread = new Thread(Loop.Run);
        _thread.Start();
    }

    public EventLoop Loop { get; } = new(TimeProvider.System);

    /// <summary>Runs on the loop something that ends by calling what it is given, and waits for that.</summary>
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
