using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Cgroups;

/// <summary>
/// What the kernel counts in memory.events of a cgroup (Documentation/admin-guide/cgroup-v2.rst).
/// </summary>
/// <param name="Kills">Processes that were killed because there was no memory.</param>
/// <param name="Limited">How often that was because of the cgroup's own limit.</param>
/// <param name="High">How often it was slowed down because of memory.high.</param>
public readonly record struct MemoryEventCounts(long Kills, long Limited, long High)
{
    /// <summary>The counters of a cgroup; null if it has no memory controller or no longer exists. Any thread.</summary>
    internal static MemoryEventCounts? Read(string directory)
    {
        var lines = CgroupFile.Lines(directory, "memory.events");
        return lines.Length == 0 ? null : new MemoryEventCounts(
            CgroupFile.Number(lines, "oom_kill") ?? 0, CgroupFile.Number(lines, "oom") ?? 0, CgroupFile.Number(lines, "high") ?? 0);
    }
}

/// <summary>
/// Announces changes of memory.events of any number of cgroups: one inotify descriptor for all of them, and nothing is polled. Lives on
/// the loop.
/// </summary>
public sealed class MemoryEvents(EventLoop loop) : IDisposable
{
    private readonly Dictionary<int, Action> _watched = [];
    private FileChanges? _changes;

    /// <summary>
    /// Calls <paramref name="onChanged"/> on the loop after each change; the kernel announces at most one in ten milliseconds. Null if
    /// the file cannot be watched.
    /// </summary>
    internal IDisposable? Watch(string directory, Action onChanged)
    {
        if (_changes is null)
        {
            _changes = FileChanges.Open(out _);
            if (_changes is null)
            {
                return null;
            }

            loop.Watch(_changes.Descriptor, Deliver);
        }

        var number = _changes.Add(Path.Combine(directory, "memory.events"), out _);
        if (number < 0)
        {
            return null;
        }

        _watched[number] = onChanged;
        return new Watching(this, number);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_changes is { } changes)
        {
            loop.Unwatch(changes.Descriptor);
            changes.Dispose();
        }
    }

    private void Deliver()
    {
        foreach (var number in _changes!.Take())
        {
            _watched.GetValueOrDefault(number)?.Invoke();
        }
    }

    private sealed class Watching(MemoryEvents owner, int number) : IDisposable
    {
        public void Dispose()
        {
            if (owner._watched.Remove(number))
            {
                owner._changes?.Remove(number);
            }
        }
    }
}
