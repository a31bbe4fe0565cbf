using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>Keeps a holder in line with what the daemon has: what is new is put, what is gone is dropped.</summary>
public sealed class HeldDescriptors
{
    private readonly Dictionary<string, DescriptorHandle?> _held = new(StringComparer.Ordinal);
    private readonly List<string> _others = [];

    /// <summary>The holder; null where there is none. Another one holds nothing yet.</summary>
    public IDescriptorHolder? Holder { get; private set; }

    /// <summary>The keys of what should be held and is not.</summary>
    public IReadOnlyCollection<string> Missing { get; private set; } = [];

    /// <summary>Another holder, who holds nothing yet but, for a predecessor, those of <paramref name="keys"/>.</summary>
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

    /// <summary>Has everything let go.</summary>
    public void DropAll()
    {
        Holder?.Drop([.. _held.Keys]);
        _held.Clear();
    }

    /// <summary>Puts some before the holder is brought in line, which drops them again if they are not wanted by then.</summary>
    public void Put(IReadOnlyList<KeyValuePair<string, DescriptorHandle>> descriptors)
    {
        var put = Holder?.Put(descriptors) ?? 0;
        for (var i = 0; i < put; i++)
        {
            _held[descriptors[i].Key] = descriptors[i].Value;
        }
    }

    /// <summary>
    /// Has everything held that is wanted. What is not wanted any more is let go of by <see cref="DropOthers"/>, when the
    /// state that a successor finds does not speak of it any more either: at every moment all is held of which it does.
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
                // The next one may be taken.
                missing.Add(news[put++].Key);
            }

            news.RemoveRange(0, put);
        }

        Missing = missing;
        _others.Clear();
        _others.AddRange(_held.Keys.Where(key => !all.ContainsKey(key)));
    }

    /// <summary>Lets go of what was not wanted when the holder was brought in line.</summary>
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
