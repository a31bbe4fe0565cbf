using System.Buffers.Binary;
using System.Net.Sockets;

namespace Supervisor.Bench;

/// <summary>The socket to which yardsticks/worker.c sends the start time of its main().</summary>
internal sealed class StampSocket : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly byte[] _stamp = new byte[16];

    public StampSocket(string path)
    {
        Path = path;
        _socket.Bind(new UnixDomainSocketEndPoint(path));
        _socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
    }

    /// <summary>The path.</summary>
    public string Path { get; }

    /// <summary>Waits for the next worker. Returns its process id and the nanosecond of CLOCK_MONOTONIC.</summary>
    public (int Pid, long At) Receive()
    {
        _socket.Receive(_stamp);
        return ((int)BinaryPrimitives.ReadInt64LittleEndian(_stamp), BinaryPrimitives.ReadInt64LittleEndian(_stamp.AsSpan(8)));
    }

    public void Dispose() => _socket.Dispose();
}
