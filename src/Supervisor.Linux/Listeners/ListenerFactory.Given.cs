using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <content>Handles that no configuration asks for: what somebody put by the broker.</content>
public sealed partial class ListenerFactory
{
    /// <summary>A handle that a service lists, and that somebody is to give: <see cref="Hold"/> fills it.</summary>
    public ListenerHandle Await(string name)
    {
        var handle = Prepare(new ListenerSpec { Name = name, Address = ListenAddress.Opaque("not given yet"), Enforce = false });
        Await(handle);
        return handle;
    }

    private static void Await(ListenerHandle handle)
    {
        handle.Origin = HandleOrigin.Given;
        handle.IsGiven = true;
        handle.IsIdle = true;
        handle.Failure = new SystemCallError("recvmsg", ENOENT).With($"no listener is configured as \"{handle.Name}\" and none was given: listenctl put {handle.Name} --fd N");
    }

    /// <summary>
    /// Holds a descriptor of any sort under a name, as it is: nothing of it is set, not even listen() is called. What it
    /// turns out to be is read back. The handle owns the descriptor afterwards.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="origin">How it came here.</param>
    /// <param name="giver">The process that put it.</param>
    /// <param name="note">Who that is.</param>
    /// <param name="awaited">The handle that has waited for it; null for a new one.</param>
    public ListenerHandle Hold(string name, DescriptorHandle descriptor, HandleOrigin origin, HistoryActor? giver, string note, ListenerHandle? awaited = null)
    {
        var identity = SocketIdentity.Read(descriptor);
        var address = identity?.Address ?? ListenAddress.Opaque(Describe(descriptor));
        Files.GetStatus(descriptor, out var status);
        var queue = identity is { IsListening: true, Address: not null } ? AcceptQueue.Read(descriptor, identity.Kind, status.Inode) : null;
        var spec = new ListenerSpec
        {
            Name = name,
            Address = address,
            Enforce = false,
            Listen = new ListenOptions { Backlog = (int)Math.Min(queue?.Limit ?? 0, int.MaxValue) },
        };
        var handle = awaited ?? Prepare(spec);
        handle.Spec = spec;
        handle.Failure = null;
        handle.Origin = origin;
        handle.IsGiven = true;
        handle.IsIdle = identity?.IsListening != true;
        handle.Descriptor = descriptor;
        handle.Domain = identity?.Domain ?? default;
        handle.Effective = address;
        handle.Inode = status.Inode;
        handle.History.Add(HandlePhase.Adopt, "recvmsg", actor: giver, note: note);
        if (address.Kind == ListenerKind.Other)
        {
            handle.History.Add(HandlePhase.Verify, "readlink", "address", effective: OptionValue.Of(address.ToString()), actor: _self, note: "no listener can be that: it is held as it is");
        }
        else
        {
            var accepts = address.Kind.Listens()
                ? handle.IsIdle ? "it does not listen: nobody can connect until its holder calls listen()" : "it listens"
                : null;
            if (accepts is not null)
            {
                handle.History.Add(HandlePhase.Adopt, "getsockopt", "SO_ACCEPTCONN", effective: OptionValue.Of(handle.IsIdle ? 0 : 1), actor: _self, note: accepts);
            }

            if (queue?.Limit is { } limit)
            {
                handle.History.Add(HandlePhase.Adopt, "getsockopt", "backlog", effective: OptionValue.Of(limit), actor: _self);
            }

            handle.History.Add(HandlePhase.Verify, "getsockname", "address", effective: OptionValue.Of(address.ToString()), actor: _self);
        }

        _log.Made(handle);
        return handle;
    }

    /// <summary>What a descriptor leads to (proc_pid_fd(5)), with the numbers of a socket's family and type.</summary>
    private static string Describe(DescriptorHandle descriptor)
    {
        var link = OpenFiles.ReadLink(Files.PinnedPath(descriptor)) ?? "a descriptor";
        return Sockets.GetInt32(descriptor, SOL_SOCKET, SO_DOMAIN, out var domain) is null && Sockets.GetInt32(descriptor, SOL_SOCKET, SO_TYPE, out var type) is null
            ? string.Create(CultureInfo.InvariantCulture, $"{link} (family {domain}, type {type})")
            : link;
    }
}
