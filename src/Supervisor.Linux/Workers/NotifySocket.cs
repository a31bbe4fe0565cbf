using Supervisor.Core.Handoff;
using Supervisor.Core.Listeners;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The server end of sd_notify for one worker: a datagram socket of its own, so that a message says by its arrival whose
/// it is, and a late one cannot be taken for a successor's. Messages are taken from the worker and its descendants;
/// the kernel says who sent (SCM_CREDENTIALS), the sender's word counts for nothing. Descriptors that ride on a message
/// are closed once it is dealt with, which is what BARRIER=1 waits for. Owns its socket and the file.
/// </summary>
public sealed class NotifySocket : IDisposable
{
    private const int AfUnix = 1;
    private const int SockDgram = 2;
    private const int SolSocket = 1;
    private const int SoPassCred = 16;
    private const int AddressInUse = 98;
    private const int MaxMessagesPerWake = 64;

    private readonly List<DescriptorHandle> _received = [];
    private bool _isHeard;
    private int _unknown;

    private NotifySocket(string path, DescriptorHandle descriptor)
    {
        Path = path;
        Descriptor = descriptor;
    }

    /// <summary>Takes over a predecessor's, bound at that path.</summary>
    internal static NotifySocket Adopt(string path, DescriptorHandle descriptor) => new(path, descriptor);

    /// <summary>Its path, for NOTIFY_SOCKET.</summary>
    public string Path { get; }

    /// <summary>Its descriptor, for the loop.</summary>
    public DescriptorHandle Descriptor { get; }

    /// <summary>Makes it. It belongs to <paramref name="uid"/>, who alone (and root) may write to it.</summary>
    public static NotifySocket? Create(string path, uint? uid, out SystemCallFailure? failure)
    {
        if (SocketAddress.Encode(ListenAddress.Unix(ListenerKind.UnixDatagram, path, isAbstract: false)) is not { } raw)
        {
            failure = new SystemCallError("bind", 36).With($"{path}: the runtime directory's path is too long for a socket in it; choose a shorter one");
            return null;
        }

        var socket = Sockets.Create(AfUnix, SockDgram, 0, nonBlocking: true, out var error);
        if (socket is null)
        {
            failure = error.With("AF_UNIX, SOCK_DGRAM");
            return null;
        }

        var refused = Sockets.SetInt32(socket, SolSocket, SoPassCred, 1) ?? Files.SetMode(socket, 0x180) ?? Sockets.Bind(socket, raw);
        if (refused is { Errno: AddressInUse })
        {
            // A predecessor's, who has left no word of it: the directory is the daemon's alone.
            Files.Unlink(path);
            refused = Sockets.Bind(socket, raw);
        }

        if (refused is null && uid is { } owner && owner != Processes.EffectiveUid)
        {
            using var file = Files.Pin(path, out var unseen);
            refused = file is null ? unseen : Files.SetPinnedOwner(file, owner, uint.MaxValue);
        }

        if (refused is { } why)
        {
            Files.Unlink(path);
            socket.Dispose();
            failure = why.With(path);
            return null;
        }

        failure = null;
        return new NotifySocket(path, socket);
    }

    /// <summary>
    /// Takes what has arrived. <paramref name="onMessage"/> gets each message of the worker <paramref name="pid"/> or a
    /// descendant, <paramref name="onRefused"/> the reason and sender of every other.
    /// </summary>
    public void Drain(int pid, Action<NotifyMessage> onMessage, Action<string, int> onRefused) =>
        Drain(sender => ProcFile.DescendsFrom(sender, pid), (message, _) => onMessage(message), onRefused, out _);

    /// <summary>
    /// The same, of senders that <paramref name="isOurs"/>, which answers null where it has to be found out first: that
    /// process is <paramref name="unknown"/> then (0: none), and the message stays in the socket, as the next one.
    /// <paramref name="onMessage"/> gets the descriptors that ride on the message too: what it takes out of the list is its
    /// own, the rest is closed.
    /// </summary>
    public void Drain(Func<int, bool?> isOurs, Action<NotifyMessage, IList<DescriptorHandle>> onMessage, Action<string, int> onRefused, out int unknown)
    {
        Forget();
        _unknown = 0;
        for (var i = 0; i < MaxMessagesPerWake && Take(peek: true, isOurs, onMessage, onRefused); i++)
        {
            Forget();
        }

        unknown = _unknown;
    }

    /// <summary>
    /// The same, but up to one that says where the worker stands in its life: that one stays in the socket until more is
    /// asked for. What came of it is in safe keeping by then, and a daemon that is killed before has a successor, to whom it
    /// is told again. What carries descriptors is not told twice.
    /// </summary>
    public void Hear(Func<int, bool?> isOurs, Action<NotifyMessage, IList<DescriptorHandle>> onMessage, Action<string, int> onRefused, out int unknown)
    {
        Forget();
        _unknown = 0;
        for (var i = 0; i < MaxMessagesPerWake && !_isHeard && Take(peek: true, isOurs, onMessage, onRefused); i++)
        {
        }

        unknown = _unknown;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Files.Unlink(Path);
        Descriptor.Dispose();
    }

    /// <summary>Takes out what has been heard.</summary>
    private void Forget()
    {
        if (_isHeard)
        {
            _isHeard = false;
            Remove();
        }
    }

    private void Remove()
    {
        Span<byte> nothing = stackalloc byte[1];
        Sockets.ReceiveWithCredentials(Descriptor, nothing, _received, out _, out _, out _, out _);
        Close();
    }

    private void Close()
    {
        foreach (var descriptor in _received)
        {
            descriptor.Dispose();
        }

        _received.Clear();
    }

    /// <summary>Deals with one message; with <paramref name="peek"/> it may stay where it is. False where there is none, or nobody any more whom it is of.</summary>
    private bool Take(bool peek, Func<int, bool?> isOurs, Action<NotifyMessage, IList<DescriptorHandle>> onMessage, Action<string, int> onRefused)
    {
        Span<byte> data = stackalloc byte[NotifyMessage.MaxBytes];
        var length = Sockets.ReceiveWithCredentials(Descriptor, data, _received, out var sender, out _, out var truncated, out var error, peek);
        if (length < 0)
        {
            if (error is { } failed)
            {
                onRefused(failed.ToString(), sender);
            }

            return false;
        }

        var stays = false;
        try
        {
            if (truncated)
            {
                onRefused($"it is larger than {NotifyMessage.MaxBytes} bytes or carries too many descriptors", sender);
            }
            else if (isOurs(sender) is not { } isSenderOurs)
            {
                _unknown = sender;
            }
            else if (!isSenderOurs)
            {
                onRefused("its sender is not the worker nor one of its descendants, or had ended before it could be told (systemd-notify waits by BARRIER=1)", sender);
            }
            else if (!NotifyMessage.TryParse(data[..length], out var message, out var wrong))
            {
                onRefused(wrong, sender);
            }
            else if (message.MainPid is { } main && main != sender && isOurs(main) is null)
            {
                _unknown = main;
            }
            else
            {
                stays = peek && _received.Count == 0 && (message.IsReady || message.IsStopping || message.MainPid is not null);
                onMessage(message, _received);
            }
        }
        finally
        {
            Close();
            if (peek && !stays && _unknown == 0 && !Descriptor.IsClosed)
            {
                Remove();
            }
        }

        _isHeard = stays;
        return _unknown == 0 && !Descriptor.IsClosed;
    }
}
