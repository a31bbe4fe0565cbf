using System.Collections.Concurrent;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// The main thread's loop: one epoll set, one deadline, one wait. It owns all state: what runs elsewhere (HTTP, system
/// calls that can wait, signal handlers of the runtime) posts to it. At rest it makes no system call.
/// </summary>
/// <remarks>
/// What has come is dealt with before time passes. A process that stands still for a while (a busy host, SIGSTOP) finds signs
/// of life in its sockets, and deadlines that they would have moved: nobody is to be killed because the loop was late. So a
/// deadline passes only if it had when the loop last looked at all descriptors, and after all that was found has been dealt
/// with; and the clock stands still with the loop: when it comes back, the first deadline is due, and the others are as far
/// from it as they were.
/// </remarks>
public sealed class EventLoop : IDisposable
{
    /// <summary>How many turns in a row deadlines wait for, where there is always more than one look shows.</summary>
    private const int MostCrowdedTurns = 16;

    /// <summary>How late the loop may be for its clock to go on: as late as a busy host makes everybody.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(50);

    private readonly TimeProvider _time;
    private long _started;
    private readonly DescriptorHandle _set = Polling.CreateSet();
    private readonly DescriptorHandle _wake = Polling.CreateEvent();
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Dictionary<long, (DescriptorHandle Descriptor, Action OnReadable)> _watched = [];
    private readonly Dictionary<DescriptorHandle, long> _tokens = [];
    private readonly List<IDeadline> _deadlines = [];
    private readonly List<Action> _answers = [];
    private readonly Queue<Action> _last = new();

    /// <summary>Room for what hundreds of workers say at once: what comes of one turn is saved once.</summary>
    private readonly long[] _ready = new long[Polling.MostEvents];

    private long _nextToken;
    private int _crowdedTurns;
    private int _raised;
    private bool _stopping;

    /// <summary>A loop on the clock <paramref name="time"/>, whose zero is now, or where a predecessor's was.</summary>
    public EventLoop(TimeProvider time, long? origin = null)
    {
        _time = time;
        _started = origin ?? time.GetTimestamp();
        if (Polling.Add(_set, _wake, 0) is { } error)
        {
            throw new SystemCallException(error, "making the event loop");
        }
    }

    /// <summary>The zero of <see cref="Now"/>: a timestamp of <see cref="Time"/>, nanoseconds of CLOCK_MONOTONIC where that is the system's. It moves when the loop has been late.</summary>
    public long Origin => _started;

    /// <summary>Monotonic time since the loop was made, or since a predecessor's was, less the time for which it stood still: the clock of every machine.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_started);

    /// <summary>When the loop last looked for what has come, on the same clock: deadlines up to here pass when all of that has been dealt with.</summary>
    public TimeSpan Looked { get; private set; }

    /// <summary>The clock.</summary>
    public TimeProvider Time => _time;

    /// <summary>Called at the end of each turn, when what happened has been dealt with.</summary>
    public Action? TurnEnded { get; set; }

    /// <summary>Calls <paramref name="onReadable"/> on the loop whenever the descriptor has input, an error or an end. The descriptor stays the caller's, who unwatches before closing it.</summary>
    public void Watch(DescriptorHandle descriptor, Action onReadable) => Watch(descriptor, onReadable, forOutput: false);

    /// <summary>The same for room to write, instead of input; an error or an end wakes too. For as long as there is something to write: otherwise it wakes for ever.</summary>
    public void WatchOutput(DescriptorHandle descriptor, Action onWritable) => Watch(descriptor, onWritable, forOutput: true);

    private void Watch(DescriptorHandle descriptor, Action onReadable, bool forOutput)
    {
        var token = ++_nextToken;
        if (Polling.Add(_set, descriptor, token, forOutput) is { } error)
        {
            throw new SystemCallException(error, "watching a descriptor");
        }

        _watched.Add(token, (descriptor, onReadable));
        _tokens.Add(descriptor, token);
    }

    /// <summary>Stops watching; nothing happens where it is not watched.</summary>
    public void Unwatch(DescriptorHandle descriptor)
    {
        if (_tokens.Remove(descriptor, out var token))
        {
            _watched.Remove(token);
            Polling.Remove(_set, descriptor);
        }
    }

