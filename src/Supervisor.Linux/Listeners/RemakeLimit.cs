using System.Runtime.CompilerServices;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Bounds how often the socket of a listener is made again, because its workers are replaced each time: a program that shuts down
/// each socket it gets would keep the daemon busy. On the loop.
/// </summary>
internal sealed class RemakeLimit(EventLoop loop)
{
    /// <summary>How often within <see cref="Interval"/>.</summary>
    public const int Most = 5;

    private readonly ConditionalWeakTable<ListenerHandle, Queue<TimeSpan>> _remade = [];

    /// <summary>The span of <see cref="Most"/>.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether the socket may be made again now; if so, that counts.</summary>
    public bool TryUse(ListenerHandle handle)
    {
        var times = _remade.GetOrCreateValue(handle);
        while (times.TryPeek(out var oldest) && oldest + Interval < loop.Now)
        {
            times.Dequeue();
        }

        if (times.Count == Most)
        {
            return false;
        }

        times.Enqueue(loop.Now);
        return true;
    }
}
