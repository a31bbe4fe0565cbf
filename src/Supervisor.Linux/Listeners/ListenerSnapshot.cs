using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>A listener as its successor reads it: to an entry of the manifest, and back.</summary>
public static class ListenerSnapshot
{
    private static readonly HistorySnapshot NoHistory = new(0, 0, [], []);

    /// <summary>The entry of a listener, with its history if <paramref name="withHistory"/> is set.</summary>
    /// <param name="handle">The listener.</param>
    /// <param name="givesUp">Until when a refused bind is retried; null if it is not.</param>
    /// <param name="withHistory">Whether the entry has the history.</param>
    public static ListenerEntry Of(ListenerHandle handle, TimeSpan? givesUp, bool withHistory = true) => new()
    {
        Spec = handle.Spec,
        Effective = handle.Effective,
        Domain = handle.Domain,
        Inode = handle.Inode,
        Origin = handle.Origin,
        IsGiven = handle.IsGiven,
        IsIdle = handle.IsIdle,
        IsNonBlocking = handle.Descriptor is { } open && Descriptors.IsNonBlocking(open),
        Failure = handle.Failure,
        GivesUp = givesUp,
        PathDevice = handle.PathIdentity?.Device,
        PathInode = handle.PathIdentity?.Inode,
        Asked =
        [
            .. handle.Asked.All.Select(asked => new AskedEntry(asked.Option.Name, asked.Requested, asked.Effective, asked.Verdict)),
        ],
        Shards = Shards(handle),
        Drifts = handle.History.Drifts,
        Repairs = handle.History.Repairs,
        Steering = Steering(handle),
        Aside = Aside(handle),
        History = withHistory ? handle.History.Snapshot() : NoHistory,
    };

    /// <summary>
    /// A number that is the same while nothing of the entry has changed that the history does not record. It costs no system call.
    /// </summary>
    public static int Fingerprint(ListenerHandle handle, TimeSpan? givesUp)
    {
        var hash = new HashCode();
        hash.Add(RuntimeHelpers.GetHashCode(handle.Spec));
        hash.Add(handle.Failure is null ? 0 : RuntimeHelpers.GetHashCode(handle.Failure));
        hash.Add((handle.Origin, handle.IsGiven, handle.IsIdle, handle.IsSteered, handle.PathIdentity, givesUp));
        foreach (var socket in handle.Sockets)
        {
            hash.Add((socket.Inode, socket.IsChosen, socket.Steered?.Generation, socket.Steered?.WorkerSlot));
        }

        foreach (var socket in handle.Leaving)
        {
            hash.Add(socket.Inode);
        }

        foreach (var inode in handle.Group?.Members ?? [])
        {
            hash.Add(inode);
        }

        foreach (var aside in handle.Aside.OfFormers)
        {
            hash.Add(aside.IsRemoved);
        }

        return hash.ToHashCode();
    }

    /// <summary>Adds a listener's sockets for a successor; the handle keeps them.</summary>
    public static void AddSockets(ListenerHandle handle, OutgoingDescriptors descriptors)
    {
        descriptors.Add(DescriptorKey.Listener(handle.Name), handle.Descriptor);
        foreach (var socket in handle.Sockets.Skip(1))
        {
            var key = handle.Steering is null
                ? DescriptorKey.Shard(handle.Name, socket.Shard)
                : DescriptorKey.Steered(handle.Name, socket.Shard);
            descriptors.Add(key, socket.Descriptor);
        }

        foreach (var (name, descriptor) in (handle.Steering?.Engine ?? handle.ShardEngine)?.Descriptors ?? [])
        {
            descriptors.Add(DescriptorKey.Steering(handle.Name, name), descriptor);
        }

        foreach (var socket in handle.Leaving)
        {
            descriptors.Add(DescriptorKey.LeavingShard(handle.Name, socket.Inode), socket.Descriptor);
        }
    }

