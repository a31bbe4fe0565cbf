namespace Supervisor.Linux.Probes;

/// <summary>
/// <c>exec:COMMAND</c>: the command exits with status 0. <paramref name="run"/> runs it once, <paramref name="onRun"/> gets each result.
/// </summary>
internal sealed class ExecProbe(Func<CancellationToken, Task<ProbeRun>> run, Action<ProbeRun> onRun) : IReadinessProbe
{
    /// <summary>Whether the last run says nothing about the worker, because the program could not be run.</summary>
    public bool WasUnable { get; private set; }

    /// <inheritdoc/>
    public async Task<string?> ProbeAsync(CancellationToken end)
    {
        WasUnable = false;
        var result = await run(end);
        WasUnable = result.IsUnable;
        onRun(result);
        return result.Seen;
    }
}
