using System.Globalization;
using Serilog;
using Supervisor.Core;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// The daemon's end of the disposer (disposer.c): a process of a few pages that receives what strangers hand over by SCM_RIGHTS
/// and closes it. Dropping the last reference of an open file can wait without a bound (SO_LINGER, socket(7)), and so can every
/// close() of a file on FUSE or NFS: neither happens in this process. The loop only looks at a message (MSG_PEEK); what rides
/// on it is opened by the disposer, which sends back what the daemon may keep. Lives on the loop.
/// </summary>
/// <remarks>
/// Each job is a process there, so that one that waits delays no other. An owner (a service, a user) has
/// <see cref="MostOfOwner"/> jobs at a time: while that many wait, nothing more is received from that owner, and from nobody
/// else is anything held back. A thread of this process would not do: one that waits in a FUSE file system cannot be killed,
/// execve() waits for it (fs/exec.c, de_thread), and it would keep every descriptor of the daemon open beyond its end.
/// </remarks>
public sealed class Disposer : IDeadline, IDisposable
{
    /// <summary>Jobs of one owner at the same time.</summary>
    public const int MostOfOwner = 8;

    /// <summary>How many descriptors one job closes: few, so that they fit whatever the disposer's limit is.</summary>
    private const int MostClosedTogether = 32;

    /// <summary>How many messages are looked at in a socket that is to be closed.</summary>
    private const int MostLeftMessages = 64;

    /// <summary>How long what is being received may take before this process is replaced.</summary>
    private static readonly TimeSpan QuietWithin = TimeSpan.FromMilliseconds(500);

    /// <summary>When what could not be asked of the disposer is asked again.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly EventLoop _loop;
    private readonly LogLimit _log;
    private readonly IReadOnlyList<string> _environment;
    private readonly List<Job> _running = [];
    private readonly List<Job> _waiting = [];
    private readonly Dictionary<string, int> _byOwner = new(StringComparer.Ordinal);
    private DescriptorHandle? _link;
    private TimeSpan? _retryAt;
    private Action? _onQuiet;
    private TimeSpan _quietAt;
    private bool _isPaused;

    /// <summary>A disposer that is started when there is something for it to do, with <paramref name="environment"/>.</summary>
    public Disposer(EventLoop loop, IReadOnlyList<string> environment, ILogger log)
    {
        _loop = loop;
        _environment = environment;
        _log = new LogLimit(loop, log);
        loop.Add(this);
    }

    /// <summary>What came of a message with descriptors.</summary>
    /// <param name="Descriptors">Those that the daemon may keep. What is taken out of the list belongs to who took it; the rest is closed.</param>
    /// <param name="Refused">How many may not be kept, since their close() asks a file system that others serve.</param>
    /// <param name="IsIncomplete">Whether some were lost: there was no room for them (RLIMIT_NOFILE).</param>
    public readonly record struct Outcome(List<DescriptorHandle> Descriptors, int Refused, bool IsIncomplete);

    /// <summary>The disposer's process id; 0 while it has not been started.</summary>
    public int Pid { get; private set; }

    /// <summary>How many jobs have not ended, of all owners.</summary>
    public int Jobs => _running.Count + _waiting.Count;

    /// <inheritdoc/>
    public TimeSpan? NextDeadline
    {
        get
        {
            var next = _retryAt;
            if (_onQuiet is not null && !(next <= _quietAt))
            {
                next = _quietAt;
            }

            return next;
        }
    }

    /// <summary>The owner of what a service's workers send.</summary>
    public static string OwnerOf(string service) => "service " + service;

    /// <summary>The owner of what a user sends.</summary>
    public static string OwnerOf(uint uid) => string.Create(CultureInfo.InvariantCulture, $"uid {uid}");

    /// <summary>Whether an owner has as many jobs as it may.</summary>
    public bool IsFull(string owner) => _byOwner.GetValueOrDefault(owner) >= MostOfOwner;

    /// <summary>
    /// Has the next message of <paramref name="socket"/> taken out, and what rides on it dropped. The socket stays the
    /// caller's, who reads nothing from it until <paramref name="onDone"/> is called on the loop. That may be never, where
    /// what is dropped waits for ever.
    /// </summary>
    public void Discard(string owner, DescriptorHandle socket, Action<Outcome> onDone) => Add(new Job('D', owner, [socket], onDone));

    /// <summary>
    /// The same, but <paramref name="onDone"/> gets the descriptors: all of them, or those that can be closed at any time without
    /// asking a file system that somebody else may serve.
    /// </summary>
    public void Receive(string owner, DescriptorHandle socket, bool all, Action<Outcome> onDone) => Add(new Job(all ? 'A' : 'K', owner, [socket], onDone));

    /// <summary>Closes descriptors that may be the last of their open files. They are the disposer's from now on.</summary>
    public void Close(string owner, IReadOnlyList<DescriptorHandle> descriptors)
    {
        for (var start = 0; start < descriptors.Count; start += MostClosedTogether)
        {
            Add(new Job('C', owner, [.. descriptors.Skip(start).Take(MostClosedTogether)], null));
        }
    }

