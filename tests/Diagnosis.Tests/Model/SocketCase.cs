using System.Net;
using Supervisor.Core.Listeners.Conflicts;

namespace Supervisor.Diagnosis.Tests.Model;

/// <summary>One socket of a random case: what is asked for, and how far it is to go.</summary>
internal sealed record SocketCase(
    PortSpace Space, IPAddress Address, bool V6Only, bool ReuseAddress, bool ReusePort, uint Uid, string? Device, BoundState Goal)
{
    private static readonly IPAddress[] Addresses =
    [
        IPAddress.Any, IPAddress.Any, IPAddress.Loopback, IPAddress.Loopback, IPAddress.Parse("127.0.0.2"), IPAddress.Parse("127.0.0.6"),
        IPAddress.IPv6Any, IPAddress.IPv6Any, IPAddress.IPv6Loopback, IPAddress.IPv6Loopback,
        IPAddress.Parse("::ffff:127.0.0.1"), IPAddress.Parse("::ffff:0.0.0.0"), IPAddress.Parse("::ffff:127.0.0.6"),
    ];

    public bool IsIPv6 => Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;

    public static SocketCase Random(Random random, PortSpace space)
    {
        var address = Addresses[random.Next(Addresses.Length)];
        var goal = space == PortSpace.Udp
            ? random.Next(4) == 0 ? BoundState.Connected : BoundState.Bound
            : (BoundState)random.Next(4);
        // A device only where a socket of the tests can be bound to it: ::1 is on lo alone.
        var device = random.Next(4) != 0 ? null
            : random.Next(2) == 0 || goal is BoundState.Connected or BoundState.TimeWait || address.Equals(IPAddress.IPv6Loopback) ? "lo"
            : "v0";
        return new SocketCase(
            space, address, random.Next(3) == 0, random.Next(2) == 0, random.Next(2) == 0, random.Next(3) == 0 ? 65534u : 0u, device, goal);
    }

    public override string ToString() =>
        $"{Space} {Address}{(V6Only ? " v6only" : "")}{(ReuseAddress ? " reuse_address" : "")}{(ReusePort ? " reuse_port" : "")} "
        + $"uid {Uid}{(Device is null ? "" : $" dev {Device}")} -> {Goal}";
}
