using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>Handles that no configuration asks for: descriptors that clients put by the broker.</summary>
public sealed class GivenSockets
{
    private readonly ListenerContext _context;

    internal GivenSockets(ListenerContext context) => _context = context;

    /// <summary>A handle that a service lists and that a client has yet to give: <see cref="Hold"/> fills it.</summary>
    public ListenerHandle Await(string name)
    {
        var handle = _context.NewHandle(new ListenerSpec { Name = name, Address = ListenAddress.Opaque("not given yet"), Enforce = false });
        MarkAwaited(handle);
        return handle;
    }

    /// <summary>Makes a handle one that a client has to give.</summary>
    public static void MarkAwaited(ListenerHandle handle)
    {
        handle.Origin = HandleOrigin.Given;
        handle.IsGiven = true;
        handle.IsIdle = true;
        handle.Failure = new SystemCallError("recvmsg", ENOENT).With(
            $"listener {handle.Name} is neither configured nor given: listenctl put {handle.Name} --fd N");
    }

    /// <summary>
    /// Holds a descriptor of any sort under a name. Nothing is set on it, not even listen() is called; what it is, is read back.
    /// The handle owns the descriptor afterwards.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="origin">How it came here.</param>
    /// <param name="giver">The process that put it.</param>
    /// <param name="note">A description of that process.</param>
    /// <param name="awaited">The handle that waits for it; null for a new one.</param>
    public ListenerHandle Hold(
        string name, DescriptorHandle descriptor, HandleOrigin origin, HistoryActor? giver, string note, ListenerHandle? awaited = null)
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
        var handle = awaited ?? _context.NewHandle(spec);
        handle.Spec = spec;
        handle.Failure = null;
        handle.Origin = origin;
        handle.IsGiven = true;
        handle.IsIdle = identity?.IsListening != true;
        handle.SetSocket(descriptor, status.Inode);
        handle.Domain = identity?.Domain ?? default;
        handle.Effective = address;
        RecordFindings(handle, giver, note, queue?.Limit);
        _context.Log.Result(handle);
        return handle;
    }

    private void RecordFindings(ListenerHandle handle, HistoryActor? giver, string note, long? backlog)
    {
        var history = _context.Record(handle);
        var address = OptionValue.Of(handle.Effective!.ToString());
        history.AddOf(giver, HandlePhase.Adopt, "recvmsg", Verdict.Exact, note);
        if (handle.Spec.Address.Kind == ListenerKind.Other)
        {
            history.Add(
                HandlePhase.Verify, "readlink", "address", effective: address, note: "not a kind that a listener can be: held as it is");
            return;
        }

        if (handle.Spec.Address.Kind.Listens())
        {
            history.Add(
                HandlePhase.Adopt, "getsockopt", "SO_ACCEPTCONN", effective: OptionValue.Of(handle.IsIdle ? 0 : 1),
                note: handle.IsIdle ? "it does not listen: clients cannot connect until a holder calls listen()" : "it listens");
        }

        if (backlog is { } limit)
        {
            history.Add(HandlePhase.Adopt, "getsockopt", "backlog", effective: OptionValue.Of(limit));
        }

        history.Add(HandlePhase.Verify, "getsockname", "address", effective: address);
    }

    /// <summary>What a descriptor refers to (proc_pid_fd(5)), with the numbers of a socket's family and type.</summary>
    private static string Describe(DescriptorHandle descriptor)
    {
        var link = OpenFiles.ReadLink(Files.PinnedPath(descriptor)) ?? "a descriptor";
        return Sockets.GetInt32(descriptor, SOL_SOCKET, SO_DOMAIN, out var domain) is null
            && Sockets.GetInt32(descriptor, SOL_SOCKET, SO_TYPE, out var type) is null
            ? string.Create(CultureInfo.InvariantCulture, $"{link} (family {domain}, type {type})")
            : link;
    }
}
