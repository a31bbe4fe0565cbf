using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Steering;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>
/// Tells the kernel which shards of a listener get new connections: by the program that also steers generations, or where the kernel
/// refuses it by a classic BPF program, which needs the order of the sockets in the kernel's group.
/// </summary>
public sealed class ShardSteering
{
    private const string Attach = "SO_ATTACH_REUSEPORT_EBPF";
    private const string AttachClassic = "SO_ATTACH_REUSEPORT_CBPF";
    private const string Detach = "SO_DETACH_REUSEPORT_BPF";

    private readonly ListenerContext _context;

    internal ShardSteering(ListenerContext context) => _context = context;

    /// <summary>By what the shards of a listener are selected, or would be if their number changed.</summary>
    public static KernelSelection Means(ListenerHandle handle) => handle.Selection ?? KernelSelection.Of(handle.Spec.Address.Kind);

    /// <summary>
    /// Why the listener's sockets cannot be selected; null if they can. Asks the kernel which sockets are in the group.
    /// </summary>
    public static string? WhyNot(ListenerHandle handle)
    {
        if (!SteeringEngine.Supports(handle.Spec.Address.Kind) || handle.Effective is not { Host: { } host } address)
        {
            return $"the kernel accepts no selection program for {handle.Spec.Address.Kind.Scheme()}://";
        }

        IReadOnlyCollection<ulong> own = handle.Group?.Members
            ?? [.. handle.Sockets.Concat(handle.Leaving).Select(socket => socket.Inode)];
        var device = handle.Spec.Bind.Device;
        var others = InternetSockets.Binders(address.Kind == ListenerKind.Tcp ? PortSpace.Tcp : PortSpace.Udp, (int)address.Port)
            .Where(holder => host.Equals(holder.Socket?.Address) && (device is null || holder.Device is null || holder.Device == device))
            .Select(holder => holder.Inode).ToHashSet();
        others.ExceptWith(own);
        if (others.Count > 0)
        {
            return string.Create(
                CultureInfo.InvariantCulture, $"another socket shares {address} by SO_REUSEPORT (inode {string.Join(", ", others)})");
        }

        return handle.Group is not null || own.Count == 1 || handle.ShardEngine is not null
            || KernelSelection.Of(address.Kind).WhyNot is not { } whyNot
            ? null
            : $"the order of the sockets in the kernel's group is unknown, because another process made them, and {whyNot}";
    }

    /// <summary>Sends new connections to the chosen sockets, or to all if they cannot be selected.</summary>
    public void Apply(ListenerHandle handle) => Apply(handle, WhyNot(handle));

    /// <summary>The same with <paramref name="whyNot"/>, the reason why they cannot be selected; null if they can.</summary>
    public void Apply(ListenerHandle handle, string? whyNot)
    {
        if (whyNot is not null)
        {
            LeaveToHash(handle, whyNot);
            return;
        }

        var chosen = handle.Sockets.Where(socket => socket.IsChosen).ToArray();
        var isWhole = chosen.Length == (handle.Group?.Members.Count ?? handle.Sockets.Count + handle.Leaving.Count);

        // A datagram socket stays in the group while any process holds it, such as the fd holder: then the program stays too.
        if (!isWhole || (handle.IsSteered && handle.Spec.Address.Kind == ListenerKind.Udp))
        {
            Select(handle, chosen);
        }
        else if (handle.IsSteered)
        {
            Release(handle, "every shard is selected: the kernel's hash spreads new connections over them");
        }
    }

    /// <summary>Sends new connections only to these sockets.</summary>
    public void Select(ListenerHandle handle, ListenerSocket[] chosen)
    {
        var shards = string.Join(", ", chosen.Select(socket => socket.Shard));
        var note = $"new connections go only to shard{(chosen.Length == 1 ? "" : "s")} {shards}";
        if (Engine(handle, chosen) is not { } engine)
        {
            SelectByPlace(handle, chosen, note);
            return;
        }

        var history = _context.Record(handle, HistoryRecorder.Reload);
        var error = engine.Turn(SteeringTable.Build([.. chosen.Select(socket => new SteeringTarget(socket.Shard, 0))], null, 0));
        history.AddCall(HandlePhase.Steer, "bpf", error, note: note);

        if (error is not null)
        {
            return;
        }

        // Each time: a worker that holds a socket of the group can detach the program.
        error = engine.Attach(chosen[0].Descriptor);
        if (error is not null || !handle.IsSteered)
        {
            history.AddCall(HandlePhase.Steer, "setsockopt", error, Attach);
        }

        handle.IsSteered |= error is null;
    }

