using Supervisor.Core.Listeners;
using Supervisor.Linux.Evidence;
using Supervisor.Native;

namespace Supervisor.Linux.Listeners;

/// <summary>What a descriptor that is not a socket refers to.</summary>
internal static class OpenedFile
{
    private const string Queues = "/dev/mqueue/";

    /// <summary>
    /// The FIFO or message queue, by the path or name that it has now (proc_pid_fd(5)); null for anything else. A FIFO whose name is
    /// gone has no path.
    /// </summary>
    public static ListenAddress? Identify(DescriptorHandle descriptor)
    {
        if (Files.GetStatus(descriptor, out var status) is not null || status.Links == 0)
        {
            return null;
        }

        var path = status.IsPipe || status.IsRegular ? OpenFiles.ReadLink(Files.PinnedPath(descriptor)) : null;
        return path is null || !path.StartsWith('/') ? null
            : status.IsPipe ? ListenAddress.Opened(ListenerKind.Fifo, path)
            : MessageQueues.GetAttributes(descriptor, out _) is null
                ? ListenAddress.Opened(ListenerKind.MessageQueue, QueueName(path))
            : null;
    }

    /// <summary>
    /// Whether the descriptor is of the file at the path of <paramref name="address"/>, and of its kind. Another user's file system may
    /// hold the path, so it is asked on a thread of its own, for a bounded time.
    /// </summary>
    public static bool Is(DescriptorHandle descriptor, ListenAddress address)
    {
        if (Files.GetStatus(descriptor, out var status) is not null)
        {
            return false;
        }

        if (address.Kind == ListenerKind.MessageQueue)
        {
            return Identify(descriptor) == address;
        }

        var isKind = address.Kind == ListenerKind.Fifo ? status.IsPipe : status.IsCharacterDevice || status.IsRegular;
        using var place = isKind ? SocketPlace.Open(address.Path!, out _, out _) : null;
        return place?.GetStatus(out var there) is null && place is not null
            && place.Identity() == (status.Device, status.Inode);
    }

    /// <summary>The link shows "/NAME" of the mqueue file system, or the path where that is mounted.</summary>
    private static string QueueName(string path) =>
        path.StartsWith(Queues, StringComparison.Ordinal) ? path[(Queues.Length - 1)..] : path[path.LastIndexOf('/')..];
}
