namespace Supervisor.Linux.Output;

/// <summary>One line that a worker or a hook wrote.</summary>
/// <param name="Seq">Number within the service, from 1.</param>
/// <param name="At">When it was read.</param>
/// <param name="Pid">The worker's process id.</param>
/// <param name="Slot">Its slot; null for a hook, which has none.</param>
/// <param name="Generation">Its generation.</param>
/// <param name="IsError">Whether it came from standard error.</param>
/// <param name="Priority">0 to 7, syslog(3).</param>
/// <param name="Text">The line, without its end and its priority prefix.</param>
public sealed record OutputLine(long Seq, DateTimeOffset At, int Pid, int? Slot, int Generation, bool IsError, int Priority, string Text)
{
    /// <summary>Serilog's SourceContext of these lines in the daemon's own log.</summary>
    public const string LogSource = "worker";

    private const int OverheadBytes = 96;

    /// <summary>The approximate memory in bytes.</summary>
    public long Weight => OverheadBytes + (2L * Text.Length);
}
