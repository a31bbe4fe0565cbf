using Supervisor.Native;

namespace Supervisor.Linux.Continuity;

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
        foreach (var key in _held.Keys)
        {
            Holder?.Drop(key);
        }

        _held.Clear();
    }

    /// <summary>Puts one before the holder is brought in line, which drops it again if it is not wanted by then.</summary>
    public void Put(string key, DescriptorHandle descriptor)
    {
        if (Holder?.Put(key, descriptor) == true)
        {
            _held[key] = descriptor;
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
        var all = wanted.ToDictionary(StringComparer.Ordinal);
        foreach (var (key, descriptor) in all)
        {
            if (_held.TryGetValue(key, out var held) && ReferenceEquals(held, descriptor))
            {
                continue;
            }

            if (holder.Put(key, descriptor))
            {
                _held[key] = descriptor;
            }
            else
            {
                missing.Add(key);
            }
        }

        Missing = missing;
        _others.Clear();
        _others.AddRange(_held.Keys.Where(key => !all.ContainsKey(key)));
    }

    /// <summary>Lets go of what was not wanted when the holder was brought in line.</summary>
    public void DropOthers()
    {
        foreach (var gone in _others)
        {
            Holder?.Drop(gone);
            _held.Remove(gone);
        }

        _others.Clear();
    }
}
