using Supervisor.Native;

namespace Supervisor.Linux.Workers;

/// <summary>
/// A child that may not have executed its program yet, and the text for a step that fails. Owns the status descriptor.
/// </summary>
internal sealed class PendingLaunch(LaunchedProcess process, Func<ChildProcess.Failure, string> describe) : IDisposable
{
    /// <summary>
    /// Readable once the launch is decided; for the loop to watch. Null if there is nothing to watch (<see cref="LaunchedProcess.Status"/>).
    /// </summary>
    public DescriptorHandle? Status => process.Status;

    /// <summary>
    /// Reads the outcome of the launch without waiting; false if there is none yet. <paramref name="failure"/> has setting,
    /// value, stage and remedy; null if the program was executed.
    /// </summary>
    public bool TryGetOutcome(out string? failure)
    {
        var isDecided = process.TryGetOutcome(out var step);
        failure = step is { } failed ? describe(failed) : null;
        return isDecided;
    }

    /// <summary>Hands over what the launcher has reported (<see cref="LaunchedProcess.TakePins"/>).</summary>
    public IReadOnlyList<PinReport> TakePins() => process.TakePins();

    /// <inheritdoc/>
    public void Dispose() => process.Dispose();
}
