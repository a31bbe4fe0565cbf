using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>The descriptors that a successor is to have, each under its key. Owns none of them.</summary>
public sealed class OutgoingDescriptors
{
    private readonly Dictionary<string, DescriptorHandle> _descriptors = new(StringComparer.Ordinal);

    /// <summary>Each by its key.</summary>
    public IReadOnlyDictionary<string, DescriptorHandle> All => _descriptors;

    /// <summary>Adds one, which stays its owner's; nothing is added where there is none.</summary>
    public void Add(string key, DescriptorHandle? descriptor)
    {
        if (descriptor is { IsClosed: false })
        {
            _descriptors.Add(key, descriptor);
        }
    }
}
