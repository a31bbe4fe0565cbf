using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Supervisor.Load;

/// <summary>
/// An open-loop load on one listener, in this process.
/// <para>
/// Open loop: a request is due at its time, also if earlier ones are not answered, and its latency counts from that time. So
/// a server that stops for a second is charged with every request of this second, and not only with the one that a waiting
/// client has sent ("coordinated omission").
/// </para>
/// <para>
/// One thread, the pacer, wakes each millisecond, starts due requests and cancels requests past their deadline. Everything
/// else runs where the runtime completes socket calls. So each latency includes up to 1 ms of the pacer. The clock is
/// Stopwatch, which counts nanoseconds on Linux.
/// </para>
/// </summary>
public sealed class LoadRun : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly long SweepEvery = Ticks(TimeSpan.FromMilliseconds(50));
    private static readonly long PauseAfterFailure = Ticks(TimeSpan.FromMilliseconds(10));
    private static readonly long ServerCloseTime = Ticks(TimeSpan.FromSeconds(1));

    private readonly LoadPlan _plan;
    private readonly Ledger _ledger;
    private readonly ConnectionPool _pool;
    private readonly List<Lane> _lanes = [];
    private readonly List<Task> _laneTasks = [];
    private readonly ManualResetEventSlim _ended = new(false, spinCount: 0);
    private readonly Thread _pacer;
    private readonly byte[] _newRequest;
    private readonly byte[] _keptRequest;
    private readonly byte[] _slowRequest;
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _newStarted;
    private long _lanesNotBefore;
    private volatile bool _stopping;
    private volatile TaskCompletionSource? _pause;
    private Task<LoadReport>? _stop;

    private LoadRun(LoadPlan plan, string firstPhase)
    {
        _plan = plan;
        _ledger = new Ledger(firstPhase);
        var connections = plan.MaxInFlight + plan.KeepAliveConnections + plan.SlowInFlight;
        _pool = new ConnectionPool(plan.Target, new SourceAddresses(plan.Target), connections);
        _newRequest = Request(plan.Path, "close");
        _keptRequest = Request(plan.Path, "keep-alive");
        _slowRequest = Request(string.Format(CultureInfo.InvariantCulture, plan.SlowPath, (long)plan.SlowFor.TotalMilliseconds), "close");

        // Distribute the first requests over the interval, so the lanes do not send at the same time.
        AddLanes(plan.KeepAliveConnections, plan.KeepAliveInterval, RunKeepAliveAsync);
        AddLanes(plan.SlowInFlight, plan.SlowFor, RunSlowAsync);
        _pacer = new Thread(Pace) { IsBackground = true, Name = "load pacer" };
    }

    /// <summary>Starts the load. <paramref name="firstPhase"/> names the first phase.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number of the plan is negative, or a required time is zero.</exception>
    public static LoadRun Start(LoadPlan plan, string firstPhase = "run")
    {
        ArgumentOutOfRangeException.ThrowIfNegative(plan.NewConnectionsPerSecond, nameof(plan));
        ArgumentOutOfRangeException.ThrowIfNegative(plan.KeepAliveConnections, nameof(plan));
        ArgumentOutOfRangeException.ThrowIfNegative(plan.SlowInFlight, nameof(plan));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(plan.MaxInFlight, nameof(plan));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(plan.Timeout, TimeSpan.Zero, nameof(plan));
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.KeepAliveInterval, TimeSpan.Zero, nameof(plan));
        ArgumentOutOfRangeException.ThrowIfLessThan(plan.SlowFor, TimeSpan.Zero, nameof(plan));

        var run = new LoadRun(plan, firstPhase);
        run._pacer.Start();
        return run;
    }

    /// <summary>Counts requests that become due from now on under this name. A phase of the same name resumes.</summary>
    public void BeginPhase(string name) => _ledger.Begin(name);

    /// <summary>The counts so far.</summary>
    public LoadReport Snapshot() => _ledger.Report();

    /// <summary>
    /// Stops keep-alive and slow requests until <see cref="ResumeLanes"/>, and waits until none is in flight. Kept-alive
    /// connections stay open and idle; new connections continue.
    /// </summary>
    public Task PauseLanesAsync() => (_pause ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>Ends a pause.</summary>
    public void ResumeLanes()
    {
        Volatile.Write(ref _lanesNotBefore, Stopwatch.GetTimestamp());
        _pause = null;
    }

    /// <summary>Starts no further request, waits for those in flight (at most for the plan's timeout) and reports.</summary>
    public Task<LoadReport> StopAsync() => _stop ??= EndAsync();

    /// <inheritdoc />
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    private async Task<LoadReport> EndAsync()
    {
        _stopping = true;
        await Task.WhenAll(_laneTasks).ConfigureAwait(false);
        await _pool.AllReturnedAsync().ConfigureAwait(false);
        _ended.Set();
        await Task.Run(_pacer.Join).ConfigureAwait(false);
        _pool.Dispose();
        _ended.Dispose();
        return _ledger.Report();
    }

    private void AddLanes(int count, TimeSpan interval, Func<Lane, long, Task> run)
    {
        for (var i = 0; i < count; i++)
        {
            var lane = new Lane();
            _lanes.Add(lane);
            _laneTasks.Add(run(lane, _start + (Ticks(interval) * i / count)));
        }
    }

    private void Pace()
    {
        var sweep = _start;
        do
        {
            var now = Stopwatch.GetTimestamp();
            StartNew(now);
            ReleaseLanes(now);
            if (now >= sweep)
            {
                _pool.Expire(now);
                sweep = now + SweepEvery;
            }
        }
        while (!_ended.Wait(Tick));
    }

    private void StartNew(long now)
    {
        while (!_stopping && _plan.NewConnectionsPerSecond > 0)
        {
            // Computed from the start, not from the previous time, so rounding errors do not add up.
            var due = _start + (long)(_newStarted * (double)Stopwatch.Frequency / _plan.NewConnectionsPerSecond);
            if (due > now)
            {
                return;
            }

            _newStarted++;
            var phase = _ledger.Current;
            phase[Traffic.New].Due();
            if (_pool.Rent() is { } connection)
            {
                _ = RunNewAsync(connection, phase, due);
            }
            else
            {
                _ledger.Fail(phase, Traffic.New, FailureKind.Overrun, $"{_plan.MaxInFlight} connections in flight");
            }
        }
    }

    private void ReleaseLanes(long now)
    {
        if (_stopping)
        {
            _lanes.ForEach(lane => lane.ReleaseForGood());
        }
        else if (_pause is { } pause)
        {
            if (_lanes.TrueForAll(lane => lane.Waits))
            {
                pause.TrySetResult();
            }
        }
        else
        {
            var notBefore = Volatile.Read(ref _lanesNotBefore);
            foreach (var lane in _lanes)
            {
                lane.Release(now, notBefore);
            }
        }
    }

    private async Task RunNewAsync(ClientConnection connection, Phase phase, long due)
    {
        try
        {
            await AskOnceAsync(connection, phase, Traffic.New, due, _newRequest, TimeSpan.Zero).ConfigureAwait(false);
        }
        finally
        {
            _pool.Return(connection);
        }
    }

    private async Task RunSlowAsync(Lane lane, long due)
    {
        var connection = _pool.Rent()!;
        while (true)
        {
            due = await lane.UntilAsync(due).ConfigureAwait(false);
            if (_stopping)
            {
                break;
            }

            bool answered;
            do
            {
                var phase = _ledger.Current;
                phase[Traffic.Slow].Due();
                answered = await AskOnceAsync(connection, phase, Traffic.Slow, due, _slowRequest, _plan.SlowFor).ConfigureAwait(false);
                due = Stopwatch.GetTimestamp();
            }
            while (answered && !_stopping && _pause is null);
            due += answered ? 0 : PauseAfterFailure;
        }

        _pool.Return(connection);
    }

    private async Task RunKeepAliveAsync(Lane lane, long due)
    {
        var interval = Ticks(_plan.KeepAliveInterval);
        var connection = _pool.Rent()!;
        while (true)
        {
            due = await lane.UntilAsync(due).ConfigureAwait(false);
            if (_stopping)
            {
                break;
            }

            bool answered;
            do
            {
                answered = await AskKeptAsync(connection, due).ConfigureAwait(false);
                due = interval == 0 ? Stopwatch.GetTimestamp() : due + interval;
            }
            while (interval == 0 && answered && !_stopping && _pause is null);
            due = answered ? due : Math.Max(due, Stopwatch.GetTimestamp() + PauseAfterFailure);
        }

        connection.Close();
        _pool.Return(connection);
    }

    // Sends one request on its own connection and closes it. Returns whether the request was answered.
    private async ValueTask<bool> AskOnceAsync(
        ClientConnection connection, Phase phase, Traffic traffic, long due, byte[] request, TimeSpan more)
    {
        var deadline = Deadline(more);
        var failure = await connection.OpenAsync(deadline).ConfigureAwait(false)
            ?? await connection.ExchangeAsync(request, deadline).ConfigureAwait(false);
        if (!Count(phase, traffic, due, failure))
        {
            return false;
        }

        await connection.CloseAfterServerAsync(Stopwatch.GetTimestamp() + ServerCloseTime).ConfigureAwait(false);
        return true;
    }

    private async ValueTask<bool> AskKeptAsync(ClientConnection connection, long due)
    {
        var phase = _ledger.Current;
        phase[Traffic.KeepAlive].Due();
        if (connection.IsOpen && (connection.ServerCloses || connection.HasEndedWhileIdle()))
        {
            connection.Close();
        }

        var kept = connection.IsOpen;
        var deadline = Deadline(TimeSpan.Zero);
        var failure = (kept ? null : await connection.OpenAsync(deadline).ConfigureAwait(false))
            ?? await connection.ExchangeAsync(_keptRequest, deadline).ConfigureAwait(false);
        if (kept && failure is { NothingReceived: true, Kind: FailureKind.Reset or FailureKind.Unanswered })
        {
            // The server closed the connection while the request was on its way: the client repeats it (RFC 9112, 9.3.1).
            phase[Traffic.KeepAlive].Retry();
            failure = await connection.OpenAsync(deadline).ConfigureAwait(false)
                ?? await connection.ExchangeAsync(_keptRequest, deadline).ConfigureAwait(false);
        }

        return Count(phase, Traffic.KeepAlive, due, failure);
    }

    private bool Count(Phase phase, Traffic traffic, long due, Failure? failure)
    {
        if (failure is { } known)
        {
            _ledger.Fail(phase, traffic, known.Kind, known.Detail);
            return false;
        }

        phase[traffic].Succeed(Stopwatch.GetTimestamp() - due);
        return true;
    }

    private long Deadline(TimeSpan more) => Stopwatch.GetTimestamp() + Ticks(_plan.Timeout + more);

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private static byte[] Request(string path, string connection) =>
        Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\r\n");
}
