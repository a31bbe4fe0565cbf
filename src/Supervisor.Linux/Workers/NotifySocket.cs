using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Handoff;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// The server end of sd_notify for one worker: a datagram socket of its own, so that a message says by its arrival whose
/// it is, and a late one cannot be taken for a successor's. Messages are taken from the worker and its descendants;
/// the kernel says who sent (SCM_CREDENTIALS), the sender's word counts for nothing. Descriptors that ride on a message
/// are received and closed by the <see cref="Disposer"/>, once it is dealt with, which is what BARRIER=1 waits for. Owns its
/// socket and the file.
/// </summary>
public sealed class NotifySocket : IDisposable
{
    private const int AfUnix = 1;
    private const int SockDgram = 2;
    private const int SolSocket = 1;
    private const int SoPassCred = 16;
    private const int AddressInUse = 98;
    private const int MaxMessagesPerWake = 64;

    private const string NoRoom = "FDSTORE=1: the daemon has no room for all of its descriptors: raise LimitNOFILE= in its unit, or ulimit -n";

    private readonly Disposer? _disposer;
    private readonly string _owner;
    private EventLoop? _loop;
    private Func<int, bool?> _isOurs = static _ => false;
    private Action<NotifyMessage, IList<DescriptorHandle>> _onMessage = static (_, _) => { };
    private Action<string, string, int> _onRefused = static (_, _, _) => { };
    private Action<int> _onUnknown = static _ => { };
    private Action _onHeard = static () => { };
    private Action? _onIdle;
    private int _unknown;
    private bool _isWatched;
    private bool _isHeard;
    private bool _isOver;
    private bool _isDisposed;

    private NotifySocket(string path, DescriptorHandle descriptor, Disposer? disposer, string owner)
    {
        Path = path;
        Descriptor = descriptor;
        _disposer = disposer;
        _owner = owner;
    }

    /// <summary>Takes over a predecessor's, bound at that path.</summary>
    internal static NotifySocket Adopt(string path, DescriptorHandle descriptor, Disposer? disposer, string owner)
    {
        // It has it, unless something else was kept under its name.
        Sockets.SetInt32(descriptor, SolSocket, SoPassCred, 1);
        return new NotifySocket(path, descriptor, disposer, owner);
    }

    /// <summary>Its path, for NOTIFY_SOCKET.</summary>
    public string Path { get; }

    /// <summary>Its descriptor, for the loop.</summary>
    public DescriptorHandle Descriptor { get; }

