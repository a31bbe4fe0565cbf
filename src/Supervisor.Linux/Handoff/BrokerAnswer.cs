using Supervisor.Core.Protocols;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>A reply of the broker, as its client reads it. Owns the descriptors.</summary>
/// <param name="Handles">For take and list: the names, in the order of <paramref name="Descriptors"/> if there are any.</param>
/// <param name="Descriptors">For take: a descriptor for each of <paramref name="Handles"/>, close-on-exec.</param>
/// <param name="Error">The error message; null if there is none.</param>
/// <param name="Code">The error code as received, which may be unknown to this version.</param>
/// <param name="Packets">The received packets.</param>
public sealed record BrokerAnswer(
    IReadOnlyList<string> Handles,
    IReadOnlyList<DescriptorHandle> Descriptors,
    string? Error,
    string? Code,
    IReadOnlyList<byte[]> Packets) : IDisposable
{
    /// <summary>Whether the reply is an error with that code.</summary>
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
