namespace Supervisor.Core.Listeners;

/// <summary>
/// Which shards of a listener a worker slot serves. Slot i serves shard i; every shard has a slot, since one that nobody
/// accepts from still gets its share of the connections.
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
}
