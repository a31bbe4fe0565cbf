using System.Text.Json.Serialization;

namespace Supervisor.Core.Listeners;

/// <summary>How new connections are divided between the generations of workers.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SteeringMode>))]
public enum SteeringMode
{
    /// <summary>All workers share the listener's sockets.</summary>
    None,

    /// <summary>Each worker has a socket of its own, and a program in the kernel selects it.</summary>
    Generation,
}

/// <summary>By what a datagram finds the worker that it belongs to.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AffinityKind>))]
public enum AffinityKind
{
    /// <summary>Its addresses and ports.</summary>
    Flow,

    /// <summary>Also the connection id of QUIC, which survives a change of the client's address.</summary>
    QuicConnectionId,
}

/// <summary><c>affinity</c>: a client's datagrams stay with their worker.</summary>
public sealed record AffinityOptions
{
    /// <summary>The most flows that may be configured: 1,048,576 take 136 MB of kernel memory.</summary>
    public const int MostFlows = 1 << 20;

    /// <summary>By what a datagram finds its worker.</summary>
    public AffinityKind By { get; init; }

    /// <summary>How long a flow lives without a datagram.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How many flows are recorded; the least recently used one makes room.</summary>
    public int Flows { get; init; } = 131072;

    /// <summary>At which byte of the connection id the worker's cookie begins.</summary>
    public int CidOffset { get; init; }
}
