using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>Keeps a descriptor holder in step with the daemon: puts new descriptors and drops old ones.</summary>
public sealed class HeldDescriptors
{
    private readonly Dictionary<string, DescriptorHandle?> _held = new(StringComparer.Ordinal);
    private readonly List<string> _others = [];

    /// <summary>The holder; null if there is none. A new holder holds nothing yet.</summary>
    public IDescriptorHolder? Holder { get; private set; }

    /// <summary>The keys of descriptors that should be held and are not.</summary>
    public IReadOnlyCollection<string> Missing { get; private set; } = [];

    /// <summary>Switches to a new holder, which holds nothing yet, or only <paramref name="keys"/> from a predecessor.</summary>
    public void Use(IDescriptorHolder? holder, IEnumerable<string> keys)
    {
        Holder = holder;
        _others.Clear();
        _held.Clear();
        foreach (var key in keys)
        {
            _held[key] = null;
        }
    }

    /// <summary>Drops all descriptors from the holder.</summary>
    public void DropAll()
    {
        Holder?.Drop([.. _held.Keys]);
        _held.Clear();
    }

    /// <summary>Puts some descriptors before the holder is synchronised, which drops those that are no longer needed.</summary>
    public void Put(IReadOnlyList<KeyValuePair<string, DescriptorHandle>> descriptors)
    {
        var put = Holder?.Put(descriptors) ?? 0;
        for (var i = 0; i < put; i++)
        {
            _held[descriptors[i].Key] = descriptors[i].Value;
        }
    }

    /// <summary>
    /// Puts all descriptors that are needed. <see cref="DropOthers"/> drops the other ones after the saved state no longer
    /// mentions them: at every moment the holder has all descriptors of the state that a successor finds.
    /// </summary>
    public void Bring(IEnumerable<KeyValuePair<string, DescriptorHandle>> wanted)
    {
        if (Holder is not { } holder)
        {
            return;
        }

        var missing = new List<string>();
        var news = new List<KeyValuePair<string, DescriptorHandle>>();
        var all = wanted.ToDictionary(StringComparer.Ordinal);
        foreach (var one in all)
        {
            if (!_held.TryGetValue(one.Key, out var held) || !ReferenceEquals(held, one.Value))
            {
                news.Add(one);
            }
        }

        while (news.Count > 0)
        {
            var put = holder.Put(news);
            foreach (var (key, descriptor) in news.Take(put))
            {
                _held[key] = descriptor;
            }

            if (put < news.Count)
            {
                // The holder may accept the next one.
                missing.Add(news[put++].Key);
            }

            news.RemoveRange(0, put);
        }

        Missing = missing;
        _others.Clear();
        _others.AddRange(_held.Keys.Where(key => !all.ContainsKey(key)));
    }

    /// <summary>Drops the descriptors that the last synchronisation did not need.</summary>
    public void DropOthers()
    {
        if (_others.Count == 0)
        {
            return;
        }

        Holder?.Drop(_others);
        foreach (var gone in _others)
        {
            _held.Remove(gone);
        }

        _others.Clear();
    }
}
