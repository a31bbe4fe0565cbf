using System.Buffers.Binary;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// A program with which the kernel selects the sockets of many local ports in one dump: the attribute
/// INET_DIAG_REQ_BYTECODE (linux/inet_diag.h; net/ipv4/inet_diag.c, inet_diag_bc_run).
/// </summary>
/// <remarks>
/// The kernel runs the program once for each socket. So it compares at most <see cref="MostRanges"/> ranges: ports that are
/// next to each other share one, and the caller drops the rows of the ports in between.
/// </remarks>
internal static class PortFilter
{
    private const int MostRanges = 16;
    private const ushort ReqBytecode = 1;
    private const byte Jump = 1;
    private const byte LocalPortAtLeast = 2;
    private const byte LocalPortAtMost = 3;

    /// <summary>struct nlattr.</summary>
    private const int AttributeHeader = 4;

    /// <summary>struct inet_diag_bc_op: code, yes, no. A comparison is two of them; the second holds the port.</summary>
    private const int Operation = 4;
    private const int Comparison = 2 * Operation;

    /// <summary>For each range: not below the first port, not above the last port, accept.</summary>
    private const int RangeLength = (2 * Comparison) + Operation;

    /// <summary>The attribute, to be appended to struct inet_diag_req_v2.</summary>
    public static byte[] Of(IEnumerable<ushort> ports)
    {
        var ranges = Ranges([.. ports.Distinct().Order()]);
        var program = new byte[AttributeHeader + (ranges.Count * RangeLength) + Operation];
        BinaryPrimitives.WriteUInt16LittleEndian(program, (ushort)program.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(program.AsSpan(2), ReqBytecode);

        // A jump to the end of the program accepts the socket, a jump beyond the end rejects it.
        var at = AttributeHeader;
        foreach (var (first, last) in ranges)
        {
            Compare(LocalPortAtLeast, first, RangeLength);
            Compare(LocalPortAtMost, last, RangeLength - Comparison);
            Write(Jump, Operation, program.Length - at);
        }

        Write(Jump, Operation, 2 * Operation);
        return program;

        void Compare(byte code, ushort port, int otherwise)
        {
            Write(code, Comparison, otherwise);
            Write(0, 0, port);
        }

        void Write(byte code, byte yes, int no)
        {
            program[at] = code;
            program[at + 1] = yes;
            BinaryPrimitives.WriteUInt16LittleEndian(program.AsSpan(at + 2), (ushort)no);
            at += Operation;
        }
    }

    /// <summary>The ports in at most <see cref="MostRanges"/> ranges, with as few other ports as possible.</summary>
    internal static List<(ushort First, ushort Last)> Ranges(ushort[] ports)
    {
        // The widest gaps stay between two ranges.
        var cuts = Enumerable.Range(1, Math.Max(ports.Length - 1, 0))
            .Where(i => ports[i] - ports[i - 1] > 1)
            .OrderByDescending(i => ports[i] - ports[i - 1])
            .Take(MostRanges - 1)
            .Order();
        var ranges = new List<(ushort First, ushort Last)>();
        var first = 0;
        foreach (var cut in cuts.Append(ports.Length))
        {
            if (cut > first)
            {
                ranges.Add((ports[first], ports[cut - 1]));
                first = cut;
            }
        }

        return ranges;
    }
}
