namespace Supervisor.Control;

/// <summary>
/// The answer to <c>POST /v1/reload</c>; with <c>?dry_run=true</c> the plan. If the daemon refuses the configuration, the
/// answer is a problem document (status 422) with the same members.
/// </summary>
/// <param name="DryRun">Whether the request was a dry run.</param>
/// <param name="Applied">Whether the configuration was applied; false for a dry run and for a refused configuration.</param>
/// <param name="Config">The configuration file; null without one.</param>
/// <param name="Actions">The actions, done or planned, in the order of the configuration.</param>
/// <param name="Errors">Every error of the configuration.</param>
/// <param name="Failures">Every listener that the kernel did not bind.</param>
/// <param name="Message">The result as text.</param>
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
    /// Warnings. After a reload: options that the kernel refused. In a dry run: files that services name and that do
    /// not exist now.
    /// </summary>
    public IReadOnlyList<string> Warnings { get; set; } = [];

    /// <summary>
    /// Whether everything is in force, or in a dry run: would be. False if the kernel refused a part, or if a listener has no socket and
    /// does not get one without another reload. Then <c>listenctl reload</c> exits with status 1, with and without <c>--dry-run</c>. Null
    /// for a refused configuration.
    /// </summary>
    public bool? Complete { get; init; }

    /// <summary>
    /// With <c>wait</c>: done, failed (a roll-out was rolled back or superseded, or a service did not start) or timeout; null without.
    /// </summary>
    public string? Outcome { get; init; }

    /// <summary>With <c>wait</c>: how each roll-out and each start ended.</summary>
    public IReadOnlyList<ChangeDocument> Rollouts { get; set; } = [];

    /// <summary>RFC 9457, for a refused configuration: about:blank.</summary>
    public string? Type { get; init; }

    /// <summary>RFC 9457: the kind of problem.</summary>
    public string? Title { get; init; }

    /// <summary>RFC 9457: the HTTP status.</summary>
    public int? Status { get; init; }

    /// <summary>RFC 9457: every error, one per line.</summary>
    public string? Detail { get; init; }
}

/// <summary>One action of a reload.</summary>
/// <param name="Subject">listener, service or daemon.</param>
/// <param name="Name">The name; empty for the daemon.</param>
/// <param name="Action">
/// unchanged, in-place, new-socket, added, removed, renamed; rolled-out, scaled, started, stopped; needs-restart for a
/// setting that only a new daemon can apply.
/// </param>
/// <param name="Settings">The settings that cause the action.</param>
/// <param name="Reason">How the daemon does it, and why.</param>
/// <param name="Loses">What may be lost, for example connections in a queue; null if nothing.</param>
public sealed record ReloadActionDocument(
    string Subject, string Name, string Action, IReadOnlyList<string> Settings, string? Reason, string? Loses);
