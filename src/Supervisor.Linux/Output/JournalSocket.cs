using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Output;

/// <summary>The client end of the journal's socket. An entry that does not go through is dropped: a log must not hold up what it logs.</summary>
public sealed class JournalSocket : IDisposable
{
    private const string JournalPath = "/run/systemd/journal/socket";

    private readonly string _path;
    private DescriptorHandle? _socket;

    /// <summary>Connects to the host's.</summary>
    public JournalSocket()
        : this(JournalPath)
    {
    }

    /// <summary>Connects to the one at a path; as long as there is none every entry is dropped.</summary>
    internal JournalSocket(string path)
    {
        _path = path;
        _socket = Connect();
    }

    /// <summary>Whether there is a journal.</summary>
    public bool IsConnected => _socket is not null;

    /// <summary>Whether standard error is the journal's stream: JOURNAL_STREAM names its device and inode (systemd.exec(5)).</summary>
    public static bool IsStandardError()
    {
        if (Environment.GetEnvironmentVariable("JOURNAL_STREAM")?.Split(':') is not [var device, var inode] || !File.Exists(JournalPath))
        {
            return false;
        }

        using var standardError = Files.Duplicate(2);
        return standardError is not null && Files.GetStatus(standardError, out var status) is null
            && string.Create(CultureInfo.InvariantCulture, $"{status.Device}") == device
            && string.Create(CultureInfo.InvariantCulture, $"{status.Inode}") == inode;
    }

    /// <summary>Sends an entry. Where the journal's socket has been made anew since, the entry goes to that one.</summary>
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
        if (socket is not null && Sockets.Connect(socket, Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixDatagram, _path, isAbstract: false))!) is not null)
        {
            socket.Dispose();
            return null;
        }

        return socket;
    }
}
