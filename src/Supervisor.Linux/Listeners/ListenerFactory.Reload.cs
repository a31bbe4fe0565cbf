using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;
using Supervisor.Core.Listeners.Plan;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Listeners;

/// <summary>What a reload does to a listener: options on the living socket, and a new socket beside the old one.</summary>
public sealed partial class ListenerFactory
{
    private const string Reloaded = "reload";

    /// <summary>
    /// Goes from what the handle was asked to be to <paramref name="spec"/> without another socket: sets what differs, gives
    /// back the kernel's own value where nothing is asked for any more, renames. Each call is in the history, in the phase
    /// of its option. What the kernel refuses is told, and leaves the socket as it was in that respect.
    /// </summary>
    /// <returns>What was refused, for people; empty where all went well.</returns>
    public IReadOnlyList<string> Change(ListenerHandle handle, ListenerSpec spec)
    {
        var before = handle.Spec;
        var first = handle.History.Count;
        if (before.Name != spec.Name)
        {
            handle.History.Add(HandlePhase.Verify, "reload", "name", OptionValue.Of(spec.Name), OptionValue.Of(spec.Name), actor: _self, note: $"{Reloaded}: was \"{before.Name}\"");
        }

        if (handle.Descriptor is null)
        {
            handle.Spec = spec;
            return [];
        }

        for (var shard = 0; shard < handle.Sockets.Count; shard++)
        {
            handle.WorkAt(shard, handle.Sockets.Count > 1);
            ChangeOptions(handle, before, spec);
            if (before.Listen.Backlog != spec.Listen.Backlog && spec.Address.Kind.Listens())
            {
                // A second listen() changes the queue's limit, and nothing else (net/ipv4/af_inet.c, __inet_listen_sk).
                Listen(handle, spec.Listen.Backlog, Reloaded);
            }
        }

        handle.WorkAt(0, isOneOfSeveral: false);

        if (spec.Address.Path is { } path && !spec.Address.IsAbstract)
        {
            ChangeFile(handle, before.Unix, spec.Unix, path);
        }

        foreach (var left in before.Datagram.Multicast.Except(spec.Datagram.Multicast))
        {
            Join(handle, left, leave: true, Reloaded);
        }

        foreach (var joined in spec.Datagram.Multicast.Except(before.Datagram.Multicast))
        {
            Join(handle, joined, leave: false, Reloaded);
        }

        handle.Spec = spec;
        if (handle.History.Count > first && handle.Sockets.Any(socket => socket.Baseline is not null))
        {
            // By us, not by a worker: no drift.
            handle.ForgetBaseline();
            handle.KeepBaseline();
        }

        return [.. handle.History.Entries.Where(entry => entry.Seq > first && entry.Verdict == Verdict.Refused)
            .Select(entry => $"{entry.Option ?? entry.Call} {entry.Requested}: {entry.Errno}: {entry.Note}")];
    }

    /// <summary>
    /// Makes the socket of <paramref name="spec"/> beside a living one of the same listener. The history goes on.
    /// </summary>
    /// <param name="former">The handle that has the old socket; it stays as it is.</param>
    /// <param name="spec">What is asked for.</param>
    /// <param name="at">The address to bind: the old socket's, where port 0 stands in the configuration and means "the one that we have".</param>
    /// <param name="bridge">Living sockets that get SO_REUSEPORT for it, as the new one does; none where there is room.</param>
    /// <param name="rename">Whether it is a UNIX path at which the old socket stands.</param>
    /// <param name="steered">Whether the new socket drops what comes until a <see cref="SocketBridge"/> is made of the two.</param>
    /// <returns>A handle with a socket, or with a <see cref="ListenerHandle.Failure"/>.</returns>
    public ListenerHandle CreateBeside(ListenerHandle former, ListenerSpec spec, ListenAddress at, IReadOnlyList<ListenerHandle> bridge, bool rename, bool steered = false)
    {
        var aside = rename ? ListenAddress.Unix(spec.Address.Kind, FreeName($"{at.Path}.{Processes.CurrentPid}"), isAbstract: false) : at;
        var made = spec with { Address = aside, Bind = bridge.Count > 0 ? spec.Bind with { ReusePort = true } : spec.Bind };
        var handle = new ListenerHandle(made, former.History)
        {
            DropsUntilSteered = steered,
            Occasion = string.Create(CultureInfo.InvariantCulture, $"{Reloaded}: another socket beside inode {former.Inode}, which serves until its last worker has left"),
        };
        foreach (var holder in bridge)
        {
            SetSharing(holder, share: true, "the new socket is bound beside it");
        }

        Make(handle);
        if (handle.Failure is null && rename)
        {
            handle.Failure = RenameOver(handle, aside.Path!, at);
        }

        if (handle.Failure is null)
        {
            handle.Spec = spec;
            _log.Made(handle);
        }
        else
        {
            // What was not asked for is not left behind.
            foreach (var holder in bridge)
            {
                EndBridge(holder);
            }
        }

        return handle;
    }

