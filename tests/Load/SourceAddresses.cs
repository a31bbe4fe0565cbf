using System.Net;
using System.Net.Sockets;

namespace Supervisor.Load;

/// <summary>
/// Client addresses for a load on loopback. A closed connection keeps its pair of addresses and ports for a minute
/// (TIME_WAIT), and one client address has 28,232 ports (ip_local_port_range): at 2,000 connections per second
/// they last for 14 s. All of 127.0.0.0/8 is local, so each connection uses the next of 65,024 addresses 127.1.x.y.
/// connect() chooses the port (IP_BIND_ADDRESS_NO_PORT): it knows the target and needs only an unused pair, while bind()
/// would need a port that is unused for all targets.
/// </summary>
internal sealed class SourceAddresses(EndPoint target)
{
    private const int BindAddressNoPort = 24; // IP_BIND_ADDRESS_NO_PORT, ip(7), Linux 4.2

    private readonly bool _rotates = target is IPEndPoint { AddressFamily: AddressFamily.InterNetwork } ip
        && IPAddress.IsLoopback(ip.Address);
    private int _next;

    /// <summary>Binds an unconnected socket to the next address. Does nothing for a target outside of 127.0.0.0/8.</summary>
    public void Bind(Socket socket)
    {
        if (!_rotates)
        {
            return;
        }

        var next = (uint)Interlocked.Increment(ref _next) % (256 * 254);
        socket.SetRawSocketOption((int)SocketOptionLevel.IP, BindAddressNoPort, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(new IPAddress([127, 1, (byte)(next / 254), (byte)((next % 254) + 1)]), 0));
    }
}
