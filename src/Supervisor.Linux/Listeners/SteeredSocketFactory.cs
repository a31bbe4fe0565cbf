using System.Globalization;
using System.Net;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Steering;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>Makes the sockets of steered listeners and gives each a slot, by which the program of the kernel selects it.</summary>
internal sealed class SteeredSocketFactory(ListenerContext context, ListenerBuilder builder)
{
    /// <summary>Makes a socket and adds it to the group; null if that fails, and then the history has the reason.</summary>
    /// <param name="handle">A listener with a socket, whose address the new one gets.</param>
    /// <param name="dropsIncoming">Whether it drops what arrives until the program selects.</param>
    public ListenerSocket? Make(ListenerHandle handle, bool dropsIncoming)
    {
        var slot = FreeSlot(handle);
        if (slot == SteeringTerms.MostSockets)
        {
            return null;
        }

        var index = handle.Sockets.Count;
        var spec = handle.Spec with { Address = handle.Effective!, Bind = handle.Spec.Bind with { ReusePort = true } };
        var failure = builder.BuildShards(
            handle, ListenerPlan.For(spec, handle.Domain), index, index + 1, "a socket for one worker", dropsIncoming);
        if (failure is null)
        {
            var made = handle.Sockets[index];
            if (handle.Steering is null || Put(handle, made, slot) is null)
            {
                made.Shard = slot;
                return made;
            }
        }

        if (handle.Sockets.Count > index)
        {
            SocketCloser.Close(handle.RemoveLast().Descriptor);
        }

        return null;
    }

    /// <summary>Lets the program select a socket by a slot.</summary>
    public SystemCallError? Put(ListenerHandle handle, ListenerSocket socket, int slot)
    {
        var error = handle.Steering!.Engine.Put(slot, socket.Descriptor);
        socket.Shard = slot;
        socket.Steered ??= new SteeredSocket();
        context.Record(handle).AddCall(
            HandlePhase.Steer, "bpf", error, note: string.Create(CultureInfo.InvariantCulture, $"{Name(socket)}: slot {slot}"));
        return error;
    }

    /// <summary>The first slot that no socket of the listener has.</summary>
    public static int FreeSlot(ListenerHandle handle)
    {
        var used = (handle.Steering?.Sockets ?? handle.Sockets).Select(socket => socket.Shard).ToHashSet();
        var slot = 0;
        while (used.Contains(slot))
        {
            slot++;
        }

        return slot;
    }

    /// <summary>
    /// Connects a datagram socket that is about to be closed to the discard port of this host: the kernel's hash passes connected sockets
    /// over (net/core/sock_reuseport.c, reuseport_select_sock_by_hash), also while another process holds them, such as the keeper.
    /// </summary>
    public static SystemCallError? LeaveGroup(ListenerHandle handle, ListenerSocket socket)
    {
        const int discard = 9;
        var own = handle.Effective!;
        var peer = own.IsWildcard
            ? ListenAddress.Internet(own.Kind, handle.Domain == SocketDomain.IPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, discard)
            : own.WithPort(discard);
        return Sockaddr.Encode(peer, scopeId: 0) is { } raw ? Sockets.Connect(socket.Descriptor, raw) : null;
    }

    /// <summary>The socket's name in the history.</summary>
    public static string Name(ListenerSocket socket) => string.Create(CultureInfo.InvariantCulture, $"inode {socket.Inode}");
}
