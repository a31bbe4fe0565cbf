using System.Buffers.Binary;
using System.Text;
using Supervisor.Core.Diagnosis;

namespace Supervisor.Linux.Diagnosis;

/// <summary>Reads struct tcp_info (linux/tcp.h), which grows at its end from kernel to kernel.</summary>
internal static class TcpInfo
{
    private const int Retransmits = 2;
    private const int Probes = 3;
    private const int LastSent = 44;
    private const int LastReceived = 52;
    private const int LastAck = 56;
    private const int RoundTrip = 68;
    private const int TotalRetransmits = 100;
    private const int Acked = 120;
    private const int Busy = 168;
    private const int Window = 228;
    private const int OwnWindow = 232;

    /// <summary>The facts; null if the kernel sent too few.</summary>
    public static TcpFacts? Read(ReadOnlySpan<byte> info, ReadOnlySpan<byte> congestion)
    {
        if (info.Length < Acked + 8)
        {
            return null;
        }

        return new TcpFacts(
            info[Retransmits],
            info[Probes],
            Number(info, RoundTrip),
            Number(info, LastSent),
            Number(info, LastReceived),
            Number(info, LastAck),
            Number(info, TotalRetransmits),
            BinaryPrimitives.ReadUInt64LittleEndian(info[Acked..]),
            info.Length >= Busy + 8 ? (uint)Math.Min(uint.MaxValue, BinaryPrimitives.ReadUInt64LittleEndian(info[Busy..]) / 1000) : 0,
            info.Length >= Window + 4 ? Number(info, Window) : null)
        {
            OwnWindow = info.Length >= OwnWindow + 4 ? Number(info, OwnWindow) : null,
            Congestion = congestion.IsEmpty ? null : Encoding.UTF8.GetString(congestion.TrimEnd((byte)0)),
        };
    }

    private static uint Number(ReadOnlySpan<byte> info, int at) => BinaryPrimitives.ReadUInt32LittleEndian(info[at..]);
}
