using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>Makes sockets again that a holder has shut down.</summary>
public sealed class ShutdownRepair
{
    private readonly ListenerContext _context;
    private readonly ListenerBuilder _builder;
    private readonly ShardGroup _shards;
    private readonly ListenerSteerer _steerer;

    internal ShutdownRepair(ListenerContext context, ListenerBuilder builder, ShardGroup shards, ListenerSteerer steerer)
    {
        _context = context;
        _builder = builder;
        _shards = shards;
        _steerer = steerer;
    }

    /// <summary>
    /// Makes the listener's socket again, on the address that it had. A port that the kernel chose is asked for by its number: the
    /// socket has lost it (net/ipv4/tcp.c, tcp_set_state), and listen() without bind() would move the listener to another port. If the
    /// address cannot be bound a second time while workers hold the old socket, the old socket is bound and set to listen again.
    /// </summary>
    /// <returns>False if neither is possible: the handle then has a <see cref="ListenerHandle.Failure"/> and no socket.</returns>
    public bool Remake(ListenerHandle handle)
    {
        using var old = Descriptors.Duplicate(handle.Descriptor!, out _);
        handle.Settled = handle.Effective;
        var history = _context.Record(handle);
        _context.DropSpare(handle);
        SocketFileSteps.Remove(handle, history);
        history.Add(HandlePhase.Close, "close", note: "the socket that was shut down; workers keep theirs");
        handle.Reset();
        _builder.Build(handle);
        if (handle.Failure is not null && old is not null && handle.Settled is { } address)
        {
            Revive(handle, old, address);
        }

        _context.Log.Result(handle);
        return handle.Failure is null;
    }

    /// <summary>Closes a worker's own socket, which the worker has shut down.</summary>
    public void Drop(ListenerHandle handle, ListenerSocket socket) => _steerer.Close(handle, socket);

    /// <summary>Makes one shard again; the old one is closed when the new one exists, and kept otherwise. True if it was made.</summary>
    public bool RemakeShard(ListenerHandle handle, int shard)
    {
        var old = handle.Sockets[shard];
        var spec = handle.Spec with { Address = handle.Effective!, Shards = handle.Sockets.Count };

        // It left the kernel's group when it was shut down.
        handle.Group?.Leave(old.Inode);
        if (_builder.BuildShards(handle, ListenerPlan.For(spec, handle.Domain), shard, shard + 1) is not null)
        {
            if (handle.Sockets[shard] != old)
            {
                SocketCloser.Close(handle.Sockets[shard].Descriptor);
                handle.PutBack(old);
            }

            return false;
        }

        SocketCloser.Close(old.Descriptor);
        handle.Sockets[shard].IsChosen = old.IsChosen;
        if (!spec.Address.Kind.Listens())
        {
            // The old one stays in the group while a worker has it, so the order is unknown.
            handle.Group = null;
        }

        _shards.Renew(handle);
        return true;
    }

    private void Revive(ListenerHandle handle, DescriptorHandle old, ListenAddress address)
    {
        if (Sockaddr.Encode(address) is not { } raw)
        {
            return;
        }

        Sockets.Bind(old, raw);
        if (Sockets.Listen(old, handle.Spec.Listen.Backlog) is null && SocketIdentity.Read(old)?.Address == address
            && Descriptors.Duplicate(old, out _) is { } revived)
        {
            handle.SetSocket(revived);
            handle.Failure = AddressSteps.Verify(new SocketTarget(handle, 0, _context.Record(handle)));
            handle.Diagnosis = null;
        }
    }
}
