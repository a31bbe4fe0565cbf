using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>The handle in the manifest.</summary>
public sealed partial class ListenerHandle
{
    /// <summary>Goes on where a predecessor's handle ended, without a socket yet.</summary>
    internal ListenerHandle(ListenerEntry entry, TimeProvider time, HistoryFacts facts)
    {
        _spec = entry.Spec;
        Requested = entry.Spec.Address.ToString();
        History = new HandleHistory(time, entry.History, facts);
        History.Added += Tell;
        Domain = entry.Domain;
        Origin = entry.Origin;
        IsGiven = entry.IsGiven;
        IsIdle = entry.IsIdle;
        Failure = entry.Failure;
        foreach (var asked in entry.Asked)
        {
            if (SocketOptions.All.FirstOrDefault(option => option.Name == asked.Option) is { } option)
            {
                Remember(option, asked.Requested, asked.Effective, asked.Verdict);
            }
        }
    }

    /// <summary>The handle for a successor, its socket among <paramref name="descriptors"/> where it has one.</summary>
    public ListenerEntry Keep(OutgoingDescriptors? descriptors, TimeSpan? givesUp)
    {
        descriptors?.Add(DescriptorKey.Listener(Name), Descriptor);
        foreach (var socket in Sockets.Skip(1))
        {
            descriptors?.Add(DescriptorKey.Shard(Name, socket.Shard), socket.Descriptor);
        }

        return new ListenerEntry
        {
            Spec = Spec,
            Effective = Effective,
            Domain = Domain,
            Inode = Inode,
            Origin = Origin,
            IsGiven = IsGiven,
            IsIdle = IsIdle,
            IsNonBlocking = Descriptor is { } open && Files.IsNonBlocking(open),
            Failure = Failure,
            GivesUp = givesUp,
            PathDevice = PathIdentity?.Device,
            PathInode = PathIdentity?.Inode,
            Asked = [.. _asked.Select(asked => new AskedEntry(asked.Option.Name, asked.Requested, asked.Effective, asked.Verdict))],
            Shards = KeepShards(descriptors),
            History = History.Snapshot(),
        };
    }
}
