using Serilog;
using Serilog.Core;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>A loop on its own thread, with a disposer.</summary>
internal sealed class LoopUnderTest : IDisposable
{
    private readonly Thread _thread;

    public LoopUnderTest(ILogger? log = null)
    {
        Disposer = new Disposer(Loop, [], log ?? Logger.None);
        _thread = new Thread(Loop.Run);
        _thread.Start();
    }

    public EventLoop Loop { get; } = new(TimeProvider.System);

    public Disposer Disposer { get; }

    /// <summary>Runs a function on the loop.</summary>
    public T On<T>(Func<T> question) => Loop.Ask(question).WaitAsync(KernelTest.Patience).GetAwaiter().GetResult();

    /// <summary>Runs an action on the loop.</summary>
    public void On(Action action) => On(() =>
    {
        action();
        return 0;
    });

    /// <summary>Waits for a condition, which is checked after each turn.</summary>
    public void Until(Func<bool> isSo)
    {
        var done = new TaskCompletionSource();
        On(() => Loop.TurnEnded = () =>
        {
            if (isSo())
            {
                Loop.TurnEnded = null;
                done.SetResult();
            }
        });
        done.Task.WaitAsync(KernelTest.Patience).GetAwaiter().GetResult();
    }

    /// <summary>Ends the loop; the disposer has exited when this returns.</summary>
    public void Dispose() => Dispose(static () => { });

    /// <summary>Ends the loop and closes something before the disposer exits.</summary>
    public void Dispose(Action close)
    {
        Loop.Post(Loop.Stop);
        _thread.Join();
        close();
        using var process = Disposer.Pid == 0 ? null : Processes.OpenPidfd(Disposer.Pid, out _);
        Disposer.Dispose();
        Loop.Dispose();
        if (process is not null)
        {
            Libc.WaitFor(process);
            Processes.Reap(process);
        }
    }
}
