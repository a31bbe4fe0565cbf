using Supervisor.Core.Listeners;

namespace Supervisor.Linux.Steering;

/// <summary>The bytes in the maps, which the program and the daemon share. All numbers are in the processor's byte order.</summary>
internal static class SteeringLayout
{
    /// <summary>The key of an array: a 32-bit index.</summary>
    public const int IndexSize = 4;

    /// <summary>config, one entry: which of the two routes is in use, 32 bits.</summary>
    public const int ConfigSize = 4;

    /// <summary>routes, two entries. How long a flow lives without a datagram, in nanoseconds, 64 bits.</summary>
    public const int RouteIdle = 0;

    /// <summary>The table: a slot of 32 bits for each of <see cref="SteeringTable.Length"/> equal parts of the hashes.</summary>
    public const int RouteTable = 8;
    public const int RouteSize = RouteTable + (SteeringTable.Length * sizeof(uint));

    /// <summary>slots, an entry for each socket: when its last datagram came (CLOCK_MONOTONIC_COARSE, nanoseconds), 64 bits.</summary>
    public const int SlotLastSeen = 0;

    /// <summary>Connections and flows that the table has given to it, 64 bits.</summary>
    public const int SlotSelected = 8;

    /// <summary>Flows that were recorded for it, 64 bits.</summary>
    public const int SlotRecorded = 16;

    /// <summary>Changes when the slot gets another socket, so what is recorded of the one before does not count. 32 bits.</summary>
    public const int SlotEpoch = 24;
    public const int SlotSize = 32;

    /// <summary>flows, the key: addresses of source and destination, then the two ports and the version of IP.</summary>
    public const int FlowPorts = 32;
    public const int FlowVersion = 36;
    public const int FlowKeySize = 40;

    /// <summary>flows, the value: when the last datagram came, 64 bits; slot and epoch, 32 bits each.</summary>
    public const int FlowLastSeen = 0;
    public const int FlowSlot = 8;
    public const int FlowEpoch = 12;
    public const int FlowSize = 16;

    /// <summary>cookies: the first bytes of a connection id, to slot and epoch of 32 bits each.</summary>
    public const int CookieSize = 8;
    public const int CookieSlot = 0;
    public const int CookieEpoch = 4;
    public const int CookieValueSize = 8;

    /// <summary>sockets: the key is the slot, the value a descriptor of 64 bits.</summary>
    public const int SocketSize = 8;
}
