using System.Collections.Immutable;
using Supervisor.Core.Listeners;

namespace Supervisor.Core.Reload;

/// <summary>What a reload does to one listener.</summary>
/// <param name="Diff">What changes.</param>
/// <param name="Former">The listener that exists; null: it is added.</param>
/// <param name="Move">How it gets another socket.</param>
/// <param name="Bridge">Living sockets that share their address with the new socket for a while.</param>
/// <param name="At">The address that is bound; where port 0 stays, the port that the kernel has chosen.</param>
public sealed record PlannedListener(
    ListenerDiff Diff, RunningListener? Former, ListenerMove Move, ImmutableArray<RunningListener> Bridge, ListenAddress At)
{
    /// <summary>Whether it gets more shards, next to those that it has.</summary>
    public bool Grows => Diff.ChangesShards && Former is { HasSocket: true } && Diff.After!.Shards > Former.Sockets;

    /// <summary>Whether the kernel can be told which of the two sockets gets new connections.</summary>
    public bool CanSteer => Move == ListenerMove.Bridge && Bridge.Length == 1 && ReferenceEquals(Bridge[0], Former)
        && Diff.After is { } after
        && ListenerMoves.CanSteer(Former!.Spec, Former.Effective, after, At);

    /// <summary>Whether one table of the kernel selects among the former sockets and the new ones.</summary>
    public bool KeepsSteering => Former is { } former && Diff.After is { } after
        && (former.IsSteered || !former.Spec.IsSteered)
        && ListenerMoves.KeepsSteering(former.Spec, former.Effective, after, At);

    /// <summary>The same as a typed action.</summary>
    public ReloadAction Action
    {
        get
        {
            var (name, settings) = (Diff.Name, Diff.Changed.Select(change => change.Setting).ToImmutableArray());
            return this switch
            {
                { Diff.After: null } => new ListenerRemoved(name, Former!),
                { Diff.Before: null } => new ListenerAdded(name, At, Bridge),
                { Former: { HasSocket: false } former } => new ListenerRetried(name, settings, former.Failure, Diff.IsUnchanged),
                { Move: ListenerMove.None, Diff.IsRenamed: true } => new ListenerRenamed(name, settings, Diff.Before.Name),
                { Move: ListenerMove.None, Diff.IsUnchanged: true, Former.Mends: { IsEmpty: false } mends } =>
                    new ListenerMended(name, mends),
                { Move: ListenerMove.None, Diff.IsUnchanged: true } => new ListenerUnchanged(name),
                { Move: ListenerMove.None, Diff.ChangesShards: true } => new ListenerResharded(name, settings, Former!, Diff.After.Shards),
                { Move: ListenerMove.None } => new ListenerChanged(name, settings, Diff.Changed, Diff.After),
                { Move: ListenerMove.Beside } when Diff.Before.Address != Diff.After.Address =>
                    new ListenerMoved(name, settings, Former!, At),
                _ => new ListenerReplaced(name, settings, this),
            };
        }
    }
}
