using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>Who holds the daemon's descriptors besides itself, and gives them to its successor: a keeper, or systemd's descriptor store.</summary>
public interface IDescriptorHolder
{
    /// <summary>Has them held, in order; they stay the caller's. How many: the first that cannot be, now, ends it.</summary>
    int Put(IReadOnlyList<KeyValuePair<string, DescriptorHandle>> descriptors);

    /// <summary>Has them let go.</summary>
    void Drop(IReadOnlyList<string> keys);
}
