using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// A process that holds duplicates of the daemon's descriptors for its successor: a keeper, or systemd's descriptor store.
/// </summary>
public interface IDescriptorHolder
{
    /// <summary>
    /// Passes descriptors to the holder, in order; the caller keeps its own. Returns how many were passed: it stops at the
    /// first that fails.
    /// </summary>
    int Put(IReadOnlyList<KeyValuePair<string, DescriptorHandle>> descriptors);

    /// <summary>Tells the holder to close descriptors.</summary>
    void Drop(IReadOnlyList<string> keys);
}
