using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.State;
using Supervisor.Linux.Evidence;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>What the parts that make and change listeners have in common.</summary>
internal sealed class ListenerContext(TimeProvider time, ListenerLog log, Func<ListenerSpec, LeftoverHolders> leftovers)
{
    private readonly HistoryFacts _facts = new();

    public ListenerLog Log { get; } = log;

    /// <summary>Second names of socket files; null: none are kept.</summary>
    public SocketSpares? Spares { get; init; }

    /// <summary>How long the search for the cause of a refused bind may take.</summary>
    public EvidenceBudget Evidence { get; } = new(time, EvidenceBudget.AtStart);

    /// <summary>The daemon, as an actor of the history.</summary>
    public HistoryActor Self { get; } = new(Processes.CurrentPid, "listend");

    /// <summary>An empty handle whose history goes to the log.</summary>
    public ListenerHandle NewHandle(ListenerSpec spec) => Logged(new ListenerHandle(spec, new HandleHistory(time, _facts)));

    /// <summary>The handle of a previous daemon, without its socket.</summary>
    public ListenerHandle NewHandle(ListenerEntry entry) =>
        Logged(ListenerSnapshot.Restore(entry, new HandleHistory(time, entry.History, _facts)));

    /// <summary>The socket is about to be closed: its file needs no second name.</summary>
    public void DropSpare(ListenerHandle handle)
    {
        if (handle is { PathIdentity: { } identity, Spec.Address.Path: { } path })
        {
            Spares?.Drop(identity, path);
            handle.Aside.Hidden?.IsRemoved = true;
        }
    }

    /// <summary>Records what is done to a listener.</summary>
    public HistoryRecorder Record(ListenerHandle handle, string? occasion = null) => new(handle.History, Self, occasion);

    /// <summary>All sockets of a listener as targets; their notes name the shard if there are several.</summary>
    public IEnumerable<SocketTarget> Targets(ListenerHandle handle, string? occasion = null)
    {
        var record = Record(handle, occasion);
        var count = handle.Sockets.Count;
        for (var shard = 0; shard < count; shard++)
        {
            yield return new SocketTarget(handle, shard, count > 1 ? record.ForShard(shard) : record);
        }
    }

    /// <summary>Why a call failed.</summary>
    public BindDiagnosis Explain(SystemCallFailure failure, ListenerHandle handle, ListenerSpec spec) =>
        Watched(BindDiagnostics.Explain(failure, spec, handle.Domain, leftovers(handle.Spec), Evidence), spec);

    /// <summary>Looks again why a listener has no socket: its holder may be another one by now, or none.</summary>
    public void ExplainAgain(ListenerHandle handle)
    {
        // A question about the address does not tell whether the owner of a socket's file can be set by now.
        if (handle is not { Descriptor: null, Diagnosis: { } before } || handle.IsAwaited
            || handle.Failure?.Call == SocketFileSteps.OwnerCall
            || BindDiagnostics.AskAgain(handle.Spec, leftovers(handle.Spec), Evidence) is not { } now)
        {
            return;
        }

        // An unfinished search may know less than the one before.
        handle.Diagnosis = now.Bindable ? before.Freed() : now.IsPartial && !before.IsFree ? before : Watched(now, handle.Spec);
    }

    private static BindDiagnosis Watched(BindDiagnosis diagnosis, ListenerSpec spec) => diagnosis with
    {
        IsWatched = spec.ConflictWait > TimeSpan.Zero && diagnosis.Errno == "EADDRINUSE"
            && diagnosis.Owners.Any(owner => owner.Pid is { } pid && pid != Processes.CurrentPid),
    };

    private ListenerHandle Logged(ListenerHandle handle)
    {
        handle.Recorded += Log.Entry;
        return handle;
    }
}