    /// <summary>Adds something that waits for time.</summary>
    public void Add(IDeadline deadline) => _deadlines.Add(deadline);

    /// <summary>Removes it.</summary>
    public void Remove(IDeadline deadline) => _deadlines.Remove(deadline);

    /// <summary>Runs <paramref name="action"/> on the loop, soon. Any thread.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        if (Interlocked.Exchange(ref _raised, 1) == 0)
        {
            Polling.Raise(_wake);
        }
    }

    /// <summary>
    /// Runs <paramref name="action"/> at the end of this turn, before <see cref="TurnEnded"/>: what many events of one turn
    /// call for, and is to be done once. The loop's own thread.
    /// </summary>
    public void AtTurnEnd(Action action) => _last.Enqueue(action);

    /// <summary>
    /// Runs <paramref name="question"/> on the loop and hands its answer, or exception, to the asker at the end of that turn,
    /// when what it changed is in safe keeping: nobody is told of what would be forgotten if this process were killed
    /// now. Any thread but the loop's.
    /// </summary>
    public Task<T> Ask<T>(Func<T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                var value = question();
                _answers.Add(() => answer.SetResult(value));
            }
            catch (Exception exception)
            {
                _answers.Add(() => answer.SetException(exception));
            }
        });
        return answer.Task;
    }

    /// <summary>Runs until <see cref="Stop"/>.</summary>
    public void Run()
    {
        EndTurn();
        while (!_stopping)
        {
            var count = Polling.Wait(_set, _ready, Milliseconds());
            Look();
            for (var i = 0; i < count && !_stopping; i++)
            {
                if (_ready[i] == 0)
                {
                    RunPosted();
                }
                else if (_watched.TryGetValue(_ready[i], out var watched))
                {
                    watched.OnReadable();
                }
            }

            _crowdedTurns = count == _ready.Length ? _crowdedTurns + 1 : 0;
            if (_crowdedTurns is 0 or > MostCrowdedTurns)
            {
                PassDeadlines();
            }

            EndTurn();
        }
    }

    /// <summary>Ends <see cref="Run"/> when the present event has been handled. The loop's own thread.</summary>
    public void Stop() => _stopping = true;

    /// <inheritdoc/>
    public void Dispose()
    {
        _wake.Dispose();
        _set.Dispose();
    }

    private void EndTurn()
    {
        while (_last.TryDequeue(out var action))
        {
            action();
        }

        TurnEnded?.Invoke();
        foreach (var answer in _answers)
        {
            answer();
        }

        _answers.Clear();
    }

    private void RunPosted()
    {
        // A full fence: read before the flag is seen lowered, the queue could look empty to us and the flag raised to
        // whoever posts just then, and nobody would wake the loop. What is posted from here on waits for the next turn,
        // so that actions which post others keep neither descriptors nor deadlines waiting.
        Polling.Lower(_wake);
        Interlocked.Exchange(ref _raised, 0);
        for (var left = _posted.Count; left > 0 && !_stopping && _posted.TryDequeue(out var action); left--)
        {
            action();
        }
    }

    private void Look()
    {
        Looked = Now;
        if (Next() is { } due && Looked - due > Late)
        {
            _started += (long)((Looked - due).TotalSeconds * _time.TimestampFrequency);
            Looked = due;
        }
    }

    private TimeSpan? Next()
    {
        TimeSpan? next = null;
        foreach (var deadline in _deadlines)
        {
            if (deadline.NextDeadline is { } at && (next is null || at < next))
            {
                next = at;
            }
        }

        return next;
    }

    private int Milliseconds()
    {
        var next = Next();
        return next is null ? -1 : (int)Math.Clamp(Math.Ceiling((next.Value - Now).TotalMilliseconds), 0, int.MaxValue);
    }

    private void PassDeadlines()
    {
        for (var i = 0; i < _deadlines.Count; i++)
        {
            if (_deadlines[i].NextDeadline <= Looked)
            {
                _deadlines[i].PassDeadline();
            }
        }
    }
}
