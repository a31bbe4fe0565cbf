using Supervisor.Core.Listeners;
using Supervisor.Core.Reload;
using Supervisor.Linux.Listeners;

namespace Supervisor.Daemon.Reload;

/// <summary>What a reload does to one listener.</summary>
/// <param name="Diff">What changes.</param>
/// <param name="Handle">The handle that there is; null: it is added.</param>
/// <param name="Move">How it gets another socket.</param>
/// <param name="Bridge">Living sockets that have to share their address with the new one for a while.</param>
/// <param name="At">The address that is bound; where port 0 stays, the one that there is.</param>
internal sealed record ListenerStep(ListenerDiff Diff, ListenerHandle? Handle, ListenerMove Move, IReadOnlyList<ListenerHandle> Bridge, ListenAddress At)
{
    /// <summary>Whether it gets more shards beside those that it has.</summary>
    public bool Grows => Diff.ChangesShards && Handle is { Descriptor: not null } && Diff.After!.Shards > Handle.Sockets.Count;

    /// <summary>Whether the kernel can be told which of the two sockets gets new connections.</summary>
    public bool CanSteer => Move == ListenerMove.Bridge && Bridge.Count == 1 && Bridge[0] == Handle && Diff.After is { } after
        && SocketBridge.CanSteer(Handle.Spec, Handle.Effective, after, At);
}
