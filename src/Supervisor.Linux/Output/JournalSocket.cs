using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Output;

/// <summary>
/// The client end of the journal's socket. It drops an entry that cannot be sent at once: logging must not block the program
/// that logs.
/// </summary>
public sealed class JournalSocket : IDisposable
{
    private const string JournalPath = "/run/systemd/journal/socket";

    private readonly string _path;
    private DescriptorHandle? _socket;

    /// <summary>Connects to the host's journal.</summary>
    public JournalSocket()
        : this(JournalPath)
    {
    }

    /// <summary>Connects to the socket at a path; while there is none, all entries are dropped.</summary>
    internal JournalSocket(string path)
    {
        _path = path;
        _socket = Connect();
    }

    /// <summary>Whether there is a journal.</summary>
    public bool IsConnected => _socket is not null;

    /// <summary>Whether standard error is the journal's stream: JOURNAL_STREAM has its device and inode (systemd.exec(5)).</summary>
    public static bool IsStandardError()
    {
        if (Environment.GetEnvironmentVariable("JOURNAL_STREAM")?.Split(':') is not [var device, var inode] || !File.Exists(JournalPath))
        {
            return false;
        }

        using var standardError = Descriptors.Duplicate(2);
        return standardError is not null && Files.GetStatus(standardError, out var status) is null
            && string.Create(CultureInfo.InvariantCulture, $"{status.Device}") == device
            && string.Create(CultureInfo.InvariantCulture, $"{status.Inode}") == inode;
    }

    /// <summary>Sends an entry; reconnects if the journal has made a new socket.</summary>
    public void Send(JournalEntry entry)
    {
        if (_socket is not null && Sockets.Send(_socket, entry.Data) is { Name: "ECONNREFUSED" or "ENOTCONN" })
        {
            _socket.Dispose();
            _socket = null;
        }
        else if (_socket is not null)
        {
            return;
        }

        _socket = Connect();
        if (_socket is not null)
        {
            Sockets.Send(_socket, entry.Data);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket?.Dispose();

    private DescriptorHandle? Connect()
    {
        var socket = Sockets.Create(AF_UNIX, SOCK_DGRAM, 0, nonBlocking: false, out _);
        var address = Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixDatagram, _path, isAbstract: false))!;
        if (socket is not null && Sockets.Connect(socket, address) is not null)
        {
            socket.Dispose();
            return null;
        }

        return socket;
    }
}
