using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>The descriptors for a successor, by key. Owns none of them.</summary>
public sealed class OutgoingDescriptors
{
    private readonly Dictionary<string, DescriptorHandle> _descriptors = new(StringComparer.Ordinal);

    /// <summary>The descriptors by key.</summary>
    public IReadOnlyDictionary<string, DescriptorHandle> All => _descriptors;

    /// <summary>Adds a descriptor, which its owner keeps; no effect for null.</summary>
    public void Add(string key, DescriptorHandle? descriptor)
    {
        if (descriptor is { IsClosed: false })
        {
            _descriptors.Add(key, descriptor);
        }
    }
}
