using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Steering;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>Adds shards to a listener that serves, and removes some.</summary>
/// <remarks>
/// The kernel spreads new connections over all sockets of a group, also over one on which no worker accepts, and resets the
/// connections that wait in a socket when it is closed. So a program in the kernel selects the sockets that get new connections
/// (<see cref="ShardSteering"/>). A new shard is selected when a worker serves it. A shard that is removed is deselected, its
/// connections are served, and then it is shut down. That removes it from the group at a known moment, even if another process holds
/// its descriptor (the fd holder, a draining worker), and the order of the others stays known. When all are selected, the
/// program is removed.
/// </remarks>
public sealed class ShardGroup
{
    private readonly ListenerContext _context;
    private readonly ListenerBuilder _builder;
    private readonly SocketReplacer _replacer;
    private readonly ShardSteering _steering;

    internal ShardGroup(ListenerContext context, ListenerBuilder builder, SocketReplacer replacer)
    {
        _context = context;
        _builder = builder;
        _replacer = replacer;
        _steering = new ShardSteering(context);
    }

    /// <summary>
    /// Makes the missing shards of <paramref name="spec"/> next to the present ones. If the sockets can be selected, the new ones get
    /// no connections before <see cref="Choose"/>. If one cannot be made, none is, and the failure is returned.
    /// </summary>
    public SystemCallFailure? Grow(ListenerHandle handle, ListenerSpec spec, TimeSpan now)
    {
        var before = handle.Sockets.Count;
        var whyNot = ShardSteering.WhyNot(handle);
        handle.Group ??= before == 1 && handle.Leaving.Count == 0 ? new ReusePortGroup(handle.Inode) : null;
        while (handle.Sockets.Count < spec.Shards && handle.TryKeepNext())
        {
            var kept = handle.Sockets[^1];
            kept.IsChosen = whyNot is not null;
            Record(handle, kept).Add(HandlePhase.Verify, "reload", note: $"{Inode(kept)} was about to be closed, and stays");
        }

        var first = handle.Sockets.Count;
        if (first < spec.Shards && MakeShards(handle, spec, before, whyNot) is { } failure)
        {
            Ungrow(handle, before, now);
            return failure;
        }

        foreach (var socket in handle.Sockets.Skip(first))
        {
            socket.IsChosen = whyNot is not null;
        }

        _steering.Apply(handle, whyNot);
        return null;
    }

    /// <summary>Undoes <see cref="Grow"/>, before a worker got one of the new shards.</summary>
    public void Ungrow(ListenerHandle handle, int shards, TimeSpan now)
    {
        while (handle.Sockets.Count > shards)
        {
            var last = handle.LetLastLeave(now);
            if (last.Baseline is null && !last.HasWaiting)
            {
                CloseLeaving(handle, last);
            }
        }

        _steering.Apply(handle);
        if (shards == 1)
        {
            _replacer.EndBridge(handle);
        }
    }

    /// <summary>
    /// Removes the shards from number <paramref name="shards"/> on: they get no new connections, if the sockets can be selected, and
    /// <see cref="CloseLeaving"/> closes each when no connection waits in it.
    /// </summary>
    public void Shrink(ListenerHandle handle, int shards, TimeSpan now)
    {
        var whyNot = ShardSteering.WhyNot(handle);
        while (handle.Sockets.Count > shards)
        {
            var last = handle.LetLastLeave(now);
            Record(handle, last).Add(HandlePhase.Verify, "reload", note: $"{Inode(last)} is closed when no connection waits in it");
        }

        if (!handle.Sockets.Any(socket => socket.IsChosen))
        {
            // Shards whose workers never started. A connection that waits is better off in a shard than in a closed one.
            foreach (var socket in handle.Sockets)
            {
                socket.IsChosen = true;
            }
        }

        _steering.Apply(handle, whyNot);
    }

    /// <summary>Lets shards get new connections that a worker serves now.</summary>
    public void Choose(ListenerHandle handle, IEnumerable<ListenerSocket> served)
    {
        foreach (var socket in served)
        {
            socket.IsChosen = true;
        }

        _steering.Apply(handle);
    }

    /// <summary>Selects the sockets for new connections in the kernel again, if a selection is set.</summary>
    public void Renew(ListenerHandle handle)
    {
        if (handle.IsSteered)
        {
            _steering.Apply(handle);
        }
    }

    /// <summary>
    /// Continues a previous daemon's selection. A program that it had no time to record would stay with the shards of that moment.
    /// </summary>
    /// <param name="handle">A listener with its shards.</param>
    /// <param name="take">Gives a map or the program by the end of its key; null if it did not arrive.</param>
    internal void Continue(ListenerHandle handle, Func<string, DescriptorHandle?> take)
    {
        if (handle.IsSteered)
        {
            handle.ShardEngine = SteeringEngine.Restore(new SteeringTerms(handle.Spec.Address.Kind, null), take);
            _steering.Apply(handle);
        }
        else if (handle.Sockets.Count > 1)
        {
            Sockets.ReleaseReusePort(handle.Descriptor!);
        }
    }

    /// <summary>Closes a removed shard in which no connection waits.</summary>
    public void CloseLeaving(ListenerHandle handle, ListenerSocket socket)
    {
        var history = Record(handle, socket);
        if (handle.Spec.Address.Kind == ListenerKind.Tcp)
        {
            // Removes it from the group even if another process still holds it.
            history.AddCall(
                HandlePhase.Close, "shutdown", Sockets.Shutdown(socket.Descriptor),
                note: $"{Inode(socket)}: removed from the kernel's group");
        }

        ShardSteering.Forget(handle, socket);
        history.Add(HandlePhase.Close, "close", note: $"{Inode(socket)}: no connection waited in it");
        Kernel.SocketCloser.Close(socket.Descriptor);
        handle.Forget(socket);
        handle.Group?.Leave(socket.Inode);
        Renew(handle);
    }

    private SystemCallFailure? MakeShards(ListenerHandle handle, ListenerSpec spec, int before, string? whyNot)
    {
        if (before == 1 && !handle.Spec.Bind.ReusePort)
        {
            _replacer.Share(handle, share: true, "more shards are bound to the same address");
        }

        if (before > 1 && whyNot is null)
        {
            _steering.Select(handle, [.. handle.Sockets.Where(socket => socket.IsChosen)]);
        }

        var plan = ListenerPlan.For(spec with { Address = handle.Effective! }, handle.Domain);
        return _builder.BuildShards(
            handle, plan, handle.Sockets.Count, spec.Shards, $"{HistoryRecorder.Reload}: next to the shards that serve");
    }

    private HistoryRecorder Record(ListenerHandle handle, ListenerSocket socket) =>
        _context.Record(handle, HistoryRecorder.Reload).ForShard(socket.Shard);

    private static string Inode(ListenerSocket socket) => string.Create(CultureInfo.InvariantCulture, $"inode {socket.Inode}");
}
