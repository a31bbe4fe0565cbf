using System.Net;
using System.Net.Sockets;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Daemon.Web;

/// <summary>Makes the listening TCP socket of <c>daemon.metrics</c>.</summary>
internal static class WebListener
{
    private const int Backlog = 512;

    /// <summary>
    /// Binds the address and listens; the caller owns the socket. Every address means [::] dual-stack where IPv6 exists, else 0.0.0.0.
    /// Null with the error of the last attempt.
    /// </summary>
    public static DescriptorHandle? TryListen(ListenAddress address, out SystemCallError error)
    {
        if (address.Host is { } host)
        {
            return TryListen(host, (int)address.Port, address.Scope, out error);
        }

        return TryListen(IPAddress.IPv6Any, (int)address.Port, scope: null, out error)
            ?? TryListen(IPAddress.Any, (int)address.Port, scope: null, out error);
    }

    private static DescriptorHandle? TryListen(IPAddress host, int port, string? scope, out SystemCallError error)
    {
        var family = host.AddressFamily == AddressFamily.InterNetworkV6 ? AF_INET6 : AF_INET;
        var socket = Sockets.Create(family, SOCK_STREAM, 0, nonBlocking: true, out error);
        if (socket is null)
        {
            return null;
        }

        var index = scope is null ? 0 : NetworkInterfaces.Index(scope) ?? 0;
        var refused = OptionAccess.Set(socket, SocketOptions.ReuseAddress, OptionValue.Of(1))
            ?? (host.Equals(IPAddress.IPv6Any) ? OptionAccess.Set(socket, SocketOptions.V6Only, OptionValue.Of(0)) : null)
            ?? Sockets.Bind(socket, Sockaddr.Encode(host, port, index))
            ?? Sockets.Listen(socket, Backlog);
        if (refused is not { } why)
        {
            return socket;
        }

        socket.Dispose();
        error = why;
        return null;
    }
}
