using System.Text.Json;
using Supervisor.Control;

namespace Supervisor.EndToEnd.Faults;

/// <summary>All events of a daemon, in order.</summary>
internal sealed class EventFollower : IAsyncDisposable
{
    private const string Data = "data: ";

    private readonly CancellationTokenSource _end = new();
    private readonly HttpClient _http;
    private readonly Task _reading;
    private readonly Lock _lock = new();
    private readonly List<EventDocument> _events = [];
    private TaskCompletionSource _changed = New();

    private EventFollower(HttpClient http, Stream stream)
    {
        _http = http;
        _reading = ReadAsync(stream);
    }

    /// <summary>The number of events: the start of a search for a later one.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _events.Count;
            }
        }
    }

    /// <summary>Follows new events, and those that the daemon still has.</summary>
    public static async Task<EventFollower> OfAsync(DaemonUnderTest daemon)
    {
        var http = daemon.Http();
        return new EventFollower(http, await http.GetStreamAsync("/v1/events"));
    }

    /// <summary>The events from number <paramref name="from"/> on.</summary>
    public IReadOnlyList<EventDocument> Since(int from)
    {
        lock (_lock)
        {
            return _events[from..];
        }
    }

    /// <summary>Waits for an event.</summary>
    public async Task<EventDocument> WaitAsync(int from, Predicate<EventDocument> match, string what)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_events.FindIndex(from, match) is >= 0 and var index)
                {
                    return _events[index];
                }

                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"no event \"{what}\" within {Patience.Limit.TotalSeconds} s");
            }
        }
    }

    /// <summary>Waits for the next event, up to a limit.</summary>
    public async Task AnyAsync(int from, TimeSpan most)
    {
        using var limit = new CancellationTokenSource(most);
        Task changed;
        lock (_lock)
        {
            if (_events.Count > from)
            {
                return;
            }

            changed = _changed.Task;
        }

        await changed.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _http.Dispose();
        _end.Dispose();
    }

    private async Task ReadAsync(Stream stream)
    {
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(_end.Token) is { } line)
        {
            if (!line.StartsWith(Data, StringComparison.Ordinal))
            {
                continue;
            }

            TaskCompletionSource changed;
            lock (_lock)
            {
                _events.Add(JsonSerializer.Deserialize(line[Data.Length..], ControlJson.Default.EventDocument)!);
                changed = _changed;
                _changed = New();
            }

            changed.SetResult();
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