    /// <summary>Makes a listener that there was none of, beside living sockets that are on their way out.</summary>
    public ListenerHandle CreateBridged(ListenerSpec spec, IReadOnlyList<ListenerHandle> bridge)
    {
        if (bridge.Count == 0)
        {
            return Create(spec);
        }

        foreach (var holder in bridge)
        {
            SetSharing(holder, share: true, $"listener {spec.Name} is bound beside it");
        }

        var handle = Create(spec with { Bind = spec.Bind with { ReusePort = true } });
        handle.Spec = spec;
        if (handle.Failure is not null)
        {
            foreach (var holder in bridge)
            {
                EndBridge(holder);
            }
        }

        return handle;
    }

    /// <summary>Undoes <see cref="CreateBeside"/>: what was made is closed, and who served goes on alone.</summary>
    public void Undo(ListenerHandle handle, IReadOnlyList<ListenerHandle> bridge)
    {
        Retire(handle, removePath: true);
        foreach (var holder in bridge)
        {
            EndBridge(holder);
        }
    }

    /// <summary>A name beside a path that nobody has: the former sockets' of earlier reloads may still stand there.</summary>
    private static string FreeName(string name)
    {
        const int most = 1000;
        var free = name;
        using var place = SocketPlace.Open(name, out _, out _);
        for (var number = 2; number < most && place?.GetStatus(out _, Path.GetFileName(free)) is null && place is not null; number++)
        {
            free = string.Create(CultureInfo.InvariantCulture, $"{name}.{number}");
        }

        return free;
    }

    /// <summary>By exchange, so that the former socket can have its path back; where the file system has none, or nothing is there, by replacing it.</summary>
    private SystemCallFailure? RenameOver(ListenerHandle handle, string aside, ListenAddress address)
    {
        using var place = SocketPlace.Open(address.Path!, out var unopened, out _);
        var from = Path.GetFileName(aside);
        var exchanged = place is not null && place.Exchange(from, place.Name) is null;
        var error = place is null ? unopened : exchanged ? null : place.Rename(from, place.Name);
        handle.History.Add(
            HandlePhase.Bind, "renameat2", "address", OptionValue.Of(address.ToString()), error is null ? OptionValue.Of(address.ToString()) : null, error?.Name,
            error is null ? Verdict.Exact : Verdict.Refused, _self,
            $"{Reloaded}: {(exchanged ? $"exchanged with the former socket's file, which stands at {aside} until that one is closed" : "over the former socket's file")}; /proc/net/unix goes on to show the name that bind() got");
        if (error is null)
        {
            handle.Effective = address;
            handle.FormerPath = exchanged ? aside : null;
            return null;
        }

        RemovePath(handle);
        Abandon(handle);
        return error.Value.With($"{aside}, {address}");
    }

    /// <summary>Takes SO_REUSEPORT off a socket that had it for the bridge alone.</summary>
    public void EndBridge(ListenerHandle handle)
    {
        if (handle.Descriptor is not null && !handle.Spec.Bind.ReusePort && handle.Spec.Shards == 1
            && OptionAccess.Get(handle.Descriptor, SocketOptions.ReusePort) == OptionValue.Of(true))
        {
            SetSharing(handle, share: false, "the bridge is over");
        }
    }

