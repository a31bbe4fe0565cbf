namespace Supervisor.Core.Listeners;

/// <summary>
/// Which shards of a listener a worker slot serves. Slot i serves shard i. Every shard has a slot, because the kernel also
/// sends connections to a shard on which no worker accepts.
/// </summary>
public static class ShardAssignment
{
    /// <summary>
    /// The shards of a slot, ascending. Fewer workers than shards: slot i serves i, i + workers, i + 2 * workers and so on.
    /// More: they share the shards round-robin, slot i serves i modulo shards.
    /// </summary>
    /// <param name="slot">The slot, from 0; one beyond the number of workers counts as its remainder.</param>
    /// <param name="workers">How many workers there should be, at least 1.</param>
    /// <param name="shards">How many shards there are, at least 1.</param>
    public static IEnumerable<int> Of(int slot, int workers, int shards)
    {
        if (workers >= shards)
        {
            yield return slot % shards;
            yield break;
        }

        for (var shard = slot % workers; shard < shards; shard += workers)
        {
            yield return shard;
        }
    }

    /// <summary>
    /// Whether workers have to be replaced, because the shards that they got at exec no longer fit: a worker without a shard, a
    /// worker with a shard that is being removed, or a shard without a worker.
    /// </summary>
    /// <param name="held">The shards of each slot's live worker; a slot without one will get its share when it is started.</param>
    /// <param name="workers">How many workers there should be, at least 1.</param>
    /// <param name="shards">How many shards there should be, at least 1; a shard with a higher number is being removed.</param>
    public static bool IsOutdated(IReadOnlyDictionary<int, IReadOnlyCollection<int>> held, int workers, int shards)
    {
        var covered = new HashSet<int>();
        for (var slot = 0; slot < workers; slot++)
        {
            if (!held.TryGetValue(slot, out var own))
            {
                covered.UnionWith(Of(slot, workers, shards));
                continue;
            }

            if (own.Count == 0 || own.Any(shard => shard >= shards))
            {
                return true;
            }

            covered.UnionWith(own);
        }

        return covered.Count < shards;
    }
}
