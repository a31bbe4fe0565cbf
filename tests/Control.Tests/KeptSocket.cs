using System.Net.Sockets;
using System.Text;
using Supervisor.Native;

namespace Supervisor.Control.Tests;

/// <summary>
/// The files of a killed daemon: sockets that a process holds and no process serves, and an unlocked lock file.
/// </summary>
internal sealed class KeptSocket : IDisposable
{
    private const int Seqpacket = 5;

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("listend-");
    private readonly Socket control = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Socket broker = new(AddressFamily.Unix, (SocketType)Seqpacket, ProtocolType.Unspecified);

    public KeptSocket()
    {
        Path = Listen(control, "control.sock");
        Listen(broker, "broker.sock");
        File.WriteAllText(LockFile, "4711\n");
    }

    /// <summary>The control socket's path.</summary>
    public string Path { get; }

    private string LockFile => System.IO.Path.Combine(directory.FullName, "listend.lock");

    /// <summary>Locks the lock file, as a running daemon does, until this is disposed of.</summary>
    public DescriptorHandle Claim()
    {
        const int openReadWrite = 2;
        var file = Files.Open(LockFile, openReadWrite, 0, out _)!;
        return FileLocks.TryLock(file) ? file : throw new InvalidOperationException("another process has the lock");
    }

    /// <summary>The next client of the control socket.</summary>
    public Task<Socket> ConnectedAsync() => control.AcceptAsync().WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>The bytes of all clients that have connected and disconnected.</summary>
    public string Heard()
    {
        var heard = new StringBuilder();
        foreach (var socket in (Socket[])[control, broker])
        {
            while (socket.Poll(0, SelectMode.SelectRead))
            {
                using var connection = socket.Accept();
                var buffer = new byte[4096];
                while (connection.Receive(buffer) is > 0 and var count)
                {
                    heard.Append(Encoding.UTF8.GetString(buffer, 0, count));
                }
            }
        }

        return heard.ToString();
    }

    public void Dispose()
    {
        control.Dispose();
        broker.Dispose();
        directory.Delete(recursive: true);
    }

    private string Listen(Socket socket, string name)
    {
        var path = System.IO.Path.Combine(directory.FullName, name);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen(16);
        return path;
    }
}
