using System.Diagnostics;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Runtime;

/// <summary>
/// Does in slices what a successor can do when it serves: with thousands of listeners that takes longer than clients should wait. On the
/// loop.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="steps">Does the next step of the work whenever it is asked for the next element.</param>
internal sealed class LateWork(EventLoop loop, IEnumerable<int> steps)
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(2);

    private readonly IEnumerator<int> _steps = steps.GetEnumerator();

    /// <summary>Begins in a turn of the loop after <paramref name="first"/> has completed; now if it has.</summary>
    public void ContinueAfter(Task first)
    {
        if (first.IsCompleted)
        {
            Continue();
            return;
        }

        first.ContinueWith(_ => loop.Post(Continue), TaskScheduler.Default);
    }

    /// <summary>Does as much as fits into a slice, and the rest in later turns.</summary>
    public void Continue()
    {
        var begun = Stopwatch.GetTimestamp();
        while (_steps.MoveNext())
        {
            if (Stopwatch.GetElapsedTime(begun) > Slice)
            {
                loop.Post(Continue);
                return;
            }
        }
    }
}
