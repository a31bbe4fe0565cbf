using System.Globalization;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Conflicts;
using Supervisor.Linux.Kernel;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Evidence;

/// <summary>
/// Predicts whether a FIFO, a special file or a message queue can be opened. It opens no device, because some act on that (a hardware
/// watchdog starts), and leaves nothing behind: a queue that it makes to ask for the limits has a name of its own, and is removed.
/// </summary>
internal static class OpenedPath
{
    /// <summary>Examines what the address of <paramref name="spec"/> names.</summary>
    public static UnixPath.Finding Examine(ListenerSpec spec) =>
        spec.Address.Kind == ListenerKind.MessageQueue ? Queue(spec) : File(spec);

    /// <summary>
    /// Whether the owner of a FIFO or a message queue that exists is trusted: root, the daemon's user or the configured owner. The owner
    /// may read and change what passes through it.
    /// </summary>
    public static bool MayOwn(ListenerSpec spec, uint uid) =>
        uid == 0 || uid == Processes.EffectiveUid
        || (spec.Unix.User is { } user && UserDirectory.Host.FindUser(user, out _)?.Uid == uid);

    /// <summary>
    /// The attributes of a queue to make; null for the kernel's. The kernel takes both or none (ipc/mqueue.c, mqueue_get_inode): one that
    /// is not configured has the kernel's default.
    /// </summary>
    public static MessageQueues.Attributes? QueueSize(ListenerSpec spec) =>
        spec.Opened is { MaxMessages: null, MessageSize: null }
            ? null
            : new(
                spec.Opened.MaxMessages ?? Sysctl.ReadNumber("fs.mqueue.msg_default") ?? 10,
                spec.Opened.MessageSize ?? Sysctl.ReadNumber("fs.mqueue.msgsize_default") ?? 8192);

    private static UnixPath.Finding File(ListenerSpec spec)
    {
        var path = spec.Address.Path!;
        var isPipe = spec.Address.Kind == ListenerKind.Fifo;
        if (Files.GetStatus(path, out var status) is { } error)
        {
            var directory = Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : "/";
            return error.Errno != ENOENT || !isPipe ? Refused(spec, error with { Call = "open" })
                : AccessCheck.MayMake(directory, out var isFull) is { } refused ? Refused(spec, refused with { Call = "mknodat" })
                : new UnixPath.Finding(null, UnixPathState.Free, null, []) { IsFull = isFull };
        }

        if (isPipe ? !status.IsPipe : !status.IsCharacterDevice && !status.IsRegular)
        {
            return Refused(spec, new SystemCallError("open", EEXIST)) with { FileKind = UnixPath.Kind(status) };
        }

        if (isPipe && !MayOwn(spec, status.Uid))
        {
            return Refused(spec, new SystemCallError("open", EACCES)) with { FileKind = OfStranger(path, status.Uid) };
        }

        return isPipe || AccessCheck.MayOpen(path, spec.Opened.Writable) is not { } denied
            ? new UnixPath.Finding(null, UnixPathState.Live, null, [])
            : Refused(spec, denied with { Call = "open" });
    }

    private static UnixPath.Finding Queue(ListenerSpec spec)
    {
        var name = spec.Address.Path!;
        using var queue = MessageQueues.Open(name, out var error);
        if (queue is not null)
        {
            return Files.GetStatus(queue, out var status) is null && !MayOwn(spec, status.Uid)
                ? Refused(spec, new SystemCallError("mq_open", EACCES)) with { FileKind = OfStranger(name, status.Uid) }
                : new UnixPath.Finding(null, UnixPathState.Live, null, []);
        }

        if (error.Errno != ENOENT)
        {
            return Refused(spec, error);
        }

        const int onlyOwner = 0x180;
        var trial = string.Create(
            CultureInfo.InvariantCulture, $"/listend-trial-{Processes.CurrentPid}-{Environment.CurrentManagedThreadId}");
        using var made = MessageQueues.Create(trial, onlyOwner, QueueSize(spec), out error);
        if (made is null)
        {
            return Refused(spec, error);
        }

        MessageQueues.Unlink(trial);
        return new UnixPath.Finding(null, UnixPathState.Free, null, []);
    }

    private static string OfStranger(string name, uint uid) => string.Create(
        CultureInfo.InvariantCulture,
        $"{name} belongs to uid {uid}: what is there must belong to root, to the user of listend or to unix.user");

    private static UnixPath.Finding Refused(ListenerSpec spec, SystemCallError error) =>
        new(error.With(spec.Address.ToString()), UnixPathState.Unknown, null, []);
}
