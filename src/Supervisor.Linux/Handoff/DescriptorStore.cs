using Supervisor.Core.Protocols;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>A descriptor that a worker stored, under its name. The store is its owner.</summary>
public sealed record StoredDescriptor(string Name, DescriptorHandle Descriptor);

/// <summary>
/// What the workers of one service stored by FDSTORE=1, by slot: a worker's own descriptors, which the next one of its slot
/// is given back. A descriptor of an open file that is there already is closed, as systemd does: a worker may store anew
/// what it was given. What is let go of is handed to <paramref name="close"/>, since it may be the last of its open file.
/// </summary>
public sealed class DescriptorStore(Action<IReadOnlyList<DescriptorHandle>> close) : IDisposable
{
    /// <summary>Descriptors that all slots of a service may store together.</summary>
    public const int Capacity = 512;

    private readonly SortedDictionary<int, List<StoredDescriptor>> _slots = [];

    /// <summary>How many there are.</summary>
    public int Count => _slots.Values.Sum(stored => stored.Count);

    /// <summary>The descriptors of a slot, in the order in which they were stored.</summary>
    public IReadOnlyList<StoredDescriptor> Of(int slot) => _slots.TryGetValue(slot, out var stored) ? stored : [];

    /// <summary>All of them, by slot.</summary>
    internal IEnumerable<(int Slot, IReadOnlyList<StoredDescriptor> Stored)> All => _slots.Select(pair => (pair.Key, (IReadOnlyList<StoredDescriptor>)pair.Value));

    /// <summary>Stores a descriptor and takes it over; where it cannot, it is left to the caller and the reason comes back.</summary>
    public string? Store(int slot, string name, DescriptorHandle descriptor)
    {
        if (!StoredName.IsValid(name))
        {
            return $"FDNAME \"{name}\" is no name: 1 to 255 printable characters other than \":\"";
        }

        if (!_slots.TryGetValue(slot, out var stored))
        {
            _slots.Add(slot, stored = []);
        }

        if (stored.Any(other => Files.AreSame(other.Descriptor, descriptor)))
        {
            // Not the last: it is stored.
            descriptor.Dispose();
            return null;
        }

        if (Count >= Capacity)
        {
            return $"the service stores {Capacity} descriptors already, which is as many as it may";
        }

        stored.Add(new StoredDescriptor(name, descriptor));
        return null;
    }

    /// <summary>Lets go of a slot's descriptors of that name.</summary>
    public void Remove(int slot, string name)
    {
        if (_slots.TryGetValue(slot, out var stored))
        {
            close([.. stored.Where(one => one.Name == name).Select(one => one.Descriptor)]);
            stored.RemoveAll(one => one.Name == name);
        }
    }

    /// <summary>Lets go of what belongs to slots from that one on.</summary>
    public void RemoveFrom(int slot)
    {
        foreach (var index in _slots.Keys.Where(index => index >= slot).ToArray())
        {
            close([.. _slots[index].Select(one => one.Descriptor)]);
            _slots.Remove(index);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => RemoveFrom(0);
}
