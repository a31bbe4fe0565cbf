namespace Supervisor.Control;

/// <summary>
/// What <c>POST /v1/reload</c> answers, and with <c>?dry_run=true</c> what it would do. A configuration that is refused is
/// a problem document (status 422) with the same members.
/// </summary>
/// <param name="DryRun">Whether nothing was to be changed.</param>
/// <param name="Applied">Whether it was applied; false for a dry run, and where it was refused.</param>
/// <param name="Config">The configuration file; null where there is none.</param>
/// <param name="Actions">What is done, or would be, in the order of the configuration.</param>
/// <param name="Errors">Every error of the configuration.</param>
/// <param name="Failures">Every listener that could not be bound.</param>
/// <param name="Message">The line for people.</param>
public sealed record ReloadDocument(
    bool DryRun,
    bool Applied,
    string? Config,
    IReadOnlyList<ReloadActionDocument> Actions,
    IReadOnlyList<ConfigErrorDocument> Errors,
    IReadOnlyList<FailureDocument> Failures,
    string Message)
{
    /// <summary>
    /// What was applied and is not quite as it was asked for: an option that the kernel refused. Of a dry run: files that services name
    /// and that are not there now.
    /// </summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>RFC 9457, of one that is refused: about:blank.</summary>
    public string? Type { get; init; }

    /// <summary>RFC 9457: the kind of problem.</summary>
    public string? Title { get; init; }

    /// <summary>RFC 9457: the HTTP status.</summary>
    public int? Status { get; init; }

    /// <summary>RFC 9457: every error, one a line.</summary>
    public string? Detail { get; init; }
}

/// <summary>One thing that a reload does.</summary>
/// <param name="Subject">listener, service or daemon.</param>
/// <param name="Name">Its name; empty for the daemon.</param>
/// <param name="Action">
/// unchanged, in-place, new-socket, added, removed, renamed; rolled-out, scaled, started, stopped; needs-restart, of what
/// only a new daemon can have.
/// </param>
/// <param name="Settings">The settings for whose sake.</param>
/// <param name="Reason">How it is done, and why so.</param>
/// <param name="Loses">What may be lost by it: connections that wait in a queue; null: nothing.</param>
public sealed record ReloadActionDocument(string Subject, string Name, string Action, IReadOnlyList<string> Settings, string? Reason, string? Loses);
