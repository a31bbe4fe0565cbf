using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Evidence;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>Tells the kernel which sockets of a listener get new connections.</summary>
public sealed class ShardSteering
{
    private const string Attach = "SO_ATTACH_REUSEPORT_CBPF";
    private const string Detach = "SO_DETACH_REUSEPORT_BPF";

    private readonly ListenerContext _context;

    internal ShardSteering(ListenerContext context) => _context = context;

    /// <summary>
    /// Why the listener's sockets cannot be selected; null if they can. Asks the kernel which sockets are in the group.
    /// </summary>
    public static string? WhyNot(ListenerHandle handle)
    {
        if (handle.Spec.Address.Kind is not (ListenerKind.Tcp or ListenerKind.Udp) || handle.Effective is not { Host: { } host } address)
        {
            return $"the kernel accepts no selection program for {handle.Spec.Address.Kind.Scheme()}://";
        }

        var own = handle.Sockets.Concat(handle.Leaving).Select(socket => socket.Inode).ToHashSet();
        var members = handle.Group?.Members ?? (own.Count == 1 ? [.. own] : null);
        if (members is null)
        {
            return "the order of the sockets in the kernel's group is unknown, because another process made them";
        }

        var device = handle.Spec.Bind.Device;
        var others = InternetSockets.Binders(address.Kind == ListenerKind.Tcp ? PortSpace.Tcp : PortSpace.Udp, (int)address.Port)
            .Where(holder => host.Equals(holder.Socket?.Address) && (device is null || holder.Device is null || holder.Device == device))
            .Select(holder => holder.Inode).ToHashSet();
        others.ExceptWith(members);
        return others.Count > 0
            ? string.Create(
                CultureInfo.InvariantCulture, $"another socket shares {address} by SO_REUSEPORT (inode {string.Join(", ", others)})")
            : null;
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
        var isWhole = chosen.Length == (handle.Group?.Members.Count ?? 1);

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
        var places = chosen.Select(socket => handle.Group!.PlaceOf(socket.Inode)).ToArray();
        var error = places.Contains(-1)
            ? new SystemCallError("setsockopt", EINVAL)
            : ShardSelection.Select(chosen[0].Descriptor, handle.Spec.Address.Kind, places);
        handle.IsSteered |= error is null;
        var shards = string.Join(", ", chosen.Select(socket => socket.Shard));
        _context.Record(handle, HistoryRecorder.Reload).AddCall(
            HandlePhase.PostListen, "setsockopt", error, Attach,
            $"new connections go only to shard{(chosen.Length == 1 ? "" : "s")} {shards}");
    }

    private void LeaveToHash(ListenerHandle handle, string why)
    {
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
        _context.Record(handle, HistoryRecorder.Reload).AddCall(HandlePhase.PostListen, "setsockopt", error, Detach, note);
    }
}
