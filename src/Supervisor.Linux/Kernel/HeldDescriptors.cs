using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>
/// Keeps a descriptor holder in step with the daemon: puts new descriptors and drops old ones. Descriptors are brought by owner, so a
/// change of one owner costs the same however many there are.
/// </summary>
public sealed class HeldDescriptors
{
    private readonly Dictionary<string, DescriptorHandle?> _held = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _owners = new(StringComparer.Ordinal);
    private readonly HashSet<string> _missing = new(StringComparer.Ordinal);
    private readonly HashSet<string> _others = new(StringComparer.Ordinal);

    /// <summary>The holder; null if there is none. A new holder holds nothing yet.</summary>
    public IDescriptorHolder? Holder { get; private set; }

    /// <summary>The keys of descriptors that should be held and are not.</summary>
    public IReadOnlyCollection<string> Missing => _missing;

    /// <summary>
    /// Switches to a new holder, which holds nothing yet, or only <paramref name="held"/> from a predecessor: what no owner brings
    /// before <see cref="DropOthers"/> is dropped. A descriptor that came from the holder itself is not put again; null is one of which
    /// only the key is known.
    /// </summary>
    public void Use(IDescriptorHolder? holder, IEnumerable<KeyValuePair<string, DescriptorHandle?>> held)
    {
        Holder = holder;
        _owners.Clear();
        _missing.Clear();
        _others.Clear();
        _held.Clear();
        foreach (var (key, descriptor) in held)
        {
            _held[key] = descriptor;
            _others.Add(key);
        }
    }

    /// <summary>The keys of the descriptors that the holder has, as far as they are the same as in <paramref name="present"/>.</summary>
    public IEnumerable<string> HeldOf(IReadOnlyDictionary<string, DescriptorHandle> present) =>
        present.Where(one => _held.TryGetValue(one.Key, out var held) && ReferenceEquals(held, one.Value)).Select(one => one.Key);

    /// <summary>The holder has refused a descriptor: it is put again when its owner brings it again.</summary>
    public void Refused(string key)
    {
        if (_held.Remove(key))
        {
            _missing.Add(key);
        }
    }

    /// <summary>Drops all descriptors from the holder.</summary>
    public void DropAll()
    {
        Holder?.Drop([.. _held.Keys]);
        _held.Clear();
    }

    /// <summary>Puts some descriptors before their owner brings them; <see cref="DropOthers"/> drops them if it does not.</summary>
    public void Put(IReadOnlyList<KeyValuePair<string, DescriptorHandle>> descriptors)
    {
        var put = Holder?.Put(descriptors) ?? 0;
        for (var i = 0; i < put; i++)
        {
            _held[descriptors[i].Key] = descriptors[i].Value;
            _others.Add(descriptors[i].Key);
        }
    }

    /// <summary>
    /// Puts all descriptors that an owner needs now. <see cref="DropOthers"/> drops what it needed before, after the saved state no
    /// longer mentions that: at every moment the holder has all descriptors of the state that a successor finds.
    /// </summary>
    public void Bring(string owner, IEnumerable<KeyValuePair<string, DescriptorHandle>> wanted)
    {
        if (Holder is not { } holder)
        {
            return;
        }

        var all = wanted.ToArray();
        if (_owners.Remove(owner, out var before))
        {
            _others.UnionWith(before);
            _missing.ExceptWith(before);
        }

        if (all.Length > 0)
        {
            _owners.Add(owner, Array.ConvertAll(all, one => one.Key));
            _others.ExceptWith(_owners[owner]);
            Put(holder, [.. all.Where(one => !_held.TryGetValue(one.Key, out var held) || !ReferenceEquals(held, one.Value))]);
        }
    }

    /// <summary>
    /// Forgets which owner needs what: all owners bring theirs again. <see cref="DropOthers"/> drops what none of them brings, such as
    /// the descriptors of an owner that is gone.
    /// </summary>
    public void Disown()
    {
        foreach (var keys in _owners.Values)
        {
            _others.UnionWith(keys);
        }

        _owners.Clear();
        _missing.Clear();
    }

    /// <summary>Drops the descriptors that no owner needs any more.</summary>
    public void DropOthers()
    {
        _others.RemoveWhere(key => !_held.ContainsKey(key));
        if (_others.Count == 0)
        {
            return;
        }

        Holder?.Drop([.. _others]);
        foreach (var gone in _others)
        {
            _held.Remove(gone);
        }

        _others.Clear();
    }

    private void Put(IDescriptorHolder holder, List<KeyValuePair<string, DescriptorHandle>> news)
    {
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
                _missing.Add(news[put++].Key);
            }

            news.RemoveRange(0, put);
        }
    }
}
