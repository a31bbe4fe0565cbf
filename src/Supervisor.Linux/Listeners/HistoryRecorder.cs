using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Records in a listener's history what the daemon does. Each note begins with the shard, if the listener has several, and
/// with the occasion, if that is not the daemon's start.
/// </summary>
internal readonly struct HistoryRecorder
{
    /// <summary>The occasion of what a reload does.</summary>
    public const string Reload = "reload";

    private readonly HandleHistory _history;
    private readonly HistoryActor _self;
    private readonly string? _shard;
    private readonly string? _occasion;

    public HistoryRecorder(HandleHistory history, HistoryActor self, string? occasion = null)
        : this(history, self, null, occasion)
    {
    }

    private HistoryRecorder(HandleHistory history, HistoryActor self, string? shard, string? occasion)
    {
        _history = history;
        _self = self;
        _shard = shard;
        _occasion = occasion;
    }

    /// <summary>The same for one shard of several.</summary>
    public HistoryRecorder ForShard(int shard) => new(_history, _self, $"shard {shard}", _occasion);

    /// <summary>The same with an occasion; null leaves it as it is.</summary>
    public HistoryRecorder For(string? occasion) => occasion is null ? this : new(_history, _self, _shard, occasion);

    /// <summary>Adds an entry; the daemon is the actor unless another one is named.</summary>
    public void Add(
        HandlePhase phase, string call, string? option = null, OptionValue? requested = null, OptionValue? effective = null,
        string? errno = null, Verdict verdict = Verdict.Exact, string? note = null) =>
        _history.Add(phase, call, option, requested, effective, errno, verdict, _self, About(note));

    /// <summary>Adds an entry about another process.</summary>
    public void AddOf(HistoryActor? actor, HandlePhase phase, string call, Verdict verdict, string note) =>
        _history.Add(phase, call, verdict: verdict, actor: actor, note: About(note));

    /// <summary>Adds an entry of a call without a value, by its result.</summary>
    public void AddCall(HandlePhase phase, string call, SystemCallError? error, string? option = null, string? note = null) =>
        Add(phase, call, option, errno: error?.Name, verdict: VerdictOf(error), note: note);

    /// <summary>
    /// Adds an entry of a call that sets <paramref name="value"/>, by its result; the error's text is the note if there is no
    /// other.
    /// </summary>
    public void AddSetting(HandlePhase phase, string call, string option, OptionValue value, SystemCallError? error, string? note = null) =>
        Add(phase, call, option, value, error is null ? value : null, error?.Name, VerdictOf(error), note ?? error?.Text);

    private static Verdict VerdictOf(SystemCallError? error) => error is null ? Verdict.Exact : Verdict.Refused;

    private string? About(string? note) => Join(_shard, Join(_occasion, note));

    private static string? Join(string? before, string? note) => before is null ? note : note is null ? before : $"{before}: {note}";
}
