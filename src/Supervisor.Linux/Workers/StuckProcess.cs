using System.Globalization;
using Supervisor.Linux.Kernel;

namespace Supervisor.Linux.Workers;

/// <summary>A process that does not exit after SIGKILL.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Command">Its short name; null if it is hidden.</param>
/// <param name="State">Field 3 of its /proc/PID/stat, such as 'D'.</param>
/// <param name="WaitChannel">Where it waits in the kernel; null where the kernel does not tell.</param>
public sealed record StuckProcess(int Pid, string? Command, char State, string? WaitChannel)
{
    private const int MostNamed = 5;

    /// <summary>Those of the given processes that live. Not on the loop: it reads /proc.</summary>
    internal static IReadOnlyList<StuckProcess> Find(IReadOnlyList<int> processes) =>
    [
        .. processes.Select(pid => (Pid: pid, Process: ProcFile.Read(pid)))
            .Where(one => one.Process is { HasEnded: false })
            .Select(one => new StuckProcess(
                one.Pid, ProcFile.Command(one.Pid), one.Process!.Value.State,
                ProcFile.WaitChannel(one.Pid) is { Length: > 0 } channel && channel != "0" ? channel : null)),
    ];

    /// <summary>All of them in a line.</summary>
    internal static string Describe(IReadOnlyList<StuckProcess> stuck) => stuck.Count == 0
        ? "no process of it is visible"
        : string.Join(", ", stuck.Take(MostNamed))
            + (stuck.Count > MostNamed ? string.Create(CultureInfo.InvariantCulture, $" and {stuck.Count - MostNamed} more") : "");

    /// <summary>Such as <c>pid 812 (python3) in state D (wchan percpu_rwsem_wait)</c>.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"pid {Pid} ({Command ?? "?"}) in state {State}{(WaitChannel is null ? "" : $" (wchan {WaitChannel})")}");
}
