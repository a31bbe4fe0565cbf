using System.Collections.Immutable;
using System.Diagnostics;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Native;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// Which holders are what is left of a former listend: its workers outlive it when it is killed, and keep the sockets.
/// A worker is known by LISTEND_SERVICE in its environment; it is left over where no daemon holds the socket beside it,
/// since a living one holds every listener of its own.
/// </summary>
public sealed class LeftoverHolders
{
    private readonly IReadOnlySet<string>? _services;
    private readonly string? _unit;

    private LeftoverHolders(IReadOnlySet<string>? services, string? unit)
    {
        _services = services;
        _unit = unit;
    }

    /// <summary>For somebody who only asks: workers of any service whose daemon is gone.</summary>
    public static LeftoverHolders OfAnyService { get; } = new(null, null);

    /// <summary>
    /// For the daemon: workers of the services that list the listener, and whatever else runs in its own unit and is not its
    /// child.
    /// </summary>
    public static LeftoverHolders Of(IEnumerable<string> services)
    {
        var unit = ProcessFacts.Unit("/proc/self");
        return new LeftoverHolders(
            services.ToHashSet(StringComparer.Ordinal), unit?.EndsWith(".service", StringComparison.Ordinal) == true ? unit : null);
    }

    /// <summary>
    /// Marks the predecessors among the holders of one socket, as far as that is seen before <paramref name="until"/>, a
    /// timestamp of <see cref="Stopwatch"/>.
    /// </summary>
    internal ImmutableArray<HolderProcess> Mark(List<HolderProcess> processes, long until)
    {
        if (processes.Exists(process => process.Command == "listend" || process.Pid == Processes.CurrentPid))
        {
            return [.. processes];
        }

        return
        [
            .. processes.Select(process =>
                process with { IsPredecessor = Stopwatch.GetTimestamp() <= until && IsLeftOver(process) }),
        ];
    }

    private bool IsLeftOver(HolderProcess process)
    {
        if (_unit is not null && process.Unit == _unit)
        {
            return true;
        }

        var service = ProcessFacts.Variable(process.Pid, "LISTEND_SERVICE");
        return service is not null && (_services is null || _services.Contains(service));
    }
}
