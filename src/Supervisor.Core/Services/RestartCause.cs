using Supervisor.Core.Workers;

namespace Supervisor.Core.Services;

/// <summary>Why a worker was replaced, as the label <c>cause</c> of a metric.</summary>
public static class RestartCause
{
    /// <summary>It was not ready within start_timeout.</summary>
    public const string StartTimeout = "start-timeout";

    /// <summary>It missed its watchdog or said that it hangs.</summary>
    public const string Hung = "hung";

    /// <summary>Its program could not be started.</summary>
    public const string NotStarted = "not-started";

    /// <summary>SIGKILL ended it, which listend did not send.</summary>
    public const string Killed = "killed";

    /// <summary>Another signal ended it.</summary>
    public const string Signal = "signal";

    /// <summary>It exited with a status other than 0.</summary>
    public const string Failed = "failed";

    /// <summary>It exited with status 0, or on its own request.</summary>
    public const string Exited = "exited";

    /// <summary>All causes.</summary>
    public static IReadOnlyList<string> All { get; } = [Exited, Failed, Signal, Killed, Hung, StartTimeout, NotStarted];

    /// <summary>The cause of the replacement of a worker that ended for that reason.</summary>
    public static string Of(WorkerState worker, ExitReason reason) => worker.EndReason switch
    {
        EndReason.StartTimedOut => StartTimeout,
        EndReason.Hung => Hung,
        _ => reason switch
        {
            { Kind: ExitKind.NotStarted } => NotStarted,
            { Killed: true } => Killed,
            { Kind: ExitKind.Signal } => Signal,
            { Clean: true } => Exited,
            _ => Failed,
        },
    };
}
