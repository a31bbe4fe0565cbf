using Supervisor.Core.Listeners;
using static Supervisor.Linux.Steering.BpfCondition;
using static Supervisor.Linux.Steering.BpfRegister;
using static Supervisor.Linux.Steering.BpfSize;
using static Supervisor.Linux.Steering.SteeringLayout;

namespace Supervisor.Linux.Steering;

/// <summary>
/// The program that selects a socket for each new connection and each datagram (BPF_PROG_TYPE_SK_REUSEPORT). docs/explanation/steering.md
/// describes what it decides. It always lets the packet pass: if it selects nothing, the kernel's hash decides.
/// </summary>
/// <remarks>
/// R6: the packet (struct sk_reuseport_md). R7: the route in use, or the recorded flow. R8: the time. R9: the selected slot's entry.
/// </remarks>
internal static class SteeringProgram
{
    /// <summary>BPF_PROG_TYPE_SK_REUSEPORT, linux/bpf.h.</summary>
    public const int Type = 21;

    /// <summary>
    /// BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, linux/bpf.h (Linux 5.14): what waits in a closed listener moves to one that the program
    /// selects. Older kernels refuse the program, because they do not know migrating_sk.
    /// </summary>
    public const int AttachType = 40;

    // struct sk_reuseport_md, linux/bpf.h: data is the UDP header.
    private const int Data = 0;
    private const int DataEnd = 8;
    private const int EthernetProtocol = 20;
    private const int PacketHash = 32;
    private const int MigratingSocket = 48;

    /// <summary>ETH_P_IP and ETH_P_IPV6 in network byte order.</summary>
    private const int IPv4 = 0x0008;
    private const int IPv6 = 0xdd86;

    /// <summary>Source and destination in the header of IPv4 and of IPv6, which lie next to each other.</summary>
    private const int IPv4Addresses = 12;
    private const int IPv4AddressesLength = 8;
    private const int IPv6Addresses = 8;
    private const int IPv6AddressesLength = 32;

    /// <summary>BPF_HDR_START_NET, linux/bpf.h: offsets count from the IP header.</summary>
    private const int FromNetworkHeader = 1;

    /// <summary>The length of a UDP header, and of the two ports at its beginning.</summary>
    private const int UdpHeader = 8;
    private const int PortsLength = 4;

    /// <summary>Where the connection id begins in a packet of QUIC (RFC 8999): in a short header, and in a long one.</summary>
    private const int ShortHeaderId = 1;
    private const int LongHeaderId = 6;
    private const int LongHeaderBit = 0x80;

    // What is on the stack, from its end.
    private const int FlowKey = -40;
    private const int FlowValue = FlowKey - FlowSize;
    private const int Slot = FlowValue - 8;
    private const int Index = Slot - 8;
    private const int Cookie = Index - 8;
    private const int FirstByte = Cookie - 8;
    private const int Route = FirstByte - 8;

    /// <summary>The instructions for a listener, on its maps.</summary>
    public static ulong[] Assemble(SteeringTerms terms, SteeringMaps maps)
    {
        var code = new BpfAssembler();
        FindRoute(code, maps);
        if (terms.Affinity is { } affinity)
        {
            ReadFlow(code);
            if (affinity.By == AffinityKind.QuicConnectionId)
            {
                FollowCookie(code, maps, affinity.CidOffset);
            }

            FollowFlow(code, maps);
        }

        UseTable(code, maps, terms.Affinity is not null);
        if (terms.Affinity is not null)
        {
            RecordFlow(code, maps);
        }

        code.Label("pass");
        code.Move(R0, 1);
        code.Exit();
        return code.Assemble();
    }

    /// <summary>R7 = the route that is in use.</summary>
    private static void FindRoute(BpfAssembler code, SteeringMaps maps)
    {
        code.Move(R6, R1);
        code.Store(Word, Stack, Index, 0);
        Lookup(code, maps.Config, Index, "pass");
        code.Load(Word, R1, R0, 0);
        code.Store(Word, Stack, Index, R1);
        Lookup(code, maps.Routes, Index, "pass");
        code.Move(R7, R0);
        code.Store(BpfSize.Double, Stack, Route, R7);
    }

