using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Journal;

/// <summary>The client end of the journal's socket. An entry that does not go through is dropped: a log must not hold up what it logs.</summary>
public sealed class JournalSocket : IDisposable
{
    private const string JournalPath = "/run/systemd/journal/socket";

    private readonly DescriptorHandle? _socket;

    /// <summary>Connects; without a journal every entry is dropped.</summary>
    public JournalSocket()
    {
        _socket = Sockets.Create(1, 2, 0, nonBlocking: false, out _);
        if (_socket is not null && Sockets.Connect(_socket, SocketAddress.Encode(ListenAddress.Unix(ListenerKind.UnixDatagram, JournalPath, isAbstract: false))!) is not null)
        {
            _socket.Dispose();
            _socket = null;
        }
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

    /// <summary>Sends an entry.</summary>
    public void Send(JournalEntry entry)
    {
        if (_socket is not null)
        {
            Sockets.Send(_socket, entry.Data);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket?.Dispose();
}
