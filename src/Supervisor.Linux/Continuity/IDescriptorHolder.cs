using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

/// <summary>Who holds the daemon's descriptors besides itself, and gives them to its successor: a keeper, or systemd's descriptor store.</summary>
public interface IDescriptorHolder
{
    /// <summary>Has one held; the descriptor stays the caller's. False where it cannot be, now.</summary>
    bool Put(string key, DescriptorHandle descriptor);

    /// <summary>Has one let go.</summary>
    void Drop(string key);
}
