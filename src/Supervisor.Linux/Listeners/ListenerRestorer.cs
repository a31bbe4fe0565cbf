using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Core.State;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>Continues the listeners of a previous daemon.</summary>
public sealed class ListenerRestorer
{
    private readonly ListenerContext _context;
    private readonly ListenerBuilder _builder;
    private readonly ShardGroup _shards;

    internal ListenerRestorer(ListenerContext context, ListenerBuilder builder, ShardGroup shards)
    {
        _context = context;
        _builder = builder;
        _shards = shards;
    }

    /// <summary>
    /// Continues a previous daemon's listener and its history. Without a descriptor, a listener that had a socket is made again,
    /// one whose bind was refused is tried again, and one that a client gave is awaited.
    /// </summary>
    /// <param name="entry">What the previous daemon knew.</param>
    /// <param name="descriptor">The socket, which the handle owns afterwards; null if it did not arrive.</param>
    /// <param name="origin">How the socket came here.</param>
    /// <param name="call">The system call by which it came.</param>
    /// <param name="note">The note for the history.</param>
    public ListenerHandle Restore(ListenerEntry entry, DescriptorHandle? descriptor, HandleOrigin origin, string call, string note)
    {
        var handle = _context.NewHandle(entry);
        RemoveAside(handle, entry);
        if (descriptor is not null)
        {
            // A descriptor that a client gave stays given, however it came here.
            handle.Origin = entry.IsGiven ? entry.Origin : origin;
            Continue(handle, entry, descriptor, origin, call, note);
        }
        else if (entry.IsGiven && (entry.Inode == 0 || entry.Spec.Address.Kind == ListenerKind.Other))
        {
            AwaitAgain(handle, entry, call, note);
        }
        else
        {
            MakeAgain(handle, entry, call, note);
        }

        return handle;
    }

    /// <summary>Continues the other shards of a listener whose first one was restored; a missing one is made again.</summary>
    /// <param name="handle">The listener.</param>
    /// <param name="take">Gives the descriptor of a shard, which the handle owns afterwards; null if it did not arrive.</param>
    /// <param name="call">How they came here.</param>
    /// <param name="note">The note for the history.</param>
    /// <param name="entry">Their order and selection; null if the previous daemon did not record them.</param>
    /// <param name="takeLeaving">Gives the descriptor of a shard that is being removed, by its inode number.</param>
    /// <param name="takeProgram">Gives the program that selects among them, or a map of it, by the end of its key.</param>
    public void RestoreShards(
        ListenerHandle handle, Func<int, DescriptorHandle?> take, string call, string note, ShardsEntry? entry = null,
        Func<ulong, DescriptorHandle?>? takeLeaving = null, Func<string, DescriptorHandle?>? takeProgram = null)
    {
        for (var shard = handle.Sockets.Count; handle.Effective is { } address && shard > 0 && shard < handle.Spec.Shards; shard++)
        {
            if (take(shard) is { } descriptor)
            {
                handle.Put(shard, descriptor);
                handle.Sockets[shard].ReadInode();
                _context.Record(handle).ForShard(shard).Add(HandlePhase.Adopt, call, note: note);
            }
            else if (!TryMakeShard(handle, address, shard))
            {
                break;
            }
        }

        if (entry is not null && handle.Descriptor is not null)
        {
            ListenerSnapshot.RestoreShards(handle, entry, takeLeaving ?? (static _ => null));
            _shards.Continue(handle, takeProgram ?? (static _ => null));
        }

        if (handle.Sockets.Count > 1)
        {
            handle.RecordBaseline();
        }
    }

    private bool TryMakeShard(ListenerHandle handle, ListenAddress address, int shard)
    {
        var plan = ListenerPlan.For(handle.Spec with { Address = address }, handle.Domain);
        if (_builder.BuildShards(handle, plan, shard, shard + 1) is null)
        {
            return true;
        }

        if (handle.Sockets.Count > shard)
        {
            SocketCloser.Close(handle.RemoveLast().Descriptor);
        }

        return false;
    }

