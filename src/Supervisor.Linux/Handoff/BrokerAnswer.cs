using Supervisor.Core.Protocols;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>What the broker answered, as its client sees it. Owns the descriptors.</summary>
/// <param name="Handles">With take and list: the names, in the order of <paramref name="Descriptors"/> where there are any.</param>
/// <param name="Descriptors">With take: a descriptor for each of <paramref name="Handles"/>, close-on-exec.</param>
/// <param name="Error">The refusal; null where there is none.</param>
/// <param name="Code">The refusal's code as it was spelt, also one that is not known here.</param>
/// <param name="Packets">The packets as they came.</param>
public sealed record BrokerAnswer(
    IReadOnlyList<string> Handles, IReadOnlyList<DescriptorHandle> Descriptors, string? Error, string? Code, IReadOnlyList<byte[]> Packets) : IDisposable
{
    /// <summary>Whether it refuses with that code.</summary>
    public bool Is(BrokerErrorCode code) => Error is not null && Code == new BrokerError(code, "").Word;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var descriptor in Descriptors)
        {
            descriptor.Dispose();
        }
    }
}
