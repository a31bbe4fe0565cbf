namespace Supervisor.Core.Listeners;

/// <summary>A socket that gets new connections.</summary>
/// <param name="Slot">Its slot in the kernel.</param>
/// <param name="Generation">The generation whose worker has it.</param>
public readonly record struct SteeringTarget(int Slot, int Generation);

/// <summary>
/// Which socket gets the new connections of each part of the hashes: 1,000 entries, so a share has steps of 0.1 %. Pure.
/// </summary>
public static class SteeringTable
{
    /// <summary>The number of entries.</summary>
    public const int Length = 1000;

    /// <summary>
    /// The slot of each entry. All targets get the same number of entries, or one fewer; with a canary, its generation gets
    /// <paramref name="canaryShare"/> entries and the others the rest.
    /// </summary>
    /// <param name="targets">
    /// The sockets, at least one; one that several workers share counts for each. More than <see cref="Length"/> do not all get an entry.
    /// </param>
    /// <param name="canary">The generation on trial; null if there is none.</param>
    /// <param name="canaryShare">How many entries it gets, 0 to <see cref="Length"/>.</param>
    public static int[] Build(IReadOnlyList<SteeringTarget> targets, int? canary, int canaryShare)
    {
        ArgumentOutOfRangeException.ThrowIfZero(targets.Count);
        var trial = targets.Where(target => target.Generation == canary).ToArray();
        var others = targets.Where(target => target.Generation != canary).ToArray();
        var table = new int[Length];
        var split = trial.Length == 0 ? 0 : others.Length == 0 ? Length : Math.Clamp(canaryShare, 0, Length);
        Spread(table.AsSpan(0, split), trial);
        Spread(table.AsSpan(split), others);
        return table;
    }

    /// <summary>How many entries each generation has, ascending by generation.</summary>
    public static IReadOnlyList<(int Generation, int Entries)> Shares(
        IReadOnlyList<SteeringTarget> targets, int? canary, int canaryShare)
    {
        var generations = targets.DistinctBy(target => target.Slot).ToDictionary(target => target.Slot, target => target.Generation);
        return
        [
            .. Build(targets, canary, canaryShare).GroupBy(slot => generations[slot])
                .Select(entries => (entries.Key, entries.Count())).OrderBy(share => share.Key),
        ];
    }

    private static void Spread(Span<int> entries, SteeringTarget[] targets)
    {
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = targets[(int)((long)i * targets.Length / entries.Length)].Slot;
        }
    }
}
