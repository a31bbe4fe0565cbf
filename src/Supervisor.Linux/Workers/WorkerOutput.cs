using Serilog;
using Serilog.Core;
using Serilog.Events;
using Supervisor.Core;
using Supervisor.Core.Services;
using Supervisor.Linux.Output;

namespace Supervisor.Linux.Workers;

/// <summary>
/// What the workers and hooks of one service write: the newest lines stay in memory, and each line goes to the service's log.
/// Lives on the loop.
/// </summary>
public sealed class WorkerOutput : IDisposable
{
    private const int DefaultPriority = 6;

    private readonly ILogger _daemonLog;

    /// <summary>The level of the daemon's log must not filter what workers write.</summary>
    private readonly ILogger _lines;
    private readonly string _name;
    private readonly TimeProvider _time;
    private readonly bool _daemonLogsToJournal;

    /// <summary>Null if the lines go to the daemon's own log.</summary>
    private OutputQueue? _queue;

    internal WorkerOutput(ILogger daemonLog, ServiceSpec spec, TimeProvider time, bool daemonLogsToJournal)
    {
        _daemonLog = daemonLog;
        _lines = daemonLog.Service(spec.Name).ForContext(Constants.SourceContextPropertyName, OutputLine.LogSource);
        _name = spec.Name;
        _time = time;
        _daemonLogsToJournal = daemonLogsToJournal;
        _queue = QueueFor(spec);
    }

    /// <summary>The newest 256 KiB, for later queries. Any thread.</summary>
    public RecentItems<OutputLine> Lines { get; } = new(int.MaxValue, 256 * 1024, static line => line.Weight);

    /// <summary>
    /// The newest lines of a process, oldest first, escaped and bounded: at most ten, of at most 160 characters each. Empty if it has
    /// written nothing lately.
    /// </summary>
    internal IReadOnlyList<string> LastLines(int pid)
    {
        const int most = 10;
        const int longest = 160;
        const int searched = 200;
        return [.. Lines.After(Math.Max(0, Lines.Newest - searched), searched).Items.Where(line => line.Pid == pid)
            .Select(line => Printable.Line(line.Text.Length <= longest ? line.Text : line.Text[..longest] + "...")).TakeLast(most)];
    }

    /// <summary>Waits until the lines have been written, up to a time limit.</summary>
    public void Flush() => _queue?.Flush();

    /// <inheritdoc/>
    public void Dispose() => _queue?.Dispose();

    internal void Write(WorkerState worker, int pid, OutputPiece piece, bool isError) =>
        Write(worker.Slot, worker.Generation, pid, piece, isError);

    internal void Write(HookEffect hook, int pid, OutputPiece piece, bool isError) =>
        Write(null, hook.Generation, pid, piece, isError);

    /// <summary>Redirects the lines if the service's log has changed, or the user that the log file belongs to.</summary>
    internal void Change(ServiceSpec before, ServiceSpec spec)
    {
        if (before.Log == spec.Log && (spec.Log.Kind != LogTargetKind.File || WorkerIdentity.IsSame(before, spec)))
        {
            return;
        }

        // The old queue may have to wait for a slow disk: never on the loop.
        var old = _queue;
        _queue = QueueFor(spec);
        if (old is not null)
        {
            _ = Task.Run(old.Dispose);
        }
    }

    private OutputQueue? QueueFor(ServiceSpec spec) =>
        OutputQueue.For(spec, _daemonLogsToJournal, _time, _daemonLog, () => WorkerIdentity.RightsOf(spec));

    private void Write(int? slot, int generation, int pid, OutputPiece piece, bool isError)
    {
        // sd-daemon(3): the worker's own priority, which all pieces of a line have.
        var (priority, line) = (DefaultPriority, piece.Text);
        if ((piece.Beginning ?? line) is ['<', >= '0' and <= '7' and var digit, '>', ..])
        {
            priority = digit - '0';
            line = piece.Continues ? line : line[3..];
        }

        // Files and the journal get each byte; for readers, the end of the line may be CR LF.
        var shown = line is [.., '\r'] ? line[..^1] : line;
        var isEnd = piece.Continues && shown.Length == 0;
        if (!isEnd)
        {
            Lines.Add(seq => new OutputLine(seq, _time.GetUtcNow(), pid, slot, generation, isError, priority, shown));
        }

        if (_queue is not null)
        {
            _queue.Write(new OutgoingLine(pid, generation, priority, line)
            {
                IsError = isError,
                Continues = piece.Continues,
                IsCut = piece.IsCut,
            });
            return;
        }

        if (isEnd)
        {
            return;
        }

        var level = priority switch
        {
            <= 2 => LogEventLevel.Fatal,
            3 => LogEventLevel.Error,
            4 => LogEventLevel.Warning,
            7 => LogEventLevel.Debug,
            _ => LogEventLevel.Information,
        };
        _lines.Kind(MessageIds.WorkerOutput).Worker(pid).Generation(generation)
            .Write(level, "{Service}[{Pid}]: {Line}", _name, pid, shown);
    }
}
