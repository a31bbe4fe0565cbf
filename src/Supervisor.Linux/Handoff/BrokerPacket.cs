using System.Buffers;

namespace Supervisor.Linux.Handoff;

/// <summary>The buffer for the next packet, which all connections share.</summary>
internal sealed class BrokerPacket
{
    /// <summary>The packet's bytes.</summary>
    public ArrayBufferWriter<byte> Bytes { get; } = new();

    /// <summary>The reply whose next packet this is; null after it was sent.</summary>
    public BrokerReply? Of { get; set; }
}
