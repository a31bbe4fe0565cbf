using Supervisor.Native;

namespace Supervisor.Linux.Tests.Kernel;

/// <summary>
/// A TCP connection whose peer never reads, with a full send queue and SO_LINGER of a day. A process that closes its last
/// descriptor waits for a day, unless a signal arrives or the process exits (socket(7); net/ipv4/af_inet.c, inet_release).
/// </summary>
internal sealed class Lingering : IDisposable
{
    private readonly DescriptorHandle _listener = Loopback.Bound("tcp://127.0.0.1:0", 1);
    private readonly DescriptorHandle _peer;

    public Lingering()
    {
        const int solSocket = 1, receiveBuffer = 8, linger = 13;
        Assert.Null(Sockets.SetInt32(_listener, solSocket, receiveBuffer, 4096));
        Socket = Loopback.Connect(Loopback.AddressOf(_listener));
        _peer = Libc.Accept(_listener);
        Libc.SetNonBlocking(Socket);
        while (Sockets.Send(Socket, new byte[65536]) is null)
        {
        }

        Span<byte> aDay = stackalloc byte[8];
        BitConverter.TryWriteBytes(aDay, 1);
        BitConverter.TryWriteBytes(aDay[4..], 86_400);
        Assert.Null(Sockets.SetBytes(Socket, solSocket, linger, aDay));
    }

    /// <summary>The descriptor; only <see cref="Give"/> may close it.</summary>
    public DescriptorHandle Socket { get; }

    /// <summary>Sends the descriptor as an untrusted process does, and closes it.</summary>
    public void Give(Action<DescriptorHandle> send)
    {
        send(Socket);
        Socket.Dispose();
    }

    public void Dispose()
    {
        // The peer's reset ends the lingering.
        _peer.Dispose();
        Socket.Dispose();
        _listener.Dispose();
    }
}
