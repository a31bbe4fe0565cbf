using System.Collections.Immutable;
using System.Globalization;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>Text for processes: "nginx (pid 812, nginx.service, uid 0)".</summary>
public static class ProcessDescription
{
    /// <summary>One process.</summary>
    public static string Process(HolderProcess process) => process.IsSocketUnit
        ? string.Create(CultureInfo.InvariantCulture, $"{process.Unit} ({process.Command}, pid {process.Pid})")
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{process.Command} (pid {process.Pid}{(process.Unit is null ? "" : ", " + process.Unit)}, uid {process.Uid})");

    /// <summary>Whether <see cref="Holders"/> is plural, so that its verb is plural.</summary>
    public static bool AreSeveral(ImmutableArray<SocketHolder> holders) =>
        holders.All(holder => holder.Listener is null)
        && holders.SelectMany(holder => holder.Processes).DistinctBy(process => process.Pid).Skip(1).Any();

    /// <summary>The first process of the sockets, and how many more; the socket's user if no process can be seen.</summary>
    public static string Holders(ImmutableArray<SocketHolder> holders)
    {
        if (holders.FirstOrDefault(holder => holder.Listener is not null) is { Listener: { } listener } lent)
        {
            var daemon = lent.Processes.FirstOrDefault(process => process.IsListend);
            var which = daemon?.Unit ?? (daemon is null ? null : string.Create(CultureInfo.InvariantCulture, $"pid {daemon.Pid}"));
            var who = which is null ? "listend" : $"listend ({which})";
            var services = lent.Services.IsEmpty ? ""
                : $", lent to {(lent.Services.Length == 1 ? "service" : "services")} {NameList.Of(lent.Services)}";
            return $"listener \"{listener}\" of {who}{services},";
        }

        var processes = holders.SelectMany(holder => holder.Processes).DistinctBy(process => process.Pid)
            .OrderByDescending(process => process.IsSocketUnit || process.IsListend).ToList();
        return processes.Count switch
        {
            0 when holders.Length > 0 && holders[0].Inode != 0 =>
                string.Create(CultureInfo.InvariantCulture, $"a process of uid {holders[0].Uid} that cannot be seen"),
            0 => "no process",
            1 => Process(processes[0]),
            _ => $"{Process(processes[0])} and {HolderText.Count(processes.Count - 1, "more process", "more processes")}",
        };
    }
}
