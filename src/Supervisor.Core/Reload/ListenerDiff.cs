using System.Collections.Immutable;
using Supervisor.Core.Listeners;

namespace Supervisor.Core.Reload;

/// <summary>One listener, before and after a reload.</summary>
/// <param name="Before">The present specification; null: it is added.</param>
/// <param name="After">The new specification; null: it is removed.</param>
public sealed record ListenerDiff(ListenerSpec? Before, ListenerSpec? After)
{
    /// <summary>The name that it has, or had.</summary>
    public string Name => (After ?? Before)!.Name;

    /// <summary>The settings that change, and what each change needs.</summary>
    public ImmutableArray<(string Setting, TermChange Change)> Changed { get; } =
        Before is not null && After is not null ? ListenerReloadImpact.Changed(Before, After) : [];

    /// <summary>Whether it is the same listener under another name.</summary>
    public bool IsRenamed => Before is not null && After is not null && Before.Name != After.Name;

    /// <summary>Whether it needs another socket.</summary>
    public bool NeedsNewSocket => Changed.Any(change => change.Change == TermChange.NewSocket);

    /// <summary>Whether it gets more sockets or fewer, and keeps the others.</summary>
    public bool ChangesShards => !NeedsNewSocket && Changed.Any(change => change.Change == TermChange.Shards);

    /// <summary>Whether nothing at all changes.</summary>
    public bool IsUnchanged => Before is not null && After is not null && !IsRenamed && Changed.IsEmpty;
}
