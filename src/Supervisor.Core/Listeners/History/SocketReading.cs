using System.Collections.Immutable;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Core.Listeners.History;

/// <summary>
/// The state of a shared socket at one moment: everything that a holder of its descriptor can change. Read before the first
/// process gets it, and again when a process may have changed it. The difference is the drift.
/// </summary>
/// <param name="Options">The options, parallel to <see cref="Rows"/>; null for an option that the socket does
/// not have.</param>
/// <param name="Backlog">The accept queue's limit; null if there is none, or the kernel does not show it.</param>
/// <param name="IsNonBlocking">O_NONBLOCK of the open file.</param>
/// <param name="Filter">Instructions of the attached filter, 0 for none, "eBPF" if the kernel cannot tell.</param>
/// <param name="IsFilterLocked">SO_LOCK_FILTER.</param>
/// <param name="IsShutDown">Whether it was shut down: nothing arrives there any more.</param>
public sealed record SocketReading(
    ImmutableArray<OptionValue?> Options,
    long? Backlog,
    bool IsNonBlocking,
    OptionValue Filter,
    bool IsFilterLocked,
    bool IsShutDown)
{
    /// <summary>The rows that were read: <see cref="SocketOptions.ShownOf"/> the listener.</summary>
    public ImmutableArray<SocketOption> Rows { get; init; } = SocketOptions.Shown;

    /// <summary>
    /// The differences from an earlier reading. After a shutdown only that: the socket no longer has a queue limit.
    /// </summary>
    public IReadOnlyList<SocketChange> ChangesSince(SocketReading before)
    {
        if (IsShutDown && !before.IsShutDown)
        {
            return [new(SocketChange.Shutdown, "shutdown", null, OptionValue.Of(false), OptionValue.Of(true))];
        }

        List<SocketChange>? changes = null;
        void Add(SocketChange change) => (changes ??= []).Add(change);
        if (Backlog != before.Backlog)
        {
            Add(new(SocketChange.Backlog, "listen", null, Value(before.Backlog), Value(Backlog)));
        }

        if (IsNonBlocking != before.IsNonBlocking)
        {
            Add(new(SocketChange.NonBlocking, "fcntl", null, OptionValue.Of(before.IsNonBlocking), OptionValue.Of(IsNonBlocking)));
        }

        for (var i = 0; i < Options.Length; i++)
        {
            var option = Rows[i];
            var index = i < before.Rows.Length && before.Rows[i] == option ? i : before.Rows.IndexOf(option);
            if (index >= 0 && Options[i] != before.Options[index])
            {
                Add(new(option.Name, "setsockopt", option, before.Options[index], Options[i]));
            }
        }

        if (Filter != before.Filter)
        {
            Add(new(SocketChange.Filter, "setsockopt", null, before.Filter, Filter));
        }

        if (IsFilterLocked != before.IsFilterLocked)
        {
            Add(new(SocketChange.FilterLock, "setsockopt", null, OptionValue.Of(before.IsFilterLocked), OptionValue.Of(IsFilterLocked)));
        }

        return changes ?? [];
    }

    /// <summary>The same with that option's present value: the baseline changes, and no holder caused it.</summary>
    public SocketReading With(SocketOption option, OptionValue? value)
    {
        var index = Rows.IndexOf(option);
        return index < 0 ? this : this with { Options = Options.SetItem(index, value) };
    }

    private static OptionValue? Value(long? number) => number is { } known ? OptionValue.Of(known) : null;
}