    /// <summary>Closes a socket that another one has replaced; its history goes on with that one.</summary>
    public void Retire(ListenerHandle handle, bool removePath)
    {
        if (handle.Descriptor is null)
        {
            return;
        }

        if (removePath)
        {
            RemovePath(handle);
        }

        var waiting = handle.Spec.Address.Kind.Listens() ? AcceptQueue.Read(handle.Descriptor, handle.Spec.Address.Kind, handle.Inode)?.Length : null;
        handle.History.Add(
            HandlePhase.Close, "close", actor: _self,
            note: string.Create(CultureInfo.InvariantCulture, $"{Reloaded}: the former socket, inode {handle.Inode}; {waiting ?? 0} connections waited in its queue"));
        handle.Dispose();
        handle.Descriptor = null;
    }

    private void Deafen(ListenerHandle handle)
    {
        var error = Sockets.DropIncoming(handle.Descriptor!);
        handle.History.Add(
            HandlePhase.PreBind, "setsockopt", "SO_ATTACH_FILTER", errno: error?.Name, verdict: error is null ? Verdict.Exact : Verdict.Refused, actor: _self,
            note: $"{Reloaded}: drops what comes until new connections are steered");
    }

    private void SetSharing(ListenerHandle handle, bool share, string why)
    {
        var value = OptionValue.Of(share);
        var error = OptionAccess.Set(handle.Descriptor!, SocketOptions.ReusePort, value);
        var effective = OptionAccess.Get(handle.Descriptor!, SocketOptions.ReusePort);
        handle.History.Add(
            HandlePhase.PreBind, "setsockopt", SocketOptions.ReusePort.Name, value, effective, error?.Name, error is null ? Verdict.Exact : Verdict.Refused, _self,
            string.Create(CultureInfo.InvariantCulture, $"{Reloaded}: on the living socket, inode {handle.Inode}: {why}"));
        foreach (var socket in handle.Sockets)
        {
            // By us, not by a worker: no drift.
            socket.Baseline = socket.Baseline?.With(SocketOptions.ReusePort, effective);
        }

        if (!share)
        {
            handle.Forget(SocketOptions.ReusePort);
        }
    }

    private void ChangeOptions(ListenerHandle handle, ListenerSpec before, ListenerSpec spec)
    {
        var had = ListenerPlan.Options(before, handle.Domain).ToDictionary(step => step.Option);
        var wanted = ListenerPlan.Options(spec, handle.Domain).ToDictionary(step => step.Option);
        foreach (var step in wanted.Values.Where(step => step.Option.ChangeableInPlace && !(had.TryGetValue(step.Option, out var now) && now.Value == step.Value)))
        {
            Set(handle, step, Reloaded);
        }

        var gone = had.Keys.Where(option => option.ChangeableInPlace && !wanted.Keys.Any(other => other.Level == option.Level && other.ReadNumber == option.ReadNumber)).ToArray();
        if (gone.Length == 0)
        {
            return;
        }

        // The kernel's own value is the one of a socket that nobody has touched.
        using var fresh = ListenerSockets.Open(new CreateStep(spec.Address.Kind, handle.Domain, NonBlocking: true), out _);
        foreach (var option in gone)
        {
            handle.Forget(option);
            if (fresh is not null && OptionAccess.Get(fresh, option) is { } value)
            {
                Set(handle, new SetOptionStep(option, value), $"{Reloaded}: no value is asked for any more, the kernel's own is put back");
                handle.Forget(option);
            }
        }
    }

    /// <summary>The daemon's own mask, from /proc: umask(2) would have to change it to tell, for all threads.</summary>
    private static int Umask()
    {
        const int usual = 0x12;
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("Umask:", StringComparison.Ordinal))
            {
                return Convert.ToInt32(line["Umask:".Length..].Trim(), 8);
            }
        }

        return usual;
    }

    private void ChangeFile(ListenerHandle handle, UnixOptions before, UnixOptions after, string path)
    {
        if (before.User != after.User || before.Group != after.Group)
        {
            // Unset: the daemon's own.
            var user = after.User ?? (before.User is null ? null : Processes.EffectiveUid.ToString(CultureInfo.InvariantCulture));
            var group = after.Group ?? (before.Group is null ? null : Processes.EffectiveGid.ToString(CultureInfo.InvariantCulture));
            SetOwner(handle, new PathOwnerStep(path, user, group));
        }

        if (before.Mode != after.Mode)
        {
            const int everything = 0x1FF;
            SetPathMode(handle, new PathModeStep(path, after.Mode ?? (everything & ~Umask())));
        }
    }
}
