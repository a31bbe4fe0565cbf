using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <content>Shards that come and go while the listener serves.</content>
public sealed partial class ListenerHandle
{
    private readonly List<ListenerSocket> _leaving = [];

    /// <summary>Shards on their way out: they get no new connections, and what waits in them is served before they are closed.</summary>
    public IReadOnlyList<ListenerSocket> Leaving => _leaving;

    /// <summary>The order of its sockets in the kernel's group; null where it is not known, so that nobody can be chosen.</summary>
    internal ReusePortGroup? Group { get; set; }

    /// <summary>Whether a program chooses between its sockets, rather than the kernel's hash.</summary>
    internal bool IsSteered { get; set; }

    /// <summary>Whether its shards are changing: one gets no new connections yet, or is on its way out.</summary>
    public bool IsReshaping => _leaving.Count > 0 || _sockets.Exists(socket => !socket.IsChosen);

    /// <summary>The last shard is on its way out from now on.</summary>
    internal ListenerSocket LetLastLeave(TimeSpan now)
    {
        var last = RemoveLast();
        last.LeavingSince = now;
        last.IsChosen = false;
        _leaving.Add(last);
        return last;
    }

    /// <summary>The shard of the next number, if it is on its way out, stays.</summary>
    internal bool TryKeepNext()
    {
        var index = _leaving.FindIndex(socket => socket.Shard == _sockets.Count);
        if (index < 0)
        {
            return false;
        }

        _leaving[index].LeavingSince = null;
        _sockets.Add(_leaving[index]);
        _leaving.RemoveAt(index);
        return true;
    }

    /// <summary>A shard that was on its way out is closed.</summary>
    internal void Forget(ListenerSocket socket) => _leaving.Remove(socket);

    /// <summary>How its shards stand to each other, for a successor; those on their way out go to <paramref name="descriptors"/>.</summary>
    private ShardsEntry? KeepShards(OutgoingDescriptors? descriptors)
    {
        foreach (var socket in _leaving)
        {
            descriptors?.Add(DescriptorKey.LeavingShard(Name, socket.Inode), socket.Descriptor);
        }

        return _sockets.Count < 2 && _leaving.Count == 0 && Group is null
            ? null
            : new ShardsEntry(
                Group is null ? null : [.. Group.Members],
                [.. _sockets.Where(socket => !socket.IsChosen).Select(socket => socket.Inode)],
                [.. _leaving.Select(socket => new LeavingEntry(socket.Shard, socket.Inode))],
                IsSteered);
    }

    /// <summary>Goes on with how a predecessor's shards stood; its sockets are there already. A shard that did not come over has left the group.</summary>
    internal void RestoreShards(ShardsEntry entry, Func<ulong, DescriptorHandle?> take)
    {
        IsSteered = entry.IsSteered;
        foreach (var socket in _sockets)
        {
            socket.IsChosen = !entry.Unchosen.Contains(socket.Inode);
        }

        foreach (var left in entry.Leaving)
        {
            if (take(left.Inode) is { } descriptor)
            {
                _leaving.Add(new ListenerSocket(descriptor, left.Shard) { Inode = left.Inode, LeavingSince = TimeSpan.Zero, IsChosen = false });
            }
        }

        // In which order several have left cannot be known, and so not who stands where.
        if (entry.Places is { } places)
        {
            var here = _sockets.Concat(_leaving).Select(socket => socket.Inode).ToHashSet();
            var gone = places.Where(inode => !here.Contains(inode)).ToArray();
            var group = new ReusePortGroup(places);
            foreach (var inode in gone)
            {
                group.Leave(inode);
            }

            foreach (var made in _sockets.Select(socket => socket.Inode))
            {
                group.Join(made);
            }

            Group = gone.Length < 2 ? group : null;
        }
    }
}
