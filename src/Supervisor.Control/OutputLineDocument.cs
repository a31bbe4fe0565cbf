namespace Supervisor.Control;

/// <summary>One line that a worker wrote, as <c>GET /v1/services/NAME/logs</c> sends it.</summary>
/// <param name="Seq">Number within the service, from 1.</param>
/// <param name="At">When the daemon read it.</param>
/// <param name="Pid">The worker's process id; null for a line of listend.</param>
/// <param name="Slot">The worker's slot; null for a hook and for a line of listend.</param>
/// <param name="Generation">The worker's generation; null for a line of listend.</param>
/// <param name="Stream">stdout or stderr; listend for the remark that lines are missing.</param>
/// <param name="Priority">0 to 7 as in syslog(3): the worker's own prefix (<c>&lt;3&gt;</c>), 6 without one.</param>
/// <param name="Line">The line, without its end and its prefix.</param>
public sealed record OutputLineDocument(
    long Seq,
    DateTimeOffset At,
    int? Pid,
    int? Slot,
    int? Generation,
    string Stream,
    int Priority,
    string Line);
