using System.Collections.Immutable;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>The causes of EADDRINUSE for UNIX sockets.</summary>
internal static class UnixPathInUse
{
    public static BindFinding Classify(ListenerSpec spec, BindEvidence evidence) =>
        spec.Address.IsAbstract ? AbstractName(spec.Address, evidence.Holders) : File(spec.Address.Path!, evidence);

    private static BindFinding AbstractName(ListenAddress address, ImmutableArray<SocketHolder> holders)
    {
        var live = holders.Where(holder => holder.State == BoundState.Listening || !address.Kind.Listens()).ToImmutableArray();
        return live.IsEmpty && !holders.IsEmpty
            ? new(BindCause.BoundNotListening, holders, HolderText.BoundOnly(holders, holders[0].Address))
            : new(BindCause.SameAddress, live, live.IsEmpty ? "another socket has that name" : HolderText.Use(live));
    }

    private static BindFinding File(string path, BindEvidence evidence)
    {
        var holders = evidence.Holders;
        return evidence.Path switch
        {
            UnixPathState.OtherFile => new(BindCause.NotASocket, $"{path} is {evidence.FileKind ?? "another kind of file"}"),
            UnixPathState.Stale => new(BindCause.StaleUnixPath, $"the socket file {path} exists, and no process listens on it"),
            UnixPathState.BoundNotListening => new(
                BindCause.BoundNotListening, holders,
                holders.IsEmpty ? $"a process has bound {path} and does not listen" : HolderText.BoundOnly(holders, path)),
            UnixPathState.Live when holders.Any(holder => holder.Processes.Any(process => process.IsPredecessor)) =>
                new(BindCause.HeldByPredecessor, holders, HolderText.StillUse(holders, path)),
            UnixPathState.Live => new(
                BindCause.UnixPathInUse, holders,
                holders.IsEmpty
                    ? $"a process of another network namespace listens on {path}; it cannot be seen which"
                    : HolderText.Use(holders)),
            _ => new(BindCause.Unexplained, holders, $"{path} exists, and it cannot be seen what it is"),
        };
    }
}
