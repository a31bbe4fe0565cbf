using System.Collections.Concurrent;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// The main thread's loop: one epoll set, one deadline, one wait. The loop owns all state. Code on other threads (HTTP,
/// blocking system calls, the runtime's signal handlers) posts to it. An idle loop makes no system call.
/// </summary>
/// <remarks>
/// The loop handles events before it lets time pass. After a pause of the process (a busy host, SIGSTOP) its sockets may hold
/// keep-alive messages that move deadlines, and no worker may be killed because the loop was late. So a deadline expires only
/// if it had expired at the last poll of all descriptors, and after all events of that poll were handled. The clock also stops
/// during such a pause: afterwards the first deadline is due and the others keep their distance from it.
/// </remarks>
public sealed class EventLoop : IDisposable
{
    /// <summary>For how many turns in a row a continuous flow of events may delay deadlines.</summary>
    private const int MostCrowdedTurns = 16;

    /// <summary>Up to this lateness, which is normal on a busy host, the clock does not stop.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(50);

    private readonly TimeProvider _time;
    private long _started;
    private readonly DescriptorHandle _set = Polling.CreateSet();
    private readonly DescriptorHandle _wake = Polling.CreateEvent();
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Dictionary<long, (DescriptorHandle Descriptor, Action OnReadable)> _watched = [];
    private readonly Dictionary<DescriptorHandle, long> _tokens = [];
    private readonly List<IDeadline> _deadlines = [];
    private readonly DeadlineQueue _scheduled = new();
    private readonly List<Action> _answers = [];
    private readonly Queue<Action> _last = new();
    private readonly Queue<Action> _first = new();

    /// <summary>Room for the messages of hundreds of workers in one turn, whose results are then saved once.</summary>
    private readonly long[] _ready = new long[Polling.MaxEvents];

    private TimeSpan? _next;
    private long _nextToken;
    private int _crowdedTurns;
    private int _raised;
    private bool _stopping;

    /// <summary>A loop on the clock <paramref name="time"/>, whose zero is now, or a predecessor's zero.</summary>
    public EventLoop(TimeProvider time, long? origin = null)
    {
        _time = time;
        _started = origin ?? time.GetTimestamp();
        if (Polling.Add(_set, _wake, 0) is { } error)
        {
            throw new SystemCallException(error, "making the event loop");
        }
    }

    /// <summary>
    /// The zero of <see cref="Now"/>: a timestamp of <see cref="Time"/>, which is nanoseconds of CLOCK_MONOTONIC for the
    /// system's clock. It moves if the loop was late.
    /// </summary>
    public long Origin => _started;

    /// <summary>
    /// Monotonic time since the loop, or a predecessor's loop, was made, without the time for which the loop stood still. The
    /// clock of all state machines.
    /// </summary>
    public TimeSpan Now => _time.GetElapsedTime(_started);

    /// <summary>
    /// When the loop last polled all descriptors, on the same clock. Deadlines up to this moment expire after all events of
    /// that poll were handled.
    /// </summary>
    public TimeSpan LastPoll { get; private set; }

    /// <summary>The clock.</summary>
    public TimeProvider Time => _time;

    /// <summary>Whether somebody gets an answer at the end of this turn.</summary>
    public bool HasAnswers => _answers.Count > 0;

    /// <summary>Raised at the end of each turn, after its events were handled.</summary>
    public Action? TurnEnded { get; set; }

    /// <summary>
    /// Calls <paramref name="onReadable"/> on the loop whenever the descriptor has input, an error or a hang-up. The caller
    /// keeps the descriptor and unwatches it before closing it.
    /// </summary>
    public void Watch(DescriptorHandle descriptor, Action onReadable) => Watch(descriptor, onReadable, Polling.Interest.Input);

    /// <summary>
    /// As <see cref="Watch(DescriptorHandle, Action)"/>; false if the file has no poll, as a regular file and /dev/zero (EPERM,
    /// epoll_ctl(2)): it always has input.
    /// </summary>
    public bool TryWatch(DescriptorHandle descriptor, Action onReadable) => TryWatch(descriptor, onReadable, Polling.Interest.Input);

    /// <summary>
    /// Calls <paramref name="onWritable"/> on the loop whenever the descriptor has output space, an error or a hang-up. Watch
    /// only while there is something to write: otherwise the loop spins.
    /// </summary>
    public void WatchOutput(DescriptorHandle descriptor, Action onWritable) => Watch(descriptor, onWritable, Polling.Interest.Output);

    /// <summary>
    /// Calls <paramref name="onHungUp"/> on the loop when the descriptor has a hang-up or an error. Only for a descriptor whose poll
    /// cannot block: a socket or a pipe. False if it cannot be watched.
    /// </summary>
    public bool TryWatchHangUp(DescriptorHandle descriptor, Action onHungUp) => TryWatch(descriptor, onHungUp, Polling.Interest.HangUp);

    private bool TryWatch(DescriptorHandle descriptor, Action onEvent, Polling.Interest interest)
    {
        var token = ++_nextToken;
        if (Polling.Add(_set, descriptor, token, interest) is not null)
        {
            return false;
        }

        _watched.Add(token, (descriptor, onEvent));
        _tokens.Add(descriptor, token);
        return true;
    }

