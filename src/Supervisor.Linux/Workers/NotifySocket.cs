using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The server end of sd_notify for one worker. Each worker has a datagram socket of its own, so the socket identifies the
/// worker, and a late message cannot count for the worker's successor. Messages are accepted from the worker and its
/// descendants. The kernel names the sender (SCM_CREDENTIALS); what the message says of itself does not count. The
/// <see cref="Disposer"/> receives and closes the descriptors of a message. They are closed once the message has been handled,
/// which is what BARRIER=1 waits for. Owns its socket and the file.
/// </summary>
public sealed class NotifySocket : IDisposable
{
    private const int MaxMessagesPerWake = 64;

    private const string NoRoom =
        "FDSTORE=1: the daemon has no room for all of the worker's descriptors: raise LimitNOFILE= in its unit, or ulimit -n";

    private readonly Disposer? _disposer;
    private readonly string _owner;
    private EventLoop? _loop;
    private Func<int, bool?> _isOurs = static _ => false;
    private Func<int, string?> _denies = static _ => null;
    private Action<NotifyMessage, int, IList<DescriptorHandle>> _onMessage = static (_, _, _) => { };
    private Action<string, string, int> _onRefused = static (_, _, _) => { };
    private Action<int> _onUnknown = static _ => { };
    private Action _onEmpty = static () => { };
    private Action? _onIdle;
    private int _unknown;
    private int _handled;
    private bool _isWatched;
    private bool _isRead;
    private bool _isOver;
    private bool _isDisposed;
    private bool _isReplaced;

    private NotifySocket(string path, DescriptorHandle descriptor, Disposer? disposer, string owner)
    {
        Path = path;
        Descriptor = descriptor;
        _disposer = disposer;
        _owner = owner;
    }

    /// <summary>Takes over a predecessor's socket, which is bound to that path.</summary>
    internal static NotifySocket Adopt(string path, DescriptorHandle descriptor, Disposer? disposer, string owner)
    {
        // A predecessor has set it, unless another kind of descriptor was stored under this name; then this fails without harm.
        Sockets.SetInt32(descriptor, SOL_SOCKET, SO_PASSCRED, 1);
        return new NotifySocket(path, descriptor, disposer, owner);
    }

    /// <summary>Its path, for NOTIFY_SOCKET.</summary>
    public string Path { get; }

    /// <summary>Its descriptor, for the loop.</summary>
    public DescriptorHandle Descriptor { get; }

    /// <summary>
    /// Creates the socket. It belongs to <paramref name="uid"/>; only that user and root may write to it.
    /// <paramref name="disposer"/> receives the descriptors that <paramref name="owner"/> sends with its messages. Without a
    /// disposer the socket cannot be watched.
    /// </summary>
    public static NotifySocket? Create(string path, uint? uid, out SystemCallFailure? failure, Disposer? disposer = null, string owner = "")
    {
        var socket = WorkerSocketFile.Create(SOCK_DGRAM, path, uid, out failure);
        return socket is null ? null : new NotifySocket(path, socket, disposer, owner);
    }

    /// <summary>Whether descriptors of a message are being received or dropped: later messages wait for that.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>
    /// Receives messages on the loop, one by one, up to a message that changes the worker's life cycle state. That message
    /// stays in the socket until more is asked for. By then its effect has been saved; if the daemon is killed before, its
    /// successor receives the message again. A message with descriptors is not received twice.
    /// </summary>
    /// <param name="loop">The loop.</param>
    /// <param name="isOurs">Whether a process may send for the worker; null if it has to be examined first.</param>
    /// <param name="denies">Why messages of a process of the worker are rejected (NOTIFYACCESS=); null if they are not.</param>
    /// <param name="onMessage">Receives each message, its sender and the descriptors to store (FDSTORE=1). It owns what it takes out of the
    /// list; the rest is closed.</param>
    /// <param name="onRefused">Receives, for every rejected message, the kind of reason, the reason, and the sender.</param>
    /// <param name="onUnknown">Receives the process that has to be examined. Its message, and those after it, wait until
    /// <see cref="Resume"/>.</param>
    /// <param name="onEmpty">Called when no message waits for an examination or for descriptors, and after at most
    /// <see cref="MaxMessagesPerWake"/> messages: what was found out about their senders may be dropped.</param>
    public void Watch(
        EventLoop loop,
        Func<int, bool?> isOurs,
        Func<int, string?> denies,
        Action<NotifyMessage, int, IList<DescriptorHandle>> onMessage,
        Action<string, string, int> onRefused,
        Action<int> onUnknown,
        Action onEmpty)
    {
        (_loop, _isOurs, _denies, _onMessage) = (loop, isOurs, denies, onMessage);
        (_onRefused, _onUnknown, _onEmpty) = (onRefused, onUnknown, onEmpty);
        Resume();
    }

    /// <summary>
    /// Makes the socket's file again if it was removed: its worker would not reach the daemon any more.
    /// </summary>
    internal void Restore(uint? uid)
    {
        if (_loop is null || _isDisposed || _isOver || IsBusy || UnixDiag.IsAt(Descriptor, Path))
        {
            return;
        }

        using var made = Create(Path, uid, out _);
        if (made is not null)
        {
            _loop.Replace(Descriptor, made.Descriptor);
            made._isReplaced = true;
        }
    }

    /// <summary>Receives again, unless descriptors of a message are being received.</summary>
    public void Resume()
    {
        if (_loop is not null && !_isWatched && !_isOver && !_isDisposed && !IsBusy)
        {
            _isWatched = true;
            _loop.Watch(Descriptor, OnReadable);
        }
    }