    /// <summary>
    /// Closes a socket in which messages of strangers may wait: what rides on those is dropped with it. One without any is
    /// closed at once. Nobody can send to it afterwards, whoever else holds it.
    /// </summary>
    public void CloseSocket(string owner, DescriptorHandle socket)
    {
        if (IsEmptied(socket))
        {
            socket.Dispose();
        }
        else
        {
            Close(owner, [socket]);
        }
    }

    /// <summary>Closes a listener of packets or streams, and who waits in it.</summary>
    public void CloseListener(string owner, DescriptorHandle listener)
    {
        // Nobody can connect from now on (net/unix/af_unix.c, unix_stream_connect), so the queue ends.
        const int invalid = 22; // EINVAL: nobody waits in it (net/unix/af_unix.c, unix_accept)
        Sockets.ShutReading(listener);
        SystemCallError? error;
        while (Sockets.Accept(listener, nonBlocking: true, out error) is { } accepted)
        {
            CloseSocket(owner, accepted);
        }

        if (error is null or { Errno: invalid })
        {
            listener.Dispose();
        }
        else
        {
            Close(owner, [listener]);
        }
    }

    /// <summary>
    /// Receives nothing more until <see cref="Resume"/>, and calls <paramref name="onQuiet"/> when what was being received has
    /// been, half a second later at most: before this process is replaced, so that no message is taken out for nobody.
    /// </summary>
    public void BeQuiet(Action onQuiet)
    {
        _isPaused = true;
        _onQuiet = onQuiet;
        _quietAt = _loop.Now + QuietWithin;
        TellQuiet();
    }

    /// <summary>Receives again.</summary>
    public void Resume()
    {
        _isPaused = false;
        StartWaiting();
    }

    /// <inheritdoc/>
    public void PassDeadline()
    {
        var now = _loop.Now;
        if (_retryAt <= now)
        {
            _retryAt = null;
        }

        if (_onQuiet is not null && _quietAt <= now)
        {
            TellQuiet(now: true);
        }

        StartWaiting();
    }

    /// <summary>Lets the disposer end when its jobs have. What it has not been asked yet is left to the end of this process, which waits for nothing either.</summary>
    public void Dispose()
    {
        _loop.Remove(this);
        _log.Dispose();
        foreach (var job in _running)
        {
            _loop.Unwatch(job.Gate!);
            job.Gate!.Dispose();
        }

        _running.Clear();
        _waiting.Clear();
        _link?.Dispose();
    }

    /// <summary>Whether nothing with descriptors can be in it any more, since all was seen that there is and no more can come.</summary>
    private static bool IsEmptied(DescriptorHandle socket)
    {
        // Credentials tell an empty message from the end of a connection.
        const int solSocket = 1;
        const int passCredentials = 16;
        if (Sockets.SetInt32(socket, solSocket, passCredentials, 1) is not null || Sockets.ShutReading(socket) is not null)
        {
            return false;
        }

        Span<byte> data = stackalloc byte[1];
        for (var left = MostLeftMessages; left > 0; left--)
        {
            var length = Sockets.Peek(socket, withCredentials: true, data, out _, out var sender, out _, out var carries, out var error);
            if (length < 0)
            {
                return error is null;
            }

            if (carries)
            {
                return false;
            }

            if (length == 0 && sender == uint.MaxValue)
            {
                return true;
            }

            Sockets.Remove(socket);
        }

        return false;
    }

    private void Add(Job job)
    {
        if (!TryStart(job))
        {
            _waiting.Add(job);
        }
    }

    /// <summary>Starts what waits, in its order as far as each owner may.</summary>
    private void StartWaiting()
    {
        for (var i = 0; i < _waiting.Count && _retryAt is null;)
        {
            if (TryStart(_waiting[i]))
            {
                _waiting.RemoveAt(i);
            }
            else
            {
                i++;
            }
        }
    }

    private bool TryStart(Job job)
    {
        var isReceived = job.Kind != 'C';
        if (_retryAt is not null || (isReceived && _isPaused))
        {
            return false;
        }

        if (isReceived && IsFull(job.Owner))
        {
            _log.Write(job.Owner, "full", (log, leftOut) => log.Kind(MessageIds.DisposerBusy).Warning(
                "{Owner}: {Count} of its messages with descriptors are still being closed: the next one is read when one of them is{LeftOut}", job.Owner, MostOfOwner, leftOut));
            return false;
        }

        if (isReceived && job.Descriptors[0].IsClosed)
        {
            // Nobody reads it any more.
            job.Finish(new Outcome([], 0, false));
            return true;
        }

        _link ??= Start();
        if (_link is not { } link || DescriptorPassing.Pair(out var gate, out var other) is not null)
        {
            _retryAt = _loop.Now + Pause;
            return false;
        }

        bool isSent;
        SystemCallError? error;
        using (other)
        {
            isSent = DescriptorPassing.Send(link, [(byte)job.Kind], [other!, .. job.Descriptors], wait: false, out error);
        }

        if (!isSent)
        {
            const int tooManyReferences = 109; // ETOOMANYREFS: in a moment there are fewer
            gate!.Dispose();
            _retryAt = _loop.Now + Pause;
            if (error is { Errno: not tooManyReferences } refused)
            {
                _log.Write("", "link", (log, leftOut) => log.Kind(MessageIds.DisposerExited).Warning("the disposer has ended ({Error}): another one is started{LeftOut}", refused.ToString(), leftOut));
                End();
            }

            return false;
        }

        job.Gate = gate;
        if (!isReceived)
        {
            // The packet, or the process that has taken it, holds each until the gate is shut: none of these is the last.
            foreach (var descriptor in job.Descriptors)
            {
                descriptor.Dispose();
            }

            Sockets.ShutWriting(gate!);
        }

        _byOwner[job.Owner] = _byOwner.GetValueOrDefault(job.Owner) + 1;
        _running.Add(job);
        _loop.Watch(gate!, () => Hear(job));
        return true;
    }

