using Supervisor.Core.Listeners;
using Supervisor.Core.State;
using Supervisor.Linux.Steering;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>Continues the steering of a previous daemon.</summary>
public sealed class SteeringRestorer
{
    private readonly ListenerContext _context;
    private readonly ListenerSteerer _steerer;

    internal SteeringRestorer(ListenerContext context, ListenerSteerer steerer) => (_context, _steerer) = (context, steerer);

    /// <summary>
    /// Continues a predecessor's steering. If its program did not arrive, begins anew: another one replaces it, and its flows are lost.
    /// </summary>
    /// <param name="handle">A listener with its first socket.</param>
    /// <param name="entry">What the predecessor knew; null if it did not steer.</param>
    /// <param name="take">Gives a descriptor by its key, which the handle owns afterwards; null if it did not arrive.</param>
    /// <param name="call">How the descriptors came here.</param>
    /// <param name="note">The note for the history.</param>
    public void Restore(ListenerHandle handle, SteeringEntry? entry, Func<string, DescriptorHandle?> take, string call, string note)
    {
        if (handle.Descriptor is null || handle.Steering is not null)
        {
            return;
        }

        if (entry is not null && SteeringEngine.Restore(
            new SteeringTerms(handle.Spec.Address.Kind, handle.Spec.Affinity),
            what => take(DescriptorKey.Steering(handle.Name, what))) is { } engine)
        {
            var steering = new ListenerSteering(engine);
            steering.Join(handle);
            steering.IsEnding = entry.IsEnding;
            steering.RecordedBefore = entry.RecordedBefore;
            foreach (var past in entry.Past)
            {
                steering.Add(past.Generation, past.Selected);
            }
        }

        foreach (var saved in entry?.Sockets ?? [])
        {
            RestoreSocket(handle, saved, take, call, note);
        }

        if (handle.Steering is null)
        {
            _steerer.Change(handle, handle.Spec);
        }
    }

    private void RestoreSocket(
        ListenerHandle handle, SteeredEntry saved, Func<string, DescriptorHandle?> take, string call, string note)
    {
        var socket = handle.Sockets[0].Inode == saved.Inode ? handle.Sockets[0] : null;
        if (socket is null && take(DescriptorKey.Steered(handle.Name, saved.Slot)) is { } descriptor)
        {
            handle.Put(handle.Sockets.Count, descriptor);
            socket = handle.Sockets[^1];
            socket.ReadInode();
            _context.Record(handle).ForShard(saved.Slot).Add(HandlePhase.Adopt, call, note: note);
        }

        if (socket is not null)
        {
            socket.Shard = saved.Slot;
            socket.Steered = new SteeredSocket
            {
                WorkerSlot = saved.WorkerSlot,
                Generation = saved.Generation,
                SelectedBefore = saved.SelectedBefore,
            };
        }
    }
}