    /// <summary>Stops receiving. Descriptors that are being received are rejected.</summary>
    public void Unwatch()
    {
        _isOver = true;
        Pause();
    }

    /// <summary>
    /// Reads everything that has arrived from a worker that has exited, up to a limit. False if that is not finished. Either
    /// descriptors are being received, and <paramref name="onIdle"/> is called when to call again. Or the process
    /// <paramref name="unknown"/> (else 0) has to be examined first.
    /// </summary>
    public bool Drain(Action onIdle, out int unknown)
    {
        if (!IsBusy)
        {
            Forget();
            for (_handled = 0; _handled < MaxMessagesPerWake && Take(stays: false);)
            {
            }
        }

        unknown = EndTurn();
        _onIdle = IsBusy ? onIdle : null;
        return !IsBusy && unknown == 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        Unwatch();
        _isDisposed = true;
        if (!_isReplaced)
        {
            Files.Unlink(Path);
        }

        if (_disposer is null)
        {
            Descriptor.Dispose();
        }
        else
        {
            _disposer.CloseSocket(_owner, Descriptor);
        }
    }

    private void OnReadable()
    {
        Forget();
        while (_handled < MaxMessagesPerWake && !_isRead && Take(stays: true))
        {
        }

        if (EndTurn() is not 0 and var unknown)
        {
            _onUnknown(unknown);
        }
    }

    private void Pause()
    {
        _isWatched = false;
        _loop?.Unwatch(Descriptor);
    }

    /// <summary>Ends a turn of messages. Returns the process that has to be examined before the next turn; 0 if there is none.</summary>
    private int EndTurn()
    {
        var unknown = _unknown;
        _unknown = 0;
        if (unknown != 0)
        {
            Pause();
        }
        else if (!IsBusy)
        {
            _handled = 0;
            _onEmpty();
        }

        return unknown;
    }

    /// <summary>Removes the message that was read.</summary>
    private void Forget()
    {
        if (_isRead)
        {
            _isRead = false;
            Sockets.Remove(Descriptor);
        }
    }

    /// <summary>
    /// Handles one message; if it <paramref name="stays"/>, it may be left in the socket. False if there is no message, the
    /// socket is no longer watched, or the messages after it have to wait.
    /// </summary>
    private bool Take(bool stays)
    {
        Span<byte> data = stackalloc byte[NotifyMessage.MaxBytes];
        var length = Sockets.Peek(
            Descriptor, withCredentials: true, data, out var sender, out _, out var truncated, out var carries, out var error);
        if (length < 0)
        {
            if (error is { } failed)
            {
                _onRefused("error", failed.ToString(), sender);
            }

            return false;
        }

        NotifyMessage? message = null;
        if (truncated)
        {
            _onRefused("size", $"it is larger than {NotifyMessage.MaxBytes} bytes", sender);
        }
        else if (_isOurs(sender) is not { } isOurs)
        {
            _unknown = sender;
            return false;
        }
        else if (!isOurs)
        {
            _onRefused("sender",
                "the sender is not the worker or one of its descendants, or exited before it could be identified "
                + "(systemd-notify waits by BARRIER=1)",
                sender);
        }
        else if (_denies(sender) is { } denied)
        {
            _onRefused("access", denied, sender);
        }
        else if (!NotifyMessage.TryParse(data[..length], out message, out var wrong))
        {
            _onRefused("syntax", wrong, sender);
        }
        else if (message.MainPid is { } main && main != sender && _isOurs(main) is null)
        {
            _unknown = main;
            return false;
        }

        _handled++;
        if (carries && message is { StoresDescriptors: true })
        {
            Begin();
            _disposer!.Receive(_owner, Descriptor, all: false, outcome => Received(message, sender, outcome));
            return false;
        }

        if (message is not null)
        {
            stays &= !carries && (message.IsReady || message.IsStopping || message.MainPid is not null);
            _onMessage(message, sender, []);
        }
        else
        {
            stays = false;
        }

        if (_isDisposed)
        {
            return false;
        }

        if (carries)
        {
            // All earlier messages have been handled by now, which is what BARRIER=1 waits for.
            Begin();
            _disposer!.Discard(_owner, Descriptor, _ => Idle());
            return false;
        }

        if (!stays)
        {
            Sockets.Remove(Descriptor);
        }

        _isRead = stays;
        return true;
    }

    private void Received(NotifyMessage message, int sender, Disposer.Outcome outcome)
    {
        if (_isDisposed)
        {
            return;
        }

        if (outcome.Refused > 0)
        {
            _onRefused("filesystem",
                $"FDSTORE=1: {outcome.Refused} of the descriptors are not stored: they are files on FUSE, NFS or another file system "
                + "that is asked at each close and may not answer",
                sender);
        }
        else if (outcome.Descriptors.Count == 0)
        {
            _onRefused("lost", outcome.IsIncomplete ? NoRoom
                : "FDSTORE=1: the descriptors could not be received: a file system did not answer", sender);
        }
        else if (outcome.IsIncomplete)
        {
            _onRefused("lost", NoRoom, sender);
        }

        _onMessage(message, sender, outcome.Descriptors);
        Idle();
    }

    private void Begin()
    {
        IsBusy = true;
        Pause();
    }

    private void Idle()
    {
        IsBusy = false;
        var told = _onIdle;
        _onIdle = null;
        if (!_isDisposed)
        {
            Resume();
            told?.Invoke();
        }
    }
}
