using System.Globalization;
using System.Text;

namespace Supervisor.EndToEnd;

/// <summary>The lines and messages that a program writes. Tests wait for a line or a message.</summary>
internal sealed class LineLog
{
    private readonly Lock _lock = new();
    private readonly List<Entry> _lines = [];
    private TaskCompletionSource _changed = New();
    private bool _ended;

    /// <summary>Lines that are counted and not stored.</summary>
    public Predicate<string>? Ignore { get; set; }

    /// <summary>The number of lines that were not stored.</summary>
    public long Ignored { get; private set; }

    /// <summary>The number of lines: the start of a search for a later line.</summary>
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
                return [.. _lines.Select(entry => entry.Line)];
            }
        }
    }

    /// <summary>All messages of the daemon.</summary>
    public IReadOnlyList<LogMessage> Messages
    {
        get
        {
            lock (_lock)
            {
                return [.. _lines.Select(entry => entry.Message).OfType<LogMessage>()];
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

            _lines.Add(new Entry(line, LogMessage.Parse(line)));
            changed = _changed;
            _changed = New();
        }

        changed.SetResult();
    }

    /// <summary>Reports the end of the output.</summary>
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

    /// <summary>Waits for a line after <paramref name="from"/> that contains all the fragments.</summary>
    public async Task<string> WaitAsync(int from, params string[] fragments) =>
        (await WaitAsync(from, 1, entry => Holds(entry.Line, fragments), string.Join(" ... ", fragments)))[0].Line;

    /// <summary>Waits for the next line.</summary>
    public Task AnyAsync(int from) => WaitAsync(from, 1, _ => true, "any line");

    /// <summary>
    /// Waits for a message of a kind about a subject after line <paramref name="from"/>.
    /// <paramref name="facts"/> are names, numbers, settings and errno that the text must contain.
    /// </summary>
    public async Task<LogMessage> WaitForAsync(
        int from, string kind, string? service = null, string? listener = null, int? generation = null, int? pid = null, int? slot = null,
        params string[] facts)
    {
        var what = string.Create(
            CultureInfo.InvariantCulture,
            $"{LogMessage.NameOf(kind)} {service} {listener} generation {generation} pid {pid} slot {slot}");
        var found = await WaitForAsync(
            from,
            1,
            message => message.Kind == kind && (service ?? message.Service) == message.Service
                && (listener ?? message.Listener) == message.Listener
                && (generation ?? message.Generation) == message.Generation
                && (pid ?? message.Pid) == message.Pid
                && (slot ?? message.Slot) == message.Slot
                && Holds(message.Text, facts),
            $"{what} {string.Join(" ... ", facts)}");
        return found[0];
    }

    /// <summary>Waits for so many messages.</summary>
    public async Task<IReadOnlyList<LogMessage>> WaitForAsync(int from, int count, Predicate<LogMessage> match, string what) =>
        [.. (await WaitAsync(from, count, entry => entry.Message is { } message && match(message), what)).Select(entry => entry.Message!)];

    /// <summary>Waits for a worker's line that contains <paramref name="text"/>. Returns the message with the worker's pid.</summary>
    public async Task<LogMessage> WaitForOutputAsync(int from, string text, string? service = null, int? pid = null) =>
        (await WaitForOutputAsync(from, 1, text, service, pid))[0];

    /// <summary>Waits for so many such lines.</summary>
    public Task<IReadOnlyList<LogMessage>> WaitForOutputAsync(int from, int count, string text, string? service = null, int? pid = null) =>
        WaitForAsync(
            from,
            count,
            message => message.Output?.Contains(text, StringComparison.Ordinal) == true && (service ?? message.Service) == message.Service
                && (pid ?? message.Pid) == message.Pid,
            $"{LogMessage.NameOf(MessageIds.WorkerOutput)} {service} {text}");

    private static bool Holds(string text, string[] fragments) =>
        fragments.All(fragment => text.Contains(fragment, StringComparison.Ordinal));

    private async Task<IReadOnlyList<Entry>> WaitAsync(int from, int count, Predicate<Entry> match, string what)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        while (true)
        {
            Task changed;
            bool ended;
            lock (_lock)
            {
                var found = _lines.Skip(from).Where(entry => match(entry)).Take(count).ToArray();
                if (found.Length == count)
                {
                    return found;
                }

                changed = _changed.Task;
                ended = _ended;
            }

            if (ended)
            {
                throw new InvalidOperationException(
                    $"the program has exited without a line \"{what}\"{(count > 1 ? $", {count} times" : "")}");
            }

            try
            {
                await changed.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException(
                    $"no line \"{what}\"{(count > 1 ? $", {count} times" : "")} within {Patience.Limit.TotalSeconds} s");
            }
        }
    }

    /// <summary>The last lines.</summary>
    public string Tail(int count)
    {
        var text = new StringBuilder();
        foreach (var line in Lines.TakeLast(count).Select(line => LogMessage.Parse(line)?.ToString() ?? line))
        {
            text.Append("  | ").AppendLine(line.Length > 400 ? line[..400] + "..." : line);
        }

        return text.ToString();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly record struct Entry(string Line, LogMessage? Message);
}