    /// <summary>Takes a closed shard out of the program's map.</summary>
    public static void Forget(ListenerHandle handle, ListenerSocket socket) => handle.ShardEngine?.Remove(socket.Shard);

    /// <summary>The program with these sockets in its map; null, with the reason in the handle, if the kernel refuses.</summary>
    private static SteeringEngine? Engine(ListenerHandle handle, ListenerSocket[] chosen)
    {
        var whyNot = chosen.Length > SteeringTable.Length ? $"a program selects among at most {SteeringTable.Length} shards" : null;
        if (whyNot is null)
        {
            handle.ShardEngine ??= SteeringEngine.Create(new SteeringTerms(handle.Spec.Address.Kind, null), out whyNot);
            whyNot ??= Fill(handle.ShardEngine!, chosen)?.ToString();
        }

        handle.Selection = new KernelSelection(whyNot is null ? SelectionMeans.Program : SelectionMeans.Classic, whyNot);
        if (whyNot is not null)
        {
            End(handle);
        }

        return handle.ShardEngine;
    }

    private static SystemCallError? Fill(SteeringEngine engine, ListenerSocket[] chosen)
    {
        foreach (var socket in chosen)
        {
            // EBUSY: it is in the map.
            if (engine.Put(socket.Shard, socket.Descriptor) is { Name: not "EBUSY" } refused)
            {
                return refused;
            }
        }

        return null;
    }

    /// <summary>By a classic BPF program, which returns the place of a socket in the kernel's group.</summary>
    private void SelectByPlace(ListenerHandle handle, ListenerSocket[] chosen, string note)
    {
        var places = chosen.Select(socket => handle.Group?.PlaceOf(socket.Inode) ?? -1).ToArray();
        var error = places.Contains(-1)
            ? new SystemCallError("setsockopt", EINVAL)
            : ShardSelection.Select(chosen[0].Descriptor, handle.Spec.Address.Kind, places);
        handle.IsSteered |= error is null;
        _context.Record(handle, HistoryRecorder.Reload).AddCall(
            HandlePhase.PostListen, "setsockopt", error, AttachClassic,
            handle.Selection?.WhyNot is { } reason ? $"{note} (classic BPF: {reason})" : note);
    }

    private void LeaveToHash(ListenerHandle handle, string why)
    {
        handle.Selection = new KernelSelection(SelectionMeans.Hash, why);
        foreach (var socket in handle.Sockets)
        {
            socket.IsChosen = true;
        }

        if (handle.IsSteered)
        {
            Release(handle, $"the kernel's hash spreads new connections again: {why}");
        }
        else
        {
            _context.Record(handle, HistoryRecorder.Reload).Add(
                HandlePhase.Verify, "reload", note: $"the kernel's hash spreads new connections over all sockets: {why}");
        }
    }

    private void Release(ListenerHandle handle, string note)
    {
        var error = Sockets.ReleaseReusePort(handle.Descriptor!);
        handle.IsSteered = false;
        End(handle);
        _context.Record(handle, HistoryRecorder.Reload).AddCall(HandlePhase.PostListen, "setsockopt", error, Detach, note);
    }

    /// <summary>
    /// Closes the program that is no longer attached. A socket can be in one map only, and the kernel and the keeper have this one for
    /// a moment: the next program needs the sockets.
    /// </summary>
    private static void End(ListenerHandle handle)
    {
        foreach (var socket in handle.Sockets.Concat(handle.Leaving))
        {
            Forget(handle, socket);
        }

        handle.ReleaseShardEngine();
    }
}
