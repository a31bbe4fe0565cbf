using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Performance;

/// <summary>
/// Gives a replacement the processor until its first message. The daemon's own work after a crash (killing the session,
/// reaping, saving) would otherwise run on the processor on which the replacement was just placed.
/// </summary>
/// <remarks>Justified by the benchmark "SIGKILL to the replacement's main()" (<c>tests/Bench/ReplaceBenchmark</c>): 1.3 instead
/// of 1.9 times C.</remarks>
internal sealed class ReplacementHeadStart(EventLoop loop)
{
    /// <summary>The longest wait of the loop.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(2);

    /// <summary>The pause before the loop waits again, so that workers that crash together do not delay it.</summary>
    private static readonly TimeSpan NoSooner = TimeSpan.FromMilliseconds(50);

    private TimeSpan? _given;

    /// <summary>Waits for the first message on a replacement's notify socket.</summary>
    public void Give(DescriptorHandle notify)
    {
        if (_given is null || loop.Now - _given > NoSooner)
        {
            Polling.Await(notify, Longest);
            _given = loop.Now;
        }
    }
}
