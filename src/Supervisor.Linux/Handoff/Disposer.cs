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
/// workers and clients send by SCM_RIGHTS. Closing the last reference of a socket can block without a bound (SO_LINGER,
/// socket(7)), and so can every close() of a file on FUSE or NFS, so the daemon does neither. The loop peeks at a message
/// (MSG_PEEK); the disposer receives its descriptors and returns those that the daemon may keep. On the loop.
/// </summary>
/// <remarks>
/// Each job has its own process, so a job that blocks delays no other one. An owner (a service, a user) has at most
/// <see cref="MaxPerOwner"/> jobs; while all of them block, the daemon receives nothing more from this owner. A thread could not do
/// this work. A thread that waits in a FUSE file system cannot be killed, and execve() waits for it (fs/exec.c, de_thread). It
/// would also keep every descriptor of the daemon open after the daemon's exit.
/// </remarks>
public sealed class Disposer : IDeadline, IDisposable
{
    /// <summary>The most jobs of one owner at the same time.</summary>
    public const int MaxPerOwner = 8;

    /// <summary>How many descriptors one job closes: few, so that they fit into the disposer's limit.</summary>
    private const int MostClosedTogether = 32;

    /// <summary>How long receiving jobs may delay a re-execution.</summary>
    private static readonly TimeSpan PauseWithin = TimeSpan.FromMilliseconds(500);

    /// <summary>When a job that could not be sent to the disposer is sent again.</summary>
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

    /// <summary>A disposer whose process starts with <paramref name="environment"/> when the first job arrives.</summary>
    public Disposer(EventLoop loop, IReadOnlyList<string> environment, ILogger log)
    {
        _loop = loop;
        _environment = environment;
        _log = new LogLimit(loop, log);
        loop.Add(this);
    }

    /// <summary>The result of reading a message with descriptors.</summary>
    /// <param name="Descriptors">Those that the daemon may keep. The handler owns what it removes from the list; the rest is
    /// closed.</param>
    /// <param name="Refused">How many may not be kept, because their close() calls a file system of another user.</param>
    /// <param name="IsIncomplete">Whether some were lost for lack of descriptor numbers (RLIMIT_NOFILE).</param>
    public readonly record struct Outcome(List<DescriptorHandle> Descriptors, int Refused, bool IsIncomplete);

    /// <summary>The disposer's process id; 0 while it has not been started.</summary>
    public int Pid => _process?.Pid ?? 0;

    /// <summary>How many jobs are running, of all owners.</summary>
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

    /// <summary>The owner of descriptors that a service's workers send.</summary>
    public static string OwnerOf(string service) => "service " + service;

    /// <summary>The owner of descriptors that a user sends.</summary>
    public static string OwnerOf(uint uid) => string.Create(CultureInfo.InvariantCulture, $"uid {uid}");

    /// <summary>Whether an owner has reached its limit of jobs.</summary>
    public bool IsFull(string owner) => _byOwner.GetValueOrDefault(owner) >= MaxPerOwner;

    /// <summary>
    /// Reads the next message of <paramref name="socket"/> and closes its descriptors. The caller keeps the socket, and must
    /// not read from it before <paramref name="onDone"/> is called on the loop. That never happens if a close() blocks for
    /// ever.
    /// </summary>
    public void Discard(string owner, DescriptorHandle socket, Action<Outcome> onDone) =>
        Add(new DisposerJob(DisposerTask.Discard, owner, [socket], onDone));

    /// <summary>
    /// As <see cref="Discard"/>, but passes descriptors to <paramref name="onDone"/>: all of them, or those that can be closed
    /// without calling another user's file system.
    /// </summary>
    public void Receive(string owner, DescriptorHandle socket, bool all, Action<Outcome> onDone) =>
        Add(new DisposerJob(all ? DisposerTask.ReceiveAll : DisposerTask.ReceiveSafe, owner, [socket], onDone));

    /// <summary>Closes descriptors that may be the last of their open files. The disposer takes them over.</summary>
    public void Close(string owner, IReadOnlyList<DescriptorHandle> descriptors)
    {
        for (var start = 0; start < descriptors.Count; start += MostClosedTogether)
        {
            Add(new DisposerJob(DisposerTask.Close, owner, [.. descriptors.Skip(start).Take(MostClosedTogether)], null));
        }
    }

    /// <summary>
    /// Starts no receiving job until <see cref="ResumeReceiving"/>, and calls <paramref name="onPaused"/> when the running ones
    /// are done, half a second later at most. Used before a re-execution, so that no received message is lost.
    /// </summary>
    public void PauseReceiving(Action onPaused)
    {
        _isPaused = true;
        _onPaused = onPaused;
        _pausedAt = _loop.Now + PauseWithin;
        ReportPaused();
    }

    /// <summary>Starts receiving jobs again.</summary>
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

    /// <summary>
    /// Lets the disposer exit after its jobs. Jobs that were not sent to it are dropped: the exit of this process closes their
    /// descriptors without blocking.
    /// </summary>
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

    private void Add(DisposerJob job)
    {
        if (!TryStart(job))
        {
            _waiting.Add(job);
        }
    }

    /// <summary>Starts waiting jobs in order, within the limit of each owner.</summary>
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
                "{Owner}: still closing the descriptors of {Count} messages: reading the next message when one is done{LeftOut}",
                job.Owner, MaxPerOwner, leftOut));
            return false;
        }

        if (isReceived && job.Descriptors[0].IsClosed)
        {
            // The owner has closed the socket.
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
                _log.Write("", "link", (log, leftOut) => log.Kind(MessageIds.DisposerExited)
                    .Warning("the disposer has exited ({Error}): starting another one{LeftOut}", refused.ToString(), leftOut));
                process.Dispose();
                _process = null;
            }

            return false;
        }

        job.Gate = gate;
        if (!isReceived)
        {
            // The packet or the job holds duplicates until the gate is shut, so none of these is the last reference.
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

    /// <summary>Handles a job's reply or its exit.</summary>
    private void OnAnswer(DisposerJob job)
    {
        var received = new List<DescriptorHandle>();
        Span<byte> verdicts = stackalloc byte[1 + DescriptorPassing.MaxDescriptors];
        var length = DescriptorPassing.Receive(
            job.Gate!, verdicts, received, DescriptorPassing.MaxDescriptors, wait: false, out _, out var lost, out var error);
        if (length > 0)
        {
            job.Finish(new Outcome(received, verdicts[1..length].Count((byte)'r'), lost || verdicts[0] == (byte)'L'));

            // Those that the handler did not take. The job's duplicates are the last references.
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
        if (_onPaused is { } report && (now || !_running.Exists(job => job.IsAwaited)))
        {
            _onPaused = null;
            report();
        }
    }

    private DisposerProcess? StartProcess()
    {
        if (_process is null && (_process = DisposerProcess.Start(_environment, out var reason)) is null)
        {
            _log.Write("", "start", (log, leftOut) => log.Kind(MessageIds.DisposerFailed).Error(
                "cannot start the disposer: {Reason}; descriptors from workers and clients wait until the disposer starts{LeftOut}",
                reason, leftOut));
        }

        return _process;
    }
}
