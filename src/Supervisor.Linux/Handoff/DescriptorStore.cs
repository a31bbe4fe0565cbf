using Supervisor.Core.Protocols;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>A descriptor that a worker stored, with its name. The store owns it.</summary>
/// <param name="Name">FDNAME=.</param>
/// <param name="Descriptor">The descriptor.</param>
/// <param name="KeepsHungUp">FDPOLL=0: it stays stored after a hang-up or an error.</param>
public sealed record StoredDescriptor(string Name, DescriptorHandle Descriptor, bool KeepsHungUp);

/// <summary>
/// The descriptors that the workers of one service stored by FDSTORE=1, by slot: the next worker of the slot gets them back.
/// Like systemd it closes a duplicate of an open file that is already stored, because a worker may store again what it was
/// given, and a descriptor with a hang-up or an error (EPOLLHUP, EPOLLERR), unless FDPOLL=0 came with it. Removed descriptors go
/// to <paramref name="close"/>, because each may be the last of its open file. Lives on the loop.
/// </summary>
public sealed class DescriptorStore(
    Action<IReadOnlyList<DescriptorHandle>> close, EventLoop? loop = null, Action<int, StoredDescriptor>? onHungUp = null) : IDisposable
{
    /// <summary>The most descriptors that all slots of a service may store together.</summary>
    public const int Capacity = 512;

    private readonly SortedDictionary<int, List<StoredDescriptor>> _slots = [];

    /// <summary>The number of descriptors.</summary>
    public int Count => _slots.Values.Sum(stored => stored.Count);

    /// <summary>The descriptors of a slot, in the order of storing.</summary>
    public IReadOnlyList<StoredDescriptor> Of(int slot) => _slots.TryGetValue(slot, out var stored) ? stored : [];

    /// <summary>All descriptors, by slot.</summary>
    internal IEnumerable<(int Slot, IReadOnlyList<StoredDescriptor> Stored)> All =>
        _slots.Select(pair => (pair.Key, (IReadOnlyList<StoredDescriptor>)pair.Value));

    /// <summary>Stores a descriptor and takes it over; null. Otherwise the reason, and the caller keeps the descriptor.</summary>
    public string? Store(int slot, string name, DescriptorHandle descriptor, bool keepsHungUp = false)
    {
        if (!StoredName.IsValid(name))
        {
            return $"invalid FDNAME \"{name}\": a name has at most 255 printable characters other than \":\"";
        }

        if (!_slots.TryGetValue(slot, out var stored))
        {
            _slots.Add(slot, stored = []);
        }

        if (stored.Any(other => Descriptors.AreSame(other.Descriptor, descriptor)))
        {
            // Closing it cannot block: the stored descriptor keeps the file open.
            descriptor.Dispose();
            return null;
        }

        if (Count >= Capacity)
        {
            return $"the service already stores {Capacity} descriptors, which is the limit";
        }

        var added = new StoredDescriptor(name, descriptor, keepsHungUp);
        stored.Add(added);
        if (!keepsHungUp && loop is not null && CannotBlock(descriptor))
        {
            loop.TryWatchHangUp(descriptor, () => HungUp(slot, added));
        }

        return null;
    }

    /// <summary>Removes a slot's descriptors with that name.</summary>
    public void Remove(int slot, string name)
    {
        if (_slots.TryGetValue(slot, out var stored))
        {
            Close([.. stored.Where(one => one.Name == name)]);
            stored.RemoveAll(one => one.Name == name);
        }
    }

    /// <summary>Removes the descriptors of that slot and of all higher ones.</summary>
    public void RemoveFrom(int slot)
    {
        foreach (var index in _slots.Keys.Where(index => index >= slot).ToArray())
        {
            Close(_slots[index]);
            _slots.Remove(index);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => RemoveFrom(0);

    /// <summary>
    /// Whether the loop may ask for its events: the driver of a device, and what is in an epoll set, may let poll() wait.
    /// </summary>
    private static bool CannotBlock(DescriptorHandle descriptor) =>
        Files.GetStatus(descriptor, out var status) is null && (status.IsSocket || status.IsPipe);

    private void HungUp(int slot, StoredDescriptor stored)
    {
        if (_slots.TryGetValue(slot, out var all) && all.Remove(stored))
        {
            Close([stored]);
            onHungUp?.Invoke(slot, stored);
        }
    }

    private void Close(IReadOnlyList<StoredDescriptor> removed)
    {
        foreach (var one in removed)
        {
            loop?.Unwatch(one.Descriptor);
        }

        close([.. removed.Select(one => one.Descriptor)]);
    }
}
