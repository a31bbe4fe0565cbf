using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Win32.SafeHandles;

namespace Supervisor.Client.Kestrel;

/// <summary>
/// Kestrel's socket transport on listeners that other processes hold too.
/// <para>
/// Kestrel calls listen() with its own backlog of 512. The backlog belongs to the socket, not to the descriptor, so this
/// would shorten the queue of every worker. The factory reads the backlog first and passes the same value again.
/// </para>
/// </summary>
internal sealed class SharedListenerFactory(Drain drain, ILoggerFactory loggers) : IConnectionListenerFactory
{
    private const int TcpInfo = 11; // TCP_INFO, tcp(7)
    private const int TcpInfoSackedOffset = 28; // tcpi_sacked: of a listening socket the effective backlog, net/ipv4/tcp.c

    /// <summary>Takes the inherited descriptor that <paramref name="endpoint"/> names. The returned listener owns it.</summary>
    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var options = new SocketTransportOptions();
        SafeFileHandle? descriptor = null;
        if (endpoint is FileHandleEndPoint inherited)
        {
            // A file handle calls only close(); a socket handle of the runtime may call shutdown() first.
            descriptor = new SafeFileHandle((nint)inherited.FileHandle, ownsHandle: true);
            options.Backlog = EffectiveBacklog((nint)inherited.FileHandle) ?? 4096;
        }

        var transport = new SocketTransportFactory(Options.Create(options), loggers);
        return new DrainingListener(await transport.BindAsync(endpoint, cancellationToken), descriptor, drain);
    }

    // Null for a UNIX socket, which has no TCP_INFO.
    private static int? EffectiveBacklog(nint descriptor)
    {
        using var borrowed = new SafeSocketHandle(descriptor, ownsHandle: false);
        using var socket = new Socket(borrowed);
        if (socket.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
        {
            return null;
        }

        Span<byte> info = stackalloc byte[TcpInfoSackedOffset + sizeof(int)];
        return socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpInfo, info) == info.Length
            ? BinaryPrimitives.ReadInt32LittleEndian(info[TcpInfoSackedOffset..])
            : null;
    }
}
