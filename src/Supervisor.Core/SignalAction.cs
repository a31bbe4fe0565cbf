namespace Supervisor.Core;

/// <summary>What a signal does to a process that does not handle it: signal(7).</summary>
public enum SignalAction
{
    /// <summary>Nothing, or it continues a stopped process.</summary>
    None,

    /// <summary>The process is terminated, perhaps with a core dump.</summary>
    Ends,

    /// <summary>The process is stopped until SIGCONT.</summary>
    Stops,
}