    private void Continue(
        ListenerHandle handle, ListenerEntry entry, DescriptorHandle descriptor, HandleOrigin origin, string call, string note)
    {
        handle.SetSocket(descriptor);
        if (origin == HandleOrigin.InheritedUpgrade && entry.Inode != 0)
        {
            // This process has the descriptor with that number since before: a call for each of thousands would keep clients waiting.
            handle.Sockets[0].Inode = entry.Inode;
        }
        else
        {
            handle.Sockets[0].ReadInode();
        }

        handle.Failure = null;
        handle.Effective = entry.Effective;
        handle.PathIdentity = PathOf(entry);
        _context.Spares?.Keep(handle);
        var history = _context.Record(handle);
        history.Add(HandlePhase.Adopt, call, note: note);
        OptionSteps.ReadAfterBind(new SocketTarget(handle, 0, history));
        if (entry.IsNonBlocking && !Descriptors.IsNonBlocking(descriptor))
        {
            // systemd clears it on the sockets of a socket unit before each start of the service (NonBlocking=, systemd.service(5)).
            // Without it, workers that survived the restart hang in accept(), each until it gets a connection.
            var refused = Descriptors.SetNonBlocking(descriptor);
            history.Add(
                HandlePhase.Adopt, "fcntl", SocketChange.NonBlocking, OptionValue.Of(true),
                OptionValue.Of(Descriptors.IsNonBlocking(descriptor)),
                refused?.Name, refused is null ? Verdict.Exact : Verdict.Refused,
                "cleared by the process that passed it, as systemd does at each start; surviving workers rely on it");
        }
    }

    /// <summary>Only its giver can make it again.</summary>
    private void AwaitAgain(ListenerHandle handle, ListenerEntry entry, string call, string note)
    {
        if (entry.Inode != 0)
        {
            _context.Record(handle).Add(
                HandlePhase.Adopt, call, verdict: Verdict.Refused,
                note: $"{note}: no process holds it any more, so it has to be given again");
        }

        GivenSockets.MarkAwaited(handle);
    }

    private void MakeAgain(ListenerHandle handle, ListenerEntry entry, string call, string note)
    {
        var history = _context.Record(handle);
        if (entry.Failure is null)
        {
            history.Add(
                HandlePhase.Adopt, call, verdict: Verdict.Refused, note: $"{note}: no process holds it any more, so it is made again");
            handle.Origin = HandleOrigin.Created;
            handle.PathIdentity = PathOf(entry);
            _context.DropSpare(handle);
            SocketFileSteps.Remove(handle, history);
        }

        _builder.Build(handle);
        if (handle.Failure is null || entry.Failure is null)
        {
            _context.Log.Result(handle);
        }
    }

    /// <summary>
    /// Removes what a killed daemon had to remove when its listener's former sockets were closed. If the former socket had the path
    /// at that time (<see cref="PathBridge.Steer"/>), the listener's own file gets it back.
    /// </summary>
    private void RemoveAside(ListenerHandle handle, ListenerEntry entry)
    {
        var (own, path) = (PathOf(entry), entry.Spec.Address.Path);
        foreach (var aside in entry.Aside ?? [])
        {
            var former = (aside.Device, aside.Inode);
            using var place = former == own ? null : SocketPlace.Open(aside.Path, out _, out _);
            if (place is null)
            {
                continue;
            }

            if (own is not null && place.Identity() == own && Path.GetDirectoryName(path) == Path.GetDirectoryName(aside.Path)
                && place.Identity(Path.GetFileName(path)) == former)
            {
                place.Exchange(place.Name, Path.GetFileName(path)!);
            }

            if (place.GetStatus(out var status) is null && status.IsSocket && (status.Device, status.Inode) == former)
            {
                _context.Record(handle).AddCall(
                    HandlePhase.Close, "unlinkat", place.Unlink(), note: $"{aside.Path}: of a former socket of the previous daemon");
            }
        }
    }

    private static (ulong Device, ulong Inode)? PathOf(ListenerEntry entry) =>
        entry is { PathDevice: { } device, PathInode: { } inode } ? (device, inode) : null;
}
