using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>Clients of a listener.</summary>
internal static class Loopback
{
    /// <summary>A socket of an address's kind and family.</summary>
    public static DescriptorHandle Socket(ListenAddress address) => address.Kind switch
    {
        ListenerKind.UnixStream => Socket(1, 1),
        ListenerKind.UnixDatagram => Socket(1, 2),
        ListenerKind.UnixSeqpacket => Socket(1, 5),
        ListenerKind.Vsock => Socket(KernelAbi.AF_VSOCK, 1),
        ListenerKind.Udp => Socket(address.Host!.GetAddressBytes().Length == 4 ? 2 : 10, 2),
        ListenerKind.Mptcp => Socket(address.Host!.GetAddressBytes().Length == 4 ? 2 : 10, 1, KernelAbi.IPPROTO_MPTCP),
        _ => Socket(address.Host!.GetAddressBytes().Length == 4 ? 2 : 10, 1),
    };

    public static DescriptorHandle Socket(int domain, int type, int protocol = 0, bool nonBlocking = false) =>
        Sockets.Create(domain, type, protocol, nonBlocking, out var error) ?? throw new SystemCallException(error, "socket");

    /// <summary>Connects to a listener's address.</summary>
    public static DescriptorHandle Connect(ListenAddress address)
    {
        var socket = Socket(address);
        var error = Sockets.Connect(socket, Sockaddr.Encode(address)!);
        if (error is { } refused)
        {
            socket.Dispose();
            throw new SystemCallException(refused, $"connecting to {address}");
        }

        return socket;
    }

    /// <summary>A bound socket that the code under test has not made.</summary>
    public static DescriptorHandle Bound(string address, int? backlog = null)
    {
        var parsed = Given.Address(address);
        var socket = Socket(parsed);
        Assert.Null(Sockets.Bind(socket, Sockaddr.Encode(parsed)!));
        if (backlog is { } length)
        {
            Assert.Null(Sockets.Listen(socket, length));
        }

        return socket;
    }

    /// <summary>The address that a socket is bound to.</summary>
    public static ListenAddress AddressOf(DescriptorHandle socket) => SocketIdentity.Read(socket)!.Address!;
}