    /// <summary>The handle of an entry, without its sockets.</summary>
    internal static ListenerHandle Restore(ListenerEntry entry, HandleHistory history)
    {
        history.CountFrom(entry.Drifts, entry.Repairs);
        var handle = new ListenerHandle(entry.Spec, history)
        {
            Domain = entry.Domain,
            Origin = entry.Origin,
            IsGiven = entry.IsGiven,
            IsIdle = entry.IsIdle,
            Failure = entry.Failure,
        };
        var rows = SocketOptions.Of(entry.Spec);
        foreach (var asked in entry.Asked)
        {
            if (rows.FirstOrDefault(option => option.Name == asked.Option) is { } option)
            {
                handle.Asked.Remember(option, asked.Requested, asked.Effective, asked.Verdict);
            }
        }

        return handle;
    }

    /// <summary>Restores order and selection of shards whose sockets the handle has already.</summary>
    internal static void RestoreShards(ListenerHandle handle, ShardsEntry entry, Func<ulong, DescriptorHandle?> takeLeaving)
    {
        handle.IsSteered = entry.IsSteered;
        foreach (var socket in handle.Sockets)
        {
            socket.IsChosen = !entry.Unchosen.Contains(socket.Inode);
        }

        foreach (var left in entry.Leaving)
        {
            if (takeLeaving(left.Inode) is { } descriptor)
            {
                handle.AddLeaving(new ListenerSocket(descriptor, left.Shard)
                {
                    Inode = left.Inode,
                    LeavingSince = TimeSpan.Zero,
                    IsChosen = false,
                });
            }
        }

        handle.Group = entry.Places is { } places ? Group(handle, places) : handle.Group;
    }

    /// <summary>
    /// The kernel's group now. A socket that did not arrive is no longer in it. If two are missing, the order of their removal
    /// is unknown, and so are the places.
    /// </summary>
    private static ReusePortGroup? Group(ListenerHandle handle, IEnumerable<ulong> places)
    {
        var present = handle.Sockets.Concat(handle.Leaving).Select(socket => socket.Inode).ToHashSet();
        var missing = places.Where(inode => !present.Contains(inode)).ToArray();
        if (missing.Length > 1)
        {
            return null;
        }

        var group = new ReusePortGroup(places);
        foreach (var inode in missing)
        {
            group.Leave(inode);
        }

        foreach (var socket in handle.Sockets)
        {
            group.Join(socket.Inode);
        }

        return group;
    }

    private static SteeringEntry? Steering(ListenerHandle handle) => handle.Steering is not { } steering ? null : new SteeringEntry(
        [
            .. handle.Sockets.Select(socket => new SteeredEntry(
                socket.Shard, socket.Inode, socket.Steered?.WorkerSlot ?? -1, socket.Steered?.Generation ?? 0,
                socket.Steered?.SelectedBefore ?? 0)),
        ],
        [.. steering.Past.Select(past => new SelectedEntry(past.Key, past.Value))],
        steering.RecordedBefore,
        steering.IsEnding);

    private static ImmutableArray<AsideEntry>? Aside(ListenerHandle handle) => handle.Aside.OfFormers.All(file => file.IsRemoved)
        ? null
        : [
            .. handle.Aside.OfFormers.Where(file => !file.IsRemoved)
                .Select(file => new AsideEntry(file.Path, file.Identity.Device, file.Identity.Inode)),
        ];

    private static ShardsEntry? Shards(ListenerHandle handle) => handle.Steering is not null
        || (handle.Sockets.Count < 2 && handle.Leaving.Count == 0 && handle.Group is null)
        ? null
        : new ShardsEntry(
            handle.Group is null ? null : [.. handle.Group.Members],
            [.. handle.Sockets.Where(socket => !socket.IsChosen).Select(socket => socket.Inode)],
            [.. handle.Leaving.Select(socket => new LeavingEntry(socket.Shard, socket.Inode))],
            handle.IsSteered);
}
