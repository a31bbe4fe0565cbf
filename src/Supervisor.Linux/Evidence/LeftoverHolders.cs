using System.Collections.Immutable;
using System.Diagnostics;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Native;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// Finds the holders that belong to a previous listend: its workers outlive it when it is killed, and keep the sockets.
/// LISTEND_SERVICE in the environment identifies a worker. It is a leftover if no daemon holds the socket too, because a living
/// daemon holds all its listeners.
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

    /// <summary>For a query without a daemon: workers of any service whose daemon has exited.</summary>
    public static LeftoverHolders OfAnyService { get; } = new(null, null);

    /// <summary>
    /// For the daemon: workers of the services that list the listener, and other processes of its own unit that are not its
    /// children.
    /// </summary>
    public static LeftoverHolders Of(IEnumerable<string> services)
    {
        var unit = ProcessFacts.Unit("/proc/self");
        return new LeftoverHolders(
            services.ToHashSet(StringComparer.Ordinal), unit?.EndsWith(".service", StringComparison.Ordinal) == true ? unit : null);
    }

    /// <summary>
    /// Marks the predecessors among the holders of one socket, as far as they can be read before <paramref name="until"/>, a
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
