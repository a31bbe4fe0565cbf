using System.Buffers.Binary;
using Supervisor.Core.Listeners;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Selects the sockets of a SO_REUSEPORT group that get new connections: a classic BPF program that returns a place in the
/// group (SO_ATTACH_REUSEPORT_CBPF, Linux 4.5, socket(7)); <see cref="ReusePortGroup"/> knows the places. What waits in a
/// socket that is no longer selected stays there, and so does a handshake that has begun. Connections are spread at random.
/// Datagrams are spread by their source port, so those of one sender stay together.
/// </summary>
internal static class ShardSelection
{
    private const ushort LoadWord = 0x20;
    private const ushort LoadHalf = 0x28;
    private const ushort LoadByte = 0x30;
    private const ushort Add = 0x04;
    private const ushort Multiply = 0x24;
    private const ushort And = 0x54;
    private const ushort ShiftRight = 0x74;
    private const ushort Modulo = 0x94;
    private const ushort Jump = 0x05;
    private const ushort JumpIfEqual = 0x15;
    private const ushort Return = 0x06;
    private const ushort ReturnA = 0x16;

    /// <summary>SKF_AD_OFF + SKF_AD_RANDOM, linux/filter.h: a random number instead of the packet's bytes.</summary>
    private const int Random = -0x1000 + 56;

    /// <summary>SKF_NET_OFF, linux/filter.h: the packet's bytes from its network header on.</summary>
    private const int Network = -0x100000;

    /// <summary>
    /// Sends new connections only to these places, at least one. <paramref name="socket"/> is any socket of the group. EINVAL
    /// if about 2,000 places are not consecutive: a program has at most 4,096 instructions (BPF_MAXINSNS).
    /// </summary>
    public static unsafe SystemCallError? Select(DescriptorHandle socket, ListenerKind kind, IReadOnlyList<int> places)
    {
        var program = new List<(ushort Code, byte True, byte False, uint Operand)>();
        void Emit(ushort code, long operand, byte whenTrue = 0, byte whenFalse = 0) =>
            program.Add((code, whenTrue, whenFalse, unchecked((uint)operand)));

        if (kind == ListenerKind.Udp)
        {
            // The source port follows the IP header: at 20 in IPv4, at 40 in IPv6. With options or extensions, another number
            // of the same sender is read.
            const int version = 0xF0, four = 0x40, multiplier = unchecked((int)0x9E3779B1);
            Emit(LoadByte, Network);
            Emit(And, version);
            Emit(JumpIfEqual, four, whenTrue: 0, whenFalse: 2);
            Emit(LoadHalf, Network + 20);
            Emit(Jump, 1);
            Emit(LoadHalf, Network + 40);
            Emit(Multiply, multiplier);
            Emit(ShiftRight, 16);
        }
        else
        {
            Emit(LoadWord, Random);
        }

        Emit(Modulo, places.Count);
        var ordered = places.Order().ToArray();
        if (ordered[^1] - ordered[0] == ordered.Length - 1)
        {
            Emit(Add, ordered[0]);
            Emit(ReturnA, 0);
        }
        else
        {
            for (var i = 0; i < ordered.Length - 1; i++)
            {
                Emit(JumpIfEqual, i, whenTrue: 0, whenFalse: 1);
                Emit(Return, ordered[i]);
            }

            Emit(Return, ordered[^1]);
        }

        // struct sock_filter: u16 code, u8 jt, u8 jf, u32 k.
        const int size = 8;
        var instructions = new byte[program.Count * size];
        for (var i = 0; i < program.Count; i++)
        {
            var into = instructions.AsSpan(i * size, size);
            BinaryPrimitives.WriteUInt16LittleEndian(into, program[i].Code);
            into[2] = program[i].True;
            into[3] = program[i].False;
            BinaryPrimitives.WriteUInt32LittleEndian(into[4..], program[i].Operand);
        }

        fixed (byte* first = instructions)
        {
            // struct sock_fprog: u16 length, padding, pointer.
            Span<byte> filter = stackalloc byte[16];
            filter.Clear();
            BinaryPrimitives.WriteUInt16LittleEndian(filter, (ushort)program.Count);
            BinaryPrimitives.WriteInt64LittleEndian(filter[8..], (long)first);
            return Sockets.SetBytes(socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, filter);
        }
    }
}
