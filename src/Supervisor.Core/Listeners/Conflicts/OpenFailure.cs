using Supervisor.Core.Listeners.History;

namespace Supervisor.Core.Listeners.Conflicts;

/// <summary>The causes that only a FIFO, a message queue, a special file or a netlink socket has.</summary>
internal static class OpenFailure
{
    /// <summary>The cause; null if it is one that every kind has.</summary>
    public static BindFinding? Find(SystemCallFailure failure, ListenAddress address, BindEvidence evidence) => address.Kind switch
    {
        ListenerKind.Fifo or ListenerKind.Special => OfFile(failure, address, evidence),
        ListenerKind.MessageQueue => OfQueue(failure, address, evidence),
        ListenerKind.Netlink when failure is { Call: "bind", Name: "EPERM" or "EACCES" } => new(
            BindCause.OptionNotPermitted, $"the groups of {address} need CAP_NET_ADMIN, or a capability of that family"),
        _ => null,
    };

    private static BindFinding? OfFile(SystemCallFailure failure, ListenAddress address, BindEvidence evidence) => failure.Name switch
    {
        "EEXIST" or "ELOOP" or "EISDIR" => new(
            BindCause.WrongFileType,
            address.Kind == ListenerKind.Fifo
                ? $"{address.Path} is {evidence.FileKind ?? "another kind of file"}, not a FIFO"
                : $"{address.Path} is {evidence.FileKind ?? "another kind of file"}, not a character device or a regular file"),
        "EOPNOTSUPP" => new(
            BindCause.WrongFileType, $"{address.Path} is on a file system in user space (FUSE), whose process could stop the daemon"),
        "ENOENT" when address.Kind == ListenerKind.Special => new(BindCause.FileAbsent, $"{address.Path} does not exist"),
        "ENXIO" or "ENODEV" => new(BindCause.FileAbsent, $"no driver answers for {address.Path}"),
        "EACCES" or "EPERM" => new(
            BindCause.PathPermission, evidence.FileKind ?? $"uid {evidence.Uid} must not open or make {address.Path}"),
        "EROFS" => new(BindCause.PathPermission, $"{address.Path} is on a read-only file system"),
        "ENOSPC" or "EDQUOT" => BindFailureClassifier.Full(failure, address),
        "ENAMETOOLONG" => new(BindCause.PathTooLong, $"{address.Path} or a part of it is longer than the file system allows"),
        _ => null,
    };

    private static BindFinding? OfQueue(SystemCallFailure failure, ListenAddress address, BindEvidence evidence) => failure.Name switch
    {
        "EACCES" or "EPERM" => new(
            BindCause.PathPermission, evidence.FileKind ?? $"uid {evidence.Uid} must not open message queue {address.Path}"),
        "EINVAL" => new(
            BindCause.QueueLimit, "mqueue.max_messages or mqueue.message_size is above fs.mqueue.msg_max or fs.mqueue.msgsize_max"),
        "EMFILE" => new(
            BindCause.QueueLimit, "the message queues of this user have no more memory (RLIMIT_MSGQUEUE), or no descriptor is left"),
        "ENOSPC" => new(BindCause.QueueLimit, "the system has as many message queues as fs.mqueue.queues_max allows"),
        "ENOSYS" => new(BindCause.FamilyUnsupported, "this kernel has no POSIX message queues (CONFIG_POSIX_MQUEUE)"),
        _ => null,
    };
}
