using System.Buffers;

namespace Supervisor.Linux.Handoff;

/// <summary>Where the broker writes the packet that goes out next; one for all connections.</summary>
internal sealed class BrokerPacket
{
    /// <summary>Its bytes.</summary>
    public ArrayBufferWriter<byte> Bytes { get; } = new();

    /// <summary>The reply of which it is the next one; null where it has gone out.</summary>
    public BrokerReply? Of { get; set; }
}