    /// <summary>
    /// R8 = now; the key of the flow is on the stack. A packet that is too short for a key goes by the table. A client of IPv4 has
    /// the same header at a socket of IPv6.
    /// </summary>
    private static void ReadFlow(BpfAssembler code)
    {
        code.Call(BpfHelper.CoarseTime);
        code.Move(R8, R0);
        for (var offset = FlowKey; offset < 0; offset += 8)
        {
            code.Store(BpfSize.Double, Stack, offset, 0);
        }

        PointAtPacket(code, PortsLength, "copy-ports");
        code.Load(Word, R1, R1, 0);
        code.Store(Word, Stack, FlowKey + FlowPorts, R1);
        code.Jump("ports");
        code.Label("copy-ports");
        LoadBytes(code, 0, FlowKey + FlowPorts, PortsLength, "table");
        code.Label("ports");
        code.Load(Word, R1, R6, EthernetProtocol);
        code.JumpIf(Equal, R1, IPv4, "ipv4");
        code.JumpIf(NotEqual, R1, IPv6, "table");
        LoadAddresses(code, IPv6Addresses, IPv6AddressesLength, version: 6);
        code.Jump("addressed");
        code.Label("ipv4");
        LoadAddresses(code, IPv4Addresses, IPv4AddressesLength, version: 4);
        code.Label("addressed");
    }

    private static void LoadAddresses(BpfAssembler code, int offset, int length, int version)
    {
        code.Move(R1, R6);
        code.Move(R2, offset);
        code.MoveStackAddress(R3, FlowKey);
        code.Move(R4, length);
        code.Move(R5, FromNetworkHeader);
        code.Call(BpfHelper.SkbLoadBytesRelative);
        code.JumpIf(NotEqual, R0, 0, "table");
        code.Store(Word, Stack, FlowKey + FlowVersion, version);
    }

    /// <summary>Selects the socket whose cookie the packet's connection id begins with, whatever address it comes from.</summary>
    private static void FollowCookie(BpfAssembler code, SteeringMaps maps, int cidOffset)
    {
        var (inShort, inLong) = (UdpHeader + ShortHeaderId + cidOffset, UdpHeader + LongHeaderId + cidOffset);
        PointAtPacket(code, inLong + CookieSize, "copy-cookie");
        code.Load(BpfSize.Byte, R2, R1, UdpHeader);
        code.JumpIf(AnyBit, R2, LongHeaderBit, "long-header");
        code.Load(BpfSize.Double, R1, R1, inShort);
        code.Jump("found-cookie");
        code.Label("long-header");
        code.Load(BpfSize.Double, R1, R1, inLong);
        code.Label("found-cookie");
        code.Store(BpfSize.Double, Stack, Cookie, R1);
        code.Jump("cookie");

        // The packet is short, or not in one piece.
        code.Label("copy-cookie");
        LoadBytes(code, UdpHeader, FirstByte, 1, "flow");
        code.Load(BpfSize.Byte, R1, Stack, FirstByte);
        code.JumpIf(AnyBit, R1, LongHeaderBit, "copy-long-header");
        LoadBytes(code, inShort, Cookie, CookieSize, "flow");
        code.Jump("cookie");
        code.Label("copy-long-header");
        LoadBytes(code, inLong, Cookie, CookieSize, "flow");
        code.Label("cookie");
        Lookup(code, maps.Cookies!, Cookie, "flow");
        code.Load(BpfSize.Double, R9, R0, CookieSlot);
        FindSlot(code, maps, "flow");
        Select(code, maps, "flow");
        code.Jump("record");
        code.Label("flow");
    }

    /// <summary>Selects the socket that a living flow is recorded for.</summary>
    private static void FollowFlow(BpfAssembler code, SteeringMaps maps)
    {
        Lookup(code, maps.Flows!, FlowKey, "table");

        // Another processor may have written a later time than this one has read.
        code.Load(BpfSize.Double, R1, R0, FlowLastSeen);
        code.JumpIf(Greater, R1, R8, "alive");
        code.Move(R2, R8);
        code.Subtract(R2, R1);
        code.Load(BpfSize.Double, R1, R7, RouteIdle);
        code.JumpIf(Greater, R2, R1, "table");
        code.Label("alive");
        code.Load(BpfSize.Double, R9, R0, FlowSlot);
        code.Move(R7, R0);
        FindSlot(code, maps, "lost");
        Select(code, maps, "lost");
        Stamp(code, R7, FlowLastSeen, "stamp-slot");
        code.Label("stamp-slot");
        Stamp(code, R9, SlotLastSeen, "pass");
        code.Jump("pass");
        code.Label("lost");
        code.Load(BpfSize.Double, R7, Stack, Route);
    }

    /// <summary>
    /// Writes the time, or continues at the label if it is there already: the clock ticks every few milliseconds, and memory that is
    /// only read stays in the caches of all processors.
    /// </summary>
    private static void Stamp(BpfAssembler code, BpfRegister entry, int offset, string otherwise)
    {
        code.Load(BpfSize.Double, R1, entry, offset);
        code.JumpIf(Equal, R1, R8, otherwise);
        code.Store(BpfSize.Double, entry, offset, R8);
    }

