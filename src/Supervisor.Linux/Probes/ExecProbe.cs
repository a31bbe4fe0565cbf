namespace Supervisor.Linux.Probes;

/// <summary><c>exec:COMMAND</c>: the command exits with status 0. <paramref name="run"/> runs it once.</summary>
internal sealed class ExecProbe(Func<CancellationToken, Task<string?>> run) : IReadinessProbe
{
    /// <inheritdoc/>
    public Task<string?> ProbeAsync(CancellationToken end) => run(end);
}
