using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// Processes that a worker's next messages come from or name, and whether they are the worker's. A pidfd (pidfd_open(2)) of each
/// shows that its id has not been reused since the examination. On the loop.
/// </summary>
internal sealed class ExaminedProcesses
{
    private readonly Dictionary<int, (DescriptorHandle? Pidfd, bool IsOurs)> _results = [];

    /// <summary>Whether that process is the worker's; null if it has to be examined.</summary>
    public bool? Find(int pid) =>
        _results.TryGetValue(pid, out var result) && (result.Pidfd is not { } pidfd || Processes.IsThere(pidfd)) ? result.IsOurs : null;

    /// <summary>
    /// Adds a result. Takes over <paramref name="pidfd"/>, which was opened before the examination; null if that failed, and then
    /// the process is not the worker's.
    /// </summary>
    public void Add(int pid, DescriptorHandle? pidfd, bool isOurs)
    {
        if (_results.Remove(pid, out var before))
        {
            before.Pidfd?.Dispose();
        }

        _results.Add(pid, (pidfd, isOurs));
    }

    /// <summary>Drops all results.</summary>
    public void Clear()
    {
        foreach (var (pidfd, _) in _results.Values)
        {
            pidfd?.Dispose();
        }

        _results.Clear();
    }
}
