using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <content>More shards, and fewer, on a listener that serves.</content>
/// <remarks>
/// The kernel spreads new connections over all sockets of a group, also over one that nobody serves, and resets whoever
/// waits in a socket that is closed. So a program tells it who gets new connections: a new shard does once somebody serves
/// it, one that is to go does not any more; what it has already is served, and then it is shut down. By that it leaves the
/// group at a known moment, whoever else still holds a descriptor of it (the keeper, a worker that drains), and the order
/// of the others stays known. When all of the group are to be chosen, the program is taken off again.
/// </remarks>
public sealed partial class ListenerFactory
{
    private const string Attach = "SO_ATTACH_REUSEPORT_CBPF";
    private const string Detach = "SO_DETACH_REUSEPORT_BPF";

    /// <summary>
    /// Why the kernel cannot be told which of the listener's sockets get new connections; null where it can. Asks the kernel
    /// who is in the group.
    /// </summary>
    public static string? WhyNotSteered(ListenerHandle handle)
    {
        if (handle.Spec.Address.Kind is not (ListenerKind.Tcp or ListenerKind.Udp) || handle.Effective is not { Host: { } host } address)
        {
            return $"the kernel takes no program that chooses for {handle.Spec.Address.Kind.Scheme()}://";
        }

        var own = handle.Sockets.Concat(handle.Leaving).Select(socket => socket.Inode).ToHashSet();
        var members = handle.Group?.Members ?? (own.Count == 1 ? [.. own] : null);
        if (members is null)
        {
            return "in which order the sockets came into the kernel's group is not known, since another process made them";
        }

        var device = handle.Spec.Bind.Device;
        var others = InternetSockets.Binders(address.Kind == ListenerKind.Tcp ? PortSpace.Tcp : PortSpace.Udp, (int)address.Port)
            .Where(holder => host.Equals(holder.Socket?.Address) && (device is null || holder.Device is null || holder.Device == device)).Select(holder => holder.Inode).ToHashSet();
        others.ExceptWith(members);
        return others.Count > 0
            ? string.Create(CultureInfo.InvariantCulture, $"another socket shares {address} by SO_REUSEPORT (inode {string.Join(", ", others)})")
            : null;
    }

    /// <summary>
    /// Makes the shards that <paramref name="spec"/> asks for beside those that there are, which stay as they are. Where the
    /// kernel can be told, the new ones get no connections until <see cref="Choose"/> says so. Where one cannot be made, none
    /// is, and the failure comes back.
    /// </summary>
    public SystemCallFailure? Grow(ListenerHandle handle, ListenerSpec spec, TimeSpan now)
    {
        var before = handle.Sockets.Count;
        var why = WhyNotSteered(handle);
        handle.Group ??= before == 1 && handle.Leaving.Count == 0 ? new ReusePortGroup(handle.Inode) : null;
        while (handle.Sockets.Count < spec.Shards && handle.TryKeepNext())
        {
            var kept = handle.Sockets[^1];
            kept.IsChosen = why is not null;
            handle.WorkAt(kept.Shard, isOneOfSeveral: true);
            handle.History.Add(HandlePhase.Verify, "reload", actor: _self, note: string.Create(CultureInfo.InvariantCulture, $"{Reloaded}: inode {kept.Inode} was on its way out, and stays"));
        }

        handle.WorkAt(0, isOneOfSeveral: false);
        var first = handle.Sockets.Count;
        if (first == spec.Shards)
        {
            Choose(handle, why);
            return null;
        }

        if (before == 1 && !handle.Spec.Bind.ReusePort)
        {
            SetSharing(handle, share: true, "more shards are bound beside it");
        }

        if (before > 1 && why is null)
        {
            Steer(handle, [.. handle.Sockets.Where(socket => socket.IsChosen)]);
        }

        var made = spec with { Address = handle.Effective! };
        var failure = MakeShards(handle, ListenerPlan.For(made, handle.Domain), first, spec.Shards, $"{Reloaded}: beside the shards that serve");
        if (failure is not null)
        {
            Ungrow(handle, before, now);
            return failure;
        }

        for (var shard = first; shard < handle.Sockets.Count; shard++)
        {
            handle.Sockets[shard].IsChosen = why is not null;
        }

        Choose(handle, why);
        return null;
    }

    /// <summary>Takes <see cref="Grow"/> back, before anybody was given a new shard.</summary>
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

