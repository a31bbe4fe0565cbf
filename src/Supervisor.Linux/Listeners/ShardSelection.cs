using System.Buffers.Binary;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Which sockets of a SO_REUSEPORT group get new connections: a classic BPF program that returns a place in the group
/// (SO_ATTACH_REUSEPORT_CBPF, Linux 4.5, socket(7)). Places are given in the order of listen(); when a socket leaves, the
/// last one takes its place (net/core/sock_reuseport.c, __reuseport_detach_sock). What waits in a socket that is not chosen
/// any more stays there.
/// </summary>
internal static class ShardSelection
{
    private const int SolSocket = 1;
    private const int AttachProgram = 51;
    private const ushort LoadAbsolute = 0x20;
    private const ushort Modulo = 0x94;
    private const ushort JumpIfEqual = 0x15;
    private const ushort Return = 0x06;

    /// <summary>SKF_AD_OFF + SKF_AD_RANDOM, linux/filter.h: a random number in place of the packet's bytes.</summary>
    private const int Random = -0x1000 + 56;

    /// <summary>New connections go to these places alone, spread at random. Any socket of the group stands for it.</summary>
    public static unsafe SystemCallError? Select(DescriptorHandle socket, IReadOnlyList<int> places)
    {
        // struct sock_filter: u16 code, u8 jt, u8 jf, u32 k. A = random mod n; if A == i return places[i].
        var count = 2 + (places.Count * 2) - 1;
        Span<byte> program = new byte[count * 8];
        var at = 0;
        void Emit(Span<byte> into, ushort code, byte jumpTrue, byte jumpFalse, uint k)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(into[at..], code);
            into[at + 2] = jumpTrue;
            into[at + 3] = jumpFalse;
            BinaryPrimitives.WriteUInt32LittleEndian(into[(at + 4)..], k);
            at += 8;
        }

        Emit(program, LoadAbsolute, 0, 0, unchecked((uint)Random));
        Emit(program, Modulo, 0, 0, (uint)places.Count);
        for (var i = 0; i < places.Count; i++)
        {
            if (i < places.Count - 1)
            {
                Emit(program, JumpIfEqual, 0, 1, (uint)i);
            }

            Emit(program, Return, 0, 0, (uint)places[i]);
        }

        fixed (byte* instructions = program)
        {
            // struct sock_fprog: u16 length, padding, pointer.
            Span<byte> filter = stackalloc byte[16];
            filter.Clear();
            BinaryPrimitives.WriteUInt16LittleEndian(filter, (ushort)count);
            BinaryPrimitives.WriteInt64LittleEndian(filter[8..], (long)instructions);
            return Sockets.SetBytes(socket, SolSocket, AttachProgram, filter);
        }
    }
}