    private void Watch(DescriptorHandle descriptor, Action onReadable, Polling.Interest interest)
    {
        var token = ++_nextToken;
        if (Polling.Add(_set, descriptor, token, interest) is { } error)
        {
            throw new SystemCallException(error, "watching a descriptor");
        }

        _watched.Add(token, (descriptor, onReadable));
        _tokens.Add(descriptor, token);
    }

    /// <summary>Stops watching; no effect if the descriptor is not watched.</summary>
    public void Unwatch(DescriptorHandle descriptor)
    {
        if (_tokens.Remove(descriptor, out var token))
        {
            _watched.Remove(token);
            Polling.Remove(_set, descriptor);
        }
    }

    /// <summary>
    /// Replaces the open file of a descriptor, which keeps its number and owner, and goes on watching it. Null, or the error of
    /// dup3(2).
    /// </summary>
    public SystemCallError? Replace(DescriptorHandle descriptor, DescriptorHandle with)
    {
        var isWatched = _tokens.TryGetValue(descriptor, out var token);
        if (isWatched)
        {
            // Another process may have the old open file, which would then stay in the set.
            Polling.Remove(_set, descriptor);
        }

        var error = Descriptors.DuplicateOnto(with, descriptor);
        if (isWatched && Polling.Add(_set, descriptor, token) is { } unwatched)
        {
            throw new SystemCallException(unwatched, "watching a descriptor again");
        }

        return error;
    }

    /// <summary>How many deadlines each turn reads.</summary>
    internal int DeadlinesOfTurn => _deadlines.Count;

    /// <summary>Adds a deadline that is read in each turn: for objects of which the daemon has one.</summary>
    public void Add(IDeadline deadline) => _deadlines.Add(deadline);

    /// <summary>
    /// Reads a deadline now, and again only at the next call and after it has passed: for objects of which the daemon has thousands.
    /// </summary>
    public void Schedule(IDeadline deadline) => _scheduled.Set(deadline, deadline.NextDeadline);

    /// <summary>Removes a deadline.</summary>
    public void Remove(IDeadline deadline)
    {
        _deadlines.Remove(deadline);
        _scheduled.Set(deadline, null);
    }

    /// <summary>Runs <paramref name="action"/> on the loop soon. Any thread.</summary>
    public void Post(Action action)
    {
        _posted.Enqueue(action);
        if (Interlocked.Exchange(ref _raised, 1) == 0)
        {
            Polling.Raise(_wake);
        }
    }

    /// <summary>
    /// Runs <paramref name="action"/> at the end of this turn, before <see cref="TurnEnded"/>: for work that many events of a
    /// turn request and that is done once. Only on the loop's thread.
    /// </summary>
    public void AtTurnEnd(Action action) => _last.Enqueue(action);

    /// <summary>
    /// Runs <paramref name="action"/> when the next turn begins, whatever causes that turn, before its events: for what nothing needs
    /// while the loop waits. Only on the loop's thread.
    /// </summary>
    public void AtNextTurn(Action action) => _first.Enqueue(action);

    /// <summary>
    /// Runs <paramref name="question"/> on the loop. The caller gets its result, or exception, at the end of that turn, after
    /// the state has been saved: no caller learns a result that a SIGKILL now would lose. Any thread except the loop's.
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
            AdvanceClock();
            for (var left = _first.Count; left > 0; left--)
            {
                _first.Dequeue()();
            }

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

    /// <summary>Ends <see cref="Run"/> after the current event. Only on the loop's thread.</summary>
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
        // A full fence. If the queue were read before the flag is lowered, a thread could post between the two and not wake the
        // loop. Actions posted from here on run in the next turn, so actions that post others do not delay descriptors and
        // deadlines.
        Polling.Lower(_wake);
        Interlocked.Exchange(ref _raised, 0);
        for (var left = _posted.Count; left > 0 && !_stopping && _posted.TryDequeue(out var action); left--)
        {
            action();
        }
    }

    private void AdvanceClock()
    {
        LastPoll = Now;
        if (_next is { } due && LastPoll - due > Late)
        {
            _started += (long)((LastPoll - due).TotalSeconds * _time.TimestampFrequency);
            LastPoll = due;
        }
    }

    /// <summary>
    /// How long to wait. Looks at the deadlines once in a turn: before the loop waits, and nothing changes them until it has waited.
    /// </summary>
    private int Milliseconds()
    {
        _next = _scheduled.First;
        foreach (var deadline in _deadlines)
        {
            if (deadline.NextDeadline is { } at && (_next is null || at < _next))
            {
                _next = at;
            }
        }

        return _next is null ? -1 : (int)Math.Clamp(Math.Ceiling((_next.Value - Now).TotalMilliseconds), 0, int.MaxValue);
    }

    /// <summary>Deadlines that events of this turn have made due expire in the next one.</summary>
    private void PassDeadlines()
    {
        if (!(_next <= LastPoll))
        {
            return;
        }

        for (var i = 0; i < _deadlines.Count; i++)
        {
            if (_deadlines[i].NextDeadline <= LastPoll)
            {
                _deadlines[i].PassDeadline();
            }
        }

        foreach (var deadline in _scheduled.Until(LastPoll))
        {
            // An earlier one may have changed or removed it.
            if (_scheduled.Has(deadline) && deadline.NextDeadline <= LastPoll)
            {
                deadline.PassDeadline();
            }

            if (_scheduled.Has(deadline))
            {
                Schedule(deadline);
            }
        }
    }
}