    /// <summary>
    /// Makes it. It belongs to <paramref name="uid"/>, who alone (and root) may write to it. <paramref name="disposer"/> receives
    /// what <paramref name="owner"/> sends with its messages; without one it cannot be watched.
    /// </summary>
    public static NotifySocket? Create(string path, uint? uid, out SystemCallFailure? failure, Disposer? disposer = null, string owner = "")
    {
        if (Sockaddr.Encode(ListenAddress.Unix(ListenerKind.UnixDatagram, path, isAbstract: false)) is not { } raw)
        {
            failure = new SystemCallError("bind",
                36).With($"{path}: the runtime directory's path is too long for a socket in it; choose a shorter one");
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

        if (refused is null && uid is { } user && user != Processes.EffectiveUid)
        {
            using var file = Files.Pin(path, out var unseen);
            refused = file is null ? unseen : Files.SetPinnedOwner(file, user, uint.MaxValue);
        }

        if (refused is { } why)
        {
            Files.Unlink(path);
            socket.Dispose();
            failure = why.With(path);
            return null;
        }

        failure = null;
        return new NotifySocket(path, socket, disposer, owner);
    }

    /// <summary>Whether what rides on a message is being received or dropped: the messages after it wait for that.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>
    /// Hears it on the loop from now on, message by message, up to one that says where the worker stands in its life: that one
    /// stays in the socket until more is asked for. What came of it is in safe keeping by then, and a daemon that is killed
    /// before has a successor, to whom it is told again. What carries descriptors is not told twice.
    /// </summary>
    /// <param name="loop">The loop.</param>
    /// <param name="isOurs">Whether a process may speak for the worker; null where it has to be looked at first.</param>
    /// <param name="onMessage">Gets each message, and what it asks to store (FDSTORE=1): what it takes out of the list is its
    /// own, the rest is closed.</param>
    /// <param name="onRefused">Gets, of every other: a word for the kind of reason, the reason, and the sender.</param>
    /// <param name="onUnknown">Gets the process that has to be looked at. Its message, and those after it, wait until
    /// <see cref="Resume"/>.</param>
    /// <param name="onHeard">Called when no message is left that is to be dealt with now.</param>
    public void Watch(
        EventLoop loop,
        Func<int, bool?> isOurs,
        Action<NotifyMessage, IList<DescriptorHandle>> onMessage,
        Action<string, string, int> onRefused,
        Action<int> onUnknown,
        Action onHeard)
    {
        (_loop, _isOurs, _onMessage, _onRefused, _onUnknown, _onHeard) = (loop, isOurs, onMessage, onRefused, onUnknown, onHeard);
        Resume();
    }

    /// <summary>Hears it again, unless what rides on a message is being received.</summary>
    public void Resume()
    {
        if (_loop is not null && !_isWatched && !_isOver && !_isDisposed && !IsBusy)
        {
            _isWatched = true;
            _loop.Watch(Descriptor, Hear);
        }
    }

    /// <summary>Hears nothing more. What is being received then is refused.</summary>
    public void Unwatch()
    {
        _isOver = true;
        Pause();
    }

    /// <summary>
    /// Takes all that has arrived, of a worker that has ended, but for a flood. False where that is not over: descriptors are
    /// received, and <paramref name="onIdle"/> is called when it is to be called again; or <paramref name="unknown"/> (else 0)
    /// has to be looked at first.
    /// </summary>
    public bool Drain(Action onIdle, out int unknown)
    {
        if (!IsBusy)
        {
            Forget();
            for (var i = 0; i < MaxMessagesPerWake && Take(stays: false); i++)
            {
            }
        }

        unknown = TakeUnknown();
        _onHeard();
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
        Files.Unlink(Path);
        if (_disposer is null)
        {
            Descriptor.Dispose();
        }
        else
        {
            _disposer.CloseSocket(_owner, Descriptor);
        }
    }

    private void Hear()
    {
        Forget();
        for (var i = 0; i < MaxMessagesPerWake && !_isHeard && Take(stays: true); i++)
        {
        }

        _onHeard();
        if (TakeUnknown() is not 0 and var unknown)
        {
            _onUnknown(unknown);
        }
    }

    private void Pause()
    {
        _isWatched = false;
        _loop?.Unwatch(Descriptor);
    }

    /// <summary>The process that has to be looked at, until which nothing is heard; 0 where there is none.</summary>
    private int TakeUnknown()
    {
        var unknown = _unknown;
        _unknown = 0;
        if (unknown != 0)
        {
            Pause();
        }

        return unknown;
    }

    /// <summary>Takes out what has been heard.</summary>
    private void Forget()
    {
        if (_isHeard)
        {
            _isHeard = false;
            Sockets.Remove(Descriptor);
        }
    }

    /// <summary>
    /// Deals with one message; where it <paramref name="stays"/> it may be left where it is. False where there is none, or
    /// nobody any more whom it is of, or where those after it have to wait.
    /// </summary>
    private bool Take(bool stays)
    {
        Span<byte> data = stackalloc byte[NotifyMessage.MaxBytes];
        var length =
            Sockets.Peek(Descriptor, withCredentials: true, data, out var sender, out _, out var truncated, out var carries, out var error);
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
                "its sender is not the worker nor one of its descendants, or had ended before it could be told (systemd-notify waits by BARRIER=1)", sender);
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

        if (carries && message is { StoresDescriptors: true })
        {
            Begin();
            _disposer!.Receive(_owner, Descriptor, all: false, outcome => Received(message, sender, outcome));
            return false;
        }

        if (message is not null)
        {
            stays &= !carries && (message.IsReady || message.IsStopping || message.MainPid is not null);
            _onMessage(message, []);
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
            // By now all before it has been dealt with, which is what BARRIER=1 waits for.
            Begin();
            _disposer!.Discard(_owner, Descriptor, _ => Idle());
            return false;
        }

        if (!stays)
        {
            Sockets.Remove(Descriptor);
        }

        _isHeard = stays;
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
                $"FDSTORE=1: {outcome.Refused} of its descriptors are files on FUSE, NFS or another file system that is asked whenever one is closed, and may not answer: they are not stored", sender);
        }
        else if (outcome.Descriptors.Count == 0)
        {
            _onRefused("lost", outcome.IsIncomplete ? NoRoom
                : "FDSTORE=1: its descriptors could not be received: a file system did not say what they are", sender);
        }
        else if (outcome.IsIncomplete)
        {
            _onRefused("lost", NoRoom, sender);
        }

        _onMessage(message, outcome.Descriptors);
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