        Choose(handle, WhyNotSteered(handle));
        if (shards == 1)
        {
            EndBridge(handle);
        }
    }

    /// <summary>
    /// The shards from number <paramref name="shards"/> on get no new connections any more, where the kernel can be told,
    /// and are closed by <see cref="CloseLeaving"/> when nobody waits in them.
    /// </summary>
    public void Shrink(ListenerHandle handle, int shards, TimeSpan now)
    {
        var why = WhyNotSteered(handle);
        while (handle.Sockets.Count > shards)
        {
            var last = handle.LetLastLeave(now);
            handle.WorkAt(last.Shard, isOneOfSeveral: true);
            handle.History.Add(
                HandlePhase.Verify, "reload", actor: _self,
                note: string.Create(CultureInfo.InvariantCulture, $"{Reloaded}: inode {last.Inode} is on its way out: it is closed when nobody waits in it"));
        }

        handle.WorkAt(0, isOneOfSeveral: false);
        if (!handle.Sockets.Any(socket => socket.IsChosen))
        {
            // Shards that were to be served, and whose workers never came: better to wait there than to be closed with the others.
            foreach (var socket in handle.Sockets)
            {
                socket.IsChosen = true;
            }
        }

        Choose(handle, why);
    }

    /// <summary>Shards that somebody serves now get new connections, too.</summary>
    public void Choose(ListenerHandle handle, IEnumerable<ListenerSocket> served)
    {
        foreach (var socket in served)
        {
            socket.IsChosen = true;
        }

        Choose(handle, WhyNotSteered(handle));
    }

    /// <summary>Closes a shard that is on its way out and in which nobody waits.</summary>
    public void CloseLeaving(ListenerHandle handle, ListenerSocket socket)
    {
        handle.WorkAt(socket.Shard, isOneOfSeveral: true);
        if (handle.Spec.Address.Kind == ListenerKind.Tcp)
        {
            // Also for whoever else still holds it: from here on it is in no group.
            var error = Sockets.Shutdown(socket.Descriptor);
            handle.History.Add(
                HandlePhase.Close, "shutdown", errno: error?.Name, verdict: error is null ? Verdict.Exact : Verdict.Refused, actor: _self,
                note: string.Create(CultureInfo.InvariantCulture, $"{Reloaded}: inode {socket.Inode}: it leaves the kernel's group"));
        }

        handle.History.Add(
            HandlePhase.Close, "close", actor: _self, note: string.Create(CultureInfo.InvariantCulture, $"{Reloaded}: inode {socket.Inode}: nobody waited in it"));
        SocketCloser.Close(socket.Descriptor);
        handle.Forget(socket);
        handle.Group?.Leave(socket.Inode);
        handle.WorkAt(0, isOneOfSeveral: false);
        if (handle.IsSteered)
        {
            Choose(handle, WhyNotSteered(handle));
        }
    }

    /// <summary>Tells the kernel, if it can be told and need be.</summary>
    private void Choose(ListenerHandle handle, string? why)
    {
        if (why is not null)
        {
            foreach (var socket in handle.Sockets)
            {
                socket.IsChosen = true;
            }

            if (handle.IsSteered)
            {
                Unsteer(handle, $"the kernel's hash chooses again: {why}");
            }
            else
            {
                handle.History.Add(HandlePhase.Verify, "reload", actor: _self, note: $"{Reloaded}: new connections are spread over all sockets by the kernel's hash: {why}");
            }

            return;
        }

        var chosen = handle.Sockets.Where(socket => socket.IsChosen).ToArray();

        // A datagram socket is in the group for as long as anybody holds it, the keeper for one: there the program stays.
        if (chosen.Length == (handle.Group?.Members.Count ?? 1) && !(handle.IsSteered && handle.Spec.Address.Kind == ListenerKind.Udp))
        {
            if (handle.IsSteered)
            {
                Unsteer(handle, "every shard is chosen: the kernel's hash spreads new connections over them");
            }

            return;
        }

        Steer(handle, chosen);
    }

    private void Steer(ListenerHandle handle, ListenerSocket[] chosen)
    {
        var places = chosen.Select(socket => handle.Group!.PlaceOf(socket.Inode)).ToArray();
        var error = places.Contains(-1)
            ? new SystemCallError("setsockopt", EINVAL)
            : ShardSelection.Select(chosen[0].Descriptor, handle.Spec.Address.Kind, places);
        handle.IsSteered |= error is null;
        handle.History.Add(
            HandlePhase.PostListen, "setsockopt", Attach, errno: error?.Name, verdict: error is null ? Verdict.Exact : Verdict.Refused, actor: _self,
            note: $"{Reloaded}: new connections go to shard{(chosen.Length == 1 ? "" : "s")} {string.Join(", ", chosen.Select(socket => socket.Shard))} alone");
    }

    private void Unsteer(ListenerHandle handle, string note)
    {
        var error = Sockets.ReleaseReusePort(handle.Descriptor!);
        handle.IsSteered = false;
        handle.History.Add(
            HandlePhase.PostListen, "setsockopt", Detach, errno: error?.Name, verdict: error is null ? Verdict.Exact : Verdict.Refused, actor: _self, note: $"{Reloaded}: {note}");
    }
}