    /// <summary>A job's answer, or its end.</summary>
    private void Hear(Job job)
    {
        var received = new List<DescriptorHandle>();
        Span<byte> verdicts = stackalloc byte[1 + DescriptorPassing.MaxDescriptors];
        var length = DescriptorPassing.Receive(job.Gate!, verdicts, received, DescriptorPassing.MaxDescriptors, wait: false, out _, out var lost, out var error);
        if (length > 0)
        {
            job.Finish(new Outcome(received, verdicts[1..length].Count((byte)'r'), lost || verdicts[0] == (byte)'L'));

            // Those that were not taken: the job has them too, and is the last.
            foreach (var descriptor in received)
            {
                descriptor.Dispose();
            }

            Sockets.ShutWriting(job.Gate!);
            TellQuiet();
            return;
        }

        if (length < 0 && error is null)
        {
            return;
        }

        _loop.Unwatch(job.Gate!);
        job.Gate!.Dispose();
        _running.Remove(job);
        if (--_byOwner[job.Owner] == 0)
        {
            _byOwner.Remove(job.Owner);
        }

        job.Finish(new Outcome([], 0, false));
        TellQuiet();
        StartWaiting();
    }

    private void TellQuiet(bool now = false)
    {
        if (_onQuiet is { } told && (now || !_running.Exists(job => job.IsAwaited)))
        {
            _onQuiet = null;
            told();
        }
    }

    /// <summary>Starts the process; null where that fails.</summary>
    private DescriptorHandle? Start()
    {
        const int readWrite = 2;
        Pid = 0;
        using var image = Succession.Executable("listend-disposer", Succession.DisposerProgram, out var unwritten);
        using var nothing = Files.Open("/dev/null", readWrite, 0, out _);
        DescriptorHandle? link = null;
        DescriptorHandle? other = null;
        var unpaired = image is null || nothing is null ? null : DescriptorPassing.Pair(out link, out other);
        var failure = image is null ? unwritten.ToString() : unpaired?.ToString();
        using (other)
        {
            if (other is not null && image is not null && nothing is not null)
            {
                using var process = ChildProcess.Start(
                    new ChildProcess.Plan
                    {
                        Path = "/proc/self/fd/4",
                        Arguments = ["listend-disposer"],
                        Environment = _environment,
                        Descriptors = [nothing, nothing, nothing, other, image],
                        Directory = "/",
                        NoNewPrivileges = true,
                    },
                    out var why);
                ChildProcess.Finish();

                // Its end is seen on the link.
                process?.Pidfd.Dispose();
                Pid = process?.Pid ?? 0;
                failure ??= process is null ? $"{why.Stage}: {ErrnoNames.Name(why.Errno)}" : null;
            }
        }

        if (Pid != 0)
        {
            return link;
        }

        link?.Dispose();
        _log.Write("", "start", (log, leftOut) => log.Kind(MessageIds.DisposerFailed).Error(
            "the disposer cannot be started: {Reason}; descriptors that workers or clients send wait until it can{LeftOut}", failure ?? "no descriptor is left", leftOut));
        return null;
    }

    private void End()
    {
        _link?.Dispose();
        _link = null;
    }

    private sealed class Job(char kind, string owner, IReadOnlyList<DescriptorHandle> descriptors, Action<Outcome>? onDone)
    {
        private Action<Outcome>? _onDone = onDone;

        public char Kind { get; } = kind;

        public string Owner { get; } = owner;

        /// <summary>The socket to read, which is its owner's; or what is to be closed, which is this job's.</summary>
        public IReadOnlyList<DescriptorHandle> Descriptors { get; } = descriptors;

        public DescriptorHandle? Gate { get; set; }

        /// <summary>Whether somebody waits for its outcome.</summary>
        public bool IsAwaited => _onDone is not null;

        /// <summary>Tells the outcome, the first time.</summary>
        public void Finish(Outcome outcome)
        {
            var told = _onDone;
            _onDone = null;
            told?.Invoke(outcome);
        }
    }
}