    /// <summary>
    /// R9 holds a slot and its epoch: afterwards R9 = the slot's entry, and the slot's number is on the stack. Continues at the label
    /// if the slot has got another socket in the meantime.
    /// </summary>
    private static void FindSlot(BpfAssembler code, SteeringMaps maps, string otherwise)
    {
        const int epochBits = 32;
        code.Store(Word, Stack, Slot, R9);
        code.ShiftRight(R9, epochBits);
        Lookup(code, maps.Slots, Slot, otherwise);
        code.Load(Word, R1, R0, SlotEpoch);
        code.JumpIf(NotEqual, R1, R9, otherwise);
        code.Move(R9, R0);
    }

    /// <summary>Selects by the hash of the addresses and ports, and counts what is not only a move from a closed listener.</summary>
    private static void UseTable(BpfAssembler code, SteeringMaps maps, bool recordsFlow)
    {
        const int hashBits = 32;
        const int entryShift = 2;
        code.Label("table");
        code.Load(Word, R1, R6, PacketHash);
        code.Multiply(R1, SteeringTable.Length);
        code.ShiftRight(R1, hashBits);
        code.ShiftLeft(R1, entryShift);
        code.Add(R1, R7);
        code.Load(Word, R1, R1, RouteTable);
        code.Store(Word, Stack, Slot, R1);
        Lookup(code, maps.Slots, Slot, "pass");
        code.Move(R9, R0);
        Select(code, maps, "pass");
        code.Load(BpfSize.Double, R1, R6, MigratingSocket);
        code.JumpIf(NotEqual, R1, 0, "pass");
        code.Move(R1, 1);
        code.AtomicAdd(R9, SlotSelected, R1);
        if (!recordsFlow)
        {
            code.Jump("pass");
        }
    }

    /// <summary>Records that the flow belongs to the selected slot, and that it lives.</summary>
    private static void RecordFlow(BpfAssembler code, SteeringMaps maps)
    {
        code.Label("record");
        Stamp(code, R9, SlotLastSeen, "stamped");
        code.Label("stamped");
        code.Store(BpfSize.Double, Stack, FlowValue + FlowLastSeen, R8);
        code.Load(Word, R1, Stack, Slot);
        code.Store(Word, Stack, FlowValue + FlowSlot, R1);
        code.Load(Word, R1, R9, SlotEpoch);
        code.Store(Word, Stack, FlowValue + FlowEpoch, R1);
        code.Load(Word, R1, Stack, FlowKey + FlowVersion);
        code.JumpIf(Equal, R1, 0, "pass");
        Lookup(code, maps.Flows!, FlowKey, "insert");
        code.Store(BpfSize.Double, R0, FlowLastSeen, R8);
        code.Load(BpfSize.Double, R1, Stack, FlowValue + FlowSlot);
        code.Store(BpfSize.Double, R0, FlowSlot, R1);
        code.Jump("pass");
        code.Label("insert");
        code.LoadMap(R1, maps.Flows!);
        code.MoveStackAddress(R2, FlowKey);
        code.MoveStackAddress(R3, FlowValue);
        code.Move(R4, 0);
        code.Call(BpfHelper.MapUpdate);
        code.JumpIf(NotEqual, R0, 0, "pass");
        code.Move(R1, 1);
        code.AtomicAdd(R9, SlotRecorded, R1);
    }

    /// <summary>R0 = the value of the key on the stack; continues at the label if there is none.</summary>
    private static void Lookup(BpfAssembler code, Native.DescriptorHandle map, int key, string otherwise)
    {
        code.LoadMap(R1, map);
        code.MoveStackAddress(R2, key);
        code.Call(BpfHelper.MapLookup);
        code.JumpIf(Equal, R0, 0, otherwise);
    }

    /// <summary>R1 = the UDP header, if so many bytes from there on can be read in place; continues at the label otherwise.</summary>
    private static void PointAtPacket(BpfAssembler code, int length, string otherwise)
    {
        code.Load(BpfSize.Double, R1, R6, Data);
        code.Load(BpfSize.Double, R2, R6, DataEnd);
        code.Move(R3, R1);
        code.Add(R3, length);
        code.JumpIf(Greater, R3, R2, otherwise);
    }

    /// <summary>Copies bytes of the packet, from the UDP header on, to the stack.</summary>
    private static void LoadBytes(BpfAssembler code, int offset, int into, int length, string otherwise)
    {
        code.Move(R1, R6);
        code.Move(R2, offset);
        code.MoveStackAddress(R3, into);
        code.Move(R4, length);
        code.Call(BpfHelper.SkbLoadBytes);
        code.JumpIf(NotEqual, R0, 0, otherwise);
    }

    /// <summary>Selects the socket of the slot on the stack.</summary>
    private static void Select(BpfAssembler code, SteeringMaps maps, string otherwise)
    {
        code.Move(R1, R6);
        code.LoadMap(R2, maps.Sockets);
        code.MoveStackAddress(R3, Slot);
        code.Move(R4, 0);
        code.Call(BpfHelper.SelectReusePort);
        code.JumpIf(NotEqual, R0, 0, otherwise);
    }
}
