using System.Text;

namespace Supervisor.EndToEnd;

/// <summary>The lines that a program writes, as they come, and the wait for one of them.</summary>
internal sealed class LineLog
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = New();
    private bool _ended;

    /// <summary>Lines that are counted and not kept.</summary>
    public Predicate<string>? Ignore { get; set; }

    /// <summary>How many lines were ignored.</summary>
    public long Ignored { get; private set; }

    /// <summary>How many lines there are: where to begin the search for one that is still to come.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _lines.Count;
            }
        }
    }

    /// <summary>All lines.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines];
            }
        }
    }

    public void Add(string line)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            if (Ignore?.Invoke(line) == true)
            {
                Ignored++;
                return;
            }

            _lines.Add(line);
            changed = _changed;
            _changed = New();
        }

        changed.SetResult();
    }

    /// <summary>There will be no more.</summary>
    public void End()
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _ended = true;
            changed = _changed;
            _changed = New();
        }

        changed.TrySetResult();
    }

    /// <summary>Waits for a line that holds all the fragments, among those after <paramref name="from"/>.</summary>
    public async Task<string> WaitAsync(int from, params string[] fragments) =>
        (await WaitAsync(from, 1, line => fragments.All(fragment => line.Contains(fragment, StringComparison.Ordinal)), string.Join(" ... ", fragments)))[0];

    /// <summary>Waits for that many lines.</summary>
    public async Task<IReadOnlyList<string>> WaitAsync(int from, int count, Predicate<string> match, string what)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        while (true)
        {
            Task changed;
            bool ended;
            lock (_lock)
            {
                var found = _lines.Skip(from).Where(line => match(line)).Take(count).ToArray();
                if (found.Length == count)
                {
                    return found;
                }

                changed = _changed.Task;
                ended = _ended;
            }

            if (ended)
            {
                throw new InvalidOperationException($"the program has ended without a line \"{what}\"{(count > 1 ? $", {count} times" : "")}");
            }

            try
            {
                await changed.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"no line \"{what}\"{(count > 1 ? $", {count} times" : "")} within {Patience.Limit.TotalSeconds} s");
            }
        }
    }

    /// <summary>The last lines, for a report.</summary>
    public string Tail(int count)
    {
        var text = new StringBuilder();
        foreach (var line in Lines.TakeLast(count))
        {
            text.Append("  | ").AppendLine(line.Length > 400 ? line[..400] + "..." : line);
        }

        return text.ToString();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
