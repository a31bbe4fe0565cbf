using System.Globalization;
using Supervisor.Core.Listeners.History;

namespace Supervisor.Linux.Listeners;

/// <summary>A process that held a shared socket since the last check, and so may have changed it.</summary>
/// <param name="Pid">Its process id.</param>
/// <param name="Name">SERVICE/SLOT of a worker, else the process's name.</param>
/// <param name="Group">The service, or the name again.</param>
/// <param name="Slot">The worker's slot; null if it is not a worker.</param>
/// <param name="Generation">The worker's generation; 0 if it is not a worker.</param>
internal sealed record SocketHolderProcess(int Pid, string Name, string Group, int? Slot, int Generation)
{
    public HistoryActor Actor => new(Pid, Name) { Service = Slot is null ? null : Group, Generation = Slot is null ? null : Generation };

    /// <summary>Who may have changed the socket: the only holder, or all of them.</summary>
    public static string Describe(IReadOnlyList<SocketHolderProcess> holders) => holders.Count switch
    {
        0 => "an unknown process: none that got the socket still runs",
        1 => $"{holders[0]}, the only holder of the socket",
        _ => $"one of its holders: {Names(holders)}",
    };

    /// <summary>
    /// The end of a sentence about a socket's file, which any process can have changed that may write to its folder: the holders.
    /// </summary>
    public static string Candidates(IReadOnlyList<SocketHolderProcess> holders) => holders.Count switch
    {
        0 => "",
        1 => $", perhaps {holders[0]}, which holds the socket",
        _ => $", perhaps a holder of the socket: {Names(holders)}",
    };

    public override string ToString() => Slot is null
        ? string.Create(CultureInfo.InvariantCulture, $"{Name} (pid {Pid})")
        : string.Create(CultureInfo.InvariantCulture, $"worker {Slot} of {Group} (pid {Pid}, generation {Generation})");

    private static string Names(IReadOnlyList<SocketHolderProcess> holders)
    {
        const int named = 16;
        var more = holders.Count > named ? $" and {holders.Count - named} more" : "";
        return string.Join(", ", holders.Take(named)) + more;
    }
}
