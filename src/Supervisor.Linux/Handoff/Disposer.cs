using System.Globalization;
using Serilog;
using Supervisor.Core;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Output;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Handoff;

/// <summary>
/// The daemon's side of the disposer (disposer.c): a process of a few pages that receives and closes the descriptors which
/// workers and clients send by SCM_RIGHTS. Closing the last reference of a socket can wait without a bound (SO_LINGER,
/// socket(7)), and so can every close() of a file on FUSE or NFS, so the daemon does neither. The loop peeks at a message
/// (MSG_PEEK), the disposer receives its descriptors and returns those that the daemon may keep. On the loop.
/// </summary>
/// <remarks>
/// Each job is a process of its own, so a job that waits delays no other one. An owner (a service, a user) has at most
/// <see cref="MostOfOwner"/> jobs: while they all wait, the daemon receives nothing more from this owner. A thread cannot do
/// this work: a thread that waits in a FUSE file system cannot be killed, execve() waits for it (fs/exec.c, de_thread), and
/// it would keep every descriptor of the daemon open after the daemon's exit.
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
    private static readonly TimeSpan PauseWithin = TimeSpan.FromMilliseconds(500);

    /// <summary>When what could not be asked of the disposer is asked again.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(100);

    private readonly EventLoop _loop;
    private readonly LogLimit _log;
    private readonly IReadOnlyList<string> _environment;
    private readonly List<DisposerJob> _running = [];
    private readonly List<DisposerJob> _waiting = [];
    private readonly Dictionary<string, int> _byOwner = new(StringComparer.Ordinal);
    private DisposerProcess? _process;
    private TimeSpan? _retryAt;
    private Action? _onPaused;
    private TimeSpan _pausedAt;
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
    public int Pid => _process?.Pid ?? 0;

    /// <summary>How many jobs have not ended, of all owners.</summary>
    public int Jobs => _running.Count + _waiting.Count;

    /// <inheritdoc/>
    public TimeSpan? NextDeadline
    {
        get
        {
            var next = _retryAt;
            if (_onPaused is not null && !(next <= _pausedAt))
            {
                next = _pausedAt;
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
    public void Discard(string owner, DescriptorHandle socket, Action<Outcome> onDone) => Add(new DisposerJob(DisposerTask.Discard, owner, [socket], onDone));

    /// <summary>
    /// The same, but <paramref name="onDone"/> gets the descriptors: all of them, or those that can be closed at any time without
    /// asking a file system that somebody else may serve.
    /// </summary>
    public void Receive(string owner, DescriptorHandle socket, bool all, Action<Outcome> onDone) => Add(new DisposerJob(all ? DisposerTask.ReceiveAll : DisposerTask.ReceiveSafe, owner, [socket], onDone));

    /// <summary>Closes descriptors that may be the last of their open files. They are the disposer's from now on.</summary>
    public void Close(string owner, IReadOnlyList<DescriptorHandle> descriptors)
    {
        for (var start = 0; start < descriptors.Count; start += MostClosedTogether)
        {
            Add(new DisposerJob(DisposerTask.Close, owner, [.. descriptors.Skip(start).Take(MostClosedTogether)], null));
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
        Sockets.ShutReading(listener);
        SystemCallError? error;
        while (Sockets.Accept(listener, nonBlocking: true, out error) is { } accepted)
        {
            CloseSocket(owner, accepted);
        }

        // EINVAL: nobody waits in it (net/unix/af_unix.c, unix_accept).
        if (error is null or { Errno: EINVAL })
        {
            listener.Dispose();
        }
        else
        {
            Close(owner, [listener]);
        }
    }

    /// <summary>
    /// Receives nothing more until <see cref="ResumeReceiving"/>, and calls <paramref name="onPaused"/> when what was being received has
    /// been, half a second later at most: before this process is replaced, so that no message is taken out for nobody.
    /// </summary>
    public void PauseReceiving(Action onPaused)
    {
        _isPaused = true;
        _onPaused = onPaused;
        _pausedAt = _loop.Now + PauseWithin;
        ReportPaused();
    }

    /// <summary>Receives again.</summary>
    public void ResumeReceiving()
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

        if (_onPaused is not null && _pausedAt <= now)
        {
            ReportPaused(now: true);
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
        _process?.Dispose();
    }

    /// <summary>Whether nothing with descriptors can be in it any more, since all was seen that there is and no more can come.</summary>
    private static bool IsEmptied(DescriptorHandle socket)
    {
        // Credentials tell an empty message from the end of a connection.
        if (Sockets.SetInt32(socket, SOL_SOCKET, SO_PASSCRED, 1) is not null || Sockets.ShutReading(socket) is not null)
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

    private void Add(DisposerJob job)
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

    private bool TryStart(DisposerJob job)
    {
        var isReceived = job.Task != DisposerTask.Close;
        if (_retryAt is not null || (isReceived && _isPaused))
        {
            return false;
        }

        if (isReceived && IsFull(job.Owner))
        {
            _log.Write(job.Owner, "full", (log, leftOut) => log.Kind(MessageIds.DisposerBusy).Warning(
                "{Owner}: the descriptors of {Count} messages are still being closed: reading the next message when one is done{LeftOut}", job.Owner, MostOfOwner, leftOut));
            return false;
        }

        if (isReceived && job.Descriptors[0].IsClosed)
        {
            // Nobody reads it any more.
            job.Finish(new Outcome([], 0, false));
            return true;
        }

        if (StartProcess() is not { } process || DescriptorPassing.Pair(out var gate, out var other) is not null)
        {
            _retryAt = _loop.Now + RetryAfter;
            return false;
        }

        bool isSent;
        SystemCallError? error;
        using (other)
        {
            isSent = DescriptorPassing.Send(process.Link, [(byte)job.Task], [other!, .. job.Descriptors], wait: false, out error);
        }

        if (!isSent)
        {
            gate!.Dispose();
            _retryAt = _loop.Now + RetryAfter;
            if (error is { Errno: not ETOOMANYREFS } refused)
            {
                _log.Write("", "link", (log, leftOut) => log.Kind(MessageIds.DisposerExited).Warning(
                    "the disposer has exited ({Error}): starting another one{LeftOut}", refused.ToString(), leftOut));
                process.Dispose();
                _process = null;
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
        _loop.Watch(gate!, () => OnAnswer(job));
        return true;
    }

    /// <summary>A job's answer, or its end.</summary>
    private void OnAnswer(DisposerJob job)
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
            ReportPaused();
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
        ReportPaused();
        StartWaiting();
    }

    private void ReportPaused(bool now = false)
    {
        if (_onPaused is { } told && (now || !_running.Exists(job => job.IsAwaited)))
        {
            _onPaused = null;
            told();
        }
    }

    private DisposerProcess? StartProcess()
    {
        if (_process is null && (_process = DisposerProcess.Start(_environment, out var reason)) is null)
        {
            _log.Write("", "start", (log, leftOut) => log.Kind(MessageIds.DisposerFailed).Error(
                "the disposer cannot be started: {Reason}; descriptors that workers or clients send wait until it can{LeftOut}", reason, leftOut));
        }

        return _process;
    }
}
