using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>Handles of a predecessor.</summary>
public sealed partial class ListenerFactory
{
    /// <summary>
    /// Goes on with a predecessor's listener. Its history goes on, and says how the socket came here. Takes over
    /// <paramref name="descriptor"/>; where there is none, a listener that had a socket is made anew, and one that had
    /// been refused is tried again.
    /// </summary>
    /// <param name="entry">What the predecessor knew.</param>
    /// <param name="descriptor">The socket; null where it could not be had.</param>
    /// <param name="origin">How the socket came here.</param>
    /// <param name="call">The system call by which it came.</param>
    /// <param name="note">What a reader of the history should know.</param>
    public ListenerHandle Restore(ListenerEntry entry, DescriptorHandle? descriptor, HandleOrigin origin, string call, string note)
    {
        var handle = new ListenerHandle(entry, _time, _facts);
        handle.Recorded += _recorded;
        if (descriptor is null && entry.IsGiven && (entry.Inode == 0 || entry.Spec.Address.Kind == ListenerKind.Other))
        {
            // Nobody but its giver can make such a one again.
            if (entry.Inode != 0)
            {
                handle.History.Add(HandlePhase.Adopt, call, verdict: Verdict.Refused, actor: _self, note: $"{note}: nobody holds it any more, so it has to be given again");
            }

            Await(handle);
            return handle;
        }

        if (descriptor is null)
        {
            if (entry.Failure is null)
            {
                handle.History.Add(HandlePhase.Adopt, call, verdict: Verdict.Refused, actor: _self, note: $"{note}: nobody holds it any more, so it is made anew");
                handle.Origin = HandleOrigin.Created;
                if (entry is { PathDevice: { } leftDevice, PathInode: { } leftInode })
                {
                    handle.PathIdentity = (leftDevice, leftInode);
                    RemovePath(handle);
                }
            }

            Make(handle);
            if (handle.Failure is null)
            {
                _log.Made(handle);
            }
            else if (entry.Failure is null)
            {
                _log.Failed(handle);
            }

            return handle;
        }

        // What a client has given stays his, whichever way it has come since.
        handle.Origin = entry.IsGiven ? entry.Origin : origin;
        handle.Descriptor = descriptor;
        handle.Failure = null;
        handle.Effective = entry.Effective;
        handle.PathIdentity = entry is { PathDevice: { } device, PathInode: { } inode } ? (device, inode) : null;
        Files.GetStatus(descriptor, out var status);
        handle.Inode = status.Inode;
        handle.History.Add(HandlePhase.Adopt, call, actor: _self, note: note);
        if (entry.IsNonBlocking && !Files.IsNonBlocking(descriptor))
        {
            // systemd clears it on the sockets of a socket unit before each start of the service (NonBlocking=, systemd.service(5)).
            // Workers that have outlived the restart would hang in accept(), one after another, each until a connection is its own.
            var refused = Files.SetNonBlocking(descriptor);
            handle.History.Add(
                HandlePhase.Adopt, "fcntl", SocketChange.NonBlocking, OptionValue.Of(true), OptionValue.Of(Files.IsNonBlocking(descriptor)), refused?.Name,
                refused is null ? Verdict.Exact : Verdict.Refused, _self, "cleared by who passed it, as systemd does with a socket unit's at each start; workers that live on rely on it");
        }

        handle.KeepBaseline();
        return handle;
    }

    /// <summary>Goes on with the other shards of a listener whose first one has been restored; one that did not come over is made anew.</summary>
    /// <param name="handle">The listener.</param>
    /// <param name="take">The descriptor of a shard, null where nobody brought it; the handle owns it afterwards.</param>
    /// <param name="call">How they came here.</param>
    /// <param name="note">From whom.</param>
    /// <param name="entry">How they stood to each other; null where nobody says.</param>
    /// <param name="takeLeaving">The descriptor of a shard that was on its way out, by its inode number.</param>
    public void RestoreShards(
        ListenerHandle handle, Func<int, DescriptorHandle?> take, string call, string note, ShardsEntry? entry = null, Func<ulong, DescriptorHandle?>? takeLeaving = null)
    {
        for (var shard = handle.Sockets.Count; handle.Effective is { } address && shard > 0 && shard < handle.Spec.Shards; shard++)
        {
            if (take(shard) is { } descriptor)
            {
                handle.WorkAt(shard, isOneOfSeveral: true);
                handle.Put(descriptor);
                Files.GetStatus(descriptor, out var status);
                handle.Inode = status.Inode;
                handle.History.Add(HandlePhase.Adopt, call, actor: _self, note: note);
            }
            else if (MakeShards(handle, ListenerPlan.For(handle.Spec with { Address = address }, handle.Domain), shard, shard + 1) is not null)
            {
                if (handle.Sockets.Count > shard)
                {
                    SocketCloser.Close(handle.RemoveLast().Descriptor);
                }

                break;
            }
        }

        handle.WorkAt(0, isOneOfSeveral: false);
        if (entry is not null && handle.Descriptor is not null)
        {
            handle.RestoreShards(entry, takeLeaving ?? (static _ => null));
            if (handle.IsSteered)
            {
                Choose(handle, WhyNotSteered(handle));
            }
        }

        handle.KeepBaseline();
    }
}
