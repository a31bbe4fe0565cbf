namespace Supervisor.Core.Workers;

/// <summary>How a worker's process ended.</summary>
public enum ExitKind
{
    /// <summary>By exit(), or it is not known how.</summary>
    Exit,

    /// <summary>By a signal.</summary>
    Signal,

    /// <summary>There was none.</summary>
    NotStarted,
}

/// <summary>Why a worker's process exited, or was never created.</summary>
/// <param name="Clean">Exit status 0, or a signal that requests an exit (HUP, INT, TERM, PIPE).</param>
/// <param name="Text">The text: "exited with status 1", "was killed by SIGSEGV (core dumped)", "could not be started:
/// ...".</param>
public sealed record ExitReason(bool Clean, string Text)
{
    /// <summary>Killed by SIGKILL: by an administrator or the kernel's OOM killer, which is not a fault of the program.</summary>
    public bool Killed { get; init; }

    /// <summary>How it ended.</summary>
    public ExitKind Kind { get; init; }

    /// <summary>By exit().</summary>
    public static ExitReason Exited(int status) => new(status == 0, $"exited with status {status}");

    /// <summary>By a signal.</summary>
    public static ExitReason Signalled(int signal, bool coreDumped) =>
        new(signal is 1 or 2 or 13 or 15,
            $"was killed by {Signals.Name(signal)}{(coreDumped ? " (core dumped)" : "")}")
        { Killed = signal == 9, Kind = ExitKind.Signal };

    /// <summary>No process was created.</summary>
    public static ExitReason NotStarted(string why) => new(false, $"could not be started: {why}") { Kind = ExitKind.NotStarted };
}
