namespace Supervisor.Core.Diagnosis;

/// <summary>How serious a finding is.</summary>
public enum FindingSeverity
{
    /// <summary>Nothing is lost and nobody waits.</summary>
    Info,

    /// <summary>Clients wait or may be lost.</summary>
    Warning,

    /// <summary>Clients are lost, or wait until somebody acts.</summary>
    Critical,
}

/// <summary>One thing that a diagnosis found.</summary>
/// <param name="Code">What.</param>
/// <param name="Severity">How serious it is.</param>
/// <param name="Text">What happens, in one sentence without a full stop.</param>
/// <param name="Advice">What to do: a command or a setting that can be typed.</param>
/// <param name="Evidence">The facts that show it, one in each element.</param>
public sealed record Finding(FindingCode Code, FindingSeverity Severity, string Text, string Advice, IReadOnlyList<string> Evidence)
{
    /// <summary>The worker that it is about; null if it is not about one.</summary>
    public WorkerSubject? Worker { get; init; }

    /// <summary>The shard that it is about; null if the listener has one socket, or all of them are meant.</summary>
    public int? Shard { get; init; }
}
